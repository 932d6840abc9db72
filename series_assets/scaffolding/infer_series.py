"""Infers the files of a series from a table of data, and tests them before they are written.

Only a run shows what Exhibit generates from a specification. So the first dataset is generated and
compared with the table; constraints and dependencies that spoil a column are left out, and a table
that yields no valid series is refused.
"""

import shutil
import tempfile
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import wrap
from typing import Any

import pandas as pd
import yaml

from series_assets.core.errors import Fault, GenerationError, InputError, join_words
from series_assets.core.plan.series import Series
from series_assets.core.records import as_text
from series_assets.core.spec.specification import Specification
from series_assets.core.spec.user_input import UserInput
from series_assets.engine.infer.from_data import InferenceOptions, InferredInputs, describe
from series_assets.engine.infer.reading import Table, read
from series_assets.pipeline.small_run import SmallRun, faults_of_trial
from series_assets.reporting.data_comparison import ColumnComparison, compare_columns, format_table
from series_assets.reporting.data_comparison_plot import plot_data_comparison
from series_assets.storage import scratch_database, sqlite
from series_assets.storage.loading import SPECIFICATION, USER_INPUT, load_parts

PICTURE = "comparison.png"
_MOST_ROWS = 50_000
"""Maximum number of rows of the first dataset that is compared."""
_FRACTIONS = ("1/3", "1/2", "2/3", "3/4", "9/10", "1")
"""Fractions of new records to try; more are needed if many rows lack an identifier."""
_ATTEMPTS = 5
_COMMENT_WIDTH = 90


@dataclass(frozen=True)
class InferredFiles:
    """Both files of a series as text, with notes and a comparison."""

    texts: list[str]
    notes: tuple[str, ...]
    comparison: tuple[str, ...]
    """Lines of a table that compares the data with the first dataset."""
    picture: bytes


@dataclass(frozen=True)
class _Attempt:
    inputs: InferredInputs
    likenesses: list[ColumnComparison]
    first_dataset: pd.DataFrame

    @property
    def unlike(self) -> list[ColumnComparison]:
        return [one for one in self.likenesses if not one.is_similar]


def infer(
    folder: Path, name: str, data: Path, identifier: str, *, stock_exhibit: bool = False
) -> InferredFiles:
    """Return the files of a series called ``name`` that resembles the table in a CSV.

    ``identifier`` is the column that identifies entities. If Exhibit keeps values in a database, it
    is written to ``folder``. ``stock_exhibit`` runs Exhibit's own loops. Raises InputError if the
    table cannot be read, or yields no valid series.
    """
    table = read(data, identifier)
    options, left_out = InferenceOptions(), list[str]()
    found: tuple[_Attempt, list[str]] | None = None
    for _ in range(_ATTEMPTS):
        try:
            attempt = _attempt(folder, name, data, identifier, table, options, stock_exhibit)
        except InputError:
            if not options.links:
                raise
            options = InferenceOptions(weights=frozenset(), orders=False, links=False)
            left_out = ["all relations between columns, with which no series can be generated"]
            continue
        if found is None or len(attempt.unlike) < len(found[0].unlike):
            found = attempt, [*left_out]
        if not attempt.unlike or (simpler := _simpler(options, attempt)) is None:
            break
        options, what = simpler
        left_out.append(what)
    assert found is not None
    best, left_out = found
    notes = [*best.inputs.notes, *(f"left out: {what}" for what in left_out)]
    notes += [_note_on(one, best.inputs.specification) for one in best.unlike]
    rows = (table.rows, len(best.first_dataset))
    values = {column: table.columns[column].values for column in table.columns}
    title = f"{name}: {data.name} and the first dataset"
    return InferredFiles(
        _texts(best.inputs, name, data),
        tuple(notes),
        tuple(format_table(best.likenesses, rows)),
        plot_data_comparison(title, best.likenesses, values, best.first_dataset),
    )


def _simpler(options: InferenceOptions, attempt: _Attempt) -> tuple[InferenceOptions, str] | None:
    """Return simpler options for columns unlike the table, and what they leave out, or None."""
    numbers = [one.name for one in attempt.unlike if one.kind == "number"]
    if not numbers:
        return None
    orders = attempt.inputs.orders
    if options.orders and any(name in numbers for one, _, other in orders for name in (one, other)):
        texts = [" ".join(order) for order in orders]
        return replace(options, orders=False), (
            f"{join_words(texts, 'and')}, because it would make numbers unlike the data"
        )
    weighted = attempt.inputs.weighted
    if spoilt := sorted(weighted & set(numbers)):
        return replace(options, weights=weighted - set(spoilt)), (
            f"how {join_words(spoilt, 'and')} {'depends' if len(spoilt) == 1 else 'depend'} on a "
            "category, because the spread would then differ from the data"
        )
    return None


