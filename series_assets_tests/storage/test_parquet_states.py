"""A table of states in Parquet gives the same results as one in SQLite."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from series_assets.core.errors import GenerationError, RequestError
from series_assets.core.plan.series import Series
from series_assets.core.truth.columns import entities_of, no_states
from series_assets.core.truth.fold import Fold, fold
from series_assets.storage.layout import Layout
from series_assets.storage.parquet_states import ParquetStateTable
from series_assets.storage.sqlite_states import SqliteStateTable
from series_assets.storage.states import StateTable
from series_assets_tests.builders import a_series, a_user_input

BY_DAY = {"order_by": "date", "history": "every_row", "time": "event"}
KEYS = ["a", "b", "Zoë 東京 🙂", "d,e", '"', "f", "", " "]


def a_history(name: str = "demo", **truth: Any) -> Series:
    """Return a series of four periods that tracks two columns."""
    truth = {"track": ["region", "amount"]} | truth
    return a_series(None, a_user_input(truth=truth), name)


def in_parquet(folder: Path, series: Series) -> ParquetStateTable:
    """Return the table of a series whose files are in ``folder / "demo"``."""
    return ParquetStateTable(series, _layout(folder))


def in_sqlite(folder: Path, series: Series) -> SqliteStateTable:
    """Return the same table in a database."""
    return SqliteStateTable(series, _layout(folder))


def _layout(folder: Path) -> Layout:
    (folder / "demo").mkdir(parents=True, exist_ok=True)
    return Layout(folder=folder / "demo", database=folder / "exhibit.db")


def _folds(table: StateTable, periods: int = 4) -> Iterator[Fold]:
    """Record the states of some periods, the same ones each time, and yield the results."""
    random = np.random.default_rng(7)
    truth = table.truth
    for k in range(periods):
        period = table.series.calendar.period(k)
        keys = random.choice(np.array([*KEYS, None], dtype=object), 12).tolist()
        rows = pa.table(
            {
                "id": pa.array(keys, pa.string()),
                "region": pa.array(random.choice(["x", "y\x1f", None], 12).tolist(), pa.string()),
                "amount": pa.array(random.choice(["1", "2"], 12).tolist(), pa.string()),
                "date": pa.array([f"{period.key[:8]}{n:02}" for n in random.integers(1, 9, 12)]),
            }
        )
        deletes = [key for key in KEYS if key not in keys][:2]
        entities = entities_of(rows["id"], deletes)
        earlier = table.latest(entities.keys, k)
        done = fold(truth, period, rows, entities, earlier, deletes)
        table.replace(k, done.states, f"content of {k}")
        yield done


def _sorted(states: pa.Table) -> list[tuple[Any, ...]]:
    """Return states in an order that does not depend on their storage."""
    lines = [tuple(state.values()) for state in states.to_pylist()]
    assert all(line[states.schema.names.index("state_place")] is None for line in lines)
    return sorted(lines, key=repr)


@pytest.mark.parametrize("truth", [{"order_by": "date"}, BY_DAY], ids=["by period", "by row"])
def test_it_gives_what_the_one_in_sqlite_gives(tmp_path: Path, truth: dict[str, Any]) -> None:
    """The last states before any period, all changes, all states of some entities, and ties."""
    series = a_history(**truth)
    ours, other = in_parquet(tmp_path, series), in_sqlite(tmp_path, series)
    for one, wanted in zip(_folds(ours), _folds(other), strict=True):
        assert one.changes == wanted.changes
        assert one.states.drop_columns(["state_place"]).equals(
            wanted.states.drop_columns(["state_place"])
        )
    keys = pa.array([*KEYS, "nobody"])
    for k in range(5):
        assert _sorted(ours.latest(keys, k)) == _sorted(other.latest(keys, k))
    for k in range(4):
        for read in (StateTable.changes, StateTable.tied_periods, StateTable.content):
            found, wanted = (getattr(table, read.__name__)(k) for table in (ours, other))
            if isinstance(found, pa.Table):
                assert found.schema == wanted.schema
                found, wanted = _sorted(found), _sorted(wanted)
            assert found == wanted
        some = pa.array(["a", '"', "nobody"])
        found = ours.states_of(some, k)
        assert _sorted(found) == _sorted(other.states_of(some, k))
        assert found["state_dataset"].to_pylist() == sorted(found["state_dataset"].to_pylist())
    assert ours.recorded_periods() == other.recorded_periods() == 4
    assert ours.latest(pa.array(["nobody"]), 4).num_rows == 0


def test_entities_whose_hashes_are_equal_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has its own last state, and one that is not there has none."""
    for name in ("parquet_states", "sqlite_states"):
        monkeypatch.setattr(
            f"series_assets.storage.{name}.hashes_of", lambda keys: np.zeros(len(keys), np.int64)
        )
    series = a_history(**BY_DAY)
    ours, other = in_parquet(tmp_path, series), in_sqlite(tmp_path, series)
    for one, wanted in zip(_folds(ours), _folds(other), strict=True):
        assert one.changes == wanted.changes
    keys = pa.array([*KEYS, "nobody"])
    assert _sorted(ours.latest(keys, 4)) == _sorted(other.latest(keys, 4))
    assert _sorted(ours.states_of(keys, 3)) == _sorted(other.states_of(keys, 3))


