"""A checker of finished series, from the outside: files and database against what was promised.

It reads what a consumer could read and works out every rule anew; nothing of the package's own
rules is used here. What is wrong is told by an AssertionError that names the file and the fault.
"""

import csv
import io
import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import cached_property
from math import ceil, floor, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from dateutil.relativedelta import relativedelta

from series_assets_tests.checker_of_wholes import check_wholes, look_around

Row = dict[str, str]
_NOT_MISSING_BUT = {"nan", "NaN", "None", "NaT", "<NA>", "Missing data"}
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}")
_WHOLE = re.compile(r"-?\d+")
_IDENTIFIERS = {
    "uuid": re.compile(r"[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}"),
    "pseudo_chi": re.compile(r"([0-2]\d|3[01])13[2-9]\d{5}"),
    "range": re.compile(r"0|[1-9]\d*"),
}
_LISTS = {
    "uuid": "uuid_columns",
    "categorical": "categorical_columns",
    "continuous": "numerical_columns",
    "date": "date_columns",
    "geospatial": "geospatial_columns",
}
_OPERATIONS = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
    "==": lambda left, right: left == right,
}


@dataclass(frozen=True)
class Finished:
    """A finished series: the contents of its two files, and where its own files lie."""

    specification: Mapping[str, Any]
    user_input: Mapping[str, Any]
    folder: Path
    database: Path
    table: str

    @classmethod
    def of(cls, place: Path, data_dir: Path) -> "Finished":
        """Return the series whose two files lie in ``place``, made into ``data_dir``."""
        specification, user_input = (
            _parsed((place / name).read_text(encoding="utf-8"))
            for name in ("specification.yml", "user_input.yml")
        )
        named = user_input.get("exhibit_db_path")
        database = (place / named).resolve() if named else data_dir / "exhibit.db"
        name = place.resolve().name
        return cls(specification, user_input, data_dir / name, database, f"{name}_reference")


def check(finished: Finished) -> None:
    """Raise an AssertionError that says which promise the series breaks, if it breaks any."""
    rules = _Rules(finished)
    _check_files(rules)
    data = _Data(rules)
    _check_columns(data)
    for k in range(rules.periods):
        _check_counts(data, k)
        for part, rows in (("new", data.new[k]), ("existing", data.existing[k])):
            where = f"dataset_{k + 1}.csv ({part} records)"
            _check_values(rules, rows, where)
            _check_dates(rules, rows, k, part == "existing", where)
            _check_constraints(rules, rows, k, part == "existing", where)
    _check_pools(data)
    _check_new_identifiers(data)
    _check_links(data)
    for k in range(rules.periods):
        _check_existing(data, k)
        _check_origins(data, k)
        _check_shuffled(data, k)
    check_wholes(data)
    _check_new_specifications(rules)
    _check_existing_specifications(rules)
    _check_reference_table(data)


def _ensure(holds: object, message: str) -> None:
    if not holds:
        raise AssertionError(message)


def _some(values: Iterable[object]) -> str:
    values = list(values)
    return ", ".join(map(repr, values[:5])) + (f" … ({len(values)})" if len(values) > 5 else "")


# What the two files ask for.


def _day(value: object) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if value is None or isinstance(value, date):
        return value
    form = "%d/%m/%Y" if "/" in str(value) else "%Y-%m-%d"
    return datetime.strptime(str(value).strip(), form).date()


def _last_of_month(day: date) -> bool:
    return (day + timedelta(days=1)).month != day.month


