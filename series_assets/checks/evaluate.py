"""Evaluates rules on a dataset: what is wrong, counted and with examples.

``rules`` lists the rules. Those on entities are checked in ``entity_rules``, those on values in
``value_rules``.
"""

from collections.abc import Callable
from itertools import zip_longest

from series_assets.checks.dataset_under_check import DatasetUnderCheck
from series_assets.checks.entity_rules import (
    check_identifiers,
    check_linked_columns,
    check_repetitions,
    check_static_columns,
)
from series_assets.checks.rules import (
    EXAMPLES,
    Example,
    Finding,
    needed_columns,
)
from series_assets.checks.value_rules import (
    check_constraints,
    check_dates,
    check_fresh_values,
)


def evaluate_rule(dataset: DatasetUnderCheck, name: str) -> Finding:
    """Return what is wrong with a dataset by one of the rules."""
    present = dataset.records.column_names
    missing = [one for one in needed_columns(dataset.series, name) if one not in present]
    if not missing:
        return _CHECKS[name](dataset)
    problem = (
        f"cannot be checked, because the dataset has no column {', '.join(missing)}; see the rule "
        "same_columns"
    )
    return Finding(name, problem=problem)


def _check_same_columns(dataset: DatasetUnderCheck) -> Finding:
    found, expected = dataset.header, dataset.first_header
    if dataset.is_first_period:
        named = set(dataset.series.kinds)
        # Exhibit decides on the order, so only the first dataset itself shows it.
        in_order = [name for name in found if name in named]
        expected = (*in_order, *(name for name in sorted(named) if name not in found))
    repeated = [name for place, name in enumerate(found) if name in found[:place]]
    surplus = [name for name in found if name not in expected] + repeated
    missing = [name for name in expected if name not in found]
    left = [name for name in dict.fromkeys(found) if name in expected]
    right = [name for name in expected if name in found]
    moved = [(a, b) for a, b in zip_longest(left, right) if a != b]
    examples = [Example(None, name, None, "a column") for name in missing]
    examples += [Example(None, name, name, "no column") for name in surplus]
    examples += [Example(None, f"column {found.index(a) + 1}", a, repr(b)) for a, b in moved]
    wrong = len(missing) + len(surplus) + len(moved)
    return Finding("same_columns", "columns", len(expected), wrong, tuple(examples[:EXAMPLES]))


def _check_counts(dataset: DatasetUnderCheck) -> Finding:
    series = dataset.series
    new, existing = series.counts(dataset.k)
    rows, found_new = dataset.records.num_rows, int(dataset.is_new.sum())
    # Exhibit drops duplicates among the new records if the specification does not allow them.
    may_be_fewer = not series.specification["constraints"]["allow_duplicates"]
    expected_new = min(new, dataset.new_rows) if may_be_fewer else new
    missing = max(0, expected_new - found_new) + max(0, existing - (rows - found_new))
    surplus = max(0, found_new - expected_new) + max(0, rows - found_new - existing)
    examples = [
        Example(None, what, str(found), str(expected))
        for what, found, expected in (
            ("the number of new records", found_new, expected_new),
            ("the number of existing records", rows - found_new, existing),
            ("the number of rows", rows, expected_new + existing),
        )
        if found != expected
    ]
    facts: dict[str, int | str] = {
        "new rows requested": new,
        "new rows delivered": found_new,
        "existing rows requested": existing,
        "existing rows delivered": rows - found_new,
    }
    if not dataset.is_first_period:
        facts["fraction of new requested"] = str(series.user_input.fraction_of_new)
    if expected_new < new:
        facts["new rows dropped as duplicates"] = new - expected_new
    return Finding("counts", "rows", rows, max(missing, surplus), tuple(examples), facts=facts)


_CHECKS: dict[str, Callable[[DatasetUnderCheck], Finding]] = {
    "same_columns": _check_same_columns,
    "counts": _check_counts,
    "identifiers": check_identifiers,
    "repetitions": check_repetitions,
    "static_columns": check_static_columns,
    "linked_columns": check_linked_columns,
    "dates": check_dates,
    "constraints": check_constraints,
    "fresh_values": check_fresh_values,
}
