"""Holding the rules against one delivered dataset: what is wrong, counted and with examples.

What the rules are stands in ``rules``, what they are held against in ``delivered``.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from itertools import zip_longest

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from series_assets.core.delivered import Cells, Delivered, Flags, codes, differs, is_in, is_there
from series_assets.core.entities import Distribution, entity_of_row, parse_distribution
from series_assets.core.rules import (
    EXAMPLES,
    Example,
    Finding,
    dated,
    linked_outputs,
    rules_of,
    static_outputs,
)
from series_assets.core.series import Series
from series_assets.core.windows import Window, windows

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}")


def hold(delivered: Delivered, rules: Iterable[str] | None = None) -> list[Finding]:
    """Return what comes of holding each rule (by default each that the series has) in turn."""
    found = []
    for name in rules_of(delivered.series) if rules is None else rules:
        needed = () if name == "same_columns" else _NEEDED[name](delivered.series)
        lost = [column for column in needed if column not in delivered.records.column_names]
        if lost:
            problem = (
                f"the dataset lacks {', '.join(lost)}, so that this cannot be told; see the rule "
                "same_columns"
            )
            found.append(Finding(name, problem=problem))
        else:
            found.append(_HOLDING[name](delivered))
    return found


def _same_columns(delivered: Delivered) -> Finding:
    found, wanted = delivered.header, delivered.first_header
    if delivered.is_first_period:
        named = set(delivered.series.kinds)
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


def _counts(delivered: Delivered) -> Finding:
    series = delivered.series
    new, existing = series.counts(delivered.k)
    rows, found_new = delivered.records.num_rows, int(delivered.is_new.sum())
    # Exhibit leaves out new rows that are alike, where duplicates are not allowed.
    may_lack = not series.specification["constraints"]["allow_duplicates"]
    wanted_new = min(new, delivered.new_rows) if may_lack else new
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
    if not delivered.is_first_period:
        facts["fraction of new asked for"] = str(series.user_input.fraction_of_new)
    if wanted_new < new:
        facts["new rows left out as duplicates"] = new - wanted_new
    return Finding("counts", "rows", rows, max(lacking, surplus), tuple(examples), facts=facts)


def _identifiers(delivered: Delivered) -> Finding:
    series, is_new = delivered.series, delivered.is_new
    first, *others = series.roles.identifiers
    cells = Cells(delivered)
    fresh = "one that no earlier period has"
    known = "that of an entity recorded before the period, or of new_records"
    for name in series.roles.identifiers:
        cells.add(name, is_new & delivered.is_seen[name], lambda _: fresh)
    cells.add(first, ~is_new & ~delivered.is_known, lambda _: known)
    old = ~is_new & delivered.is_known
    linked = set(linked_outputs(series))
    for name in others:
        odd = old & differs(delivered.column(name), delivered.recorded[name])
        if name in linked:  # whether they go together is a rule of its own
            odd &= ~delivered.is_seen[name] & is_there(delivered.column(name))
        cells.add(name, odd, _as_recorded(delivered, name))
    return cells.finding("identifiers")


def _static_columns(delivered: Delivered) -> Finding:
    cells = Cells(delivered)
    old = ~delivered.is_new & delivered.is_known
    for name in static_outputs(delivered.series):
        odd = old & differs(delivered.column(name), delivered.recorded[name])
        cells.add(name, odd, _as_recorded(delivered, name))
    return cells.finding("static_columns", int(old.sum()))


def _linked_columns(delivered: Delivered) -> Finding:
    cells = Cells(delivered)
    old = ~delivered.is_new & delivered.is_known
    apart = np.zeros(len(old), dtype=bool)
    for name in linked_outputs(delivered.series):
        odd = old & differs(delivered.column(name), delivered.recorded[name])
        cells.add(name, odd, _as_recorded(delivered, name))
        apart |= odd
    if delivered.series.linked:
        leader, *others = delivered.series.linked
        for name in others:
            _one_to_one(delivered, leader, name, apart, cells)
    return cells.finding("linked_columns")


def _one_to_one(delivered: Delivered, leader: str, name: str, apart: Flags, cells: Cells) -> None:
    """Find the rows whose pair contradicts another one; pairs as recorded speak first."""
    old = ~delivered.is_new & delivered.is_known
    left, right = (codes(delivered.column(column)) for column in (leader, name))
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
    there = delivered.column(name)

    def wanted(row: int) -> str:
        one, other = delivered.column(leader)[mate[row]].as_py(), there[mate[row]].as_py()
        return f"one to one with {leader}, but another row has {one!r} with {other!r}"

    cells.add(name, odd, wanted)


def _repetitions(delivered: Delivered) -> Finding:
    series = delivered.series
    new, existing = series.counts(delivered.k)
    columns = series.specification["columns"]
    crossed = any(column.get("cross_join_all_unique_values") for column in columns.values())
    whole = series.specification["constraints"]["allow_duplicates"] and not crossed
    wrong, examples = 0, []
    for name in series.roles.identifiers:
        distribution = parse_distribution(columns[name]["frequency_distribution"])
        sides = [(delivered.is_new, new, whole and not columns[name]["miss_probability"])]
        if name == series.first_identifier:
            sides.append((~delivered.is_new, existing, True))
        for rows, asked, exact in sides:
            values = delivered.column(name).filter(pa.array(rows))
            for value, times, wanted in _too_often(values, distribution, asked, exact):
                wrong += 1
                examples.append(Example(value, name, f"{times} rows", wanted))
                if len(examples) > EXAMPLES:
                    examples.pop()
    entities = len(pc.drop_null(pc.unique(delivered.identifiers)))
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


def _dates(delivered: Delivered) -> Finding:
    cells = Cells(delivered)
    limits = windows(delivered.series, delivered.k)
    static = set(delivered.series.roles.static)
    for name in dated(delivered.series):
        column = delivered.column(name)
        days = pc.drop_null(pc.unique(column)).to_pylist()
        unwritten = [day for day in days if not _is_day(day)]
        cells.add(name, is_in(column, unwritten), lambda _: "a day written as YYYY-MM-DD")
        window = limits[name]
        if window is None:
            continue
        first, last = (end.isoformat() for end in window)
        outside = [day for day in days if _is_day(day) and not first <= day <= last]
        odd = is_in(column, outside)
        if name in static:  # an existing record keeps the date that it came with
            odd &= delivered.is_new
        cells.add(name, odd, _between(window))
    return cells.finding("dates")


def _is_day(text: str) -> bool:
    try:
        return bool(_ISO.fullmatch(text)) and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _between(window: Window) -> Callable[[int], str]:
    return lambda _: f"from {window[0]} to {window[1]}"


def _as_recorded(delivered: Delivered, name: str) -> Callable[[int], str]:
    def wanted(row: int) -> str:
        value = delivered.recorded[name][row].as_py()
        return "nothing, as recorded" if value is None else f"{value!r}, as recorded"

    return wanted


_Needed = Callable[[Series], tuple[str, ...]]
_HOLDING: dict[str, Callable[[Delivered], Finding]] = {
    "same_columns": _same_columns,
    "counts": _counts,
    "identifiers": _identifiers,
    "repetitions": _repetitions,
    "static_columns": _static_columns,
    "linked_columns": _linked_columns,
    "dates": _dates,
}
_NEEDED: dict[str, _Needed] = {
    "counts": lambda series: (),
    "identifiers": lambda series: series.roles.identifiers,
    "repetitions": lambda series: series.roles.identifiers,
    "static_columns": lambda series: (series.first_identifier, *static_outputs(series)),
    "linked_columns": lambda series: (series.first_identifier, *linked_outputs(series)),
    "dates": lambda series: (series.first_identifier, *dated(series)),
}
