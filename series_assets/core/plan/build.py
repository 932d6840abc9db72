"""Builds a validated series from the parsed contents of its two files, or reports their faults.

``parse`` and ``user_input`` validate each file by itself; this module checks that they fit
together, and finds failures that can be predicted before anything runs.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from hashlib import sha256
from itertools import combinations
from math import ceil, floor
from pathlib import Path

from series_assets.core.errors import Fault, InputError, collected, fault_at, suggestion
from series_assets.core.plan.calendar import Calendar
from series_assets.core.plan.identifiers import PSEUDO_CHIS, count_identified_entities, linked_in
from series_assets.core.plan.sampling import allocated_entities, count_entities
from series_assets.core.plan.seeds import LIMIT
from series_assets.core.plan.series import BOOKKEEPING, Series
from series_assets.core.plan.shards import shard_faults
from series_assets.core.plan.spec_changes import Roles
from series_assets.core.plan.truth import misdated_events, taken_names, truth_misfits
from series_assets.core.spec.dates import FIRST, LAST
from series_assets.core.spec.exhibit_limits import exhibit_limit_faults
from series_assets.core.spec.frequency_distribution import parse_distribution
from series_assets.core.spec.parse import read_specification
from series_assets.core.spec.specification import (
    Specification,
    Window,
    calculations_of,
    closure,
    inseparable_groups,
    is_select,
    output_columns,
    windows_without_dates,
)
from series_assets.core.spec.user_input import DATA_NEUTRAL_KEYS, UserInput, read_user_input

_COUNTED = 1_000_000
"""Rows up to which the known entities are counted in advance."""


def build_series(
    name: str,
    specification: object,
    user_input: object,
    *,
    specification_file: str,
    user_input_file: str,
    source_files: tuple[Path, ...] = (),
    database: Path | None = None,
) -> Series:
    """Return the series that the parsed contents of its two files describe.

    Messages use the given file names. Raises InputError with the faults of both files or, if each
    is valid by itself, with those of the combination.
    """
    faults: list[Fault] = []
    with collected(faults):
        checked = read_specification(specification, specification_file)
    with collected(faults):
        settings = read_user_input(user_input, user_input_file)
    if faults:
        raise InputError(faults)

    _refuse(
        (user_input_file, _reference_faults(checked, settings)),
        (user_input_file, truth_misfits(checked, settings)),
        (specification_file, _storage_faults(checked)),
        (specification_file, exhibit_limit_faults(checked)),
    )
    start = settings.start_date or _earliest(checked, settings)
    if start is None:
        remedy = (
            "none of the date_columns has a first day to start from, so give the start of the "
            "first period, for example start_date: 2024-01-01"
        )
        raise InputError([Fault(user_input_file, "start_date", "is missing", remedy)])
    calendar = Calendar(start, settings.period, settings.length_of_period, settings.num_datasets)
    _refuse((user_input_file, _calendar_faults(calendar, checked, settings)))
    _refuse((user_input_file, shard_faults(checked, settings)))
    series = Series(
        name=name,
        specification=checked,
        user_input=settings,
        calendar=calendar,
        roles=_roles(checked, settings),
        linked=linked_in(checked["metadata"]["uuid_columns"], settings.linked_columns),
        fingerprint=_fingerprint(specification, user_input),
        specification_file=specification_file,
        user_input_file=user_input_file,
        source_files=source_files,
        database=database,
    )
    _refuse((specification_file, _plan_faults(series)), (user_input_file, _entity_faults(series)))
    return series


def _refuse(*found: tuple[str, Iterable[Fault]]) -> None:
    """Raise InputError if any of the files has faults."""
    if faults := [fault.in_file(file) for file, of_file in found for fault in of_file]:
        raise InputError(faults)


def _fingerprint(specification: object, user_input: object) -> str:
    """Return a digest of both files' content, without the keys that do not affect data.

    ``shards: 1`` and ``format: csv`` count as not written: they give the data of a series without
    the key.
    """
    settings = user_input if isinstance(user_input, Mapping) else {}
    without_effect = {"shards": 1, "format": "csv"}
    neutral = {
        *DATA_NEUTRAL_KEYS,
        *(key for key, value in without_effect.items() if settings.get(key) == value),
    }
    kept = sorted((str(key), settings[key]) for key in settings if key not in neutral)
    text = json.dumps([specification, kept], default=str, ensure_ascii=False)
    return sha256(text.encode()).hexdigest()[:16]


def _roles(specification: Specification, settings: UserInput) -> Roles:
    identifiers = tuple(specification["metadata"]["uuid_columns"])
    static = [name for name in settings.static_columns if name not in identifiers]
    if set(settings.linked_columns) & set(identifiers):
        static += [n for n in settings.linked_columns if n not in identifiers and n not in static]
    kept = closure(static, inseparable_groups(specification))
    static += [name for name in specification["columns"] if name in kept and name not in static]
    return Roles(identifiers, tuple(static), settings.date_columns)


def _reference_faults(specification: Specification, settings: UserInput) -> Iterator[Fault]:
    columns = specification["columns"]
    known = [*columns, *calculations_of(specification)]
    dates = [name for name in columns if columns[name]["type"] == "date"]
    for name in settings.date_columns:
        if name not in columns:
            yield fault_at(
                "date_columns",
                f"names '{name}', which the specification lacks",
                suggestion(name, dates),
            )
        elif name not in dates:
            yield fault_at(
                "date_columns",
                f"names '{name}', whose type is {columns[name]['type']}",
                "only date columns can move",
            )
        elif is_select(columns[name].get("anonymising_set")):
            yield fault_at(
                "date_columns",
                f"names '{name}', whose days come from an SQL statement, so that moving from "
                "and to changes nothing",
                "take it off the list",
            )
    for key in ("static_columns", "linked_columns"):
        for name in getattr(settings, key):
            if name not in known:
                yield fault_at(
                    key, f"names '{name}', which the specification lacks", suggestion(name, known)
                )
    yield from _link_faults(specification, settings)


def _link_faults(specification: Specification, settings: UserInput) -> Iterator[Fault]:
    columns, names = specification["columns"], settings.linked_columns
    if not names or not set(names) <= {*columns, *calculations_of(specification)}:
        return
    identifiers = [name for name in names if columns.get(name, {}).get("type") == "uuid"]
    groups = [set(members) for _, members in specification["linked_columns"]]
    if not identifiers and set(names) not in groups:
        yield fault_at(
            "linked_columns",
            f"[{', '.join(names)}] has no uuid column and is not a linked group of the "
            "specification",
            "link columns to an identifier, or name a group of linked_columns there",
        )
    distributions = {
        parse_distribution(columns[name]["frequency_distribution"]) for name in identifiers
    }
    if len(distributions) > 1:
        yield fault_at(
            "linked_columns",
            f"links the identifiers {', '.join(identifiers)} one to one, but their "
            "frequency_distribution differs in the specification",
            "give them the same one",
        )


def _storage_faults(specification: Specification) -> Iterator[Fault]:
    places = {
        out: f"columns.{name}"
        for name in specification["columns"]
        for out in output_columns(specification, name)
    }
    places |= {name: f"derived_columns.{name}" for name in calculations_of(specification)}
    seen: dict[str, str] = {}
    for name, place in places.items():
        folded = name.lower()
        if folded in BOOKKEEPING:
            yield fault_at(
                place,
                "has a name that the reference table reserves for a column of its own",
                "rename it",
            )
        if folded in seen:
            yield fault_at(
                place,
                f"differs from '{seen[folded]}' only in case, which SQLite does not tell apart",
                "rename one of them",
            )
        seen[folded] = name


def _earliest(specification: Specification, settings: UserInput) -> date | None:
    starts = [
        specification["columns"][name].get("from")
        for name in settings.date_columns
        if name in specification["columns"]
    ]
    return min((date.fromisoformat(start) for start in starts if start), default=None)


def _calendar_faults(
    calendar: Calendar, specification: Specification, settings: UserInput
) -> Iterator[Fault]:
    ends = [
        date.fromisoformat(specification["columns"][name][end])
        for name in settings.date_columns
        for end in ("from", "to")
        if specification["columns"][name].get(end)
    ]
    last = calendar.count - 1
    try:
        reached = [calendar.start_of(calendar.count), *(calendar.move(day, last) for day in ends)]
    except (OverflowError, ValueError):
        reached = [date.max]
    if calendar.start < FIRST:
        yield fault_at(
            "start_date",
            f"{calendar.start} is before {FIRST}, the first day that Exhibit knows",
            "use a later day",
        )
    elif max(reached) > LAST:
        yield fault_at(
            "num_datasets",
            f"{calendar.count} with length_of_period {calendar.length} {calendar.unit} "
            f"runs past {LAST}, the last day that Exhibit knows",
            "use fewer or shorter periods",
        )


def _plan_faults(series: Series) -> Iterator[Fault]:
    """Yield what would fail in some period, as faults of the specification."""
    last = series.calendar.count - 1
    for k in range(last + 1) if series.crosses_moved_dates else range(min(2, last + 1)):
        crossed = series.combinations(k)
        short = [rows for rows in series.counts(k) if 0 < rows < crossed]
        if short:
            yield fault_at(
                "metadata.number_of_rows",
                f"{series.rows} is too small: the cross-joined columns have {crossed} "
                f"combinations, but in period {series.calendar.keys[k]} the new or the "
                f"existing records have only {short[0]} rows",
                f"raise it to {_enough_rows(series, crossed)} or more, or set "
                "cross_join_all_unique_values: false",
            )
            break
    yield from _empty_windows(series)
    yield from _shared_seeds(series)
    final = series.parts[-1]
    for plan in final.identifier_plans(last):
        place = f"columns.{plan.column}"
        if plan.seed >= LIMIT:
            yield fault_at(
                f"{place}.uuid_seed",
                f"{plan.seed - series.runs + 1} is too large",
                f"keep seed + {_runs_of(series)} below {LIMIT}",
            )
        total = plan.issued + allocated_entities(plan.distribution, final.counts(last)[0])
        if plan.kind == "pseudo_chi" and total > PSEUDO_CHIS:
            yield fault_at(
                place,
                f"needs {total:,} pseudo CHI numbers over the series, but only "
                f"{PSEUDO_CHIS:,} exist",
                "use anonymising_set: uuid, or fewer rows or periods",
            )
    seed = series.specification["metadata"]["random_seed"]
    if seed + series.runs > LIMIT:
        yield fault_at(
            "metadata.random_seed",
            f"{seed} is too large",
            f"keep seed + {_runs_of(series)} below {LIMIT}",
        )


def _runs_of(series: Series) -> str:
    """Return what the number of runs is, in words."""
    return "periods" if series.shards == 1 else "periods × shards"


def _empty_windows(series: Series) -> Iterator[Fault]:
    """A moved window may fall between two dates of its frequency, such as ends of quarters."""
    columns = series.specification["columns"]
    rare = [
        name
        for name in columns
        if columns[name]["type"] == "date" and columns[name]["frequency"] not in (None, "D")
    ]
    moved = set(rare) & set(series.roles.moved)
    windows = _windows(series, rare, series.calendar.count if moved else min(1, len(rare)))
    for k, name, start, end in windows_without_dates(columns, windows):
        yield fault_at(
            f"columns.{name}",
            f"has no date in period {series.calendar.keys[k]}: none of its frequency "
            f"{columns[name]['frequency']} lies from {start} to {end}",
            "widen the window, or use another frequency",
        )
        return


def _windows(series: Series, names: list[str], count: int) -> Iterator[Window]:
    """Yield the windows of date columns that have both ends, period by period."""
    columns = series.specification["columns"]
    closed_windows = {
        name: (date.fromisoformat(columns[name]["from"]), date.fromisoformat(columns[name]["to"]))
        for name in names
        if columns[name].get("from") is not None and columns[name].get("to") is not None
    }
    for k in range(count):
        for name, window in closed_windows.items():
            moves = name in series.roles.moved
            first, last = series.calendar.move_window(*window, k) if moves else window
            assert first is not None and last is not None
            yield k, name, first.isoformat(), last.isoformat()


def _enough_rows(series: Series, crossed: int) -> int:
    """Return the smallest number of rows whose parts both hold a full cross join."""
    fraction = series.user_input.fraction_of_new
    shares = [share for share in (fraction, 1 - fraction) if share]
    # Rounding down may take a row from the new records; then one more row is enough.
    rows = max(crossed, *(ceil(crossed / share) for share in shares))
    return rows if rows - floor(rows * fraction) >= crossed or fraction == 1 else rows + 1


def _shared_seeds(series: Series) -> Iterator[Fault]:
    """Two uuid columns with the same seed have the same values; it grows by 1 per period."""
    uuids = [plan for plan in series.identifier_plans(0) if plan.kind == "uuid"]
    for other, plan in combinations(uuids, 2):
        if abs(plan.seed - other.seed) < series.runs:
            yield fault_at(
                f"columns.{plan.column}",
                f"would share identifiers with '{other.column}': their seeds {plan.seed} and "
                f"{other.seed} differ by less than the number of {_runs_of(series)} "
                f"({series.runs})",
                f"give {plan.column} a uuid_seed of its own, for example uuid_seed: "
                f"{other.seed + 1_000_000}",
            )


def _entity_faults(series: Series) -> Iterator[Fault]:
    if series.truth:
        yield from taken_names(series.truth, is_sharded=series.is_sharded)
        yield from misdated_events(
            series.truth, series.specification, series.roles, series.calendar
        )
    if series.calendar.count == 1:
        return
    if not series.parts[0].identifier_plans(0)[0].miss_probability or series.rows > _COUNTED:
        return
    for part in series.parts:
        yield from _scarce_entities(part)


def _scarce_entities(series: Series) -> Iterator[Fault]:
    """Yield that a series, or a shard, has too few entities with an identifier for period 1."""
    rows, existing = series.counts(0)[0], series.counts(1)[1]
    if not existing:
        return
    first = series.identifier_plans(0)[0]
    needed = count_entities(first.distribution, existing)
    # All periods need the same number of entities, and the second has the fewest to choose from.
    known = count_identified_entities(first, rows)
    if known < needed:
        yield fault_at(
            "fraction_of_new",
            f"{series.user_input.fraction_of_new} asks period "
            f"{series.key_of(series.calendar.period(1))} to sample {needed} "
            f"entities, but only {known} with an identifier in '{first.column}' are known by then "
            f"(miss_probability {first.miss_probability})",
            "raise fraction_of_new or lower that miss_probability",
        )
