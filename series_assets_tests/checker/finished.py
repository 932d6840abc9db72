"""A generated series as the checker gets it, and what all of its modules use."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Row = dict[str, str]
ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
COLUMN_LISTS = {
    "uuid": "uuid_columns",
    "categorical": "categorical_columns",
    "continuous": "numerical_columns",
    "date": "date_columns",
    "geospatial": "geospatial_columns",
}


@dataclass(frozen=True)
class Finished:
    """A generated series: the contents of its two files, and the folder of its data."""

    specification: Mapping[str, Any]
    user_input: Mapping[str, Any]
    folder: Path
    database: Path
    table: str

    @classmethod
    def of(cls, place: Path, data_dir: Path) -> "Finished":
        """Return the series whose two files are in ``place`` and whose data is in ``data_dir``."""
        specification, user_input = (
            parse_yaml((place / name).read_text(encoding="utf-8"))
            for name in ("specification.yml", "user_input.yml")
        )
        named = user_input.get("exhibit_db_path")
        database = (place / named).resolve() if named else data_dir / "exhibit.db"
        name = place.resolve().name
        return cls(specification, user_input, data_dir / name, database, f"{name}_reference")


def parse_yaml(text: str) -> Any:
    """Return the contents of a YAML text, read by libyaml: ten times as fast as by Python."""
    return yaml.load(text, Loader=yaml.CSafeLoader)


def ensure(holds: object, message: str) -> None:
    """Raise an AssertionError with the message unless the condition holds."""
    if not holds:
        raise AssertionError(message)


def some(values: Iterable[object]) -> str:
    """Return the first values as text, and how many there are."""
    values = list(values)
    return ", ".join(map(repr, values[:5])) + (f" … ({len(values)})" if len(values) > 5 else "")
