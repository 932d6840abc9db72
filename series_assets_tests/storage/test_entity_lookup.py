"""Entities are found by their identifiers, in memory that does not grow with their number."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from series_assets.core.errors import GenerationError
from series_assets.storage import entity_lookup as module
from series_assets.storage import sqlite
from series_assets.storage.entities import KEYS_PER_PERIOD
from series_assets.storage.entity_lookup import entity_lookup
from series_assets.storage.reference_table import SqliteReferenceTable as ReferenceTable
from series_assets_tests.storage.reference_tables import a_table, entities, keys, rows


@pytest.fixture
def table(tmp_path: Path) -> ReferenceTable:
    """A table of three periods, one of which introduced no entity."""
    generated = a_table(tmp_path)
    generated.replace(0, entities("a", "b", "'c\"", other=["x", None, "7"], number=[1, 2, 3]))
    generated.replace(1, None)
    generated.replace(2, entities("d", "a", "🙂", other=["y", "x", "z"], number=[4, 5, 6]))
    return generated


def test_each_value_is_found_where_it_was_recorded_first(table: ReferenceTable) -> None:
    """Once per request and in that order; missing and unknown values are not found."""
    with entity_lookup(table, ["id", "other"]) as lookup:
        found = lookup.keys("id", ["🙂", "a", None, "nobody", "a", "'c\""])
        assert found.tolist() == [2 * KEYS_PER_PERIOD + 2, 0, -1, -1, 0, 2]
        assert lookup.keys("other", ["7", "y", "x"]).tolist() == [2, 2 * KEYS_PER_PERIOD, 0]
        assert lookup.keys("id", []).tolist() == []


@pytest.mark.parametrize(("before", "known"), [(0, 0), (1, 1), (2, 1), (3, 2), (None, 2)])
def test_only_periods_before_a_bound_are_known(
    table: ReferenceTable, before: int | None, known: int
) -> None:
    """The bound may be one of the lookup or of a single query."""
    with entity_lookup(table, ["id"], before) as bounded, entity_lookup(table, ["id"]) as whole:
        assert sum(bounded.keys("id", ["a", "d"]) >= 0) == known
        assert sum(whole.keys("id", ["a", "d"], before) >= 0) == known


def test_numbers_are_found_by_their_text(table: ReferenceTable) -> None:
    """The table has numbers, the files text; other spellings differ."""
    with entity_lookup(table, ["number"]) as lookup:
        assert lookup.keys("number", ["2", "02", "2.0", "6"]).tolist() == [
            1,
            -1,
            -1,
            2 * KEYS_PER_PERIOD + 2,
        ]


def test_what_was_recorded_comes_as_text(table: ReferenceTable) -> None:
    """In the order of the keys; null for an unknown entity and for a missing value."""
    with entity_lookup(table, ["id"]) as lookup:
        found = lookup.texts(
            np.append(keys((2, 1), (0, 1), (0, 1), (1, 5)), -1), ["number", "other"]
        )
        assert found["number"].to_pylist() == ["5", "2", "2", None, None]
        assert found["other"].to_pylist() == ["x", None, None, None, None]
        assert lookup.texts(keys((1, 5)), ["id"])["id"].to_pylist() == [None]


def test_the_table_gets_nothing_of_a_lookup(table: ReferenceTable) -> None:
    """Neither during a lookup nor afterwards."""
    before = rows(table, "SELECT name FROM sqlite_master ORDER BY name")
    with entity_lookup(table, ["id", "other"]) as lookup:
        lookup.keys("id", ["a"])
        assert rows(table, "SELECT name FROM sqlite_master ORDER BY name") == before
    assert rows(table, "SELECT name FROM sqlite_master ORDER BY name") == before


def test_a_column_that_is_gone_is_a_sentence(table: ReferenceTable) -> None:
    """As after a change of the database by hand."""
    with pytest.raises(GenerationError, match=r"no such column: kept\.ghost"):
        entity_lookup(table, ["ghost"]).__enter__()
    with entity_lookup(table, ["id"]) as lookup:
        with sqlite.open_database(table.layout.database) as connection:
            connection.execute("ALTER TABLE demo_reference DROP COLUMN other")
        with pytest.raises(GenerationError) as refused:
            lookup.texts(keys((0, 0)), ["other"])
        assert str(refused.value).startswith(
            f"{table.layout.database}: SQLite reports: no such column: kept.other"
        )


@given(
    recorded=st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"])), max_size=8),
    wanted=st.lists(
        st.none() | st.text(st.characters(exclude_categories=["Cs", "Cc"])), max_size=8
    ),
    at_once=st.integers(1, 5),
)
def test_any_text_is_found_by_itself_alone(
    tmp_path_factory: pytest.TempPathFactory,
    recorded: list[str],
    wanted: list[str | None],
    at_once: int,
) -> None:
    """However many are asked for at once."""
    table = a_table(tmp_path_factory.mktemp("lookup"))
    table.replace(0, entities("somebody", *recorded))
    values = [*wanted, *recorded]
    expected = [["somebody", *recorded].index(v) if v in recorded else -1 for v in values]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_BATCH", at_once)
        with entity_lookup(table, ["id"]) as lookup:
            assert lookup.keys("id", values).tolist() == expected


_PROGRAM = """
import sys
from pathlib import Path
from series_assets.storage.entity_lookup import entity_lookup
from series_assets_tests.storage.reference_tables import a_table

def peak():
    [line] = [one for one in Path("/proc/self/status").open() if one.startswith("VmHWM:")]
    return int(line.split()[1])

table = a_table(Path(sys.argv[1]))
before = peak()
with entity_lookup(table, ["id"]) as lookup:
    assert lookup.keys("id", ["0" * 59 + "00077"]).tolist() == [77]
print(peak() - before)
"""


@pytest.mark.thorough
@pytest.mark.skipif(sys.platform != "linux", reason="measured where Linux tells of it")
def test_its_memory_does_not_grow_with_the_entities(tmp_path: Path) -> None:
    """An index of these entities would take 25 MB or more."""
    table = a_table(tmp_path)
    table.replace(0, pd.DataFrame({"id": [f"{n:064}" for n in range(300_000)]}, dtype=object))
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert 0 < int(done.stdout) < 15_000
