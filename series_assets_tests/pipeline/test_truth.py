"""The history of the shipped series, compared with a second implementation in SQL."""

import csv
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import yaml

from series_assets.core.errors import RequestError
from series_assets.core.plan.series import Series
from series_assets.interface import generate, truth, verify
from series_assets.pipeline.truth import expected, tied_rows
from series_assets.pipeline.workspace import Workspace
from series_assets.settings import SHIPPED
from series_assets.storage import sqlite_states
from series_assets.storage.files import read_records, read_table
from series_assets.storage.loading import load_series
from series_assets_tests.builders import a_series, a_specification, a_user_input, files_in
from series_assets_tests.columns import a_category, a_date, a_number, a_uuid, with_columns
from series_assets_tests.thorough import mostly_thorough

_SEVERAL = ["frequency | probability_vector", "1 | 0.3", "3 | 0.7"]
_TRACKED: dict[str, dict[str, Any]] = {
    "school": {
        "track": ["class_year", "consent", "sessions_attended"],
        "order_by": "date_updated",
    },
    "clinic": {
        "track": ["urgency", "consultant", "outcome", "treatment_cost"],
        "order_by": "attendance_date",
    },
}


@dataclass(frozen=True)
class HistorySeries:
    """A shipped series with a truth block, and its generated data."""

    series: Series
    data: Path
    feed: sqlite3.Connection
    """A database with delivered rows in the table ``feed``: ``n``, ``place`` and the columns."""

    @property
    def workspace(self) -> Workspace:
        """The workspace of its data."""
        return Workspace(self.data)

    def by_sql(self, until: int) -> list[tuple[Any, ...]]:
        """Return the versions after the first files, computed by SQL window functions."""
        asked = self.series.truth
        assert asked is not None
        key, order = asked.key, asked.order_by
        columns = ", ".join(asked.track)
        differs = " OR ".join(f"{name} IS NOT lag({name}) OVER e" for name in asked.track)
        return self.feed.execute(
            f"""
            WITH ranked AS (
              SELECT *, row_number() OVER (
                PARTITION BY n, {key} ORDER BY {order} DESC, place DESC) AS nth
              FROM feed WHERE {key} IS NOT NULL AND n <= ?),
            states AS (
              SELECT *, lag(n) OVER e IS NULL OR {differs} AS opens
              FROM ranked WHERE nth = 1 WINDOW e AS (PARTITION BY {key} ORDER BY n))
            SELECT {key}, {columns}, row_number() OVER v, n, lead(n) OVER v, place
            FROM states WHERE opens WINDOW v AS (PARTITION BY {key} ORDER BY n) ORDER BY {key}, n
            """,
            (until,),
        ).fetchall()


