"""The files of a series that looks like a table of data, tried out before they are written.

What Exhibit makes of a specification shows only in a run. So the first dataset is made and held
against the table; where a constraint or a dependence spoils a column, it is left out, and where
no series comes of it, the table is refused.
"""

import shutil
import tempfile
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from series_assets.core.errors import Fault, GenerationError, InputError, join_words
from series_assets.core.plan.series import Series
from series_assets.core.records import as_text
from series_assets.core.spec.user_input import UserInput
from series_assets.engine.infer.from_data import Described, Wish, describe
from series_assets.engine.infer.reading import Table, read
from series_assets.engine.run import generate_new_records
from series_assets.pipeline.trial import faults_of_trial
from series_assets.reporting.data_comparison import ColumnComparison, compare_columns, format_table
from series_assets.reporting.data_comparison_plot import plot_data_comparison
from series_assets.storage import sqlite
from series_assets.storage.loading import SPECIFICATION, USER_INPUT, load_parts

PICTURE = "comparison.png"
_MOST_ROWS = 50_000
"""Rows of the first dataset that is made to be compared."""
_FRACTIONS = ("1/3", "1/2", "2/3", "3/4", "9/10", "1")
"""Shares of new records; more are needed where many rows lack an identifier."""
_ATTEMPTS = 5


@dataclass(frozen=True)
class Inferred:
    """Both files of a series as text, a picture, and what there is to be said."""

    texts: list[str]
    notes: tuple[str, ...]
    comparison: tuple[str, ...]
    """Lines of a table that compares data and first dataset."""
    picture: bytes


@dataclass(frozen=True)
class _Tried:
    described: Described
    alike: list[ColumnComparison]
    made: pd.DataFrame

    @property
    def off(self) -> list[ColumnComparison]:
        return [one for one in self.alike if not one.is_similar]


def infer(
    folder: Path, name: str, data: Path, identifier: str, *, stock_exhibit: bool = False
) -> Inferred:
    """Return the files of a series called ``name`` that looks like the table in a CSV.

    ``identifier`` is the column that names its entities. Where Exhibit keeps values in its
    database, one is put into ``folder``. ``stock_exhibit`` runs its own loops. Raises InputError
    where the table cannot be read, or makes no series.
    """
    table = read(data, identifier)
    wish, left_out = Wish(), list[str]()
    best: _Tried | None = None
    for _ in range(_ATTEMPTS):
        try:
            tried = _tried(folder, name, data, identifier, table, wish, stock_exhibit)
        except InputError:
            if not wish.links:
                raise
            wish = Wish(weights=frozenset(), orders=False, links=False)
            left_out = ["what columns have to do with each other, which makes no series here"]
            continue
        if best is None or len(tried.off) <= len(best.off):
            best = tried
        if not tried.off or (simpler := _simpler(wish, tried)) is None:
            break
        wish, what = simpler
        left_out.append(what)
    assert best is not None
    notes = [*best.described.notes, *(f"left out: {what}" for what in left_out)]
    notes += [_told_of(one) for one in best.off]
    rows = (table.rows, len(best.made))
    values = {column: table.columns[column].values for column in table.columns}
    title = f"{name}: {data.name} and the first dataset"
    return Inferred(
        _texts(best.described, name, data),
        tuple(notes),
        tuple(format_table(best.alike, rows)),
        plot_data_comparison(title, best.alike, values, best.made),
    )


def _simpler(wish: Wish, tried: _Tried) -> tuple[Wish, str] | None:
    """Return what to follow less of, for columns that are not like the table; None if nothing."""
    numbers = [one.name for one in tried.off if one.kind == "number"]
    if not numbers:
        return None
    orders = tried.described.orders
    if wish.orders and any(name in numbers for one, _, other in orders for name in (one, other)):
        texts = [" ".join(order) for order in orders]
        return replace(wish, orders=False), (
            f"{join_words(texts, 'and')}, with which numbers would not look like the data"
        )
    weighted = tried.described.weighted
    if spoilt := sorted(weighted & set(numbers)):
        return replace(wish, weights=weighted - set(spoilt)), (
            f"how {join_words(spoilt, 'and')} {'depends' if len(spoilt) == 1 else 'depend'} on a "
            "category, with which the spread would not be that of the data"
        )
    return None