def test_a_stale_predecessor_is_refused_as_in_sqlite(tmp_path: Path) -> None:
    """Missing, with other settings, or following another file: with the same messages."""
    series = a_history()
    other = a_history(track=["region"])
    messages: list[list[str]] = []
    for make in (in_parquet, in_sqlite):
        found: list[str] = []
        calls: list[Callable[[Any], Any]] = [
            lambda table: table.require_periods(3),
            lambda table: table.latest(pa.array(["a"]), 2),
            lambda table: table.changes(2),
            lambda table: table.states_of(pa.array(["a"]), 3),
            lambda table: table.tied_periods(1),
            lambda table: table.content(1),
            lambda table: table.replace(2, no_states(table.truth), "x"),
        ]
        table = make(tmp_path, series)
        changed = make(tmp_path, other)
        for refused in (table, changed):
            for call in calls:
                list(_folds(table, 1))  # of the second period nothing is recorded
                with pytest.raises(RequestError) as caught:
                    call(refused)
                found.append(str(caught.value))
        list(_folds(table))
        table.replace(1, no_states(table.truth), "another content")
        assert table.recorded_periods() == 2
        assert changed.recorded_periods() == 0
        with pytest.raises(RequestError) as caught:
            table.changes(3)
        found.append(str(caught.value))
        messages.append(found)
    assert messages[0] == messages[1]
    assert messages[0][0].startswith(
        "demo, period 2024-04-01: its states follow from those before it, but the states of "
        "2024-02-01..2024-03-01 are missing, or were generated from another version"
    )


def test_the_same_states_give_the_same_bytes(tmp_path: Path) -> None:
    """No time stamp, path or host name; recording a period again replaces its file."""
    for place in ("one", "two"):
        list(_folds(in_parquet(tmp_path / place, a_history())))
    list(_folds(in_parquet(tmp_path / "one", a_history())))
    one, two = (
        {path.name + path.parent.name: path.read_bytes() for path in folder.rglob("*.parquet")}
        for folder in (tmp_path / "one", tmp_path / "two")
    )
    assert one == two
    assert len(one) == 4


def test_other_series_and_files_that_are_no_states_are_refused(tmp_path: Path) -> None:
    """Before anything is written or removed, with the file and the remedy."""
    table = in_parquet(tmp_path, a_history())
    list(_folds(table, 2))
    other = in_parquet(tmp_path, a_history("other"))
    for call in (other.check_owner, other.recorded_periods, lambda: list(_folds(other, 1))):
        with pytest.raises(RequestError) as refused:
            call()
        assert str(refused.value) == (
            f"{tmp_path / 'demo'}: holds the files of the series 'demo'; choose another folder for "
            "this series, or remove those files first"
        )
    path = table.layout.states(2)
    path.write_bytes(b"PAR1 not really PAR1")
    with pytest.raises(GenerationError) as caught:
        table.recorded_periods()
    assert str(caught.value).startswith(f"{path}: cannot be read as a part of the table of states")
    assert str(caught.value).endswith("remove it and regenerate its period")


def test_dropping_removes_its_files_and_nothing_else(tmp_path: Path) -> None:
    """A user's file in one of its folders stays, and so does the folder."""
    table = in_parquet(tmp_path, a_history())
    list(_folds(table, 2))
    note = table.layout.states(2).with_name("note.txt")
    note.write_text("mine")
    assert table.drop() is True
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [note]
    assert table.drop() is False
