"""Expectations about each shipped series, and reading its files for them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from series_assets_tests.statistical import categories, entities, missing_values, numbers
from series_assets_tests.statistical.long_series import Ask, LongSeries, Run, read_records
from series_assets_tests.statistical.statistic import Statistic


@dataclass(frozen=True)
class Expected:
    """The columns of a series that depend only on their own definition."""

    shares: tuple[str, ...]
    """Listed categories whose values have their probabilities."""
    gaps: tuple[str, ...] = ()
    """Columns whose values are missing only by ``miss_probability``."""
    ratios: tuple[tuple[str, str], ...] = ()
    """Numbers with a sum, each with a category whose weights determine its means."""


EXPECTED: Mapping[str, Expected] = {
    "claims": Expected(("peril", "status")),
    "clinic": Expected(
        ("sex", "urgency", "outcome"),
        ("treatment_cost",),
        (("treatment_cost", "urgency"), ("treatment_cost", "outcome")),
    ),
    "iot": Expected(("status",), ("humidity",)),
    "orders": Expected(("country", "loyalty", "newsletter"), ("newsletter",)),
    "school": Expected(("sex", "country_of_birth", "class_year", "consent"), ()),
    "telecom": Expected(
        ("region", "tariff", "device"), ("device", "data_mb"), (("data_mb", "tariff"),)
    ),
}
"""Expectations by name of the series."""


def statistics(series: LongSeries, expected: Expected) -> Iterator[Statistic]:
    """Return the statistics of a shipped series."""
    yield from entities.kept(series)
    yield from entities.identifiers(series)
    yield from entities.draws(series)
    yield from categories.shares(series, expected.shares)
    yield from missing_values.rates(series, expected.gaps)
    for number, category in expected.ratios:
        yield from numbers.ratios(series, number, category)


def read_shipped(place: Path, folder: Path) -> LongSeries:
    """Return the series whose two files are in ``place`` and whose data is in ``folder``.

    Rows of a dataset are classified by their entities: those of new entities are new records.
    """
    ask = Ask(*(_content(place / f"{file}.yml") for file in ("specification", "user_input")))
    columns = ask.specification["columns"]
    read_as_numbers = [n for n, column in columns.items() if column["type"] == "continuous"]
    identifier = ask.specification["metadata"]["uuid_columns"][0]
    new, existing, datasets = [], [], []
    for k in range(ask.user_input["num_datasets"]):
        name = f"dataset_{k + 1}.csv"
        whole = read_records(folder / name, read_as_numbers)
        generated = read_records(folder / "new_records" / name, read_as_numbers)
        known = whole[~whole[identifier].isin(generated[identifier])].reset_index(drop=True)
        assert len(generated) + len(known) == len(whole)
        datasets.append(whole)
        new.append(Run(k, "new", generated))
        if k:
            existing.append(Run(k, "existing", known))
    return LongSeries(ask, tuple(new), tuple(existing), tuple(datasets))


def fold(series: LongSeries, truth: Mapping[str, Any], starts: tuple[str, ...]) -> pd.DataFrame:
    """Return the history that a simple pipeline computes from the datasets, one load per period.

    Of several rows of an entity, the last one by ``order_by`` counts, by place among equal ones.
    """
    key, tracked = series.identifier, list(truth["track"])
    current: dict[str, dict[str, Any]] = {}
    versions: list[dict[str, Any]] = []
    for start, dataset in zip(starts, series.datasets, strict=True):
        rows = dataset
        if by := truth.get("order_by"):
            rows = rows.sort_values(by, kind="stable", na_position="first")
        for row in rows.drop_duplicates(key, keep="last")[[key, *tracked]].to_dict("records"):
            values = {name: None if pd.isna(row[name]) else row[name] for name in tracked}
            before = current.get(row[key])
            if before and {name: before[name] for name in tracked} == values:
                continue
            if before:
                before["valid_to"] = start
            version = {key: row[key], **values, "valid_from": start, "valid_to": None}
            versions.append(version)
            current[row[key]] = version
    return pd.DataFrame(versions)


def _content(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content
