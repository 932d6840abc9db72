"""Infers the two files of a series from a table of real data, based on Exhibit's ``fromdata``.

``fromdata`` describes a single table. This module corrects its result for a series and adds what it
lacks: distributions of numbers, related columns, the length of a period, static columns.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from exhibit.core import exhibit as stock
from exhibit.core import spec as stock_spec
from exhibit.core.linkage import hierarchical

from series_assets.core.errors import Fault, InputError, did_you_mean, join_words
from series_assets.core.plan.shared_identifiers import default_uuid_seed
from series_assets.core.spec.specification import Specification
from series_assets.engine.infer import structure
from series_assets.engine.infer.number_columns import (
    Order,
    drop_weights,
    fit_number_columns,
    set_numbers,
)
from series_assets.engine.infer.periods import InferredPeriods, infer_periods
from series_assets.engine.infer.reading import Table
from series_assets.engine.sandbox import SortedSet, isolated, patched
from series_assets.storage.scratch_database import write_frame

_LISTED, _MOST_LISTED = 30, 500
"""Maximum number of listed values of a category; the second if their shares differ."""
_MOST_WITH_GAPS = 2_000
"""The same for a category whose gaps would distort numbers."""
_UNEVEN = 0.01
_ANY_START = date(2024, 1, 1)
_NOTHING = "-"
"""Placeholder for the values of an empty column."""
_BY_CHANCE = 1e-3
_FEW = 20
"""Fewer rows may follow a rule by chance."""


@dataclass(frozen=True)
class InferredInputs:
    """The inputs of a series that continues a table of data."""

    specification: Specification
    user_input: dict[str, Any]
    table_prefix: str
    """Prefix of the database tables in which Exhibit keeps values of the specification."""
    notes: tuple[str, ...]
    """Sentences about decisions that a user may want to change."""
    orders: tuple[Order, ...]
    """Constraints between two numbers."""
    weighted: frozenset[str]
    """Numbers that depend on a category."""


@dataclass(frozen=True)
class InferenceOptions:
    """Which properties of a table to reproduce; fewer if all of them make no good series."""

    weights: frozenset[str] | None = None
    """Numbers that may depend on a category; None for all."""
    orders: bool = True
    """Whether numbers keep their order."""
    links: bool = True
    """Whether columns that belong together stay together."""


def describe(
    table: Table, data: Path, identifier: str, name: str, database: Path, options: InferenceOptions
) -> InferredInputs:
    """Return both files of a series called ``name`` that resembles the table in ``data``.

    ``identifier`` is the column that identifies entities; if the table lacks it, it is added, and
    each row is its own entity. Exhibit's tables of values go into ``database``. Raises InputError.
    """
    known = _is_known(identifier, data, table)
    frame = table.frame()
    specification, table_prefix = _describe_with_exhibit(
        table, data, identifier if known else None, database, options
    )
    specification["metadata"]["id"] = name
    if not known:
        _add_identifier(specification, identifier)
    notes = [*_about_identifier(identifier, data, table), *table.notes]
    notes += _about_unique_columns(table, identifier)
    notes += _about_gaps(table, [name for name in table.of_kind("category") if name != identifier])
    notes += structure.without_overlaps(specification, frame)
    days = {column: frame[column] for column in table.of_kind("date")}
    notes += _about_order_of_dates(days)
    dates = infer_periods(days, _ANY_START)
    static = _static(table, frame, dates, identifier if known else None)
    if known and frame[identifier].dropna().is_unique:
        notes.append(
            f"each {identifier} has one row, so the data does not show what an entity keeps; name "
            "such columns in static_columns"
        )
    orders = structure.orders_of(frame, table.of_kind("number"))
    notes += structure.unusable_orders([one for one in orders if not _is_usable(one)])
    orders = [one for one in orders if _is_usable(one) and options.orders]
    _correct(specification, table, dates)
    if known:
        _set_frequencies(specification["columns"][identifier], frame[identifier])
    _set_seeds(specification, name)
    may_depend = table.of_kind("number") if options.weights is None else options.weights
    models = fit_number_columns(specification, table, frame, orders, may_depend)
    set_numbers(specification, table, models, orders)
    notes += filter(None, (model.note(column) for column, model in models.items()))
    weighted = frozenset(column for column, model in models.items() if model.weights)
    user_input = _user_input(dates, static)
    return InferredInputs(
        specification, user_input, table_prefix, (*notes, *dates.notes), tuple(orders), weighted
    )


def _is_usable(order: Order) -> bool:
    return None not in map(structure.in_constraint, (order[0], order[2]))


def _describe_with_exhibit(
    table: Table, data: Path, identifier: str | None, database: Path, options: InferenceOptions
) -> tuple[Specification, str]:
    """Return the specification from Exhibit's ``fromdata``, and the prefix of its tables."""
    frame = table.frame()
    for column in frame:
        if frame[column].isna().all():
            frame[column] = frame[column].astype(object).where(frame[column].notna(), _NOTHING)
    categories = [column for column in table.of_kind("category") if column != identifier]
    pairs = structure.pairs_of(frame, categories) if options.links else []
    links = structure.links_of(frame, categories, pairs) if options.links else []
    wanted: dict[str, Any] = {
        "set": SortedSet,
        "find_pair_linked_columns": lambda df, ignore_cols: pairs,
        "find_hierarchically_linked_columns": lambda *_, **__: links,
        "find_basic_constraint_columns": lambda df: [],
        "generate_weights": lambda df, category, *_, **__: [1.0] * (df[category].nunique() + 1),
        "create_temp_table": lambda table_name, col_names, data: _keep(
            database, table_name, col_names, data
        ),
    }
    sets: list[tuple[Any, dict[str, Any]]] = [
        (hierarchical, {"set": SortedSet}),
        (stock_spec, wanted),
    ]
    with isolated(database, seed=0), patched(sets):
        try:
            generated = stock.Exhibit(
                command="fromdata",
                source=frame,
                output="specification",
                inline_limit=_inline_limit(table, categories),
                uuid_columns={identifier} if identifier else set(),
            ).generate()
        except Exception as error:
            problem = f"Exhibit cannot describe it: {type(error).__name__}: {error}"
            raise InputError([Fault(str(data), "", problem)]) from error
    specification = _plain(dict(generated.data))
    return specification, f"temp_{specification['metadata']['id']}_"