class _Rules:
    """What the two files ask for, worked out from their contents."""

    def __init__(self, finished: Finished) -> None:
        self.finished = finished
        self.specification = finished.specification
        self.said = finished.user_input
        self.metadata = self.specification["metadata"]
        self.columns: dict[str, Any] = self.specification["columns"]
        self.derived = {
            name: text
            for name, text in (self.specification.get("derived_columns") or {}).items()
            if "Example" not in name
        }
        self.rows = int(self.metadata["number_of_rows"])
        self.periods = int(self.said.get("num_datasets", 3))
        self.uuids = self.of_type("uuid")
        self.moved = list(self.said["date_columns"])
        constraints = self.specification["constraints"]
        self.basic: list[str] = constraints.get("basic_constraints") or []
        self.custom: dict[str, Any] = constraints.get("custom_constraints") or {}
        self.linked_groups = self.specification.get("linked_columns") or []

    def of_type(self, type_: str) -> list[str]:
        """Return the columns of a type, those that the metadata lists first."""
        listed = [n for n in self.metadata.get(_LISTS[type_]) or [] if n in self.columns]
        more = [n for n, c in self.columns.items() if c["type"] == type_ and n not in listed]
        return [*listed, *more]

    def outputs(self, name: str) -> list[str]:
        """Return the columns of the data that a column of the specification stands for."""
        if self.columns.get(name, {}).get("type") == "geospatial":
            return [f"{name}_latitude", f"{name}_longitude"]
        return [name]

    @cached_property
    def header(self) -> set[str]:
        """The columns of the data."""
        return {out for name in (*self.columns, *self.derived) for out in self.outputs(name)}

    @cached_property
    def linked(self) -> list[str]:
        """The identifiers that are one to one."""
        return [name for name in self.said.get("linked_columns") or [] if name in self.uuids]

    @cached_property
    def static(self) -> list[str]:
        """What an entity keeps beside its identifiers, in the specification's order."""
        kept = set(self.said.get("static_columns") or [])
        if self.linked:
            kept |= set(self.said["linked_columns"])
        groups = [{name, *(c.get("paired_columns") or [])} for name, c in self.columns.items()]
        groups += [set(members) for _, members in self.linked_groups]
        groups = [group for group in groups if len(group) > 1]
        while any(group & kept and not group <= kept for group in groups):
            kept |= set().union(*(group for group in groups if group & kept))
        every = [*self.columns, *self.derived]
        return [name for name in every if name in kept and name not in self.uuids]

    @cached_property
    def static_outputs(self) -> list[str]:
        """The columns of the data that an entity keeps beside its identifiers."""
        return [out for name in self.static for out in self.outputs(name)]

    def counts(self, k: int) -> tuple[int, int]:
        """Return how many new and existing rows a period has, without float error."""
        if k == 0:
            return self.rows, 0
        fraction = Fraction(str(self.said["fraction_of_new"]).replace(" ", ""))
        new = floor(self.rows * fraction)
        return new, self.rows - new

    def step(self, k: int) -> relativedelta:
        """Return how far a period lies from the first one."""
        units = k * self.said["length_of_period"]
        if self.said["period"] == "quarters":
            return relativedelta(months=3 * units)
        return relativedelta(**{self.said["period"]: units})

    @cached_property
    def start(self) -> date:
        """The first day of the first period."""
        firsts = [_day(self.columns[name].get("from")) for name in self.moved]
        start = _day(self.said.get("start_date")) or min(day for day in firsts if day)
        assert start is not None
        return start

    def key(self, k: int) -> str:
        """Return the first day of a period."""
        return (self.start + self.step(k)).isoformat()

    def window(self, name: str, k: int) -> tuple[date | None, date | None]:
        """Return the first and the last day of a date column in a period."""
        first, last = (_day(self.columns[name].get(end)) for end in ("from", "to"))
        if name not in self.moved:
            return first, last
        since, to = (day + self.step(k) if day else None for day in (first, last))
        in_months = self.said["period"] in ("months", "quarters")
        if to and last and in_months and _last_of_month(last):
            to += relativedelta(day=31)
            if since and first and _last_of_month(first):
                since += relativedelta(day=31)
        return since, to

    def full(self, name: str) -> bool:
        """Tell whether a date column has all dates of its first window."""
        first, last = self.window(name, 0)
        return bool(first and last and self.columns[name]["uniques"] >= len(self.days(name, 0)))

    def literal(self, text: str, name: str, k: int) -> str:
        """Return a day that a constraint compares with a date column, as it is in a period."""
        day = date.fromisoformat(text)
        if name not in self.moved:
            return text
        for was, is_now in zip(self.window(name, 0), self.window(name, k), strict=True):
            if day == was and is_now:
                return is_now.isoformat()
        return (day + self.step(k)).isoformat()

    def days(self, name: str, k: int) -> set[str]:
        """Return every day that a date column may have in a period, as text."""
        first, last = self.window(name, k)
        frequency, uniques = self.columns[name]["frequency"], self.columns[name]["uniques"]
        if first and last:
            found = pd.date_range(first, last, freq=frequency)
        else:
            found = pd.date_range(start=first, end=last, periods=uniques, freq=frequency)
        return _texts(found)

    @cached_property
    def crossed(self) -> bool:
        """Whether columns are cross-joined."""
        return any(c.get("cross_join_all_unique_values") for c in self.columns.values())

    def shares(self, name: str) -> list[tuple[int, float]]:
        """Return the pairs of a frequency and its share of the rows."""
        cells = [row.split("|") for row in self.columns[name]["frequency_distribution"][1:]]
        shares = pd.Series([float(share) for _, share in cells])
        return [
            (int(cell[0]), float(share))
            for cell, share in zip(cells, shares / shares.sum(), strict=True)
        ]

    def repetitions(self, name: str, rows: int) -> Counter[int]:
        """Return how many entities have how many of so many rows, as Exhibit lays them out.

        The entities of a frequency follow each other as often as the frequency says; what is too
        much is cut from the end.
        """
        entities: list[tuple[int, int]] = []
        for frequency, share in self.shares(name):
            block = [(frequency, i) for i in range(ceil(rows * share / frequency))]
            entities += block * frequency
        return Counter(Counter(entities[:rows]).values())

    def allotted(self, name: str, rows: int) -> int:
        """Return how many identifiers so many rows are allotted, before any is cut."""
        return sum(ceil(rows * share / frequency) for frequency, share in self.shares(name))

    def targets(self, *actions: str) -> set[str]:
        """Return the columns that custom constraints act on (with one of the actions, if any)."""
        return {
            name.strip()
            for custom in self.custom.values()
            for names, action in (custom.get("targets") or {}).items()
            if not actions or any(word in action for word in actions)
            for name in names.split(",")
        }

    def may_lack(self, name: str) -> bool:
        """Tell whether values of a column may be missing."""
        blanking = self.targets("make_null", "sequence", "make_distinct")
        return name in blanking or name in self.lacking

    @cached_property
    def lacking(self) -> set[str]:
        """The columns that lack values, or are made from some that do: Exhibit leaves a number or
        a date empty where what it is compared with, or grouped by, is missing."""
        found = {name for name, column in self.columns.items() if column["miss_probability"]}
        found |= self.targets("make_null", "sequence", "make_distinct")
        while True:
            more = {
                t.split(" ", 1)[0]
                if "~" not in t
                else next(n for n in self.columns if t.startswith((n + " ", f"~{n}~ ")))
                for t in self.basic
                if self.mentions(t) & found
            }
            for custom in self.custom.values():
                groups = {n.strip() for n in (custom.get("partition") or "").split(",")}
                if groups & found:
                    more |= {n.strip() for names in custom["targets"] for n in names.split(",")}
                for names in custom["targets"]:
                    these = {n.strip() for n in names.split(",")}
                    if these & found:
                        more |= these
            if more <= found:
                return found
            found |= more

    @cached_property
    def over_all_rows(self) -> list[str]:
        """The derived columns that are computed over all rows of a dataset."""
        found = look_around(self.derived, self._derivation_mentions)
        return [name for name in found if name not in self.static]

    @cached_property
    def removed_derived(self) -> set[str]:
        """The derived columns that existing records are not run with."""
        forbidden = {*self.static, *self.static_outputs, *self.moved}
        lost = {name for name in self.derived if name in self.static}
        while True:
            more = {
                name
                for name, text in self.derived.items()
                if name not in lost and self._derivation_mentions(text) & (forbidden | lost)
            }
            if not more:
                return lost
            lost |= more

    @cached_property
    def forbidden(self) -> set[str]:
        """The columns that nothing in a specification of existing records may mention."""
        return {*self.static, *self.static_outputs, *self.moved, *self.removed_derived}

    def mentions(self, text: str) -> set[str]:
        """Return the columns that a constraint or a filter mentions, by exact name."""
        return self._named(re.sub(r"'[^']*'|\"[^\"]*\"", " ", text).replace("~", " "))

    def _derivation_mentions(self, text: str) -> set[str]:
        return self._named(text)

    def _named(self, text: str) -> set[str]:
        found = set()
        names = {*self.columns, *self.derived, *self.header}
        for name in sorted(names, key=len, reverse=True):
            forms = {re.escape(name), re.escape(name.replace(" ", "__"))}
            text, times = re.subn(rf"(?<!\w)({'|'.join(forms)})(?!\w)", " ", text)
            found |= {name} if times else set()
        return found

    def kept_custom(self) -> dict[str, Any]:
        """Return the custom constraints that existing records are run with."""
        kept = {}
        for name, custom in self.custom.items():
            partition = {n.strip() for n in (custom.get("partition") or "").split(",")}
            if (self.mentions(custom.get("filter") or "") | partition) & self.forbidden:
                continue
            targets = {
                names: action
                for names, action in custom["targets"].items()
                if not {n.strip() for n in names.split(",")} & self.forbidden
            }
            if targets:
                kept[name] = {**custom, "targets": targets}
        return kept


