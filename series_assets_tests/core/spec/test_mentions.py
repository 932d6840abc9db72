"""The columns that an expression mentions: exact names, never parts of names (section 5.6)."""

import pytest

from series_assets.core.spec.mentions import in_constraint, in_derivation, in_list

COLUMNS = ["date", "date_updated", "date created", "sex", "amount", "amount_with_tax", "id"]


@pytest.mark.parametrize(
    ("expression", "mentioned"),
    [
        ("date_updated == date", {"date_updated", "date"}),
        ("date_updated >= 3", {"date_updated"}),
        ("~date created~ <= date_updated", {"date created", "date_updated"}),
        ("~date created~ == '2024-01-01'", {"date created"}),
        ("date__created > 1", {"date created"}),
        ("amount > 10 & sex == 'date'", {"amount", "sex"}),
        ("amount_with_tax > (amount * 2)", {"amount_with_tax", "amount"}),
        ("amount_with_tax_and_more > 1", set()),
        ("date_updated.dt.date == 1", {"date_updated"}),
        ("sex with_high_frequency", {"sex"}),
        ("amount > ", {"amount"}),
        ("sex == 'it''s", {"sex"}),
        ("Date == SEX", set()),
        ("", set()),
        (None, set()),
    ],
)
def test_constraints_and_filters(expression: str | None, mentioned: set[str]) -> None:
    """Complete names count, also in tildes; text in quotes is a value."""
    assert in_constraint(expression, COLUMNS) == mentioned


@pytest.mark.parametrize(
    ("calculation", "mentioned"),
    [
        ("amount * 2", {"amount"}),
        ("(amount_with_tax / amount)", {"amount", "amount_with_tax"}),
        ("date created", {"date created"}),
        ("(date_updated - date created).dt.days", {"date created", "date_updated"}),
        ("df.groupby('sex')['amount'].transform('mean')", {"sex", "amount"}),
        ('df.groupby("sex").amount.sum()', {"sex"}),
        ("df.sex + df.date.dt.year", {"sex", "date"}),
        ("date.dt.amount", {"date"}),
        ("@sysdate", set()),
        ("(amount", {"amount"}),
        ("(amount + 'sex", {"amount", "sex"}),
    ],
)
def test_derived_columns(calculation: str, mentioned: set[str]) -> None:
    """Names, attributes of df, and names in quotes count."""
    assert in_derivation(calculation, COLUMNS) == mentioned


@pytest.mark.parametrize(
    ("names", "mentioned"),
    [
        ("sex", {"sex"}),
        ("sex, date created", {"sex", "date created"}),
        (" amount ,date", {"amount", "date"}),
        ("date_updated_by", set()),
        ("", set()),
        (None, set()),
    ],
)
def test_partitions_and_targets(names: str | None, mentioned: set[str]) -> None:
    """Names are separated by commas and may contain blanks."""
    assert in_list(names, COLUMNS) == mentioned


def test_nothing_is_mentioned_but_columns() -> None:
    """Functions, keywords and values never count."""
    assert in_constraint("amount > @max(len(x)) and not 5", ["amount"]) == {"amount"}