def _keep(database: Path, name: str, columns: list[str], data: Any) -> None:
    """Write values to the database as Exhibit does, but any number of them."""
    rows = pd.DataFrame(data if isinstance(data, np.ndarray) else [tuple(row) for row in data])
    rows.columns = columns
    write_frame(database, name, rows.astype(str))


def _inline_limit(table: Table, categories: list[str]) -> int:
    """Return the inline limit: high enough to list values with other shares or with gaps.

    Exhibit chooses among unlisted values with equal probability.
    """
    counts = {name: table.columns[name].values.nunique() for name in categories}
    listed = [
        count
        for name, count in counts.items()
        if _LISTED < count <= _MOST_LISTED
        and structure.unevenness(table.columns[name].values) > _UNEVEN
    ]
    with_gaps = [counts[name] for name in _distorting(table, categories)]
    return max([_LISTED, *listed, *(count for count in with_gaps if count <= _MOST_WITH_GAPS)])


def _distorting(table: Table, categories: list[str]) -> list[str]:
    """Return the categories with gaps that distort numbers unless their values are listed.

    To Exhibit, a missing value of such a column has a weight of 1, and each other one of 1/n. It
    makes all numbers beside a gap of any column together, so several columns have to have some.
    """
    found = [name for name in categories if table.columns[name].values.isna().any()]
    return found if len(found) > 1 and table.of_kind("number") else []


def _about_gaps(table: Table, categories: list[str]) -> Iterator[str]:
    """Yield which columns have too many values for their gaps to leave numbers alone."""
    for name in _distorting(table, categories):
        count = table.columns[name].values.nunique()
        if count > _MOST_WITH_GAPS:
            yield (
                f"{name} has gaps, and with {count:,} values too many to list them: where it or "
                "another column is missing, numbers are unlike those of the data"
            )


_TYPO = 0.85
"""From this similarity on, a name is taken for a misspelt one."""


def _is_known(identifier: str, data: Path, table: Table) -> bool:
    """Return whether the table has the identifier. Raises InputError if it cannot be added."""
    if identifier in table.columns:
        if table.columns[identifier].values.isna().all():
            place, problem = f"its column '{identifier}'", "is empty and names no entity"
            raise InputError([Fault(str(data), place, problem, "choose another --id")])
        return True
    for name in table.columns:
        if name.lower() == identifier.lower():  # SQLite would not tell them apart
            problem = f"has no column '{identifier}'"
            raise InputError([Fault(str(data), "", problem, f"did you mean '{name}'?")])
    if close := get_close_matches(identifier, table.columns, 1, _TYPO):
        remedy = f"did you mean '{close[0]}'? To add an identifier, give it a name of its own"
        raise InputError([Fault(str(data), "", f"has no column '{identifier}'", remedy)])
    if not identifier.strip():
        remedy = f"its columns are {', '.join(table.columns)}"
        raise InputError([Fault(str(data), "", f"has no column '{identifier}'", remedy)])
    return False


def _about_identifier(identifier: str, data: Path, table: Table) -> Iterator[str]:
    if identifier not in table.columns:
        near = did_you_mean(identifier, table.columns)
        yield (
            f"{data.name} has no column '{identifier}', so it is added: each row is about a "
            f"different entity{near if 'mean' in near else ''}"
        )


def _about_unique_columns(table: Table, identifier: str) -> Iterator[str]:
    """Yield which other columns identify rows, as the series repeats their values."""
    for name in table.of_kind("category"):
        values = table.columns[name].values
        known = int(values.notna().sum())
        if name != identifier and known >= _FEW and values.nunique() == known:
            yield (
                f"{name} is different in each row of the data, but in the series its values are "
                "drawn from those of the data and repeat; make it a uuid column if it has to be "
                "unique"
            )


