"""Specifications on which stock Exhibit and this package are compared."""

from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from series_assets_tests.builders import a_specification

SHIPPED = Path(str(files("series_assets") / "series"))
SAMPLE = Path(str(files("exhibit") / "sample" / "_spec" / "uuid_demo.yml"))
ONCE = ["frequency | probability_vector", "1 | 1.0"]
OFTEN = ["frequency | probability_vector", "1 | 0.5", "2 | 0.3", "3 | 0.2"]


def vaccinations() -> dict[str, Any]:
    """Return Exhibit's sample with identifiers, with fewer rows."""
    sample: dict[str, Any] = yaml.safe_load(SAMPLE.read_text(encoding="utf-8"))
    sample["metadata"]["number_of_rows"] = 160
    return sample


def with_gaps() -> dict[str, Any]:
    """Return a specification with missing values of all kinds, a total and a constraint."""
    specification = a_specification(number_of_rows=90, random_seed=5)
    columns = specification["columns"]
    columns["id"] |= {"frequency_distribution": OFTEN, "miss_probability": 0.1}
    for name in ("sex", "region", "amount", "date"):
        columns[name]["miss_probability"] = 0.15
    specification["metadata"]["numerical_columns"].append("visits")
    columns["visits"] = {
        **columns["amount"],
        "precision": "integer",
        "distribution_parameters": {"dispersion": 0.3, "target_sum": 700},
    }
    specification["constraints"]["basic_constraints"] = ["amount > visits"]
    specification["derived_columns"] = {"a_visit": "(amount / visits)", "day": "date.dt.day"}
    return specification


def with_two_numbers_and_a_custom_constraint() -> dict[str, Any]:
    """Return a specification on which stock Exhibit depends on the order of its sets."""
    specification = a_specification(number_of_rows=80)
    columns = specification["columns"]
    columns["id"]["frequency_distribution"] = OFTEN
    specification["metadata"]["numerical_columns"].append("cost")
    columns["cost"] = {**columns["amount"], "distribution": "normal"}
    columns["cost"]["distribution_parameters"] = {"target_mean": 100, "target_std": 9}
    specification["constraints"]["custom_constraints"] = {
        "one": {"partition": "id", "targets": {"region": "make_same"}}
    }
    return specification


def cross_joined() -> dict[str, Any]:
    """Return a specification with cross-joined columns."""
    specification = a_specification()
    specification["columns"]["region"]["cross_join_all_unique_values"] = True
    return specification
