"""Evaluates rules on a dataset: what is wrong, counted and with examples.

``rules`` lists the rules. Those on entities are checked in ``entity_rules``, those on values in
``value_rules``.
"""

from collections.abc import Callable, Iterable
from itertools import zip_longest

from series_assets.checks.constraint_rules import comparisons
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
    checked_date_columns,
    fresh_number_columns,
    linked_outputs,
    rules_of,
    static_outputs,
)
from series_assets.checks.value_rules import (
    check_constraints,
    check_dates,
    check_fresh_values,
)
from series_assets.core.plan.series import Series


def evaluate_rules(dataset: DatasetUnderCheck, rules: Iterable[str] | None = None) -> list[Finding]:
    """Return a finding for each rule, in order, by default for all rules of the series."""
    findings = []
    for name in rules_of(dataset.series) if rules is None else rules:
        check, needed_columns = _RULES[name]
        needed, present = needed_columns(dataset.series), set(dataset.records.column_names)
        missing = [column for column in dict.fromkeys(needed) if column not in present]
        if missing:
            problem = (
                f"cannot be checked, because the dataset has no column {', '.join(missing)}; see "
                "the rule same_columns"
            )
            findings.append(Finding(name, problem=problem))
        else:
            findings.append(check(dataset))
    return findings


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


def _compared_columns(series: Series) -> tuple[str, ...]:
    found = comparisons(series, series.specification)
    rights = [one.right for one in found if one.right_is_column]
    return (*(one.left for one in found), *rights)


_RULES: dict[
    str, tuple[Callable[[DatasetUnderCheck], Finding], Callable[[Series], tuple[str, ...]]]
] = {
    "same_columns": (_check_same_columns, lambda _: ()),
    "counts": (_check_counts, lambda _: ()),
    "identifiers": (check_identifiers, lambda series: series.roles.identifiers),
    "repetitions": (check_repetitions, lambda series: series.roles.identifiers),
    "static_columns": (
        check_static_columns,
        lambda series: (series.first_identifier, *static_outputs(series)),
    ),
    "linked_columns": (
        check_linked_columns,
        lambda series: (series.first_identifier, *linked_outputs(series)),
    ),
    "dates": (
        check_dates,
        lambda series: (series.first_identifier, *checked_date_columns(series)),
    ),
    "constraints": (
        check_constraints,
        lambda series: (series.first_identifier, *_compared_columns(series)),
    ),
    "fresh_values": (
        check_fresh_values,
        lambda series: (series.first_identifier, *fresh_number_columns(series)),
    ),
}
"""The function that checks each rule, and the one that returns the columns it needs."""