def _about_order_of_dates(days: Mapping[str, "pd.Series[Any]"]) -> Iterator[str]:
    """Yield which dates never precede another one, as no constraint of the series says so."""
    shown = {name: structure.in_constraint(name) for name in days}
    names = [name for name, text in shown.items() if text]
    found = {(a, b) for a, b in permutations(names, 2) if _never_precedes(days[a], days[b])}
    equal = [(a, b) for a, b in sorted(found) if (b, a) in found and a < b]
    found -= {pair for a, b in equal for pair in ((a, b), (b, a))}
    follows = [
        (a, b)
        for a, b in sorted(found)
        if not any((a, c) in found and (c, b) in found for c in names)
    ]
    known = [f"{a} is never before {b}" for a, b in follows]
    known += [f"{a} equals {b}" for a, b in equal]
    rules = [f"{shown[a]} >= {shown[b]}" for a, b in follows]
    rules += [f"{shown[a]} == {shown[b]}" for a, b in equal]
    if rules:
        yield (
            f"in the data, {join_words(known, 'and')}; the series keeps that only if you add to "
            f"basic_constraints: {', '.join(rules)}"
        )


def _never_precedes(later: "pd.Series[Any]", earlier: "pd.Series[Any]") -> bool:
    """Return whether this cannot be by chance, because the days of both overlap."""
    both = later.notna() & earlier.notna()
    overlap = earlier.max() > later.min()
    return bool(both.sum() >= _FEW and overlap and (later[both] >= earlier[both]).all())


def _plain(value: Any) -> Any:
    """Return Exhibit's result as plain data for YAML."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(item) for item in value]
    if hasattr(value, "item"):
        return value.item()
    return value


def _add_identifier(specification: Specification, identifier: str) -> None:
    columns = specification["columns"]
    column = {
        "type": "uuid",
        "uuid_seed": 0,
        "frequency_distribution": ["frequency | probability_vector", "1         | 1.000"],
        "miss_probability": 0.0,
        "anonymising_set": "uuid",
    }
    specification["columns"] = {identifier: column, **columns}
    specification["metadata"]["uuid_columns"] = [identifier]


def _set_frequencies(column: Specification, identifiers: "pd.Series[Any]") -> None:
    """Set the share of rows by the number of rows of their entity."""
    often = identifiers.value_counts().value_counts().sort_index()
    rows = often * often.index
    column["frequency_distribution"] = [
        "frequency | probability_vector",
        *(f"{n:<9} | {share:.6f}" for n, share in (rows / rows.sum()).items()),
    ]


def _set_seeds(specification: Specification, name: str) -> None:
    for place, column in enumerate(specification["metadata"]["uuid_columns"]):
        specification["columns"][column]["uuid_seed"] = default_uuid_seed(name, place)


def _correct(specification: Specification, table: Table, dates: InferredPeriods) -> None:
    """Correct what ``fromdata`` writes for one table and a series cannot have, except numbers."""
    metadata = specification["metadata"]
    metadata["number_of_rows"] = table.rows
    specification["constraints"]["allow_duplicates"] = True
    for name, column in specification["columns"].items():
        if name in table.columns:
            missing = float(table.columns[name].values.isna().mean())
            column["miss_probability"] = round(missing, 6)
        if column["type"] in ("date", "categorical"):
            column["cross_join_all_unique_values"] = False
        if column["type"] == "date":
            column["frequency"] = dates.frequencies[name]
            first, last = dates.windows[name]
            column |= {"from": first.isoformat(), "to": last.isoformat()}
        if column["type"] == "categorical" and isinstance(column["original_values"], list):
            drop_weights(column)


def _static(
    table: Table, frame: pd.DataFrame, dates: InferredPeriods, identifier: str | None
) -> list[str]:
    """Return the columns that never differ between the rows of an entity.

    For columns other than dates that do not move, chance must be an unlikely reason.
    """
    still = [name for name in table.of_kind("date") if name not in dates.moved]
    if identifier is None:
        return still
    known = frame[frame[identifier].notna()]
    repeats = len(known) - known[identifier].nunique()
    groups = known.groupby(identifier, observed=True)
    order = [*table.of_kind("category"), *table.of_kind("number"), *table.of_kind("date")]
    kept = []
    for name in order:
        if name == identifier or groups[name].nunique(dropna=False).max() > 1:
            continue
        alike = float((known[name].value_counts(normalize=True, dropna=False) ** 2).sum())
        if name in still or alike**repeats < _BY_CHANCE:
            kept.append(name)
    return kept


def _user_input(dates: InferredPeriods, static: list[str]) -> dict[str, Any]:
    return {
        "exhibit_db_path": None,
        "date_columns": list(dates.moved),
        "static_columns": static,
        "period": dates.unit,
        "length_of_period": dates.length,
        "num_datasets": 3,
        "fraction_of_new": "1/3",
        "linked_columns": None,
        "release": "immediate",
        "start_date": dates.start,
    }
