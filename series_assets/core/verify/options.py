"""How a tester's table is read: its columns, its times, and what counts as equal."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from numbers import Real

from series_assets.core.errors import InvalidValueError, RequestError, require_known, suggestion
from series_assets.core.truth.profiles import PROFILES, Profile

TIMES = ("exact", "rank", "order")
"""How times are compared: as instants, by the order of loads, by the order of versions."""
_UNITS = {"d": 86_400_000_000, "s": 1_000_000, "ms": 1_000, "us": 1}
_CLOSED = re.compile(r"closed:([0-9]+)(d|s|ms|us)")


@dataclass(frozen=True)
class VerifyOptions:
    """What a tester says about the table; everything has a default."""

    as_: str = "scd2"
    """``scd2`` (all versions) or ``scd1`` (the current state)."""
    profile: str = "plain"
    """The tool whose columns the table has, a key of ``PROFILES``."""
    time: str = "exact"
    """One of ``TIMES``."""
    loads: tuple[tuple[str, str], ...] = ()
    """First day of the period and beginning of its load, for ``time: rank``."""
    tolerance: float = 0.0
    """By how much numbers may differ."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Columns of the series by their name in the table, where the names differ."""
    valid_from: str | None = None
    """The column in which a version begins; None: that of the profile."""
    valid_to: str | None = None
    """The column in which it ends; None: that of the profile."""
    current: str | None = None
    """The column that marks current versions; None: that of the profile, if it is there."""
    open_value: str | None = None
    """What stands in ``valid_to`` of a current version beside a missing value."""
    interval: str | None = None
    """``half-open``, or ``closed:1d`` where the last moment is one day before the end (also s, ms,
    us); None: half-open."""

    def check(self) -> None:
        """Refuse choices that do not exist. Raises RequestError."""
        for name, value, known in (
            ("--as", self.as_, ("scd2", "scd1")),
            ("--profile", self.profile, tuple(PROFILES)),
            ("--time", self.time, TIMES),
        ):
            require_known(name, value, known)
        if not isinstance(self.tolerance, Real) or not self.tolerance >= 0:
            raise RequestError(
                f"--tolerance is {self.tolerance!r}, not a number from 0", "use 0 or more"
            )
        self.closed_by()

    def closed_by(self) -> int:
        """Return by how many microseconds the end of an interval lies before its true end."""
        if self.interval in (None, "half-open"):
            return 0
        found = _CLOSED.fullmatch(self.interval)
        if not found:
            raise RequestError(
                f"--interval {self.interval} is not known",
                "use half-open, or closed: with a number and d, s, ms or us, such as closed:1d",
            )
        return int(found[1]) * _UNITS[found[2]]

    def adapted_profile(self) -> Profile:
        """Return the profile with the columns that the tester named instead."""
        one = PROFILES[self.profile]
        return replace(
            one,
            valid_from=self.valid_from or one.valid_from,
            valid_to=self.valid_to or one.valid_to,
            current=self.current or one.current,
            open_value=one.open_value if self.open_value is None else self.open_value,
        )


@dataclass(frozen=True)
class TableColumns:
    """Where the table has what is compared, by its own names."""

    key: str
    values: Mapping[str, str]
    """The column of the table for each tracked column."""
    valid_from: str | None
    valid_to: str | None
    current: str | None
    deleted: str | None
    ignored: tuple[str, ...]
    """Columns that are neither compared nor known to belong to the tool."""


def find_columns(
    names: list[str], key: str, track: tuple[str, ...], options: VerifyOptions
) -> TableColumns:
    """Return where a table with these columns has what is compared.

    Names are found in any case where that is clear. Raises InvalidValueError that lists the
    missing columns and those of the table.
    """
    profile, scd2 = options.adapted_profile(), options.as_ == "scd2"
    found: dict[str, str | None] = {}
    own = {ours: theirs for theirs, ours in options.columns.items()}
    unknown = [ours for ours in own if ours not in (key, *track)]
    if unknown:
        raise InvalidValueError(
            f"cannot be compared: --column names '{unknown[0]}', which is not a tracked column",
            suggestion(unknown[0], [key, *track]),
        )
    for name in (key, *track):
        found[name] = _in(names, own.get(name, name))
    missing = [own.get(name, name) for name, place in found.items() if place is None]
    begin: str | None = None
    end: str | None = None
    if scd2:
        begin, end = _in(names, profile.valid_from), _in(names, profile.valid_to)
        wanted = {profile.valid_from: begin, profile.valid_to: end}
        missing += [name for name, place in wanted.items() if place is None]
    if options.current and _in(names, options.current) is None:
        missing.append(options.current)
    if missing:
        _refuse(missing, names, options)
    current = _in(names, profile.current) if scd2 and profile.current else None
    deleted = _in(names, profile.deleted) if profile.deleted else None
    if not scd2:
        deleted = deleted or _in(names, "is_deleted")
    used = {*found.values(), begin, end, current, deleted}
    rest = [name for name in names if name not in used and not _of_tool(name, profile)]
    return TableColumns(
        str(found[key]),
        {name: str(found[name]) for name in track},
        begin,
        end,
        current,
        deleted,
        tuple(rest),
    )


def _refuse(missing: list[str], names: list[str], options: VerifyOptions) -> None:
    columns = "column" if len(missing) == 1 else "columns"
    shown = ", ".join(f"'{name}'" for name in missing)
    fitting = [
        name
        for name, one in PROFILES.items()
        if _in(names, one.valid_from) and _in(names, one.valid_to)
    ]
    profile = PROFILES[options.profile]
    remedy = (
        "name columns with --column THEIRS=OURS, --valid-from and --valid-to, or choose another "
        "--profile"
    )
    if fitting and {profile.valid_from, profile.valid_to} & set(missing):
        remedy = f"its columns fit --profile {fitting[0]}"
    raise InvalidValueError(
        f"has no {columns} {shown}, which the profile {options.profile} expects; it has "
        f"{', '.join(names)}",
        remedy,
    )


def _in(names: list[str], name: str) -> str | None:
    """Return a name as the table spells it; None where it is not there."""
    if name in names:
        return name
    alike = [one for one in names if one.lower() == name.lower()]
    return alike[0] if len(alike) == 1 else None


def _of_tool(name: str, profile: Profile) -> bool:
    from fnmatch import fnmatchcase

    return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in profile.ignored)
