"""The table of states in SQLite finds the last state of an entity before any period."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pytest

from series_assets.core.errors import GenerationError, RequestError
from series_assets.core.plan.series import Series
from series_assets.core.truth.columns import no_states
from series_assets.storage import hash_runs
from series_assets.storage.layout import Layout
from series_assets.storage.sqlite import open_database
from series_assets.storage.sqlite_states import SqliteStateTable
from series_assets.storage.state_groups import TOGETHER
from series_assets_tests.builders import a_series, a_user_input

PERIODS = 18


class State(NamedTuple):
    """The state of an entity, as a test records it."""

    entity: str
    region: str | None
    opens: bool = True


def a_table(folder: Path, periods: int = PERIODS) -> SqliteStateTable:
    """Return the table of states of a series in a folder."""
    truth = {"track": ["region"], "order_by": "date"}
    series: Series = a_series(user_input=a_user_input(truth=truth, num_datasets=periods))
    return SqliteStateTable(series, Layout.of(series, folder))


def record(table: SqliteStateTable, k: int, states: list[State], content: str = "") -> None:
    """Record the states of a period."""
    count = len(states)
    numbers = pa.array(range(count), pa.int64())
    columns = dict.fromkeys(no_states(table.truth).schema.names, numbers)
    columns |= {
        "state_valid_from": pa.array([f"period {k}"] * count, pa.string()),
        "state_opens": pa.array([int(one.opens) for one in states], pa.int64()),
        "state_deleted": pa.array([0] * count, pa.int64()),
        "state_tied": pa.array([0] * count, pa.int64()),
        "id": pa.array([one.entity for one in states], pa.string()),
        "region": pa.array([one.region for one in states], pa.string()),
    }
    table.replace(k, pa.table(columns), content or str(k))


def found(states: pa.Table) -> dict[str, tuple[str, str | None]]:
    """Return the start and the value of each entity's state."""
    columns = (states[name].to_pylist() for name in ("id", "state_valid_from", "region"))
    return {key: (begun, value) for key, begun, value in zip(*columns, strict=True)}


@pytest.fixture(autouse=True)
def _short_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Merge runs every fourth and every sixteenth period."""
    monkeypatch.setattr(hash_runs, "_PERIODS_TOGETHER", 4)


@pytest.mark.parametrize("largest", [4_000_000, 130], ids=["all runs", "runs of limited size"])
def test_the_last_state_before_any_period_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, largest: int
) -> None:
    """For each period, whichever runs are merged, also after a period was recorded again."""
    monkeypatch.setattr(hash_runs, "_MOST_STATES", largest)
    table, draw = a_table(tmp_path), np.random.default_rng(1)
    entities = [f"entity {number}" for number in range(60)]
    known: list[dict[str, tuple[str, str | None]]] = [{}]
    recorded = []
    for k in range(PERIODS):
        drawn = draw.choice(entities, 20, replace=False).tolist()
        states = [State(one, draw.choice(["North", "a\x1fb", None])) for one in drawn]
        record(table, k, states)
        recorded.append(states)
        known.append(known[-1] | {one.entity: (f"period {k}", one.region) for one in states})
    record(table, 9, recorded[9])
    wanted = pa.array([*entities, "nobody"])
    for before in range(PERIODS + 1):
        assert found(table.latest(wanted, before)) == known[before]
    kept = {one: state for one, state in known[-1].items() if one in entities[:5]}
    assert found(table.latest(pa.array(entities[:5]), PERIODS)) == kept


def test_entities_whose_hashes_are_equal_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has its own last state, and an unknown one has none."""
    monkeypatch.setattr(
        "series_assets.storage.sqlite_states.hashes_of", lambda keys: np.zeros(len(keys), int)
    )
    table = a_table(tmp_path)
    for k in range(6):
        record(table, k, [State(f"entity {k % 3}", str(k)), State("always", str(k))])
    expected = {"always": ("period 4", "4"), "entity 2": ("period 2", "2")}
    assert found(table.latest(pa.array(["entity 2", "always", "nobody"]), 5)) == expected
    assert found(table.latest(pa.array(["entity 2"]), 5)) == {"entity 2": ("period 2", "2")}
    assert table.latest(pa.array(["nobody"]), 5).num_rows == 0
    states = table.states_of(pa.array(["entity 1"]), 5)
    assert states["state_dataset"].to_pylist() == [2, 5]


