"""Holding the rules on entities against a delivered dataset: who they are, and what they keep.

The other rules are in ``evaluate``.
"""

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from series_assets.checks.dataset_under_check import (
    Cells,
    DatasetUnderCheck,
    Flags,
    codes,
    differs,
    is_there,
)
from series_assets.checks.rules import EXAMPLES, Example, Finding, linked_outputs, static_outputs
from series_assets.core.plan.sampling import entity_of_row
from series_assets.core.spec.frequency_distribution import Distribution, parse_distribution


def check_identifiers(dataset: DatasetUnderCheck) -> Finding:
    """Return the rows whose identifiers are not as new, or not as known, as they should be."""
    series, is_new = dataset.series, dataset.is_new
    first, *others = series.roles.identifiers
    cells = Cells(dataset)
    fresh = "one that no earlier period has"
    known = "that of an entity recorded before the period, or of new_records"
    for name in series.roles.identifiers:
        cells.add(name, is_new & dataset.is_seen[name], lambda _: fresh)
    cells.add(first, ~is_new & ~dataset.is_known, lambda _: known)
    old = ~is_new & dataset.is_known
    linked = set(linked_outputs(series))
    for name in others:
        odd = old & differs(dataset.column(name), dataset.recorded[name])
        if name in linked:  # whether they go together is a rule of its own
            odd &= ~dataset.is_seen[name] & is_there(dataset.column(name))
        cells.add(name, odd, _as_recorded(dataset, name))
    return cells.finding("identifiers")


def check_static_columns(dataset: DatasetUnderCheck) -> Finding:
    """Return the rows that differ in what an entity keeps from what it was, or from each other."""
    cells = Cells(dataset)
    names = static_outputs(dataset.series)
    old = ~dataset.is_new & dataset.is_known
    for name in names:
        odd = old & differs(dataset.column(name), dataset.recorded[name])
        cells.add(name, odd, _as_recorded(dataset, name))
    _one_each(dataset, names, cells)
    named = dataset.is_new & is_there(dataset.identifiers)
    return cells.finding("static_columns", int((old | named).sum()))


def _one_each(dataset: DatasetUnderCheck, names: Iterable[str], cells: Cells) -> None:
    """Find the new rows that differ in what an entity keeps from the first row of their entity."""
    entities = codes(dataset.identifiers)
    rows = np.flatnonzero(dataset.is_new & (entities >= 0))
    first = np.empty(int(entities.max(initial=-1)) + 1, dtype=np.int64)
    first[entities[rows][::-1]] = rows[::-1]
    firsts = first[entities[rows]]
    again = rows != firsts
    rows, firsts = rows[again], firsts[again]
    if not len(rows):
        return
    place = np.zeros(len(entities), dtype=np.int64)
    place[rows] = firsts
    for name in names:
        column = dataset.column(name)
        values = codes(column)
        odd = np.zeros(len(values), dtype=bool)
        odd[rows[values[rows] != values[firsts]]] = True
        cells.add(name, odd, _as_in(column, place))


def _as_in(column: pa.Array, place: NDArray[np.int64]) -> Callable[[int], str]:
    def wanted(row: int) -> str:
        value = column[place[row]].as_py()
        told = "nothing" if value is None else repr(value)
        return f"{told}, as in another row of the entity"

    return wanted


def check_linked_columns(dataset: DatasetUnderCheck) -> Finding:
    """Return the rows whose linked identifiers and columns do not go together."""
    cells = Cells(dataset)
    old = ~dataset.is_new & dataset.is_known
    apart = np.zeros(len(old), dtype=bool)
    for name in linked_outputs(dataset.series):
        odd = old & differs(dataset.column(name), dataset.recorded[name])
        cells.add(name, odd, _as_recorded(dataset, name))
        apart |= odd
    identifiers = dataset.series.roles.identifiers  # one that is not linked varies by row
    kept = [name for name in linked_outputs(dataset.series) if name not in identifiers]
    _one_each(dataset, kept, cells)
    if dataset.series.linked:
        leader, *others = dataset.series.linked
        for name in others:
            _one_to_one(dataset, leader, name, apart, cells)
    return cells.finding("linked_columns")


