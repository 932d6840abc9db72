"""Long series with fixed seeds, generated in this process and read from the delivered files.

Only the shuffling of datasets is disabled, because it would hide values that two runs share row by
row.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd

from series_assets.interface import generate
from series_assets.storage.loading import load_series
from series_assets_tests.builders import write_series
from series_assets_tests.exhibit_features.checked_series import database_with_tables

Content = dict[str, Any]
Tables = Mapping[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Ask:
    """The contents of the two files of a series, and the tables that its database must have."""

    specification: Content
    user_input: Content
    tables: Tables = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """The records of one run of Exhibit: one part of one period."""

    k: int
    part: str
    records: pd.DataFrame
    """As delivered: identifiers, categories and days are text, numbers (and derived) numbers."""


@dataclass(frozen=True)
class LongSeries:
    """A generated series, run by run."""

    ask: Ask
    new: tuple[Run, ...]
    """From the files of new records."""
    existing: tuple[Run, ...]
    datasets: tuple[pd.DataFrame, ...]
    """By period: the new records, then the existing ones."""

    @property
    def columns(self) -> Content:
        """The columns of the specification."""
        columns: Content = self.ask.specification["columns"]
        return columns

    @property
    def identifier(self) -> str:
        """The column that identifies an entity."""
        return str(self.ask.specification["metadata"]["uuid_columns"][0])

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """Every run of the series."""
        return (*self.new, *self.existing)

    def part(self, name: str) -> tuple[Run, ...]:
        """Return the runs of a part: new or existing."""
        return self.new if name == "new" else self.existing

    def of_type(self, *types: str) -> list[str]:
        """Return the columns of some types."""
        return [name for name, column in self.columns.items() if column["type"] in types]

    def pairs(self) -> Iterator[tuple[str, Run, Run]]:
        """Return pairs of neighbouring runs, each with their relation."""
        for one, other in zip(self.new, self.new[1:], strict=False):
            yield "new, next new", one, other
        for one, other in zip(self.existing, self.existing[1:], strict=False):
            yield "existing, next existing", one, other
        by_period = {run.k: run for run in self.existing}
        for run in self.new:
            if run.k in by_period:
                yield "new, existing of the period", run, by_period[run.k]
            if run.k - 1 in by_period:
                yield "new, existing of the period before", run, by_period[run.k - 1]


def make(ask: Ask, folder: Path) -> LongSeries:
    """Generate a series into an empty folder and read its files."""
    inputs = dict(ask.user_input)
    if ask.tables:
        inputs["exhibit_db_path"] = str(database_with_tables(folder / "own.db", **ask.tables))
    place = write_series(folder / "series", ask.specification, inputs)
    with patch("series_assets.core.records.shuffled_positions", lambda count, _: np.arange(count)):
        generate(load_series(place), folder / "data", executor="none")
    return read(ask, folder / "data" / place.name)


def read(ask: Ask, folder: Path) -> LongSeries:
    """Read the files of a series that was generated without shuffling."""
    columns = ask.specification["columns"]
    numbers = [name for name, column in columns.items() if column["type"] == "continuous"]
    numbers += [
        f"{name}_{end}"
        for name, column in columns.items()
        if column["type"] == "geospatial"
        for end in ("latitude", "longitude")
    ]
    numbers += list(ask.specification.get("derived_columns") or ())
    new, existing, datasets = [], [], []
    for k in range(ask.user_input["num_datasets"]):
        whole = read_records(folder / f"dataset_{k + 1}.csv", numbers)
        datasets.append(whole)
        path = folder / "new_records" / f"dataset_{k + 1}.csv"
        generated = read_records(path, numbers) if path.exists() else whole.head(0)
        if len(generated):
            new.append(Run(k, "new", generated))
        if len(whole) > len(generated):
            rest = whole.iloc[len(generated) :].reset_index(drop=True)
            existing.append(Run(k, "existing", rest))
    return LongSeries(ask, tuple(new), tuple(existing), tuple(datasets))


def read_records(path: Path, numbers: list[str]) -> pd.DataFrame:
    """Return a file of records as text, the given columns as numbers."""
    records = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""])
    for name in numbers:
        if name in records:
            records[name] = records[name].astype(float)
    return records
