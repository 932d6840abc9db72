"""Definitions of columns of each type, as Exhibit writes them."""

from typing import Any


def a_uuid(kind: str = "uuid", **more: Any) -> dict[str, Any]:
    """Return the definition of a uuid column."""
    return {
        "type": "uuid",
        "uuid_seed": 3,
        "frequency_distribution": ["frequency | probability_vector", "1 | 1.0"],
        "miss_probability": 0.0,
        "anonymising_set": kind,
        **more,
    }


def a_category(name: str, weights: dict[str, float], pair: str = "", **more: Any) -> dict[str, Any]:
    """Return the definition of a categorical column; with a pair, values are ``value/paired``."""
    header = (
        [name, f"paired_{pair}", "probability_vector"] if pair else [name, "probability_vector"]
    )
    rows = [[*value.split("/"), str(weight)] for value, weight in weights.items()]
    missing = ["Missing data", "Missing data", "0"] if pair else ["Missing data", "0"]
    return {
        "type": "categorical",
        "paired_columns": [pair] if pair else None,
        "uniques": len(weights),
        "original_values": [" | ".join(row) for row in (header, *rows, missing)],
        "cross_join_all_unique_values": False,
        "miss_probability": 0.0,
        "anonymising_set": "random",
        **more,
    }


def a_number(precision: str = "float", **more: Any) -> dict[str, Any]:
    """Return the definition of a continuous column."""
    parameters = {"dispersion": 0.2, "target_min": 20, "target_max": 90}
    return {
        "type": "continuous",
        "precision": precision,
        "distribution": "weighted_uniform",
        "distribution_parameters": parameters,
        "miss_probability": 0.0,
        **more,
    }


def a_date(first: str, last: str | None, uniques: int, **more: Any) -> dict[str, Any]:
    """Return the definition of a date column."""
    return {
        "type": "date",
        "cross_join_all_unique_values": False,
        "miss_probability": 0.0,
        "from": first,
        **({"to": last} if last else {}),
        "uniques": uniques,
        "frequency": "D",
        **more,
    }


def with_columns(specification: dict[str, Any], **columns: dict[str, Any]) -> dict[str, Any]:
    """Return the specification with columns added or replaced."""
    metadata = specification["metadata"]
    lists = {"uuid": "uuid", "categorical": "categorical", "continuous": "numerical"}
    for name, column in columns.items():
        listed = metadata[f"{lists.get(column['type'], column['type'])}_columns"]
        if name not in listed:
            listed.append(name)
        specification["columns"][name] = column
    return specification
