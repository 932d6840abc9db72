"""Typical mistakes in SQL, and whether the report names them as the cause."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pytest

from series_assets.core.errors import RequestError
from series_assets.core.plan.series import Series
from series_assets.core.verify.report import VerificationReport
from series_assets.interface import generate, truth, verify
from series_assets_tests.builders import a_series, a_specification, a_user_input
from series_assets_tests.columns import a_category, with_columns
from series_assets_tests.thorough import thorough

_TRACK = ["region", "amount"]
_LAST = "PARTITION BY id ORDER BY date DESC, place DESC"
_ANY_CHANGE = "new.region IS DISTINCT FROM old.region OR new.amount IS DISTINCT FROM old.amount"


@pytest.fixture(scope="module")
def series() -> Series:
    """A series with several rows of an entity in a period, and missing values."""
    specification = a_specification(number_of_rows=240)
    columns = specification["columns"]
    columns["id"]["frequency_distribution"] = [
        "frequency | probability_vector",
        "1         | 0.5",
        "2         | 0.5",
    ]
    columns["region"]["miss_probability"] = 0.2
    columns["amount"]["miss_probability"] = 0.3
    settings = a_user_input(truth={"track": _TRACK, "order_by": "date"}, fraction_of_new="1/6")
    return a_series(specification, settings)


@pytest.fixture(scope="module")
def data(series: Series, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which it was generated."""
    folder = tmp_path_factory.mktemp("causes")
    generate(series, folder)
    return folder


Pipeline = Callable[..., VerificationReport]


@pytest.fixture
def pipeline(series: Series, data: Path) -> Pipeline:
    """A DuckDB pipeline that is correct except for the given parts, and the report on it."""

    def run(
        *,
        loads: tuple[int, ...] = (1, 2, 3, 4),
        rows: str = "true",
        one_of: str | None = _LAST,
        changes: str = _ANY_CHANGE,
        begin: str = "DATE '{day}'",
        gone: str = "false",
        result: str = "SELECT * FROM old",
        **options: Any,
    ) -> VerificationReport:
        with duckdb.connect() as db:
            db.execute("SET TimeZone = 'UTC'")
            db.execute(
                "CREATE TABLE old (id TEXT, region TEXT, amount DOUBLE, valid_from TIMESTAMP, "
                "valid_to TIMESTAMP)"
            )
            for number in loads:
                file = data / series.name / f"dataset_{number}.csv"
                day = series.calendar.keys[number - 1]
                qualify = f"QUALIFY row_number() OVER ({one_of}) = 1" if one_of else ""
                db.execute(
                    "CREATE OR REPLACE TABLE new AS SELECT id, region, amount FROM (SELECT *, "
                    f"row_number() OVER () AS place FROM read_csv('{file}', "
                    f"types={{'id': 'VARCHAR', 'amount': 'DOUBLE'}})) WHERE {rows} {qualify}"
                )
                stamp = begin.format(day=day)
                db.execute(
                    f"UPDATE old SET valid_to = {stamp} FROM new WHERE new.id = old.id AND "
                    f"old.valid_to IS NULL AND ({changes})"
                )
                db.execute(
                    f"UPDATE old SET valid_to = {stamp} WHERE valid_to IS NULL AND {gone} "
                    "AND id NOT IN (SELECT id FROM new)"
                )
                db.execute(
                    f"INSERT INTO old SELECT id, region, amount, {stamp}, NULL FROM new "
                    "WHERE id NOT IN (SELECT id FROM old WHERE valid_to IS NULL)"
                )
            return verify(pa.table(db.sql(result)), series, data, **options)

    return run


def test_a_correct_pipeline_has_no_likely_cause(pipeline: Pipeline) -> None:
    """With a tie-break and without."""
    report = pipeline()
    assert report.holds and not report.causes
    report = pipeline(one_of="PARTITION BY id ORDER BY date DESC, place")
    assert report.holds and report.accepted_ties and not report.causes


def _replaced(column: str, value: str) -> dict[str, str]:
    return {"result": f"SELECT * REPLACE ({value} AS {column}) FROM old"}