# The files and their form.


def _check_files(rules: _Rules) -> None:
    wanted: set[str] = set()
    for k in range(rules.periods):
        new, existing = rules.counts(k)
        wanted.add(f"dataset_{k + 1}.csv")
        wanted |= {f"dataset_{k + 1}.new.yml", f"new_records/dataset_{k + 1}.csv"} if new else set()
        wanted |= {f"dataset_{k + 1}.existing.yml"} if existing else set()
        wanted |= _on_request(rules.finished.user_input, k + 1)
    folder, database = rules.finished.folder, rules.finished.database
    found = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and path != database
    }
    _ensure(wanted <= found, f"{folder}: lacks {_some(sorted(wanted - found))}")
    _ensure(found <= wanted, f"{folder}: has stray files {_some(sorted(found - wanted))}")
    beside = {*folder.parent.iterdir(), *database.parent.iterdir()}
    left = [path.name for path in beside if path.name.startswith(f"{database.name}-")]
    left += [path.name for path in beside if path.name == ".runs" or path.name.endswith(".part")]
    _ensure(not left, f"{folder.parent}: a run left {_some(sorted(left))} behind")


def _on_request(said: Mapping[str, Any], number: int) -> set[str]:
    """Return the further files of a dataset that a user input asks for."""
    files = {f"dataset_{number}.manifest.json"} if said.get("manifest") else set()
    truth = said.get("truth")
    if truth is not None:
        kinds = ["changes", *(["cells"] if truth.get("cells", True) else [])]
        kinds += truth.get("write") or []
        files |= {f"truth/{kind}_{number}.csv" for kind in kinds}
    return files