def _told_of(one: ColumnComparison) -> str:
    if one.kind == "category":
        return (
            f"shares of {one.name} differ from those of the data by up to "
            f"{100 * one.share_difference:.0f} points: Exhibit draws its {one.data.distinct:,} "
            "values evenly, as there are too many to list"
        )
    return f"{one.name} differs from the data, see the table"


def _tried(
    folder: Path,
    name: str,
    data: Path,
    identifier: str,
    table: Table,
    wish: Wish,
    stock_exhibit: bool,
) -> _Tried:
    """Return a description of the table with its first dataset, its database in ``folder``."""
    own = folder / "exhibit.db"
    with tempfile.TemporaryDirectory() as place:
        scratch, run = Path(place) / "exhibit.db", Path(place) / "run.db"
        sqlite.create_if_missing(scratch)
        described = describe(table, data, identifier, name, scratch, wish)
        own.unlink(missing_ok=True)
        if sqlite.copy_renamed(scratch, own, described.kept_as, f"temp_{name}_"):
            described.user_input["exhibit_db_path"] = own.name
        source = Path(shutil.copy(own, Path(place) / "own.db")) if own.exists() else scratch
        series = _series(folder, name, data, described)
        trial = faults_of_trial(series, source, stock_exhibit=stock_exhibit)
        faults = [_refusal(fault, data) for fault in trial]
        if faults:
            raise InputError(faults[:1])
        made = _first_dataset(series, source, run, data, stock_exhibit)
    kinds = {column: table.columns[column].kind for column in table.columns}
    kinds |= dict.fromkeys([identifier] if identifier in kinds else [], "identifier")  # type: ignore[arg-type]
    values = {column: table.columns[column].values for column in table.columns}
    return _Tried(described, compare_columns(values, kinds, made), made)


def _refusal(fault: Fault, data: Path) -> Fault:
    """Return a fault of the series that would be made of data as one of the data."""
    plain = replace(fault, remedy="")
    problem = f"makes no series: {plain.message}"
    return Fault(str(data), fault.place, problem, fault.remedy, place_first=False)


def _series(folder: Path, name: str, data: Path, described: Described) -> Series:
    """Return the series of a description, with as few new records as will do."""
    first: InputError | None = None
    for fraction in _FRACTIONS:
        described.user_input["fraction_of_new"] = fraction
        try:
            return load_parts(
                name,
                deepcopy(described.specification),
                deepcopy(described.user_input),
                labels=(SPECIFICATION, USER_INPUT),
                named_by="the name",
                folder=folder,
            )
        except InputError as error:
            first = first or error
    assert first is not None
    raise InputError([_refusal(first.faults[0], data)]) from None


def _first_dataset(
    series: Series, source: Path, run: Path, data: Path, stock_exhibit: bool
) -> pd.DataFrame:
    """Return the records of the first period as text, of a long one as many as are compared."""
    if series.rows > _MOST_ROWS:
        metadata = {**series.specification["metadata"], "number_of_rows": _MOST_ROWS}
        series = replace(series, specification={**series.specification, "metadata": metadata})
    plan = series.plan(0)
    assert plan.new is not None
    sqlite.copy_for_run(source, run, plan.new.specification)
    try:
        return as_text(generate_new_records(plan, run, stock_exhibit=stock_exhibit).records)
    except GenerationError as error:
        raise InputError([_refusal(error.fault(str(data)), data)]) from None


def _texts(described: Described, name: str, data: Path) -> list[str]:
    head = (
        f"# What {data.name!r} looks like, as Exhibit describes it; dates are those of the first\n"
        "# period. user_input.yml beside it says how the series goes on.\n"
    )
    specification = yaml.safe_dump(
        described.specification, sort_keys=False, allow_unicode=True, width=2**16
    )
    said = [f"# How the series {name} goes on after the first period.\n"]
    for key, value in described.user_input.items():
        said.append(f"\n# {UserInput.model_fields[key].description}\n{_entry(key, value)}")
    return [head + specification, "".join(said)]


def _entry(key: str, value: Any) -> str:
    if value is None:
        return f"{key}:\n"
    return yaml.safe_dump({key: value}, sort_keys=False, allow_unicode=True)
