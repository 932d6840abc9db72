"""Specifications and user inputs as a starting point for tests, and series built from them."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from series_assets.core.plan.build import build_series
from series_assets.core.plan.series import Series

_SPECIFICATION = yaml.safe_load("""
metadata:
  number_of_rows: 60
  uuid_columns: [id]
  categorical_columns: [sex, region]
  numerical_columns: [amount]
  date_columns: [date]
  geospatial_columns:
  inline_limit: 30
  random_seed: 0
  id: demo
columns:
  id:
    type: uuid
    uuid_seed: 0
    frequency_distribution:
    - frequency | probability_vector
    - 1         | 1.0
    miss_probability: 0.0
    anonymising_set: uuid
  sex:
    type: categorical
    paired_columns:
    uniques: 2
    original_values:
    - sex          | probability_vector | amount
    - F            | 0.500              | 0.800
    - M            | 0.500              | 0.200
    - Missing data | 0.000              | 0.000
    cross_join_all_unique_values: false
    miss_probability: 0.0
    anonymising_set: random
  region:
    type: categorical
    paired_columns:
    uniques: 3
    original_values:
    - region       | probability_vector | amount
    - North        | 0.200              | 0.300
    - South        | 0.500              | 0.300
    - West         | 0.300              | 0.400
    - Missing data | 0.000              | 0.000
    cross_join_all_unique_values: false
    miss_probability: 0.0
    anonymising_set: random
  amount:
    type: continuous
    precision: float
    distribution: weighted_uniform
    distribution_parameters:
      dispersion: 0.1
      target_min: 1
      target_max: 100
    miss_probability: 0.0
  date:
    type: date
    cross_join_all_unique_values: false
    miss_probability: 0.0
    from: '2024-01-01'
    to: '2024-01-31'
    uniques: 31
    frequency: D
constraints:
  allow_duplicates: true
  basic_constraints:
  custom_constraints:
linked_columns:
derived_columns:
models:
""")

_USER_INPUT = {
    "date_columns": ["date"],
    "static_columns": ["sex"],
    "period": "months",
    "length_of_period": 1,
    "num_datasets": 4,
    "fraction_of_new": "1/3",
}


def a_specification(**metadata: Any) -> dict[str, Any]:
    """Return a fresh specification of one uuid, two categories, a number and a date."""
    specification = deepcopy(_SPECIFICATION)
    specification["metadata"] |= metadata
    return specification


def a_user_input(**keys: Any) -> dict[str, Any]:
    """Return a fresh user input that fits ``a_specification``."""
    return deepcopy(_USER_INPUT) | keys


def a_series(
    specification: dict[str, Any] | None = None,
    user_input: dict[str, Any] | None = None,
    name: str = "demo",
) -> Series:
    """Return a series built from the contents of its two files."""
    return build_series(
        name,
        specification or a_specification(),
        user_input or a_user_input(),
        specification_file=f"{name}/specification.yml",
        user_input_file=f"{name}/user_input.yml",
    )


def write_series(
    folder: Path,
    specification: dict[str, Any] | None = None,
    user_input: dict[str, Any] | None = None,
    name: str = "demo",
) -> Path:
    """Write the two files of a series into ``folder / name`` and return that folder."""
    place = folder / name
    place.mkdir(parents=True, exist_ok=True)
    contents = {
        "specification.yml": specification or a_specification(),
        "user_input.yml": user_input or a_user_input(),
    }
    for file, content in contents.items():
        text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
        (place / file).write_text(text, encoding="utf-8")
    return place


def files_in(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file below ``folder`` except databases, by relative path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".db" not in path.name
    }
