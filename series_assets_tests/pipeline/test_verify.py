"""A table is compared with the expected history, and each planted fault is classified."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from series_assets.core.errors import RequestError
from series_assets.core.plan.series import Series
from series_assets.interface import generate, truth, verify
from series_assets_tests.builders import a_series, a_specification, a_user_input

_PLANTED = 20
_TRACK = {"track": ["region", "amount"], "order_by": "date"}


@pytest.fixture(scope="module")
def series() -> Series:
    """A series whose entities have several versions."""
    return a_series(a_specification(number_of_rows=150), a_user_input(truth=_TRACK))


@pytest.fixture(scope="module")
def data(series: Series, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which it was generated."""
    folder = tmp_path_factory.mktemp("verify")
    generate(series, folder)
    return folder


@pytest.fixture
def frame(series: Series, data: Path) -> pd.DataFrame:
    """A correct table, in random order."""
    return truth(series, data).sample(frac=1, random_state=1).reset_index(drop=True)


Rows = Any


def _chosen(frame: pd.DataFrame, which: Rows) -> Rows:
    """Return the positions of some rows, each of another entity."""
    rows = frame[which].drop_duplicates("id").index
    assert len(rows) >= _PLANTED
    return rows[:_PLANTED]


def _closed(frame: pd.DataFrame) -> Rows:
    return _chosen(frame, ~frame["is_current"])


def _current(frame: pd.DataFrame) -> Rows:
    return _chosen(frame, frame["is_current"])


def _lack_entities(frame: pd.DataFrame) -> pd.DataFrame:
    keys = frame["id"].drop_duplicates()[:_PLANTED]
    return frame[~frame["id"].isin(keys)]


def _have_unknown_entities(frame: pd.DataFrame) -> pd.DataFrame:
    rows = frame.loc[_current(frame)]
    return pd.concat([frame, rows.assign(id="x" + rows["id"])])


