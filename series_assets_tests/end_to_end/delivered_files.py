"""Reading delivered files, as a consumer would."""

import csv
from pathlib import Path


def in_period(files: dict[str, bytes], number: int) -> dict[str, bytes]:
    """Return those of the files that belong to one dataset."""
    name = f"dataset_{number}"
    return {path: data for path, data in files.items() if Path(path).name.split(".")[0] == name}


def rows_of(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV as text, by column."""
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))