def _one_to_one(
    dataset: DatasetUnderCheck, leader: str, name: str, apart: Flags, cells: Cells
) -> None:
    """Find the rows whose pair contradicts another one; pairs as recorded speak first."""
    old = ~dataset.is_new & dataset.is_known
    left, right = (codes(dataset.column(column)) for column in (leader, name))
    both = (left >= 0) & (right >= 0) & ~apart
    rows = np.r_[np.flatnonzero(both & old), np.flatnonzero(both & ~old)]
    odd = np.zeros(len(both), dtype=bool)
    mate = np.zeros(len(both), dtype=np.int64)
    for one, other in ((right, left), (left, right)):
        speaker = np.empty(int(one.max(initial=-1)) + 1, dtype=np.int64)
        speaker[one[rows][::-1]] = rows[::-1]  # of several rows the first one stays
        against = rows[other[rows] != other[speaker[one[rows]]]]
        odd[against] = True
        mate[against] = speaker[one[against]]
    there = dataset.column(name)

    def wanted(row: int) -> str:
        one, other = dataset.column(leader)[mate[row]].as_py(), there[mate[row]].as_py()
        return f"one to one with {leader}, but another row has {one!r} with {other!r}"

    cells.add(name, odd, wanted)


def check_repetitions(dataset: DatasetUnderCheck) -> Finding:
    """Return the entities that have more rows than the frequency_distribution gives them."""
    series = dataset.series
    new, existing = series.counts(dataset.k)
    columns = series.specification["columns"]
    crossed = any(column.get("cross_join_all_unique_values") for column in columns.values())
    whole = series.specification["constraints"]["allow_duplicates"] and not crossed
    wrong, examples = 0, []
    for name in series.roles.identifiers:
        distribution = parse_distribution(columns[name]["frequency_distribution"])
        sides = [(dataset.is_new, new, whole and not columns[name]["miss_probability"])]
        if name == series.first_identifier:
            sides.append((~dataset.is_new, existing, True))
        for rows, asked, exact in sides:
            values = dataset.column(name).filter(pa.array(rows))
            for value, times, wanted in _too_often(values, distribution, asked, exact):
                wrong += 1
                examples.append(Example(value, name, f"{times} rows", wanted))
                if len(examples) > EXAMPLES:
                    examples.pop()
    entities = len(pc.drop_null(pc.unique(dataset.identifiers)))
    return Finding("repetitions", "entities", entities, wrong, tuple(examples))


def _too_often(
    values: pa.Array, distribution: Distribution, asked: int, exact: bool
) -> Iterator[tuple[str, int, str]]:
    """Yield identifiers with more rows than the distribution has room for, and how many.

    ``exact``: as many identifiers with each number of rows as Exhibit lays out for ``asked``
    rows; else only no more rows than the highest frequency.
    """
    counted = values.drop_null().value_counts()
    times = counted.field("counts").to_numpy()
    most = max(frequency for frequency, share in distribution if share)
    room = np.bincount(np.bincount(entity_of_row(distribution, asked)), minlength=most + 1)
    for often in np.unique(times).tolist():
        those = np.flatnonzero(times == often)
        if often > most:
            spare, wanted = 0, f"at most {most}"
        elif exact and often < len(room):
            spare = int(room[often])
            wanted = f"so in {spare} entities, not in {len(those)}"
        else:
            continue
        for place in those[spare:].tolist():
            yield counted.field("values")[place].as_py(), often, wanted


def _as_recorded(dataset: DatasetUnderCheck, name: str) -> Callable[[int], str]:
    def wanted(row: int) -> str:
        value = dataset.recorded[name][row].as_py()
        return "nothing, as recorded" if value is None else f"{value!r}, as recorded"

    return wanted
