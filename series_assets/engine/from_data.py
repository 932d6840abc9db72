"""From a table of real data to the two files of a series, by way of Exhibit's ``fromdata``.

``fromdata`` describes one table. What a series needs beside it, and what it gets wrong for one,
is put right here: dates are no longer cross-joined, identifiers have seeds of their own, numbers
have finite targets, and what Exhibit keeps in its database is kept under the series' name.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
from exhibit.core import exhibit as stock
from exhibit.core import spec as stock_spec
from exhibit.core.linkage import hierarchical
from exhibit.core.utils import read_with_date_parser

from series_assets.core.errors import Fault, InputError, did_you_mean, listed
from series_assets.core.specification import Specification
from series_assets.engine.isolation import SortedSet, isolated, standing_in

_DAYS_OF_MONTH = 365.25 / 12


@dataclass(frozen=True)
class Described:
    """What a table of data says about a series that goes on from it."""

    specification: Specification
    user_input: dict[str, Any]
    kept_as: str
    """How the names of the tables begin in which Exhibit keeps values of the specification."""
    notes: tuple[str, ...]
    """Sentences about what was decided, which a user may want to have otherwise."""


def describe(data: Path, identifier: str, name: str, database: Path) -> Described:
    """Return both files of a series called ``name`` that looks like the table in a CSV.

    ``identifier`` is the column that names the entities; if the table lacks it, one row is about
    one entity, and the column is added. ``database``, an SQLite database, gets the tables that
    Exhibit keeps values in. Raises InputError.
    """
    frame = _read(data)
    known = _is_known(identifier, data, frame)
    sets = [(module, {"set": SortedSet}) for module in (hierarchical, stock_spec)]
    with isolated(database, seed=0), standing_in(sets):
        try:
            made = stock.Exhibit(
                command="fromdata",
                source=frame.copy(),
                output="specification",
                uuid_columns={identifier} if known else set(),
            ).generate()
        except Exception as error:
            fault = f"Exhibit cannot describe it: {type(error).__name__}: {error}"
            raise InputError([Fault(str(data), fault)]) from error
    specification = _plain(dict(made.data))
    kept_as = f"temp_{specification['metadata']['id']}_"
    specification["metadata"]["id"] = name
    if not known:
        _add_identifier(specification, identifier)
    left_out = tuple(_without_overlaps(specification))
    _put_right(specification)
    said = _user_input(specification, frame, identifier if known else None)
    notes = (*_about_identifier(identifier, data, frame), *left_out, *_about_dates(said))
    return Described(specification, said, kept_as, notes)


def _is_known(identifier: str, data: Path, frame: pd.DataFrame) -> bool:
    """Tell whether the table has the identifier. Raises InputError for one that cannot be added."""
    if identifier in frame.columns:
        if frame[identifier].isna().all():
            fault = f"its column '{identifier}' is empty and names no entity; choose another --id"
            raise InputError([Fault(str(data), fault)])
        return True
    for name in frame.columns:
        if name.lower() == identifier.lower():  # SQLite would not tell them apart
            fault = f"has no column '{identifier}'; did you mean '{name}'?"
            raise InputError([Fault(str(data), fault)])
    if not identifier.strip():
        fault = f"has no column '{identifier}'; its columns are {', '.join(frame.columns)}"
        raise InputError([Fault(str(data), fault)])
    return False


def _about_identifier(identifier: str, data: Path, frame: pd.DataFrame) -> Iterator[str]:
    if identifier not in frame.columns:
        near = did_you_mean(identifier, frame.columns)
        yield (
            f"{data.name} has no column '{identifier}', which is added: each row is about an "
            f"entity of its own{near if 'mean' in near else ''}"
        )


def _about_dates(said: Mapping[str, Any]) -> Iterator[str]:
    moved, months = said["date_columns"], said["length_of_period"]
    if moved:
        yield (
            f"a period is {months} {'month' if months == 1 else 'months'} long, as long as the "
            f"data, and moves {listed(moved, 'and')}; see length_of_period, date_columns and "
            "static_columns in user_input.yml"
        )


def _without_overlaps(specification: Specification) -> Iterator[str]:
    """Leave out linked groups that share a column with a larger one; yield what that means.

    ``fromdata`` writes them, and then Exhibit refuses them.
    """
    kept: list[Any] = []
    for number, members in sorted(specification["linked_columns"], key=lambda one: -len(one[1])):
        if shared := {name for _, others in kept for name in others} & set(members):
            yield (
                f"{listed(members, 'and')} go together in the data, but not in the series: a "
                f"column can be in one group of linked columns, and {listed(sorted(shared), 'and')}"
                " is in another"
            )
        else:
            kept.append([number, members])
    specification["linked_columns"] = sorted(kept)


def _read(data: Path) -> pd.DataFrame:
    try:
        frame = read_with_date_parser(data) if data.suffix == ".csv" else None
    except FileNotFoundError:
        raise InputError([Fault(str(data), "there is no such file")]) from None
    except (OSError, ValueError) as error:
        raise InputError([Fault(str(data), f"cannot be read as CSV: {error}")]) from None
    if frame is None:
        raise InputError([Fault(str(data), "is not a CSV file; its name has to end in .csv")])
    if frame.empty:
        raise InputError([Fault(str(data), "holds no rows")])
    if not isinstance(frame.index, pd.RangeIndex):
        raise InputError(
            [Fault(str(data), "has rows with more cells than its first line has names")]
        )
    if parted := [name for name in frame.columns if "|" in str(name)]:
        fault = f"its column '{parted[0]}' has a |, which parts cells in a specification; rename it"
        raise InputError([Fault(str(data), fault)])
    return frame


def _plain(value: Any) -> Any:
    """Return what Exhibit made as plain data that YAML can hold."""
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


def _put_right(specification: Specification) -> None:
    metadata = specification["metadata"]
    stride = 1_000_000  # more than a series has periods
    for place, name in enumerate(metadata["uuid_columns"]):
        specification["columns"][name]["uuid_seed"] = place * stride
    for column in specification["columns"].values():
        if column["type"] in ("date", "categorical"):
            column["cross_join_all_unique_values"] = False
        if column["type"] == "date" and column.get("frequency") in (None, "UNKNOWN"):
            column["frequency"] = "D"
        if column["type"] == "continuous":
            column["distribution_parameters"] = _finite(column["distribution_parameters"])
    metadata["number_of_rows"] = int(metadata["number_of_rows"])


def _finite(parameters: Mapping[str, Any]) -> dict[str, Any]:
    finite = {name: value for name, value in parameters.items() if math.isfinite(value)}
    if not any(name.startswith("target") for name in finite):
        finite |= {"target_min": 0, "target_max": 100}
    return finite


def _user_input(
    specification: Specification, frame: pd.DataFrame, identifier: str | None
) -> dict[str, Any]:
    static = _constant_for_entities(specification, frame, identifier)
    dates = [name for name in specification["metadata"]["date_columns"] if name not in static]
    return {
        "exhibit_db_path": None,
        "date_columns": dates,
        "static_columns": static,
        "period": "months",
        "length_of_period": _months(specification, dates),
        "num_datasets": 3,
        "fraction_of_new": "1/3",
        "linked_columns": None,
        "release": "calendar",
        "start_date": None if dates else date(2024, 1, 1),
    }


def _constant_for_entities(
    specification: Specification, frame: pd.DataFrame, identifier: str | None
) -> list[str]:
    """Return the categories and dates that never differ between the rows of an entity."""
    if identifier is None or not frame[identifier].duplicated().any():
        return []
    groups = frame.groupby(identifier, observed=True)
    metadata = specification["metadata"]
    names = [*metadata["categorical_columns"], *metadata["date_columns"]]
    return [name for name in names if groups[name].nunique(dropna=False).max() == 1]


def _months(specification: Specification, dates: list[str]) -> int:
    """Return how many months the data covers: the next period begins where it ends."""
    ends = [
        (date.fromisoformat(str(column["from"])), date.fromisoformat(str(column["to"])))
        for column in (specification["columns"][name] for name in dates)
        if column.get("from") and column.get("to")
    ]
    if not ends:
        return 1
    days = (max(end for _, end in ends) - min(start for start, _ in ends)).days + 1
    return max(1, round(days / _DAYS_OF_MONTH))