@pytest.fixture(scope="module", params=mostly_thorough(_TRACKED, "school"))
def history(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[HistorySeries]:
    """The series, each generated once, with their feeds in a database."""
    folder = tmp_path_factory.mktemp("truth")
    series = _with_truth(folder, request.param, truth=_TRACKED[request.param])
    generate(series, folder / "data")
    with closing(sqlite3.connect(":memory:")) as feed:
        for number in range(1, series.calendar.count + 1):
            path = folder / "data" / series.name / f"dataset_{number}.csv"
            with path.open(newline="", encoding="utf-8") as stream:
                header, *rows = csv.reader(stream)
            feed.execute(f"CREATE TABLE IF NOT EXISTS feed (n, place, {', '.join(header)})")
            marks = ", ".join("?" * (len(header) + 2))
            for place, row in enumerate(rows, 1):
                values = [value or None for value in row]
                feed.execute(f"INSERT INTO feed VALUES ({marks})", (number, place, *values))
        yield HistorySeries(series, folder / "data", feed)


def _with_truth(folder: Path, name: str, **keys: Any) -> Series:
    place = folder / name
    place.mkdir(exist_ok=True)
    shutil.copy(SHIPPED / name / "specification.yml", place)
    user_input = yaml.safe_load((SHIPPED / name / "user_input.yml").read_text("utf-8"))
    (place / "user_input.yml").write_text(yaml.safe_dump(user_input | {"manifest": True} | keys))
    return load_series(place)


def test_the_versions_of_the_series_that_ship(history: HistorySeries) -> None:
    """School has one row per pupil and fortnight; in clinic 18 patients tie in a month."""
    versions, ties = {"school": (993, 0), "clinic": (1729, 18)}[history.series.name]
    found = expected(history.series, history.workspace, "scd2")
    assert found.num_rows == versions == len(history.by_sql(history.series.calendar.count))
    last = history.series.calendar.periods[-1]
    tied = tied_rows(history.series, history.workspace, last)
    assert sum(op != "superseded" for op in tied["state_op"].to_pylist()) == ties


def test_the_history_as_of_any_period_is_a_fold_of_the_files_until_then(
    history: HistorySeries,
) -> None:
    """Version by version, as computed by SQL over those files alone."""
    asked = history.series.truth
    assert asked is not None
    columns = [asked.key, *asked.track, "version", "opened_in", "closed_in", "row"]
    for period in history.series.calendar.periods:
        found = expected(history.series, history.workspace, "scd2", period).select(columns)
        ours = [tuple(row.values()) for row in found.to_pylist()]
        assert ours == history.by_sql(period.number)


def test_intervals_touch_and_one_is_current(history: HistorySeries) -> None:
    """A version ends on the day on which the next one starts; only the last has no end."""
    frame = truth(history.series, history.data)
    key = history.series.first_identifier
    following = frame.groupby(key)["valid_from"].shift(-1)
    assert frame["valid_to"].equals(following)
    assert (frame["is_current"] == following.isna()).all()
    assert set(frame["valid_from"].dt.strftime("%Y-%m-%d")) <= set(history.series.calendar.keys)
    current = truth(history.series, history.data, "scd1")
    assert len(current) == frame[key].nunique() == frame["is_current"].sum()


def test_the_change_log_has_a_line_for_each_row(history: HistorySeries) -> None:
    """In the order of the file, with the right number of changed cells."""
    for number in range(1, history.series.calendar.count + 1):
        folder = history.data / history.series.name
        rows = read_table(folder / f"dataset_{number}.csv")
        log = read_table(folder / "truth" / f"changes_{number}.csv")
        cells = read_table(folder / "truth" / f"cells_{number}.csv")
        key = history.series.first_identifier
        assert log["row"].to_pylist() == [str(place + 1) for place in range(rows.num_rows)]
        assert log[key] == rows[key]
        changed = log["changed"].cast(pa.int64()).to_pylist()
        ops = log["op"].to_pylist()
        assert cells.num_rows == sum(
            count for count, op in zip(changed, ops, strict=True) if op == "update"
        )
        for line in cells.slice(0, 50).to_pylist():
            assert rows[line["column"]][int(line["row"]) - 1].as_py() == line["after"]
            assert line["before"] != line["after"]


def test_any_period_alone_gives_the_same_files(history: HistorySeries, tmp_path: Path) -> None:
    """In any order after their predecessors, and in several processes."""
    wanted = files_in(history.data)
    keys = history.series.calendar.keys
    shutil.copytree(history.data, tmp_path / "data")
    for key in (keys[-1], keys[1], keys[0], keys[2]):
        generate(history.series, tmp_path / "data", key, executor="none")
        assert files_in(tmp_path / "data") == wanted
    generate(history.series, tmp_path / "others", executor="processes:2")
    assert files_in(tmp_path / "others") == wanted
    assert expected(history.series, Workspace(tmp_path / "data"), "scd2") == expected(
        history.series, history.workspace, "scd2"
    )


def test_the_block_changes_no_other_file(history: HistorySeries, tmp_path: Path) -> None:
    """Without the block and a manifest, the other files are the same."""
    plain = _with_truth(tmp_path, history.series.name, truth=None, manifest=False)
    generate(plain, tmp_path / "data", plain.calendar.keys[0] + ".." + plain.calendar.keys[1])
    for name, content in files_in(tmp_path / "data").items():
        assert "truth" not in name and "manifest" not in name
        assert (history.data / name).read_bytes() == content


_ASKED = {"track": ["region", "amount"], "order_by": "date"}


def _small(**truth: Any) -> Series:
    return a_series(None, a_user_input(truth=truth))


def test_identifiers_with_the_same_hash_are_kept_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """States are found by a hash of the identifier; those of another entity are ignored."""
    series = _with_truth(tmp_path, "school", truth=_TRACKED["school"], num_datasets=3)
    generate(series, tmp_path / "usual")
    monkeypatch.setattr(
        sqlite_states, "hashes_of", lambda keys: np.zeros(len(keys), dtype=np.int64)
    )
    generate(series, tmp_path / "same", executor="none")
    written = files_in(tmp_path / "usual" / "school" / "truth")
    assert written
    assert files_in(tmp_path / "same" / "school" / "truth") == written


def test_a_period_whose_predecessors_are_missing_is_refused(tmp_path: Path) -> None:
    """Before anything runs, with the periods to generate first."""
    series = _small(**_ASKED)
    generate(a_series(), tmp_path)
    with pytest.raises(RequestError) as caught:
        generate(series, tmp_path, series.calendar.keys[2])
    assert str(caught.value) == (
        "demo, period 2024-03-01: its states follow from those before it, but the states of "
        "2024-01-01..2024-02-01 are missing, or were generated from another version of the two "
        "files or of an earlier period; first run series-assets generate demo --periods "
        "2024-01-01..2024-02-01, or "
        "materialize state of these partitions"
    )


def test_a_successor_of_other_settings_is_stale(tmp_path: Path) -> None:
    """Its history is not used as if it were current; unrelated settings have no effect."""
    generate(_small(**_ASKED), tmp_path)
    other = _small(**(_ASKED | {"track": ["region"]}))
    generate(other, tmp_path, other.calendar.keys[0])
    assert set(truth(other, tmp_path)["opened_in"]) == {1}
    with pytest.raises(
        RequestError,
        match=r"the states of 2024-02-01 are missing, or were "
        r"generated from",
    ):
        truth(other, tmp_path, at="2024-02-01")
    with pytest.raises(RequestError, match=r"first run .* --periods 2024-01-01\.\.2024-04-01"):
        truth(_small(**_ASKED), tmp_path, at="2024-04-01")
    with pytest.raises(RequestError, match="--as SCD1 is not known; known here: scd1, scd2"):
        truth(_small(**_ASKED), tmp_path, "SCD1")
    with pytest.raises(RequestError, match="--profile db is not known; did you mean"):
        truth(_small(**_ASKED), tmp_path, profile="db")


def test_files_that_are_no_longer_requested_are_removed(tmp_path: Path) -> None:
    """Also if the block is removed: no history remains beside data of another version."""
    generate(_small(**_ASKED, write=["scd1", "scd2"]), tmp_path)
    assert len(list((tmp_path / "demo" / "truth").iterdir())) == 16
    generate(_small(**_ASKED, cells=False), tmp_path)
    assert len(list((tmp_path / "demo" / "truth").iterdir())) == 4
    generate(a_series(), tmp_path)
    assert list((tmp_path / "demo" / "truth").iterdir()) == []


@pytest.mark.parametrize(
    ("profile", "first", "last"),
    [
        ("dbt", "dbt_valid_from", "dbt_valid_to"),
        ("dlt", "_dlt_valid_from", "_dlt_valid_to"),
        ("sqlmesh", "valid_from", "valid_to"),
        ("databricks", "__START_AT", "__END_AT"),
        ("tpcdi", "EffectiveDate", "EndDate"),
    ],
)
def test_a_profile_has_the_columns_of_its_tool(
    history: HistorySeries, profile: str, first: str, last: str
) -> None:
    """The same versions, with the same times."""
    plain = truth(history.series, history.data)
    found = truth(history.series, history.data, profile=profile)
    days = found[first].dt.strftime("%Y-%m-%d")
    assert days.tolist() == plain["valid_from"].dt.strftime("%Y-%m-%d").tolist()
    open_value = found[last][plain["is_current"]]
    assert (open_value.dt.year == 9999).all() if profile == "tpcdi" else open_value.isna().all()
    assert "version" not in found


def test_tracked_columns_may_be_called_as_the_tables_call_theirs(tmp_path: Path) -> None:
    """Where the files of a history have no such column."""
    names = ("tied", "dataset", "op", "state_order")
    specification = with_columns(
        a_specification(number_of_rows=80),
        id=a_uuid(frequency_distribution=_SEVERAL),
        **{name: a_category(name, {"p": 0.5, "q": 0.5}) for name in names},
    )
    asked = {"track": [*names], "write": ["scd1", "scd2"]}
    series = a_series(specification, a_user_input(truth=asked, num_datasets=2))
    generate(series, tmp_path)
    for form in ("scd1", "scd2"):
        table = truth(series, tmp_path, form)
        assert all(set(table[name]) == {"p", "q"} for name in names)
    assert verify(truth(series, tmp_path), series, tmp_path).holds
    assert verify(truth(series, tmp_path, "scd1"), series, tmp_path, as_="scd1").holds


def test_rows_are_ordered_by_the_length_of_a_difference(tmp_path: Path) -> None:
    """Not by its text, in which 6 days come after 17 days."""
    specification = with_columns(
        a_specification(number_of_rows=80),
        id=a_uuid(frequency_distribution=_SEVERAL),
        since=a_date("2024-01-01", "2024-01-01", 1),
    )
    specification["derived_columns"] = {"gap": "date - since"}
    asked = {"track": ["amount"], "order_by": "gap"}
    series = a_series(specification, a_user_input(truth=asked, num_datasets=1))
    [dataset] = generate(series, tmp_path)
    rows = read_records(dataset)
    assert rows["gap"].str.fullmatch(r"\d+ days").all()
    rows["gap"] = rows["gap"].str.removesuffix(" days").astype(int)
    last = rows.sort_values("gap", kind="stable").groupby("id").tail(1).set_index("id")["amount"]
    found = truth(series, tmp_path, "scd1").set_index("id")["amount"]
    assert found.to_dict() == last.astype(float).to_dict()


def test_an_infinite_number_is_a_number(tmp_path: Path) -> None:
    """A share of nothing is infinite; the other values of its column are compared as numbers."""
    count = a_number("integer")
    count["distribution_parameters"] |= {"target_min": 0, "target_max": 9}
    specification = with_columns(a_specification(number_of_rows=80), count=count)
    specification["derived_columns"] = {"share": "amount / count"}
    series = a_series(specification, a_user_input(truth={"track": ["share"]}, num_datasets=2))
    generate(series, tmp_path)
    table = truth(series, tmp_path)
    assert np.isinf(table["share"]).any()
    assert verify(table, series, tmp_path).holds
    table.loc[np.isinf(table["share"]).idxmax(), "share"] = 7
    assert not verify(table, series, tmp_path).holds
