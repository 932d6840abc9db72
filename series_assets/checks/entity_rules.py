"""Checks the rules on entities: which ones a dataset is about, and what they keep.

The other rules are in ``evaluate`` and ``value_rules``.
"""

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from series_assets.checks.dataset_under_check import (
    DatasetUnderCheck,
    Flags,
    Violations,
    codes_of,
    is_present,
)
from series_assets.checks.rules import EXAMPLES, Example, Finding, linked_outputs, static_outputs
from series_assets.core.plan.sampling import entity_of_row
from series_assets.core.spec.frequency_distribution import Distribution, parse_distribution


def check_identifiers(dataset: DatasetUnderCheck) -> Finding:
    """Find rows whose identifiers are not new, or not known, as they should be."""
    series, is_new = dataset.series, dataset.is_new
    first, *others = series.roles.identifiers
    violations = Violations(dataset)
    new = "one that no earlier period has"
    known = "that of an entity recorded before the period, or of new_records"
    for name in series.roles.identifiers:
        violations.add(name, is_new & dataset.is_seen[name], lambda _: new)
    violations.add(first, ~is_new & ~dataset.is_known, lambda _: known)
    linked = set(linked_outputs(series))
    for name in others:
        rows = dataset.differs_from_recorded(name)
        if name in linked:  # another rule checks whether known values belong together
            rows &= ~dataset.is_seen[name] & is_present(dataset.column(name))
        violations.add(name, rows, _recorded_value(dataset, name))
    return violations.finding("identifiers")


def check_static_columns(dataset: DatasetUnderCheck) -> Finding:
    """Find rows whose static columns differ from those recorded, or from each other."""
    violations = Violations(dataset)
    names = static_outputs(dataset.series)
    _compare_with_recorded(dataset, names, violations)
    _compare_with_first_row(dataset, names, violations)
    identified = dataset.is_new & is_present(dataset.identifiers)
    return violations.finding("static_columns", int((dataset.is_known_existing | identified).sum()))


def _compare_with_recorded(
    dataset: DatasetUnderCheck, names: Iterable[str], violations: Violations
) -> Flags:
    """Find existing records that differ from what was recorded; return which rows they are."""
    found = np.zeros(dataset.records.num_rows, dtype=bool)
    for name in names:
        rows = dataset.differs_from_recorded(name)
        violations.add(name, rows, _recorded_value(dataset, name))
        found |= rows
    return found


def _recorded_value(dataset: DatasetUnderCheck, name: str) -> Callable[[int], str]:
    return lambda row: f"{_shown(dataset.recorded[name][row])}, as recorded"


def _shown(value: pa.Scalar) -> str:
    return repr(value.as_py()) if value.is_valid else "nothing"


def _compare_with_first_row(
    dataset: DatasetUnderCheck, names: Iterable[str], violations: Violations
) -> None:
    """Find new records that differ from the first row of their entity."""
    entities = codes_of(dataset.identifiers)
    rows = np.flatnonzero(dataset.is_new & (entities >= 0))
    first = np.empty(int(entities.max(initial=-1)) + 1, dtype=np.int64)
    first[entities[rows][::-1]] = rows[::-1]
    firsts = first[entities[rows]]
    repeated = rows != firsts
    rows, firsts = rows[repeated], firsts[repeated]
    if not len(rows):
        return
    first_row_of = np.zeros(len(entities), dtype=np.int64)
    first_row_of[rows] = firsts
    for name in names:
        column = dataset.column(name)
        values = codes_of(column)
        wrong = np.zeros(len(values), dtype=bool)
        wrong[rows[values[rows] != values[firsts]]] = True
        violations.add(name, wrong, _value_in_first_row(column, first_row_of))


def _value_in_first_row(column: pa.Array, first_row_of: NDArray[np.int64]) -> Callable[[int], str]:
    return lambda row: f"{_shown(column[first_row_of[row]])}, as in another row of the entity"