def _read(path: Path) -> tuple[list[str], list[Row]]:
    raw = path.read_bytes()
    _ensure(not raw.startswith(b"\xef\xbb\xbf"), f"{path}: begins with a byte order mark")
    text = raw.decode("utf-8")
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    again = io.StringIO(newline="")
    csv.writer(again, lineterminator="\n").writerows([header, *rows])
    for line, (made, plain) in enumerate(
        zip(text.split("\n"), again.getvalue().split("\n"), strict=True), start=1
    ):
        _ensure(made == plain, f"{path}, line {line}: is {made!r}, but as plain CSV {plain!r}")
    _ensure(len({*header}) == len(header), f"{path}: has two columns of one name")
    return header, [dict(zip(header, row, strict=True)) for row in rows]


class _Data:
    """The records of every period, and which of them are existing ones."""

    def __init__(self, rules: _Rules) -> None:
        self.rules = rules
        folder = rules.finished.folder
        self.headers: dict[str, list[str]] = {}
        self.datasets: list[list[Row]] = []
        self.new: list[list[Row]] = []
        for k in range(rules.periods):
            name = f"dataset_{k + 1}.csv"
            self.headers[name], rows = _read(folder / name)
            self.datasets.append(rows)
            made: list[Row] = []
            if rules.counts(k)[0]:
                part = f"new_records/{name}"
                self.headers[part], made = _read(folder / part)
            self.new.append(made)

    @cached_property
    def existing(self) -> list[list[Row]]:
        """The rows of each dataset that are not among its new records."""
        return [self._existing(k) for k in range(self.rules.periods)]

    def _existing(self, k: int) -> list[Row]:
        alike = self._alike
        left = Counter(alike(row) for row in self.new[k])
        existing = []
        for row in self.datasets[k]:
            if left[alike(row)]:
                left[alike(row)] -= 1
            else:
                existing.append(row)
        lost = [*left.elements()][:5]
        _ensure(
            not lost, f"dataset_{k + 1}.csv: lacks rows of new_records/dataset_{k + 1}.csv: {lost}"
        )
        return existing

    def _alike(self, row: Row) -> tuple[str, ...]:
        """Return what a row has in common with its twin in the file of new records.

        Derived columns that look at other rows have other values among all of a dataset.
        """
        return tuple(v for name, v in row.items() if name not in self.rules.over_all_rows)

    @cached_property
    def entities(self) -> list[dict[str, Row]]:
        """The first row of every entity, by the period that introduced it."""
        name = self.rules.uuids[0]
        found = []
        for rows in self.new:
            first: dict[str, Row] = {}
            for row in rows:
                if row[name]:
                    first.setdefault(row[name], row)
            found.append(first)
        return found


def _check_columns(data: _Data) -> None:
    first = data.headers["dataset_1.csv"]
    _ensure(
        set(first) == data.rules.header,
        f"dataset_1.csv: its columns and those of the specification differ in "
        f"{_some(sorted(set(first) ^ data.rules.header))}",
    )
    for file, header in data.headers.items():
        _ensure(header == first, f"{file}: has the columns {header}, dataset_1.csv has {first}")


def _check_counts(data: _Data, k: int) -> None:
    new, existing = data.rules.counts(k)
    if not data.rules.specification["constraints"]["allow_duplicates"]:
        # Exhibit leaves out new rows that differ in nothing but their numbers.
        numbers = {
            *(data.rules.metadata.get("numerical_columns") or []),
            *data.rules.of_type("continuous"),
        }
        seen = [tuple(v for n, v in row.items() if n not in numbers) for row in data.new[k]]
        _ensure(len(set(seen)) == len(seen), f"new_records/dataset_{k + 1}.csv: holds duplicates")
        _ensure(len(seen) <= new, f"dataset_{k + 1}.csv: has {len(seen)} new rows instead of {new}")
        new = len(seen)
    for what, found, wanted in (
        ("rows", len(data.datasets[k]), new + existing),
        ("new rows", len(data.new[k]), new),
        ("existing rows", len(data.existing[k]), existing),
    ):
        _ensure(found == wanted, f"dataset_{k + 1}.csv: has {found} {what} instead of {wanted}")


# The values of a column by themselves.


def _check_values(rules: _Rules, rows: list[Row], where: str) -> None:
    for name, column in rules.columns.items():
        for out in rules.outputs(name):
            values = [row[out] for row in rows]
            known = _cells_of_tables(rules, name)
            fault = next((v for v in values if v in _NOT_MISSING_BUT - known), None)
            _ensure(fault is None, f"{where}: {out} has {fault!r} where a value is missing")
            if "" in values:
                _ensure(rules.may_lack(name), f"{where}: {out} lacks values; none may be missing")
            _check_form(rules, name, column, [value for value in values if value], where)
    for name in rules.derived:
        for value in {row[name] for row in rows}:
            _ensure(value not in _NOT_MISSING_BUT, f"{where}: {name} has {value!r} for missing")
            _ensure(_shortest(value), f"{where}: {name} has {value}, not its shortest form")


def _shortest(value: str) -> bool:
    """Tell whether a text is not a number, or one in the shortest form that reads back the same."""
    if not re.fullmatch(r"-?\d+\.\d*([eE][-+]?\d+)?", value):
        return True
    return repr(float(value)) == value


