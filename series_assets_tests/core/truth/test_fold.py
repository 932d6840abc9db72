"""Folding periods into the history, for small feeds written by hand and for random feeds."""

import sqlite3
from collections.abc import Sequence
from datetime import date
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from series_assets.core.errors import GenerationError
from series_assets.core.plan.calendar import Calendar
from series_assets.core.plan.truth import Truth
from series_assets.core.spec.truth_settings import TruthSettings
from series_assets.core.truth.columns import entities_of, no_states, with_entities
from series_assets.core.truth.dimensions import current, history
from series_assets.core.truth.fold import Fold, fold

CALENDAR = Calendar(date(2024, 1, 1), "months", 1, 12)


def _truth(**settings: Any) -> Truth:
    block = TruthSettings(**({"order_by": "day"} | settings))
    return Truth("id", ("a", "b"), block.order_by, "date", block)


def _rows(rows: Sequence[tuple[str | None, ...]]) -> pa.Table:
    """Return rows of key, day, a and b as a table."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * 4
    names = ("id", "day", "a", "b")
    return pa.table({n: pa.array(c, pa.string()) for n, c in zip(names, columns, strict=True)})


class _Feed:
    """Folds one period after the other, and keeps the last state of each entity."""

    def __init__(self, truth: Truth) -> None:
        self.truth, self.folds = truth, list[Fold]()
        self._last: dict[str, dict[str, Any]] = {}

    def add(self, *rows: tuple[str | None, ...], deletes: Sequence[str] = ()) -> Fold:
        table = _rows(rows)
        entities = entities_of(table["id"], deletes)
        keys = entities.keys.to_pylist()
        known = [(self._last[key], place) for place, key in enumerate(keys) if key in self._last]
        states = pa.Table.from_pylist(
            [state for state, _ in known], schema=no_states(self.truth).schema
        )
        earlier = with_entities(states, [place for _, place in known])
        period = CALENDAR.period(len(self.folds))
        done = fold(self.truth, period, table, entities, earlier, deletes)
        self._last |= {state["id"]: state for state in done.states.to_pylist()}
        self.folds.append(done)
        return done

    def states(self, until: int | None = None) -> pa.Table:
        """Return the states as input for the dimensions."""
        parts = []
        for number, done in enumerate(self.folds[:until], 1):
            dataset = pa.array([number] * done.states.num_rows, pa.int64())
            parts.append(done.states.append_column("state_dataset", dataset))
        return pa.Table.from_pylist(
            [
                state
                for state in pa.concat_tables(parts).to_pylist()
                if state["state_opens"] or state["state_deleted"]
            ],
            schema=parts[0].schema,
        )


def _lines(done: Fold) -> list[tuple[Any, ...]]:
    return [tuple(line.values()) for line in done.changes.to_pylist()]


def test_operations_of_a_small_feed() -> None:
    """Insert, superseded, update, unchanged and unkeyed; versions count up and end the previous."""
    feed = _Feed(_truth())
    first = feed.add(
        ("k", "2024-01-09", "1", None),
        ("k", "2024-01-03", "9", None),
        (None, "2024-01-03", "1", ""),
    )
    assert _lines(first) == [
        (1, "k", "insert", 1, None, None, None, False),
        (2, "k", "superseded", None, None, None, None, False),
        (3, None, "unkeyed", None, None, None, None, False),
    ]
    second = feed.add(("k", "2024-02-01", "1", None), ("new", "2024-02-01", "1", "x"))
    assert _lines(second) == [
        (1, "k", "unchanged", 1, 0, 1, 1, False),
        (2, "new", "insert", 1, None, None, None, False),
    ]
    third = feed.add(("new", "2024-03-01", "2", "x"), ("k", "2024-03-01", "2", "y"))
    assert _lines(third) == [
        (1, "new", "update", 2, 1, 2, 2, False),
        (2, "k", "update", 2, 2, 1, 1, False),
    ]
    assert [tuple(cell.values()) for cell in third.cells.to_pylist()] == [
        (1, "new", "a", "1", "2"),
        (2, "k", "a", "1", "2"),
        (2, "k", "b", None, "y"),
    ]
    assert first.operations == {"insert": 1, "superseded": 1, "unkeyed": 1}


def test_rows_that_tie_are_marked() -> None:
    """The later row in the file wins; ties between equal rows do not count."""
    feed = _Feed(_truth())
    done = feed.add(
        ("k", "2024-01-02", "1", "x"),
        ("k", "2024-01-09", "1", "x"),
        ("k", "2024-01-09", "2", "x"),
        ("same", "2024-01-09", "1", "x"),
        ("same", "2024-01-09", "1", "x"),
    )
    ops = [(line[2], line[-1]) for line in _lines(done)]
    assert ops == [
        ("superseded", False),
        ("superseded", True),
        ("insert", True),
        ("superseded", False),
        ("insert", False),
    ]
    assert done.ties == 1
    by_place = _Feed(_truth(order_by=None)).add(("k", "d", "1", "x"), ("k", "d", "2", "x"))
    assert by_place.ties == 0


def test_missing_comes_first_and_numbers_are_ordered_as_numbers() -> None:
    """Not as text, where 10 would precede 9."""
    truth = Truth("id", ("a", "b"), "day", "integer", TruthSettings(order_by="day"))
    done = _Feed(truth).add(("k", "10", "1", "x"), ("k", "9", "2", "x"), ("k", None, "3", "x"))
    assert [line[2] for line in _lines(done)] == ["insert", "superseded", "superseded"]


def test_a_delete_closes_and_a_return_opens_again() -> None:
    """Even with the old values; deleting an unknown or deleted entity has no effect."""
    feed = _Feed(_truth())
    feed.add(("k", "2024-01-05", "1", "x"))
    assert _lines(feed.add(deletes=["k", "nobody"])) == [
        (None, "k", "delete", 1, None, 1, 1, False)
    ]
    assert _lines(feed.add(deletes=["k"])) == []
    assert _lines(feed.add(("k", "2024-04-05", "1", "x"))) == [
        (1, "k", "reactivate", 2, 0, 1, 1, False)
    ]
    found = history(feed.truth, feed.states()).to_pylist()
    assert [(one["valid_from"], one["valid_to"], one["closed_in"]) for one in found] == [
        ("2024-01-01", "2024-02-01", 2),
        ("2024-04-01", None, None),
    ]
    (gone,) = current(feed.truth, feed.states(2)).to_pylist()
    assert gone["is_deleted"] and gone["since"] == "2024-02-01" and gone["a"] == "1"


def test_every_row_opens_a_version_on_its_day() -> None:
    """Rows of one day collapse to the last; a day without a change opens no version."""
    feed = _Feed(_truth(history="every_row", time="event"))
    feed.add(
        ("k", "2024-01-20", "2", "x"),
        ("k", "2024-01-05", "1", "x"),
        ("k", "2024-01-20", "3", "x"),
        ("k", "2024-01-25", "3", "x"),
    )
    feed.add(("k", "2024-02-02", "3", "x"), ("k", "2024-02-03", "1", "x"))
    assert [line[2:4] for one in feed.folds for line in _lines(one)] == [
        ("superseded", None),
        ("insert", 1),
        ("update", 2),
        ("unchanged", 2),
        ("unchanged", 2),
        ("update", 3),
    ]
    found = history(feed.truth, feed.states()).to_pylist()
    assert [(one["valid_from"], one["valid_to"], one["a"]) for one in found] == [
        ("2024-01-05", "2024-01-20", "1"),
        ("2024-01-20", "2024-02-03", "3"),
        ("2024-02-03", None, "1"),
    ]


def test_events_that_cannot_be_dated_are_refused() -> None:
    """A row without a date, and one that precedes the version it would end."""
    feed = _Feed(_truth(time="event"))
    with pytest.raises(GenerationError, match="1 of its rows have no day"):
        feed.add(("k", None, "1", "x"))
    feed.add(("k", "2024-01-20", "1", "x"))
    with pytest.raises(GenerationError, match="would begin no later than the one before"):
        feed.add(("k", "2024-01-19", "2", "x"))


def test_a_period_without_rows() -> None:
    """Both files have only a header."""
    done = _Feed(_truth()).add()
    assert done.changes.num_rows == done.cells.num_rows == done.states.num_rows == 0


_EXAMPLES = 500 if settings.get_current_profile_name() == "long" else 30
_DAYS = st.sampled_from([None, "01", "02"])
_VALUES = st.sampled_from([None, "x", "y"])
_KEYS = st.sampled_from([None, "k", "l", "m"])
_PERIODS = st.lists(st.lists(st.tuples(_KEYS, _DAYS, _VALUES, _VALUES), max_size=8), max_size=4)


@settings(max_examples=_EXAMPLES)
@given(_PERIODS)
def test_any_feed_has_the_history_that_sql_finds(
    periods: list[list[tuple[str | None, ...]]],
) -> None:
    """As of every period, equal to a window function over the rows of all files until then."""
    feed = _Feed(_truth())
    for rows in periods:
        feed.add(*rows)
    for until in range(1, len(periods) + 1):
        found = history(feed.truth, feed.states(until))
        columns = ("id", "a", "b", "version", "opened_in", "closed_in", "row")
        ours = [tuple(one[name] for name in columns) for one in found.to_pylist()]
        assert ours == _by_sql(periods[:until])


@settings(max_examples=_EXAMPLES)
@given(_PERIODS)
def test_any_feed_of_events_has_the_history_that_sql_finds(
    periods: list[list[tuple[str | None, ...]]],
) -> None:
    """A state after each day; a version lasts from its day to that of the next one."""
    feed, rows = _Feed(_truth(history="every_row", time="event")), []
    for number, found in enumerate(periods, 1):
        days = [f"2024-{number:02}-{day or '03'}" for _, day, _, _ in found]
        dated = [(key, day, a, b) for (key, _, a, b), day in zip(found, days, strict=True)]
        feed.add(*dated)
        rows += [(place, *row) for place, row in enumerate(dated, 1)]
    if not periods:
        return
    columns = ("id", "a", "b", "version", "valid_from", "valid_to", "row")
    ours = history(feed.truth, feed.states()).to_pylist()
    assert [tuple(one[name] for name in columns) for one in ours] == _events_by_sql(rows)


def _events_by_sql(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE feed (place, id, day, a, b)")
    connection.executemany("INSERT INTO feed VALUES (?, ?, ?, ?, ?)", rows)
    return connection.execute(
        """
        WITH ranked AS (
          SELECT *, row_number() OVER (PARTITION BY id, day ORDER BY place DESC) AS nth
          FROM feed WHERE id IS NOT NULL),
        states AS (
          SELECT *, lag(day) OVER e IS NULL OR a IS NOT lag(a) OVER e OR b IS NOT lag(b) OVER e
            AS opens
          FROM ranked WHERE nth = 1 WINDOW e AS (PARTITION BY id ORDER BY day))
        SELECT id, a, b, row_number() OVER v, day, lead(day) OVER v, place
        FROM states WHERE opens WINDOW v AS (PARTITION BY id ORDER BY day) ORDER BY id, day
        """
    ).fetchall()


def _by_sql(periods: list[list[tuple[str | None, ...]]]) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE feed (n, place, id, day, a, b)")
    for n, rows in enumerate(periods, 1):
        for place, row in enumerate(rows, 1):
            connection.execute("INSERT INTO feed VALUES (?, ?, ?, ?, ?, ?)", (n, place, *row))
    return connection.execute(
        """
        WITH ranked AS (
          SELECT *, row_number() OVER (PARTITION BY n, id ORDER BY day DESC, place DESC) AS nth
          FROM feed WHERE id IS NOT NULL),
        states AS (
          SELECT *, lag(n) OVER e IS NULL OR a IS NOT lag(a) OVER e OR b IS NOT lag(b) OVER e
            AS opens
          FROM ranked WHERE nth = 1 WINDOW e AS (PARTITION BY id ORDER BY n))
        SELECT id, a, b, row_number() OVER v, n, lead(n) OVER v, place
        FROM states WHERE opens WINDOW v AS (PARTITION BY id ORDER BY n) ORDER BY id, n
        """
    ).fetchall()