def _lack_versions(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.drop(_closed(frame))


def _have_extra_versions(frame: pd.DataFrame) -> pd.DataFrame:
    rows = frame.loc[_closed(frame)]
    early = pd.Timestamp("2020-01-01")
    extra = rows.assign(valid_from=early, valid_to=early + pd.Timedelta(days=1), region="East")
    return pd.concat([frame, extra])


def _have_duplicates(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([frame, frame.loc[_closed(frame)]])


def _leave_open(frame: pd.DataFrame) -> pd.DataFrame:
    rows = _closed(frame)
    frame.loc[rows, "valid_to"] = pd.NaT
    frame.loc[rows, "is_current"] = True
    return frame


def _close_current(frame: pd.DataFrame) -> pd.DataFrame:
    rows = _current(frame)
    frame.loc[rows, "valid_to"] = pd.Timestamp("2030-01-01")
    frame.loc[rows, "is_current"] = False
    return frame


def _begin_late(frame: pd.DataFrame) -> pd.DataFrame:
    frame.loc[_current(frame), "valid_from"] += pd.Timedelta(hours=6)
    return frame


def _change_values(frame: pd.DataFrame) -> pd.DataFrame:
    frame.loc[_closed(frame), "region"] = "East"
    return frame


def _invert(frame: pd.DataFrame) -> pd.DataFrame:
    rows = _closed(frame)
    frame.loc[rows, "valid_to"] = frame.loc[rows, "valid_from"] - pd.Timedelta(days=1)
    return frame


@pytest.mark.parametrize(
    ("plant", "kind", "others"),
    [
        (_lack_entities, "missing_entity", set()),
        (_have_unknown_entities, "unknown_entity", set()),
        (_lack_versions, "missing_version", set()),
        (_have_extra_versions, "extra_version", set()),
        (_have_duplicates, "duplicate_version", set()),
        (_leave_open, "two_current", {"wrong_valid_to", "overlap"}),
        (_close_current, "no_current", {"wrong_valid_to"}),
        (_begin_late, "wrong_valid_from", set()),
        (_change_values, "wrong_value", set()),
        (_invert, "inverted_interval", {"wrong_valid_to"}),
    ],
)
def test_planted_faults_land_in_their_class(
    series: Series,
    data: Path,
    frame: pd.DataFrame,
    plant: Callable[[pd.DataFrame], pd.DataFrame],
    kind: str,
    others: set[str],
) -> None:
    """All twenty of each kind, and only their consequences besides."""
    report = verify(plant(frame), series, data)
    assert report.counts == dict.fromkeys(report.counts, _PLANTED)
    assert set(report.counts) == {kind, *others}
    assert not report.holds and all(len(one.examples) == 5 for one in report.findings)


@pytest.mark.parametrize("time", ["exact", "rank", "order"])
@pytest.mark.parametrize("profile", ["plain", "dbt", "dlt", "sqlmesh", "databricks", "tpcdi"])
def test_a_correct_table_has_no_findings(
    series: Series, data: Path, profile: str, time: str
) -> None:
    """In any order of rows and columns, with the columns of each tool."""
    table = truth(series, data, profile=profile).sample(frac=1, random_state=2)
    report = verify(table[sorted(table.columns)], series, data, profile=profile, time=time)
    assert (report.findings, report.notes, report.ignored_columns) == ((), (), ())
    assert report.correct == report.expected == report.rows == len(table)
    assert report.summary == (f"demo: the table is correct as of 2024-04-01, {len(table)} versions")


def test_the_history_as_of_an_earlier_period(series: Series, data: Path) -> None:
    """Versions that closed later are current in it."""
    table = truth(series, data, at="2024-02-01")
    for day in ("2024-02-01", date(2024, 2, 1), pd.Timestamp("2024-02-01")):
        assert verify(table, series, data, at=day).holds
    assert {"missing_version", "wrong_valid_to"} <= set(verify(table, series, data).counts)


def test_the_current_state(series: Series, data: Path) -> None:
    """One row per key, without times."""
    table = truth(series, data, as_="scd1").drop(columns=["is_deleted", "since", "version"])
    assert verify(table, series, data, as_="scd1").holds
    table.loc[:1, "region"] = "East"
    twice = pd.concat([table[3:], table[3:4], table[4:6].assign(region="East")])
    report = verify(pd.concat([table[:2], twice]), series, data, as_="scd1")
    assert report.counts == {
        "missing_entity": 1,
        "duplicate_version": 1,
        "two_current": 2,
        "wrong_value": 2,
    }


def _in_time(frame: pd.DataFrame, begin: Callable[[pd.Series], Any]) -> pd.DataFrame:
    columns = {name: frame[name].map(begin, "ignore") for name in ("valid_from", "valid_to")}
    return frame.assign(**columns)


def test_times_of_runs_are_compared_by_rank(
    series: Series, data: Path, frame: pd.DataFrame, tmp_path: Path
) -> None:
    """The first load is the first period with a version; known loads are used if given."""
    days = sorted(frame["valid_from"].unique())
    stamps = {
        day: pd.Timestamp("2026-11-28 10:00") + n * pd.Timedelta(hours=1.5)
        for n, day in enumerate(days)
    }
    table = _in_time(frame, stamps.get)
    assert verify(table, series, data, time="rank").holds
    exact = verify(table, series, data)
    assert set(exact.counts) >= {"wrong_valid_from", "wrong_valid_to"}
    assert exact.causes[0].startswith("the times of the table are ") and not exact.notes
    assert "; apart from that the table is correct (--time rank" in exact.causes[0]
    fewer = table[table["valid_from"] != stamps[days[1]]]
    fewer = fewer[fewer["valid_to"] != stamps[days[1]]]
    with pytest.raises(RequestError) as caught:
        verify(fewer, series, data, time="rank")
    assert str(caught.value) == (
        "--time rank: the table holds 3 different times of loads, but versions opened or closed "
        "in 4 periods; give a CSV of period,loaded_at with --loads"
    )
    loads = tuple(
        (f"{day:%Y-%m-%d}", str(stamp - pd.Timedelta(minutes=5))) for day, stamp in stamps.items()
    )
    assert verify(table, series, data, time="rank", loads=loads).holds
    file = tmp_path / "loads.csv"
    pd.DataFrame(loads, columns=["period", "loaded_at"]).to_csv(file, index=False)
    assert verify(table, series, data, time="rank", loads=file).holds
    found = verify(fewer, series, data, time="rank", loads=loads)
    assert set(found.counts) <= {"missing_version", "missing_entity", "no_current"}


def test_times_that_mean_nothing_are_compared_by_order(
    series: Series, data: Path, frame: pd.DataFrame
) -> None:
    """Also numbers; gaps, missing versions and swapped versions are found."""
    days = {day: n for n, day in enumerate(sorted(frame["valid_from"].unique()))}
    table = _in_time(frame, lambda day: days[day] * 7)
    assert verify(table, series, data, time="order").holds
    with pytest.raises(RequestError, match=r"column 'valid_from' holds numbers, not times; use "):
        verify(table, series, data)
    gaps = table.copy()
    gaps.loc[_closed(table), "valid_to"] -= 3
    assert verify(gaps, series, data, time="order").counts == {"wrong_valid_to": _PLANTED}
    report = verify(table.drop(_closed(table)), series, data, time="order")
    assert report.counts["missing_version"] == _PLANTED
    assert set(report.counts) <= {"missing_version", "wrong_valid_to"}


def test_first_versions_since_1970_are_accepted(
    series: Series, data: Path, frame: pd.DataFrame
) -> None:
    """With a note; later ones are not."""
    first = frame["version"] == 1
    early = frame["valid_from"].where(~first, pd.Timestamp(0))
    for time in ("exact", "rank", "order"):
        report = verify(frame.assign(valid_from=early), series, data, time=time)
        assert report.holds
    report = verify(frame.assign(valid_from=early), series, data)
    assert report.notes == (f"{first.sum()} first versions begin on 1970-01-01, which is accepted",)


def test_values_are_compared_as_what_they_are(
    series: Series, data: Path, frame: pd.DataFrame
) -> None:
    """Numbers by value and within the tolerance, everything else as text."""
    texts = frame.assign(amount=frame["amount"].map(lambda one: f"{one!r}0"))
    assert verify(texts, series, data).holds
    near = frame.assign(amount=frame["amount"] + 0.001)
    assert verify(near, series, data).counts == {"wrong_value": len(frame)}
    assert verify(near, series, data, tolerance=0.002).holds
    upper = frame.assign(region=frame["region"].str.upper())
    assert verify(upper, series, data).counts == {"wrong_value": len(frame)}
    empty = frame.assign(region=frame["region"].where(frame["region"] != "North", ""))
    (finding,) = verify(empty, series, data).findings
    assert (finding.examples[0].found, finding.examples[0].expected) == ("nothing", "North")


def test_columns_by_other_names(series: Series, data: Path, frame: pd.DataFrame) -> None:
    """Names, open value and closed intervals are options; ignored columns are named."""
    last = frame["valid_to"] - pd.Timedelta(days=1)
    table = pd.DataFrame(
        {
            "ID": frame["id"],
            "district": frame["region"],
            "amount": frame["amount"],
            "first_day": frame["valid_from"].dt.strftime("%Y-%m-%d"),
            "last_day": last.dt.strftime("%Y-%m-%d").fillna("9999-12-31"),
            "loaded_by": "me",
        }
    )
    options: dict[str, Any] = {
        "columns": {"district": "region"},
        "valid_from": "first_day",
        "valid_to": "last_day",
        "interval": "closed:1d",
    }
    report = verify(table, series, data, open_value="9999-12-31", **options)
    assert report.holds and report.ignored_columns == ("loaded_by",)
    with pytest.raises(RequestError, match="if 9999-12-31 means current, use --open-value '9999"):
        verify(table, series, data, time="rank", **(options | {"interval": None}))
    report = verify(table, series, data, **options)
    assert report.causes == (
        "versions end on 9999-12-31; if that means current, use --open-value '9999-12-31'",
    )


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        (
            {"profile": "dbt"},
            "the table has no columns 'dbt_valid_from', 'dbt_valid_to', which the profile dbt "
            "expects; it has id, region, amount, version, valid_from, valid_to, is_current, "
            "opened_in, closed_in, row; its columns fit --profile plain",
        ),
        (
            {"columns": {"where": "region"}},
            "the table has no column 'where', which the profile plain expects; it has id, region, "
            "amount, version, valid_from, valid_to, is_current, opened_in, closed_in, row; name "
            "columns with --column THEIRS=OURS, --valid-from and --valid-to, or choose another "
            "--profile",
        ),
        ({"time": "ranked"}, "--time ranked is not known; did you mean 'rank'?"),
        (
            {"interval": "closed"},
            "--interval closed is not known; use half-open, or closed: with a number and d, s, ms "
            "or us, such as closed:1d",
        ),
        ({"tolerance": -1}, "--tolerance is -1, not a number from 0; use 0 or more"),
        ({"tolerance": "0.1"}, "--tolerance is '0.1', not a number from 0; use 0 or more"),
        (
            {"at": date(2024, 1, 2)},
            "--at 2024-01-02 is not the first day of a period of demo; did you mean '2024-01-01'?",
        ),
        (
            {"valid_from": "region"},
            "the table column 'region' holds 'South', which is not a time; use ISO 8601 times",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(
    series: Series, data: Path, options: dict[str, Any], fault: str
) -> None:
    """With the expected and the actual columns."""
    table = truth(series, data)
    table["region"] = "South"
    with pytest.raises(RequestError) as caught:
        verify(table, series, data, **options)
    assert str(caught.value) == fault


def _csv(frame: pd.DataFrame, folder: Path) -> str:
    frame.to_csv(folder / "table.csv", index=False)
    return str(folder / "table.csv")


def _parquet(frame: pd.DataFrame, folder: Path) -> str:
    frame.to_parquet(folder / "table.parquet")
    return str(folder / "table.parquet")


def _sqlite(frame: pd.DataFrame, folder: Path) -> str:
    with closing(sqlite3.connect(folder / "table.db")) as connection:
        frame.to_sql("dim", connection, index=False)
    return f"sqlite:///{folder / 'table.db'}#dim"


def _duckdb(frame: pd.DataFrame, folder: Path) -> str:
    with duckdb.connect(str(folder / "table.duckdb")) as connection:
        connection.register("frame", frame)
        connection.execute("CREATE SCHEMA marts")
        connection.execute("CREATE TABLE marts.dim AS SELECT * FROM frame")
    return f"duckdb:///{folder / 'table.duckdb'}#marts.dim"


@pytest.mark.parametrize("write", [_csv, _parquet, _sqlite, _duckdb])
def test_tables_of_each_kind_are_read(
    series: Series,
    data: Path,
    frame: pd.DataFrame,
    tmp_path: Path,
    write: Callable[[pd.DataFrame, Path], str],
) -> None:
    """With the same result."""
    assert verify(write(frame, tmp_path), series, data).holds
    (tmp_path / "wrong").mkdir()
    report = verify(write(_change_values(frame), tmp_path / "wrong"), series, data)
    assert report.counts == {"wrong_value": _PLANTED}


@pytest.mark.parametrize("convert", [pa.Table.from_pandas, pl.from_pandas, duckdb.from_df])
def test_tables_of_other_libraries_are_read(
    series: Series, data: Path, frame: pd.DataFrame, convert: Callable[[pd.DataFrame], Any]
) -> None:
    """Arrow, Polars and DuckDB; columns that have one name are refused."""
    assert verify(convert(frame), series, data).holds
    names = ["region" if name == "amount" else name for name in frame.columns]
    twice = pa.Table.from_pandas(frame, preserve_index=False).rename_columns(names)
    frame["valid_from"] = frame["valid_from"].dt.to_period("D")
    assert verify(frame, series, data).holds
    for table in (twice, pd.concat([frame, frame["region"]], axis="columns")):
        with pytest.raises(RequestError, match="--table has the column 'region' twice; rename"):
            verify(table, series, data)


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ("{0}/none.csv", "{0}/none.csv does not exist; check the path"),
        ("sqlite:///{0}/none.db#dim", "{0}/none.db does not exist; check the path"),
        ("sqlite:///{0}/a.db#dimm", "{0}/a.db: there is no table 'dimm'; did you mean 'dim'?"),
        (
            "{0}/a.db",
            "{0}/a.db: --table is not a table that can be read; use a .csv or .parquet file, "
            "sqlite:///FILE#TABLE or duckdb:///FILE#SCHEMA.TABLE",
        ),
    ],
)
def test_tables_that_are_not_there(
    series: Series, data: Path, tmp_path: Path, address: str, fault: str
) -> None:
    """The message has the path that was tried."""
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        connection.execute("CREATE TABLE dim (id)")
    with pytest.raises(RequestError) as caught:
        verify(address.format(tmp_path), series, data)
    assert str(caught.value) == fault.format(tmp_path)


def test_a_csv_with_a_byte_order_mark_is_read(series: Series, data: Path, tmp_path: Path) -> None:
    """As Excel saves it."""
    truth(series, data).to_csv(tmp_path / "table.csv", index=False, encoding="utf-8-sig")
    assert verify(str(tmp_path / "table.csv"), series, data).holds


@pytest.mark.parametrize(
    ("form", "fault"),
    [
        ({"sep": ";"}, "has cells separated by semicolons; save it with commas"),
        ({"sep": "\t"}, "has cells separated by tabs; save it with commas"),
        ({"encoding": "utf-16"}, "is not text in UTF-8; save it as CSV in UTF-8"),
    ],
)
def test_a_csv_of_another_form_is_refused(
    series: Series, data: Path, tmp_path: Path, form: dict[str, str], fault: str
) -> None:
    """The message says how to save it."""
    path = tmp_path / "table.csv"
    truth(series, data).to_csv(path, index=False, **form)
    with pytest.raises(RequestError) as caught:
        verify(str(path), series, data)
    assert str(caught.value) == f"{path} {fault}"


def test_numbers_of_findings_read_as_sentences(series: Series, data: Path) -> None:
    """In the singular and plural, with what to look for."""
    table = truth(series, data)
    closed = table[~table["is_current"]].index
    table.loc[closed[:1], "valid_to"] = pd.NaT
    table.loc[closed[:1], "is_current"] = True
    lines = list(verify(table, series, data).lines())
    assert lines[1] == (
        "two_current: 1 key has several current rows; was the delta merged twice, or does a load "
        "hold several rows of a key?"
    )
    key = table["id"][closed[0]]
    assert lines[2] == f"    key {key}: found 2 current rows, expected 1"
    assert np.all([line.startswith("    ") or ": " in line for line in lines])
