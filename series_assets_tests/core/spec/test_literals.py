"""Dates in expressions, and the columns that each is compared with."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from series_assets.core.spec.literals import (
    Compared,
    Day,
    in_constraint,
    in_derivation,
    parse_day,
)

COLUMNS = ("visit", "date of visit", "born", "born later", "sex", "amount")


def _named(day: Day, compared: Compared) -> str:
    return f"<{'+'.join(sorted(compared.columns))}>"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("visit >= '2024-01-05'", "visit >= '<visit>'"),
        ('visit < "2024-01-05"', 'visit < "<visit>"'),
        ("'2024-01-05' < visit", "'<visit>' < visit"),
        ("~date of visit~ > '2024-01-05'", "~date of visit~ > '<date of visit>'"),
        ("'2024-01-01' < visit <= '2024-01-05'", "'<visit>' < visit <= '<visit>'"),
        (
            "(visit > '2024-01-05') & (born < '2000-01-01')",
            "(visit > '<visit>') & (born < '<born>')",
        ),
        ("visit > '2024-01-05' & born < '2000-01-01'", "visit > '<visit>' & born < '<born>'"),
        ("visit > '2024-01-05' | sex == 'F'", "visit > '<visit>' | sex == 'F'"),
        ("not (visit > '2024-01-05' or amount > 5)", "not (visit > '<visit>' or amount > 5)"),
        ("~(visit > '2024-01-05')", "~(visit > '<visit>')"),
        ("visit.between('2024-01-01', '2024-01-05')", "visit.between('<visit>', '<visit>')"),
        ("visit in ['2024-01-05', 'x']", "visit in ['<visit>', 'x']"),
        ("visit.isin(['2024-01-05'])", "visit.isin(['<visit>'])"),
        ("visit > @pd.Timestamp('2024-01-05')", "visit > @pd.Timestamp('<visit>')"),
        ("visit.fillna('2024-01-05') > born", "visit.fillna('<visit>') > born"),
        (
            "sex.where(visit > '2024-01-05', '2024-01-06') == 'F'",
            "sex.where(visit > '<visit>', '<sex>') == 'F'",
        ),
        ("visit.where(born < '2000-01-01') > born", "visit.where(born < '<born>') > born"),
        ("born later > '2024-01-05'", "born later > '2024-01-05'"),
        ("visit >= 2024-01-05", "visit >= 2024-01-05"),
        ("sex with_high_frequency", "sex with_high_frequency"),
        ("visit >= ('2024-01-05'", "visit >= ('2024-01-05'"),
        ("'2024-01-05' == '2024-01-05'", "'2024-01-05' == '2024-01-05'"),
    ],
)
def test_a_day_belongs_to_the_columns_beside_it(text: str, expected: str) -> None:
    """To the nearest columns; text that is not a date, or cannot be parsed, is unchanged."""
    assert in_constraint(text, COLUMNS, _named) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(visit - '2024-01-01').dt.days", "(visit - '<visit>').dt.days"),
        ("(visit > '2024-01-15')", "(visit > '<visit>')"),
        ("date of visit > '2024-01-05'", "date of visit > '<date of visit>'"),
        ("born later > '2024-01-05'", "born later > '<born later>'"),
        ("df['visit'] > '2024-01-05'", "df['visit'] > '<visit>'"),
        ("df.visit > '2024-01-05'", "df.visit > '<visit>'"),
        ("df['date of visit'] > '2024-01-05'", "df['date of visit'] > '<date of visit>'"),
        (
            "(visit > '2024-01-05') & (sex == '2024-01-06')",
            "(visit > '<visit>') & (sex == '<sex>')",
        ),
    ],
)
def test_a_day_in_a_derived_column(text: str, expected: str) -> None:
    """Names may contain blanks there, and may be in quotes."""
    assert in_derivation(text, COLUMNS, _named) == expected


def test_days_that_are_compared_letter_by_letter_are_known() -> None:
    """These are dates that are converted to text before the comparison."""
    found: list[bool] = []

    def note(day: Day, compared: Compared) -> str:
        found.append(compared.as_text)
        return day.text

    text = "visit.dt.strftime('%d/%m/%Y') == '05/01/2024' and visit > '2024-01-05'"
    assert in_constraint(text, COLUMNS, note) == text
    assert found == [True, False]


@pytest.mark.parametrize(
    ("text", "moved"),
    [
        ("2024-01-05", "2024-03-31"),
        ("2024-1-5", "2024-03-31"),
        ("2024/01/05", "2024/03/31"),
        ("20240105", "20240331"),
        ("05/01/2024", "2024-03-31"),
        ("2024-01-05 12:30:00", "2024-03-31 12:30:00"),
        ("2024-01-05T12:30", "2024-03-31T12:30"),
    ],
)
def test_the_forms_of_a_day(text: str, moved: str) -> None:
    """A moved date keeps its form; a day-first one becomes ISO."""
    day = parse_day(text)
    assert day is not None and day.day == date(2024, 1, 5)
    assert day.at(date(2024, 3, 31), iso=True) == moved


def test_a_day_that_stays_keeps_its_form() -> None:
    """Except day-first dates, which pandas would read as month-first."""
    for text, expected in (("2024-1-5", "2024-1-5"), ("05/01/2024", "2024-01-05")):
        day = parse_day(text)
        assert day is not None
        assert day.at(day.day, iso=True) == expected
        assert day.at(day.day, iso=False) == text


def test_a_month_stands_for_its_first_day() -> None:
    """It is written as a month again if possible."""
    month = parse_day("2024-01")
    assert month is not None and month.day == date(2024, 1, 1)
    assert month.at(date(2024, 2, 1), iso=True) == "2024-02"
    assert month.at(date(2024, 1, 8), iso=True) == "2024-01-08"


@pytest.mark.parametrize(
    "text",
    ["", "x", "2024", "2024-02-30", "2024-01-05 or so", "1/2/3/2024", "202401051", "North 2024-01"],
)
def test_what_is_no_day(text: str) -> None:
    """Other text, and days that do not exist."""
    assert parse_day(text) is None


@given(st.dates(), st.dates())
def test_every_day_can_be_written_and_read_again(day: date, other: date) -> None:
    """In each form, four digits of the year in any century."""
    for text in (f"{day:%d/%m/}{day.year:04}", day.isoformat(), day.isoformat().replace("-", "/")):
        parsed = parse_day(text)
        assert parsed is not None and parsed.day == day
        moved = parse_day(parsed.at(other, iso=False))
        assert moved is not None and moved.day == other


@given(st.text("abv'\"~ ()[].,&|@`=<>0123456789-\n", max_size=40))
def test_any_text_is_survived(text: str) -> None:
    """Nothing is raised, and where no day changes nothing else does."""
    for replace in (in_constraint, in_derivation):
        assert replace(text, COLUMNS, lambda day, compared: day.text) == text