_OF_CHANGES = "new.region <> old.region OR new.amount <> old.amount"
_ENDS_BEFORE = {"result": "SELECT * REPLACE (valid_to - INTERVAL 1 DAY AS valid_to) FROM old"}
_FIRST = "CASE WHEN valid_from = min(valid_from) OVER (PARTITION BY id) THEN {} ELSE valid_from END"
_NOW = "SELECT id, region, amount FROM old WHERE valid_to IS NULL"
_LATE = {"begin": "DATE '{day}' + INTERVAL 1 MONTH"}
_MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"one_of": None}, "supersedes: keep one row of a key in each load, the last by date and"),
    ({"one_of": "PARTITION BY id, region ORDER BY date DESC, place DESC"}, "later row of the key"),
    ({"one_of": "PARTITION BY id ORDER BY date, place"}, "later row of the key supersedes"),
    (
        {"changes": _OF_CHANGES},
        "only in a value that appears or disappears: a comparison with NULL",
    ),
    (
        {"changes": "new.amount IS DISTINCT FROM old.amount"},
        "all missing versions change only region, and each version that is there changes amount",
    ),
    ({"loads": (1, 2, 4)}, "no version begins or ends on 2024-03-01, where "),
    ({"loads": (1, 2, 3)}, "was that load skipped? Option --at compares with an earlier period"),
    ({"loads": (1, 3, 2, 4)}, "was the load of 2024-02-01 merged after that of 2024-03-01"),
    (_LATE, "are the first day of the next period; apart from that the table is correct (--time"),
    (
        {"begin": "DATE '{day}' + INTERVAL (month(DATE '{day}') - 1) DAY"},
        "the times of the table are up to 3 days later than expected, as the times of runs are; ",
    ),
    ({"begin": "DATE '{day}' + 1"}, "the times of the table are 1 day later than expected; apart"),
    (
        {"begin": "DATE '{day}' - INTERVAL 1 HOUR"},
        "the times of the table are 1 hour earlier than expected, as local times are; write them",
    ),
    (_ENDS_BEFORE, "each version ends 1 day early: if that is the last moment of the version, use"),
    (
        {"result": "SELECT * FROM old WHERE valid_to IS NULL"},
        "no version of the table has an end: does the pipeline close versions? A table of the",
    ),
    (
        {"result": "SELECT *, true AS is_current FROM old"},
        "the column that marks current versions contradicts the ends of ",
    ),
    (
        {
            "result": "SELECT *, valid_from = min(valid_from) OVER (PARTITION BY id) AS is_current "
            "FROM old"
        },
        "the column that marks current versions contradicts the ends of ",
    ),
    (
        {"result": "SELECT * REPLACE (upper(id) AS id) FROM old"},
        "no id of the table is written as delivered: the table has ",
    ),
    ({"result": "SELECT * FROM old LIMIT 0"}, "the table has no rows"),
    (_replaced("amount", "round(amount, 2)"), "'amount' is rounded to 2 decimals; keep all of"),
    (_replaced("amount", "round(amount, 8)"), "column 'amount' is rounded to 8 decimals; keep"),
    (_replaced("amount", "trunc(amount)"), "column 'amount' is cut off after whole numbers"),
    (_replaced("amount", "amount::FLOAT"), "column 'amount' has single precision; use a double"),
    (_replaced("amount", "coalesce(amount, 0)"), "'amount' has '0.0' for missing values; write N"),
    (_replaced("region", "coalesce(region, 'nan')"), "'region' has 'nan' for missing values; w"),
    (_replaced("region", "region || ' '"), "column 'region' has spaces around its values"),
    (
        _replaced("region", "upper(region)"),
        "column 'region' differs from the deliveries in upper and lower case",
    ),
    (
        {"result": "SELECT * FROM old UNION ALL SELECT * FROM old"},
        "the table has each row at least 2 times: was it loaded again without removing its rows",
    ),
    ({"gone": "true"}, "a delivery is a delta, and a key that it leaves out is unchanged; does"),
    (
        {
            "result": "SELECT id, amount::TEXT AS region, region AS amount, valid_from, valid_to "
            "FROM old"
        },
        "the columns 'region' and 'amount' have each other's values: are they swapped in a ",
    ),
    (
        _replaced("amount", "replace(amount::TEXT, '.', ',')"),
        "column 'amount' has decimal commas; write numbers with a point",
    ),
    (
        _replaced("amount", "replace(round(amount, 2)::TEXT, '.', ',')"),
        "column 'amount' has decimal commas; write numbers with a point",
    ),
    (
        _replaced("amount", "format('{:,.2f}', amount * 1000)"),
        "column 'amount' has commas between thousands; write numbers without",
    ),
    (_replaced("region", "left(region, 3)"), "column 'region' is cut off after 3 characters"),
    (
        _replaced("amount", "amount * 100"),
        "column 'amount' is 100 times the delivered number; is it in another unit?",
    ),
    (_replaced("id", "left(id, 20)"), ", which begins with it; is it cut off?"),
    (
        _replaced("valid_from", _FIRST.format("DATE '1900-01-01'")),
        "first versions begin on 1900-01-01, before the first load: a version should begin with "
        "the load",
    ),
    (
        _replaced("valid_to", "coalesce(valid_to, DATE '2099-12-31')"),
        "versions end on 2099-12-31; if that means current, use --open-value '2099-12-31'",
    ),
    ({"rows": "place <= 120"}, ", and 37 keys are missing: was a file cut short?"),
    ({"at": "2024-02-01"}, "are delivered after 2024-02-01: the table is newer than --at says"),
    ({"as_": "scd1", "at": "2024-02-01", "result": _NOW}, "the table is newer than --at says"),
    (
        {"as_": "scd1", "loads": (1, 2, 3), "result": _NOW},
        " keys are missing: was a load skipped? Option --at compares with an earlier period",
    ),
    (
        _replaced("amount", "last(amount ORDER BY valid_from) OVER (PARTITION BY id)"),
        "closed versions have the amount of the current one: the pipeline overwrites it in rows",
    ),
    (
        {
            "as_": "scd1",
            "result": "SELECT id, region, amount FROM old QUALIFY row_number() OVER "
            "(PARTITION BY id ORDER BY valid_from) = 1",
        },
        "have values of an earlier dataset: does the pipeline update the rows that are already",
    ),
    (
        {
            "as_": "scd1",
            "result": "SELECT id, region, amount FROM old WHERE id IN (SELECT id FROM new) AND "
            "valid_to IS NULL",
        },
        "the table has exactly the keys of the last delivery, dataset 4: a delivery is a delta",
    ),
    ({"as_": "scd1"}, "the table has the columns of a history: verify it with --as scd2"),
    (_replaced("valid_from", "valid_from + INTERVAL 1 DAY"), "each version begins 1 day late"),
    (
        _replaced("valid_to", "valid_to - INTERVAL 1 MICROSECOND"),
        "each version ends 1 microsecond early: if that is the last moment of the version, use "
        "--interval closed:1us",
    ),
    (
        _replaced("valid_to", "coalesce(valid_to, DATE '2024-04-01')"),
        "versions that should be current end on 2024-04-01: the current version of a key has no",
    ),
    (
        {
            "result": "SELECT * REPLACE (coalesce(amount, lag(amount IGNORE NULLS) OVER "
            "(PARTITION BY id ORDER BY valid_from)) AS amount) FROM old"
        },
        "column 'amount' keeps its earlier value where a delivery has none: a missing value is a",
    ),
    (
        _replaced("amount", "amount * (1 + 2e-16)"),
        "column 'amount' differs in the last digits: were texts parsed inexactly (pandas reads CSV",
    ),
    (_replaced("amount", "-amount"), "column 'amount' has the opposite sign"),
]