def test_states_of_several_groups_are_found(tmp_path: Path) -> None:
    """Also where the last group of a period has fewer states than the others."""
    table = a_table(tmp_path)
    counts = [1, TOGETHER, TOGETHER + 1, 3 * TOGETHER - 1]
    for k, count in enumerate(counts):
        record(table, k, [State(f"{k} {n}", f"é{n}", opens=n % 3 == 0) for n in range(count)])
    keys = [f"{k} {n}" for k, count in enumerate(counts) for n in range(count)]
    wanted = pa.array([*reversed(keys), "nobody"])
    states = table.latest(wanted, len(counts))
    assert sorted(states["id"].to_pylist()) == sorted(keys)
    assert wanted.take(states["state_entity"]).to_pylist() == states["id"].to_pylist()
    assert [key.split()[1] for key in states["id"].to_pylist()] == [
        str(place) for place in states["state_row"].to_pylist()
    ]
    changes = table.changes(len(counts) - 1)
    assert changes["id"].to_pylist() == [key for key in keys if int(key.split()[1]) % 3 == 0]
    assert [key.split()[0] for key in changes["id"].to_pylist()] == [
        str(number - 1) for number in changes["state_dataset"].to_pylist()
    ]


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE {0} SET texts = substr(texts, 2) WHERE state_group = 1",
        "UPDATE {0} SET texts = CAST(x'ff' || substr(texts, 2) AS BLOB) WHERE state_group = 1",
        "UPDATE {0} SET texts = zeroblob(length(texts)) WHERE state_group = 1",
        "UPDATE {0} SET numbers = substr(numbers, 2) WHERE state_group = 1",
        "DELETE FROM {0} WHERE state_group = 0",
    ],
)
def test_damaged_states_are_a_message(tmp_path: Path, damage: str) -> None:
    """It says what gives them back."""
    table = a_table(tmp_path)
    keys = [str(n) for n in range(2 * TOGETHER)]
    record(table, 0, [State(key, "North") for key in keys])
    with open_database(table.layout.database) as connection:
        connection.execute(damage.format(f'"{table.name}"'))
    with pytest.raises(GenerationError, match=f"its table {table.name} is damaged; run series-"):
        table.latest(pa.array(keys), 1)


def test_states_are_read_in_order_of_time(tmp_path: Path) -> None:
    """All states of an entity, and those that open a version, each with its dataset."""
    table = a_table(tmp_path)
    for k in range(5):
        record(table, k, [State("a", str(k), opens=k != 2), State("b", str(k), opens=False)])
    assert table.states_of(pa.array(["b"]), 3)["region"].to_pylist() == ["0", "1", "2", "3"]
    changes = table.changes(4)
    assert changes["id"].to_pylist() == ["a"] * 4
    assert changes["state_dataset"].to_pylist() == [1, 2, 4, 5]


def test_periods_without_states_are_recorded(tmp_path: Path) -> None:
    """They contain nothing, and later periods follow them."""
    table = a_table(tmp_path)
    for k in range(6):
        record(table, k, [State("a", "North")] if k == 5 else [])
    assert table.recorded_periods() == 6
    assert table.latest(pa.array(["a"]), 5).num_rows == 0
    assert table.latest(pa.array([], pa.string()), 6).num_rows == 0
    assert found(table.latest(pa.array(["a"]), 6)) == {"a": ("period 5", "North")}


def test_few_runs_cover_many_periods(tmp_path: Path) -> None:
    """A lookup before period 1000 reads at most fifteen runs for each digit."""
    firsts = {k: min([k, *hash_runs._firsts(k)]) for k in range(1000)}
    empty = np.empty(0, dtype=np.int64)
    for before in range(1, 1000):
        runs = list(hash_runs.runs_before(before, lambda k: hash_runs.Run(firsts[k], empty, empty)))
        assert len(runs) <= 3 * 5 and runs[-1].first == 0


def test_a_period_recorded_with_other_contents_makes_later_ones_stale(tmp_path: Path) -> None:
    """Their states followed from others, so they neither count nor are read."""
    table = a_table(tmp_path)
    for k in range(6):
        record(table, k, [State("a", str(k))])
    record(table, 3, [State("a", "other")], content="other")
    assert table.recorded_periods() == 4
    with pytest.raises(RequestError, match="its states follow from those before it"):
        table.latest(pa.array(["a"]), 5)
    record(table, 4, [State("b", "new")])
    assert found(table.latest(pa.array(["a", "b"]), 5)) == {
        "a": ("period 3", "other"),
        "b": ("period 4", "new"),
    }