def check_linked_columns(dataset: DatasetUnderCheck) -> Finding:
    """Find rows whose linked identifiers and columns do not belong together."""
    violations = Violations(dataset)
    names, identifiers = linked_outputs(dataset.series), dataset.series.roles.identifiers
    mismatched = _compare_with_recorded(dataset, names, violations)
    # An identifier that is not linked differs from row to row.
    kept = [name for name in names if name not in identifiers]
    _compare_with_first_row(dataset, kept, violations)
    if dataset.series.linked:
        leader, *others = dataset.series.linked
        for name in others:
            _check_one_to_one(dataset, leader, name, ~mismatched, violations)
    return violations.finding("linked_columns")


def _check_one_to_one(
    dataset: DatasetUnderCheck, leader: str, name: str, among: Flags, violations: Violations
) -> None:
    """Find rows, among those given, whose pair contradicts another row's; recorded pairs win."""
    known = dataset.is_known_existing
    left, right = (codes_of(dataset.column(column)) for column in (leader, name))
    complete = (left >= 0) & (right >= 0) & among
    rows = np.r_[np.flatnonzero(complete & known), np.flatnonzero(complete & ~known)]
    wrong = np.zeros(len(complete), dtype=bool)
    contradicted = np.zeros(len(complete), dtype=np.int64)
    for one, other in ((right, left), (left, right)):
        first_row = np.empty(int(one.max(initial=-1)) + 1, dtype=np.int64)
        first_row[one[rows][::-1]] = rows[::-1]  # of several rows the first one stays
        contradicting = rows[other[rows] != other[first_row[one[rows]]]]
        wrong[contradicting] = True
        contradicted[contradicting] = first_row[one[contradicting]]
    leaders, partners = dataset.column(leader), dataset.column(name)

    def expected(row: int) -> str:
        pair = leaders[contradicted[row]].as_py(), partners[contradicted[row]].as_py()
        return f"one to one with {leader}, but another row has {pair[0]!r} with {pair[1]!r}"

    violations.add(name, wrong, expected)


def check_repetitions(dataset: DatasetUnderCheck) -> Finding:
    """Find entities that have more rows than the frequency_distribution gives them."""
    series = dataset.series
    new, existing = series.counts(dataset.k)
    columns = series.specification["columns"]
    crossed = any(column.get("cross_join_all_unique_values") for column in columns.values())
    complete = series.specification["constraints"]["allow_duplicates"] and not crossed
    wrong, examples = 0, list[Example]()
    for name in series.roles.identifiers:
        distribution = parse_distribution(columns[name]["frequency_distribution"])
        parts = [(dataset.is_new, new, complete and not columns[name]["miss_probability"])]
        if name == series.first_identifier:
            parts.append((~dataset.is_new, existing, True))
        for rows, requested, exact in parts:
            values = dataset.column(name).filter(pa.array(rows))
            for value, times, expected in _too_frequent(values, distribution, requested, exact):
                wrong += 1
                if len(examples) < EXAMPLES:
                    examples.append(Example(value, name, f"{times} rows", expected))
    entities = len(pc.drop_null(pc.unique(dataset.identifiers)))
    return Finding("repetitions", "entities", entities, wrong, tuple(examples))


def _too_frequent(
    values: pa.Array, distribution: Distribution, requested: int, exact: bool
) -> Iterator[tuple[str, int, str]]:
    """Yield identifiers with more rows than the distribution allows, their rows, and the limit.

    ``exact``: as many identifiers may have each number of rows as Exhibit plans for ``requested``
    rows. Otherwise only the highest frequency is a limit.
    """
    counted = values.drop_null().value_counts()
    times = counted.field("counts").to_numpy()
    highest = max(frequency for frequency, share in distribution if share)
    planned = np.bincount(
        np.bincount(entity_of_row(distribution, requested)), minlength=highest + 1
    )
    for frequency in np.unique(times).tolist():
        places = np.flatnonzero(times == frequency)
        if frequency > highest:
            allowed, expected = 0, f"at most {highest}"
        elif exact and frequency < len(planned):
            allowed = int(planned[frequency])
            expected = f"so in {allowed} entities, not in {len(places)}"
        else:
            continue
        for place in places[allowed:].tolist():
            yield counted.field("values")[place].as_py(), frequency, expected