@pytest.mark.parametrize(("mistake", "cause"), _MISTAKES)
def test_the_likely_cause_names_the_mistake(
    pipeline: Pipeline, mistake: dict[str, Any], cause: str
) -> None:
    """The first cause is that of the pipeline, and the report starts with it."""
    report = pipeline(**mistake)
    assert report.findings and cause in report.causes[0]
    assert list(report.lines())[1] == f"likely cause: {report.causes[0]}"
    assert report.as_dict()["likely_causes"] == list(report.causes)


def test_several_mistakes_are_named(pipeline: Pipeline) -> None:
    """Each separately, although wrong times hide the versions."""
    report = pipeline(**_LATE, **_replaced("amount", "round(amount, 1)"))
    assert report.causes[0].startswith("the times of the table are the first day of the next ")
    assert report.causes[0].endswith(
        "; that is not all (--time rank compares loads by their order alone)"
    )
    assert report.causes[1].startswith("column 'amount' is rounded to 1 decimal; ")


def test_marks_of_current_versions_count_once(series: Series, data: Path) -> None:
    """A version too many that is marked is one finding, its mark not another."""
    table = truth(series, data)
    marked = table.copy()
    marked.loc[table.index[~table["is_current"]][:3], "is_current"] = True
    assert set(verify(marked, series, data).counts) == {"two_current"}


def test_a_column_that_is_not_compared_is_named(tmp_path: Path) -> None:
    """Also where most of its changes are from and to missing values."""
    specification = with_columns(
        a_specification(number_of_rows=240),
        town=a_category("town", {"Bergen": 0.95, "Oslo": 0.05}, miss_probability=0.5),
    )
    track = {"track": ["region", "town"]}
    series = a_series(specification, a_user_input(truth=track, fraction_of_new="1/6"))
    generate(series, tmp_path)
    table = truth(series, tmp_path)
    opens = table["region"] != table.groupby("id")["region"].shift()
    kept = table[opens].copy()
    kept["valid_to"] = kept.groupby("id")["valid_from"].shift(-1)
    report = verify(kept.drop(columns=["is_current", "version"]), series, tmp_path)
    assert report.causes[0].startswith("all missing versions change only town, and each version")