def _check_form(
    rules: _Rules, name: str, column: Mapping[str, Any], values: list[str], where: str
) -> None:
    match column["type"]:
        case "continuous" if name in rules.targets("assign_value"):
            pass  # the constraint's own text
        case "uuid":
            kind = column["anonymising_set"]
            odd = [value for value in values if not _IDENTIFIERS[kind].fullmatch(value)]
            _ensure(not odd, f"{where}: {name} is {kind}, but holds {_some(odd)}")
        case "continuous" | "geospatial":
            whole = column.get("precision") == "integer"
            odd = [
                value
                for value in values
                if (not _WHOLE.fullmatch(value) if whole else repr(float(value)) != value)
            ]
            _ensure(not odd, f"{where}: {name} holds numbers in odd forms: {_some(odd)}")
        case "date":
            odd = [value for value in values if not _ISO.fullmatch(value)]
            _ensure(not odd, f"{where}: {name} holds days that are not ISO: {_some(odd)}")
        case _:
            known = _listed_values(rules, name)
            odd = [value for value in values if known is not None and value not in known]
            _ensure(not odd, f"{where}: {name} holds values it does not list: {_some(odd)}")


def _table(column: Mapping[str, Any]) -> list[dict[str, str]] | None:
    values = column.get("original_values")
    if not isinstance(values, list) or column["anonymising_set"] != "random":
        return None
    header, *rows = [[cell.strip() for cell in row.split("|")] for row in values]
    return [dict(zip(header, row, strict=False)) for row in rows[:-1]]


def _listed_values(rules: _Rules, name: str) -> set[str] | None:
    """Return the values that a categorical column may have; None where it does not list them."""
    return None if name in rules.targets("assign_value") else _values_of_table(rules, name)


def _cells_of_tables(rules: _Rules, name: str) -> set[str]:
    """Return whatever the tables of a column and its pairs hold, but for the last row: an action
    may bring back a listed value where a ready-made set stands for it."""
    tables = [
        rules.columns[leader].get("original_values")
        for leader in [name, *(rules.columns[name].get("paired_columns") or [])]
    ]
    rows = [row for table in tables if isinstance(table, list) for row in table[1:-1]]
    return {cell.strip() for row in rows for cell in row.split("|")}


def _values_of_table(rules: _Rules, name: str) -> set[str] | None:
    for leader in [name, *(rules.columns[name].get("paired_columns") or [])]:
        if table := _table(rules.columns[leader]):
            return {row[name if leader == name else f"paired_{name}"] for row in table}
    return None


def _check_dates(rules: _Rules, rows: list[Row], k: int, existing: bool, where: str) -> None:
    for name in rules.of_type("date"):
        if (existing and name in rules.static) or "anonymising_set" in rules.columns[name]:
            continue
        days = _possible_days(rules, k)[name]
        odd = {row[name] for row in rows} - days - {""}
        _ensure(
            not odd,
            f"{where}: {name} has days outside its window "
            f"{'..'.join(map(str, rules.window(name, k)))} or off its frequency: "
            f"{_some(sorted(odd))}",
        )


def _possible_days(rules: _Rules, k: int) -> dict[str, set[str]]:
    """Return every day that a date column may have in a period, constraints counted: they lead to
    a day of the other column, or one step of their own column's frequency away from it."""
    days = {name: rules.days(name, k) for name in rules.of_type("date")}
    for text in rules.basic:
        parts = _parts(rules, text)
        if parts is None or parts[0] not in days:
            continue
        left, _, right = parts
        step = pd.tseries.frequencies.to_offset(rules.columns[left]["frequency"])
        if right in days:
            index = pd.to_datetime(sorted(days[right]))
        else:
            index = pd.to_datetime([rules.literal(right.strip("'"), left, k)])
        for near in (index - step, index, index + step):
            days[left] |= _texts(near)
    return days


def _texts(days: pd.DatetimeIndex) -> set[str]:
    return set(np.datetime_as_string(days.to_numpy(), unit="D").tolist())


def _parts(rules: _Rules, text: str) -> tuple[str, str, str] | None:
    """Return the sides and the operator of a constraint on one column or one literal."""
    found = re.fullmatch(r"(.+?) (<|>|<=|>=|==) (.+)", text.strip())
    if not found:
        return None
    left, operator, right = (part.strip().strip("~") for part in found.groups())
    literal = re.fullmatch(r"-?\d+(\.\d+)?|'\d{4}-\d{2}-\d{2}'", right)
    return (left, operator, right) if right in rules.header or literal else None


def _check_constraints(rules: _Rules, rows: list[Row], k: int, existing: bool, where: str) -> None:
    """Basic constraints hold, but those on what an entity keeps, in existing records."""
    for place, text in enumerate(rules.basic):
        parts = _parts(rules, text)
        later = [
            _parts(rules, other) or [other.split(" ")[0].strip("~")]
            for other in rules.basic[place + 1 :]
        ]
        if any(found[0] in rules.mentions(text) for found in later):
            continue
        if parts is None or rules.custom or (existing and rules.mentions(text) & {*rules.static}):
            continue
        left, operator, right = parts
        numeric = rules.columns[left]["type"] == "continuous"
        literal = right.strip("'") if right not in rules.header else None
        if literal and not numeric:
            literal = rules.literal(literal, left, k)
        for row in rows:
            pair = row[left], row[right] if literal is None else literal
            values = [float(value) if numeric else value for value in pair if value]
            # Exhibit makes no number smaller than 0 to be less than another.
            least = numeric and operator == "<" and len(values) == 2 and values[1] <= 0
            holds = len(values) < 2 or least or _OPERATIONS[operator](*values)
            _ensure(holds, f"{where}: '{text}' does not hold for {pair[0]} and {pair[1]}")


