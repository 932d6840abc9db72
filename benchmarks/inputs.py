"""What the measured runs are made from: changed copies of bundled series and of samples."""

from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

_SHIPPED = Path(__file__).parents[1] / "series_assets" / "series"
SPECIFICATION, USER_INPUT = "specification.yml", "user_input.yml"


def write_series(folder: Path, name: str, rows: int, periods: int, **said: Any) -> Path:
    """Write a copy of a bundled series, in so many rows and periods, and return its folder.

    ``said`` replaces keys of the user input.
    """
    source = _SHIPPED / name
    specification = _resized(_read(source / SPECIFICATION), rows)
    user_input = _read(source / USER_INPUT) | {"num_datasets": periods} | said
    return _write(folder / name, specification, user_input)


def write_sample(folder: Path, name: str, rows: int) -> Path:
    """Write a series of one period made of a sample that comes with Exhibit; return its folder.

    A sample without an identifier gets one: a series needs it.
    """
    exhibit = find_spec("exhibit")
    assert exhibit is not None and exhibit.submodule_search_locations
    place = Path(exhibit.submodule_search_locations[0])
    specification = _resized(_read(place / "sample" / "_spec" / f"{name}.yml"), rows)
    metadata = specification["metadata"]
    if not metadata["uuid_columns"]:
        metadata["uuid_columns"] = ["id"]
        specification["columns"]["id"] = {
            "type": "uuid",
            "frequency_distribution": ["frequency | probability_vector", "1 | 1.0"],
            "miss_probability": 0.0,
            "anonymising_set": "uuid",
        }
    user_input = {
        "date_columns": metadata["date_columns"],
        "period": "months",
        "length_of_period": 1,
        "num_datasets": 1,
        "fraction_of_new": 1,
    }
    return _write(folder / name, specification, user_input)


def _resized(specification: dict[str, Any], rows: int) -> dict[str, Any]:
    """Set the number of rows; a sum that a column is scaled to grows with it."""
    metadata = specification["metadata"]
    share = Fraction(rows, metadata["number_of_rows"])
    metadata["number_of_rows"] = rows
    for column in specification["columns"].values():
        parameters = column.get("distribution_parameters") or {}
        if "target_sum" in parameters:
            parameters["target_sum"] = int(parameters["target_sum"] * share)
    return specification


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content


def _write(folder: Path, specification: dict[str, Any], user_input: dict[str, Any]) -> Path:
    folder.mkdir(parents=True)
    for name, content in ((SPECIFICATION, specification), (USER_INPUT, user_input)):
        (folder / name).write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return folder
