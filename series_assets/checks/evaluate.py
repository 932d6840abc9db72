"""Holding the rules against one delivered dataset: what is wrong, counted and with examples.

What the rules are is in ``rules``, what they are held against in ``dataset_under_check``; those
on entities are in ``entity_rules``, those on values in ``value_rules``.
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
    dated,
    fresh_numbers,
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
    """Return what comes of holding each rule (by default each that the series has) in turn."""
    found = []
    for name in rules_of(dataset.series) if rules is None else rules:
        needed = () if name == "same_columns" else _NEEDED[name](dataset.series)
        there = set(dataset.records.column_names)
        lost = [column for column in dict.fromkeys(needed) if column not in there]
        if lost:
            problem = (
                f"the dataset lacks {', '.join(lost)}, so that this cannot be told; see the rule "
                "same_columns"
            )
            found.append(Finding(name, problem=problem))
        else:
            found.append(_HOLDING[name](dataset))
    return found


def _same_columns(dataset: DatasetUnderCheck) -> Finding:
    found, wanted = dataset.header, dataset.first_header
    if dataset.is_first_period:
        named = set(dataset.series.kinds)
        # What order Exhibit gives them is only known from the first dataset itself.
        wanted = (*(n for n in found if n in named), *(n for n in sorted(named) if n not in found))
    strays = [name for name in found if name not in wanted]
    strays += [name for place, name in enumerate(found) if name in found[:place]]
    lost = [name for name in wanted if name not in found]
    left = [
        name for place, name in enumerate(found) if name in wanted and name not in found[:place]
    ]
    right = [name for name in wanted if name in found]
    moved = [(a, b) for a, b in zip_longest(left, right) if a != b]
    examples = [Example(None, name, None, "a column") for name in lost]
    examples += [Example(None, name, name, "no column") for name in strays]
    examples += [Example(None, f"column {found.index(a) + 1}", a, repr(b)) for a, b in moved]
    wrong = len(lost) + len(strays) + len(moved)
    return Finding("same_columns", "columns", len(wanted), wrong, tuple(examples[:EXAMPLES]))


def _counts(dataset: DatasetUnderCheck) -> Finding:
    series = dataset.series
    new, existing = series.counts(dataset.k)
    rows, found_new = dataset.records.num_rows, int(dataset.is_new.sum())
    # Exhibit leaves out new rows that are alike, where duplicates are not allowed.
    may_lack = not series.specification["constraints"]["allow_duplicates"]
    wanted_new = min(new, dataset.new_rows) if may_lack else new
    lacking = max(0, wanted_new - found_new) + max(0, existing - (rows - found_new))
    surplus = max(0, found_new - wanted_new) + max(0, rows - found_new - existing)
    examples = [
        Example(None, what, str(found), str(wanted))
        for what, found, wanted in (
            ("the number of new records", found_new, wanted_new),
            ("the number of existing records", rows - found_new, existing),
            ("the number of rows", rows, wanted_new + existing),
        )
        if found != wanted
    ]
    facts: dict[str, int | str] = {
        "new rows asked for": new,
        "new rows delivered": found_new,
        "existing rows asked for": existing,
        "existing rows delivered": rows - found_new,
    }
    if not dataset.is_first_period:
        facts["fraction of new asked for"] = str(series.user_input.fraction_of_new)
    if wanted_new < new:
        facts["new rows left out as duplicates"] = new - wanted_new
    return Finding("counts", "rows", rows, max(lacking, surplus), tuple(examples), facts=facts)


_Needed = Callable[[Series], tuple[str, ...]]
_HOLDING: dict[str, Callable[[DatasetUnderCheck], Finding]] = {
    "same_columns": _same_columns,
    "counts": _counts,
    "identifiers": check_identifiers,
    "repetitions": check_repetitions,
    "static_columns": check_static_columns,
    "linked_columns": check_linked_columns,
    "dates": check_dates,
    "constraints": check_constraints,
    "fresh_values": check_fresh_values,
}
_NEEDED: dict[str, _Needed] = {
    "counts": lambda series: (),
    "identifiers": lambda series: series.roles.identifiers,
    "repetitions": lambda series: series.roles.identifiers,
    "static_columns": lambda series: (series.first_identifier, *static_outputs(series)),
    "linked_columns": lambda series: (series.first_identifier, *linked_outputs(series)),
    "dates": lambda series: (series.first_identifier, *dated(series)),
    "constraints": lambda series: (
        series.first_identifier,
        *(
            name
            for one in comparisons(series, series.specification)
            for name in (one.left, *([one.right] if one.right_is_column else []))
        ),
    ),
    "fresh_values": lambda series: (series.first_identifier, *fresh_numbers(series)),
}