def _check_pools(data: _Data) -> None:
    """Regex columns keep one pool over the series; pairs are those that the columns list."""
    rules = data.rules
    every = [row for rows in data.datasets for row in rows]
    for name, column in rules.columns.items():
        if column.get("original_values") == "regex" and name not in rules.targets():
            values = {row[name] for row in every} - {""}
            odd = [v for v in values if not re.fullmatch(column["anonymising_set"], v)]
            _ensure(not odd, f"{name} holds values that are not of its pattern: {_some(odd)}")
            _ensure(
                len(values) <= column["uniques"],
                f"{name} has {len(values)} values over the series, its uniques is "
                f"{column['uniques']}",
            )
        table, pairs = _table(column), column.get("paired_columns") or []
        if table and pairs and not {name, *pairs} & rules.targets():
            known = {(row[name], *(row[f"paired_{pair}"] for pair in pairs)) for row in table}
            found = {(row[name], *(row[pair] for pair in pairs)) for row in every}
            unlisted = [values for values in found - known if all(values)]
            _ensure(
                not unlisted,
                f"{name} and {_some(pairs)} hold pairs not listed: {_some(unlisted)}",
            )


# Who is in a period.


def _check_new_identifiers(data: _Data) -> None:
    rules = data.rules
    for name in rules.uuids:
        seen: dict[str, int] = {}
        issued = 0
        for k, rows in enumerate(data.new):
            where = f"new_records/dataset_{k + 1}.csv"
            values = Counter(row[name] for row in rows if row[name])
            again = {value: seen[value] for value in values if value in seen}
            _ensure(
                not again,
                f"{where}: {name} has identifiers of earlier periods: {_some(again)} (the first "
                f"is of period {next(iter(again.values()), 0) + 1})",
            )
            seen |= dict.fromkeys(values, k)
            _check_repetitions(rules, name, values, len(rows), where)
            asked = rules.counts(k)[0]
            count = rules.allotted(name, asked) if asked else 0
            if rules.columns[name]["anonymising_set"] == "range" and not rules.crossed:
                odd = [v for v in values if not issued <= int(v) < issued + count]
                _ensure(
                    not odd,
                    f"{where}: {name} holds {_some(odd)}; {issued} to {issued + count - 1} were "
                    "its own",
                )
            issued += count


def _check_repetitions(
    rules: _Rules, name: str, values: Counter[str], rows: int, where: str
) -> None:
    found, wanted = Counter(values.values()), rules.repetitions(name, rows)
    exact = not rules.crossed and rules.specification["constraints"]["allow_duplicates"]
    if exact and not rules.columns[name]["miss_probability"]:
        _ensure(found == wanted, f"{where}: {name} repeats {dict(found)}, not {dict(wanted)}")
    most = max((frequency for frequency, _ in rules.shares(name)), default=1)
    _ensure(
        max(found, default=0) <= most,
        f"{where}: an entity of {name} has {max(found, default=0)} rows, at most {most} are meant",
    )


def _check_links(data: _Data) -> None:
    rows = [row for made in data.new for row in made]
    for name in data.rules.linked[1:]:
        there: dict[str, str] = {}
        back: dict[str, str] = {}
        for row in rows:
            left, right = row[data.rules.linked[0]], row[name]
            if left and right:
                one = there.setdefault(left, right) == right and back.setdefault(right, left)
                _ensure(
                    one == left,
                    f"{data.rules.linked[0]} and {name} are not one to one: {left} has {right} "
                    f"beside {there[left]}, {right} has {left} beside {back.get(right)}",
                )


def _check_existing(data: _Data, k: int) -> None:
    rules, where = data.rules, f"dataset_{k + 1}.csv"
    first = rules.uuids[0]
    known = {name: row for made in data.entities[:k] for name, row in made.items()}
    kept = [*rules.uuids, *rules.static_outputs]
    for row in data.existing[k]:
        _ensure(row[first], f"{where}: an existing record has no {first}: {row}")
        _ensure(
            row[first] in known,
            f"{where}: an existing record has {first} {row[first]}, which no earlier period issued",
        )
        recorded = known[row[first]]
        for name in kept:
            _ensure(
                row[name] == recorded[name],
                f"{where}: {first} {row[first]} has {name} {row[name]!r}, recorded was "
                f"{recorded[name]!r}",
            )
    rows = rules.counts(k)[1]
    found = Counter(Counter(row[first] for row in data.existing[k]).values())
    wanted = rules.repetitions(first, rows)
    _ensure(
        found == wanted,
        f"{where}: the existing records repeat entities {dict(found)}, not {dict(wanted)}",
    )