def _note_on(one: ColumnComparison, specification: Specification) -> str:
    if one.kind == "category":
        note = (
            f"shares of {one.name} differ from those of the data by up to "
            f"{100 * one.share_difference:.0f} points"
        )
        if isinstance(specification["columns"][one.name]["original_values"], list):
            return note
        return (
            f"{note}: Exhibit draws its {one.data.distinct:,} values evenly, as there are too many "
            "to list"
        )
    return f"{one.name} differs from the data, see the table"


def _attempt(
    folder: Path,
    name: str,
    data: Path,
    identifier: str,
    table: Table,
    options: InferenceOptions,
    stock_exhibit: bool,
) -> _Attempt:
    """Return the inferred inputs with their first dataset; writes a database to ``folder``."""
    own = folder / "exhibit.db"
    with tempfile.TemporaryDirectory() as place:
        scratch, run = Path(place) / "exhibit.db", Path(place) / "run.db"
        sqlite.create_if_missing(scratch)
        inputs = describe(table, data, identifier, name, scratch, options)
        own.unlink(missing_ok=True)
        if scratch_database.copy_renamed(scratch, own, inputs.table_prefix, f"temp_{name}_"):
            inputs.user_input["exhibit_db_path"] = own.name
        source = Path(shutil.copy(own, Path(place) / "own.db")) if own.exists() else scratch
        series = _series(folder, name, data, inputs)
        trial = faults_of_trial(series, source, stock_exhibit=stock_exhibit)
        faults = [_refusal(fault, data) for fault in trial]
        if faults:
            raise InputError(faults[:1])
        first_dataset = _first_dataset(series, source, run, data, stock_exhibit)
    kinds = {column: table.columns[column].kind for column in table.columns}
    kinds |= dict.fromkeys([identifier] if identifier in kinds else [], "identifier")  # type: ignore[arg-type]
    values = {column: table.columns[column].values for column in table.columns}
    static = inputs.user_input["static_columns"]
    drawn = dict.fromkeys(static, first_dataset[identifier].nunique())  # once for each entity
    return _Attempt(inputs, compare_columns(values, kinds, first_dataset, drawn), first_dataset)


def _refusal(fault: Fault, data: Path) -> Fault:
    """Return a fault of the inferred series as a fault of the data."""
    plain = replace(fault, remedy="")
    problem = f"makes no series: {plain.message}"
    return Fault(str(data), fault.place, problem, fault.remedy, place_first=False)


def _series(folder: Path, name: str, data: Path, inputs: InferredInputs) -> Series:
    """Return the series of the inferred inputs, with as few new records as possible."""
    first: InputError | None = None
    for fraction in _FRACTIONS:
        inputs.user_input["fraction_of_new"] = fraction
        try:
            return load_parts(
                name,
                deepcopy(inputs.specification),
                deepcopy(inputs.user_input),
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
    """Return the records of the first period as text, up to ``_MOST_ROWS``."""
    if series.rows > _MOST_ROWS:
        metadata = {**series.specification["metadata"], "number_of_rows": _MOST_ROWS}
        series = replace(series, specification={**series.specification, "metadata": metadata})
    plan = series.plan(0)
    try:
        return as_text(SmallRun(series, source, run, stock_exhibit).new_records(plan).records)
    except GenerationError as error:
        raise InputError([_refusal(error.fault(str(data)), data)]) from None


def _texts(inputs: InferredInputs, name: str, data: Path) -> list[str]:
    head = (
        f"# What {data.name!r} looks like, as Exhibit describes it; dates are those of the first\n"
        "# period. user_input.yml beside it describes how the series continues.\n"
    )
    specification = yaml.safe_dump(
        inputs.specification, sort_keys=False, allow_unicode=True, width=2**16
    )
    user_input = [f"# How the series {name} continues after the first period.\n"]
    for key, value in inputs.user_input.items():
        lines = wrap(UserInput.model_fields[key].description or "", _COMMENT_WIDTH)
        comment = "\n".join(f"# {line}" for line in lines)
        user_input.append(f"\n{comment}\n{_entry(key, value)}")
    return [head + specification, "".join(user_input)]


def _entry(key: str, value: Any) -> str:
    if value is None:
        return f"{key}:\n"
    return yaml.safe_dump({key: value}, sort_keys=False, allow_unicode=True)