def test_what_has_no_pattern_has_no_cause(series: Series, data: Path) -> None:
    """A few scattered wrong rows are not a mistake of the pipeline."""
    table = truth(series, data)
    places = table.index[:: len(table) // 5]
    table.loc[places, "region"] = "East"
    report = verify(table, series, data)
    assert report.findings and report.causes == ()


@pytest.mark.parametrize("values", ["YN", "tf", *thorough("yn", "10")])
def test_marks_of_current_versions_are_written_in_several_ways(
    series: Series, data: Path, values: str
) -> None:
    """A value that is neither true nor false is refused."""
    table = truth(series, data)
    marked = table.assign(is_current=table["is_current"].map({True: values[0], False: values[1]}))
    assert verify(marked, series, data).holds
    with pytest.raises(Exception, match="column 'is_current' holds 'open', which is neither true"):
        verify(table.assign(is_current="open"), series, data)


def test_a_text_for_a_missing_time_is_refused_with_what_to_write(
    series: Series, data: Path
) -> None:
    """As pandas writes it when it converts times to text."""
    table = truth(series, data)
    table["valid_to"] = table["valid_to"].astype(str)
    with pytest.raises(Exception, match="'valid_to' holds 'NaT', which is not a time; leave a "):
        verify(table, series, data)


def test_an_end_that_only_some_current_versions_have_is_wrong(series: Series, data: Path) -> None:
    """It is not taken for a value that stands for no end."""
    table = truth(series, data)
    current = table.index[table["is_current"]]
    table["valid_to"] = table["valid_to"].astype(object)
    table.loc[current[::2], "valid_to"] = "2099-12-31"
    assert not any("--open-value" in cause for cause in verify(table, series, data).causes)


def test_rows_without_a_key_are_counted(series: Series, data: Path) -> None:
    """All of them are one key, so a note says how many there are."""
    table = truth(series, data)
    table.loc[table.index[:5], "id"] = None
    assert "5 rows without id, counted as one key" in verify(table, series, data).notes


@pytest.mark.parametrize("content", [b"", b"id,region\n", b"\xff\xfe\x00"])
def test_a_damaged_dataset_costs_causes_but_no_findings(tmp_path: Path, content: bytes) -> None:
    """The report is made of the recorded states; a note says which dataset cannot be read."""
    series = a_series(user_input=a_user_input(truth={"track": _TRACK, "order_by": "date"}))
    generate(series, tmp_path)
    table = truth(series, tmp_path, "scd1").assign(region="East")
    (tmp_path / "demo" / "dataset_4.csv").write_bytes(content)
    report = verify(table, series, tmp_path, as_="scd1")
    assert report.findings
    [note] = [note for note in report.notes if note.startswith("some causes were not looked for")]
    assert "dataset_4.csv cannot be read: " in note
    assert note.endswith("; run series-assets generate demo --periods 2024-04-01")
    with pytest.raises(RequestError, match="run series-assets generate demo --periods 2024-04-01"):
        truth(series, tmp_path, "changes")


def test_the_current_state_has_no_versions(series: Series, data: Path) -> None:
    """So its examples name none."""
    table = truth(series, data, "scd1").assign(region="East")
    report = verify(pd.DataFrame(table), series, data, as_="scd1")
    assert [example.version for example in report.findings[0].examples] == [None] * 5


def test_some_keys_that_are_written_in_another_way_are_named(series: Series, data: Path) -> None:
    """Such as those that lose a leading zero, which others do not have."""
    table = pd.DataFrame(truth(series, data))
    some = table["id"].unique()[:5]
    table["id"] = table["id"].where(~table["id"].isin(some), table["id"].str.upper())
    report = verify(table, series, data)
    assert report.causes[0].startswith(
        "5 keys of the table are written in another way than delivered, such as "
        f"{min(some).upper()} instead of {min(some)}"
    )


def test_a_table_of_a_few_rows_is_no_skipped_load(series: Series, data: Path) -> None:
    """Where hardly any version is there, a day without one says nothing."""
    few = pd.DataFrame(truth(series, data)).head(3)
    assert not any("load skipped" in cause for cause in verify(few, series, data).causes)


def test_times_of_events_are_no_loads(tmp_path: Path) -> None:
    """Missing versions of some days are no skipped load, and an end that day no absent key."""
    settings = a_user_input(truth={"track": _TRACK, "order_by": "date", "time": "event"})
    series = a_series(a_specification(number_of_rows=240), settings)
    generate(series, tmp_path)
    table = pd.DataFrame(truth(series, tmp_path))
    without = table[~table["valid_from"].astype(str).str.startswith("2024-02-1")]
    assert verify(without, series, tmp_path).causes == ()
    closed = table.index[table["valid_to"].notna()][:5]
    table.loc[closed, "valid_to"] = table["valid_from"] - pd.Timedelta(days=1)
    assert verify(table, series, tmp_path).causes == (
        "5 versions end before they begin: are rows applied in the order of the file, and not by "
        "date?",
    )