def _check_origins(data: _Data, k: int) -> None:
    """Each earlier period gave about as many of the entities as it has a share of all of them.

    Six standard deviations of a draw without replacement are allowed, and three entities for
    draws so small that those say little.
    """
    first = data.rules.uuids[0]
    drawn = {row[first] for row in data.existing[k]}
    counts = [len(made) for made in data.entities[:k]]
    total = sum(counts)
    for j, count in enumerate(counts):
        if total < 2 or not drawn:
            continue
        found = len(drawn & data.entities[j].keys())
        share = count / total
        expected = len(drawn) * share
        spread = expected * (1 - share) * (total - len(drawn)) / (total - 1)
        _ensure(
            abs(found - expected) <= 6 * sqrt(spread) + 3 and (found or expected < 20),
            f"dataset_{k + 1}.csv: {found} of its {len(drawn)} entities are of period {j + 1}, "
            f"about {expected:.1f} were to be expected",
        )


def _check_shuffled(data: _Data, k: int) -> None:
    new = data.new[k]
    if len({tuple(row.values()) for row in new}) >= 10:
        _ensure(
            data.datasets[k][: len(new)] != new and data.datasets[k][-len(new) :] != new,
            f"dataset_{k + 1}.csv: its new records stand together, as they were made",
        )


# The specifications that were saved.


def _parsed(text: str) -> Any:
    """Return the contents of a text in YAML, read by libyaml: ten times as fast as by Python."""
    return yaml.load(text, Loader=yaml.CSafeLoader)


def _load(rules: _Rules, file: str) -> dict[str, Any]:
    text = (rules.finished.folder / file).read_text(encoding="utf-8")
    loaded: dict[str, Any] = _parsed(text)
    return loaded


def _plain(value: Any) -> Any:
    """Return contents without what is empty or false, dates and tuples as YAML would have them."""
    if isinstance(value, Mapping):
        plain = {str(key): _plain(part) for key, part in value.items()}
        return {key: part for key, part in plain.items() if part is not None} or None
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value] or None
    return None if value is False else value.isoformat() if isinstance(value, date) else value


def _differences(wanted: Any, found: Any, place: str) -> Iterator[str]:
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        for key in sorted({*wanted, *found}):
            yield from _differences(wanted.get(key), found.get(key), f"{place}.{key}".strip("."))
    elif isinstance(wanted, float) and isinstance(found, int | float):
        if abs(wanted - found) > 1e-9 * abs(wanted):
            yield f"{place} is {found!r} instead of {wanted!r}"
    elif wanted != found:
        yield f"{place} is {found!r} instead of {wanted!r}"


def _for_period(rules: _Rules, k: int, rows: int) -> dict[str, Any]:
    """Return the specification with the rows, the dates and the sums of a period."""
    wanted = deepcopy(dict(rules.specification))
    wanted["metadata"]["number_of_rows"] = rows
    for type_, key in _LISTS.items():
        derived = [n for n in wanted["metadata"].get(key) or [] if n in rules.derived]
        wanted["metadata"][key] = {*rules.of_type(type_), *derived}
    for name in rules.of_type("date"):
        column = wanted["columns"][name]
        column["from"], column["to"] = rules.window(name, k)
        if column["from"] and column["to"]:
            size = len(rules.days(name, k))
            column["uniques"] = size if rules.full(name) else min(column["uniques"], size)
    for column in wanted["columns"].values():
        parameters = column.get("distribution_parameters") or {}
        if parameters.get("target_sum") is not None:
            scaled = Fraction(str(parameters["target_sum"])) * Fraction(rows, rules.rows)
            parameters["target_sum"] = float(scaled)
    return wanted


def _compare(wanted: dict[str, Any], found: dict[str, Any], file: str) -> None:
    found = deepcopy(found)
    for specification in (wanted, found):
        metadata = specification["metadata"]
        for key in _LISTS.values():
            metadata[key] = sorted(metadata.get(key) or [])
        for column in specification["columns"].values():
            column["paired_columns"] = sorted(column.get("paired_columns") or [])
        constraints = specification["constraints"]
        # Which literals move is told apart from whether they moved right: _check_constraints.
        for basic in [constraints.get("basic_constraints") or []]:
            basic[:] = [_ISO.sub("DAY", text) for text in basic]
        for custom in (constraints.get("custom_constraints") or {}).values():
            custom["filter"] = _ISO.sub("DAY", custom.get("filter") or "") or None
            custom["targets"] = {n: _ISO.sub("DAY", t) for n, t in custom["targets"].items()}
        derived = specification.get("derived_columns") or {}
        specification["derived_columns"] = {n: _ISO.sub("DAY", t) for n, t in derived.items()}
    faults = list(_differences(_plain(wanted) or {}, _plain(found) or {}, ""))
    _ensure(not faults, f"{file}: {'; '.join(faults[:5])}")


def _check_new_specifications(rules: _Rules) -> None:
    for k in range(rules.periods):
        new, _ = rules.counts(k)
        if not new:
            continue
        wanted = _for_period(rules, k, new)
        wanted["metadata"]["random_seed"] += k
        for name in rules.uuids:
            if "uuid_seed" in wanted["columns"][name]:
                wanted["columns"][name]["uuid_seed"] += k
        file = f"dataset_{k + 1}.new.yml"
        _compare(wanted, _load(rules, file), file)


def _check_existing_specifications(rules: _Rules) -> None:
    seeds: dict[int, str] = {}
    for k in range(rules.periods):
        new, existing = rules.counts(k)
        if new:
            seed = _load(rules, f"dataset_{k + 1}.new.yml")["metadata"]["random_seed"]
            seeds[seed] = f"dataset_{k + 1}.new.yml"
        if not existing:
            continue
        file = f"dataset_{k + 1}.existing.yml"
        found = _load(rules, file)
        seed = found["metadata"]["random_seed"]
        _ensure(seed not in seeds, f"{file}: has the random_seed of {seeds.get(seed)}")
        seeds[seed] = file
        _check_mentions(rules, found, file)
        _compare(_existing_specification(rules, k, existing, seed), found, file)


def _check_mentions(rules: _Rules, found: Mapping[str, Any], file: str) -> None:
    constraints = found["constraints"]
    texts = list(constraints.get("basic_constraints") or [])
    for custom in (constraints.get("custom_constraints") or {}).values():
        texts += [custom.get("filter") or "", custom.get("partition") or "", *custom["targets"]]
    texts += (found.get("derived_columns") or {}).values()
    for text in texts:
        odd = rules.mentions(text) & rules.forbidden
        _ensure(not odd, f"{file}: '{text}' mentions {_some(sorted(odd))}, which cannot hold there")


def _existing_specification(rules: _Rules, k: int, rows: int, seed: int) -> dict[str, Any]:
    wanted = _for_period(rules, k, rows)
    metadata, columns = wanted["metadata"], wanted["columns"]
    metadata["random_seed"] = seed
    drawn = [*rules.uuids, *rules.static_outputs]
    gone = {*rules.uuids, *rules.static, *rules.removed_derived}
    for key in _LISTS.values():
        metadata[key] = {name for name in metadata[key] if name not in gone}
    metadata["categorical_columns"] |= {*drawn}
    for name in rules.static:
        if rules.outputs(name) != [name]:
            del columns[name]
    first, *others = drawn
    for name in drawn:
        column = columns.get(name, {})
        columns[name] = {
            **(column if column.get("type") == "categorical" else {}),
            "type": "categorical",
            "paired_columns": others if name == first else [first],
            "uniques": max(rows, metadata["inline_limit"] + 1),
            "original_values": "random" if name == first else "See paired column",
            "cross_join_all_unique_values": False,
            "miss_probability": 0,
            "anonymising_set": rules.finished.table,
        }
    constraints = wanted["constraints"]
    constraints["allow_duplicates"] = True
    constraints["basic_constraints"] = [
        text for text in rules.basic if not rules.mentions(text) & rules.forbidden
    ]
    constraints["custom_constraints"] = deepcopy(rules.kept_custom())
    wanted["linked_columns"] = [
        group for group in rules.linked_groups if not set(group[1]) & set(rules.static)
    ]
    wanted["derived_columns"] = {
        name: text
        for name, text in (wanted.get("derived_columns") or {}).items()
        if name not in rules.removed_derived
    }
    return wanted


# The reference table.


def _check_reference_table(data: _Data) -> None:
    rules, table = data.rules, data.rules.finished.table
    _ensure("temp" not in table, f"{table}: Exhibit drops tables with 'temp' in their name")
    header = data.headers["dataset_1.csv"]
    connection = sqlite3.connect(f"file:{rules.finished.database}?mode=ro&immutable=1", uri=True)
    try:
        described = connection.execute(f"PRAGMA table_info({table})").fetchall()
        types = {name: type_ for _, name, type_, *_ in described}
        lost = [name for name in header if name not in types]
        _ensure(not lost, f"{table}: lacks the columns {_some(lost)}")
        more = [name for name in types if name not in header]
        _ensure(len(more) == 2, f"{table}: has {_some(more)} beside the columns of the data")
        key = next(name for _, name, *_, primary in described if primary)
        period = next(name for name in more if name != key)
        names = ", ".join(_quoted(name) for name in [period, *header])
        rows = connection.execute(f"SELECT {names} FROM {table} ORDER BY {key}").fetchall()
    finally:
        connection.close()
    truths = {name for name in header if types[name] == "BOOLEAN"}
    found = [
        (row[0], *(_told(v, n in truths) for n, v in zip(header, row[1:], strict=True)))
        for row in rows
    ]
    wanted = [
        (rules.key(k), *row.values())
        for k, made in enumerate(data.entities)
        for row in made.values()
    ]
    for made, right in zip(found, wanted, strict=False):
        _ensure(made == right, f"{table}: holds {made} where new_records have {right}")
    _ensure(
        len(found) == len(wanted), f"{table}: holds {len(found)} entities instead of {len(wanted)}"
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _told(value: object, truth: bool) -> str:
    if value is None:
        return ""
    return str(bool(value)) if truth else repr(value) if isinstance(value, float) else str(value)
