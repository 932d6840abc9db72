"""The files of a series: where they lie, and how each appears whole or not at all (section 8)."""

import contextlib
import csv
import io
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from series_assets.core.errors import GenerationError
from series_assets.core.specification import Specification

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Layout:
    """Where the files of one series lie, and its database."""

    folder: Path
    database: Path

    def dataset(self, number: int) -> Path:
        """What a consumer picks up."""
        return self.folder / f"dataset_{number}.csv"

    def new_specification(self, number: int) -> Path:
        """The specification that the new records of a dataset were made from."""
        return self.folder / f"dataset_{number}.new.yml"

    def existing_specification(self, number: int) -> Path:
        """The specification that the existing records of a dataset were made from."""
        return self.folder / f"dataset_{number}.existing.yml"

    def new_records(self, number: int) -> Path:
        """The new records of a dataset by themselves."""
        return self.folder / "new_records" / f"dataset_{number}.csv"

    def every_file(self) -> list[Path]:
        """Return the files that were made, of all periods, sorted."""
        patterns = ("dataset_*.csv", "dataset_*.new.yml", "dataset_*.existing.yml")
        made = [path for pattern in patterns for path in self.folder.glob(pattern)]
        return sorted([*made, *(self.folder / "new_records").glob("dataset_*.csv")])


def write_csv(path: Path, texts: "pd.DataFrame") -> None:
    """Write a frame of text as CSV: UTF-8, a header, LF, quotes only where needed.

    Missing values are empty.
    """
    columns = [texts[name].tolist() for name in texts.columns]

    def write(stream: io.BufferedWriter) -> None:
        with io.TextIOWrapper(stream, encoding="utf-8", newline="") as text:
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow(texts.columns)
            writer.writerows(zip(*columns, strict=True))
            text.flush()
            os.fsync(stream.fileno())

    _write_whole(path, write)


def read_csv(path: Path) -> "pd.DataFrame":
    """Return the table in a CSV of ours as text, None where a value is missing."""
    import pandas as pd
    from pyarrow import csv as arrow
    from pyarrow import string

    with path.open(encoding="utf-8", newline="") as stream:
        names = next(csv.reader(stream))
    table = arrow.read_csv(
        path,
        read_options=arrow.ReadOptions(use_threads=False),
        parse_options=arrow.ParseOptions(newlines_in_values=True),
        convert_options=arrow.ConvertOptions(
            column_types=dict.fromkeys(names, string()),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    )
    columns = {name: table.column(name).to_pylist() for name in names}
    return pd.DataFrame(columns, columns=names, dtype=object)


def write_yaml(path: Path, content: Specification) -> None:
    """Write plain YAML that ``yaml.safe_load`` and ``exhibit fromspec`` read."""
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=2**16)

    def write(stream: io.BufferedWriter) -> None:
        stream.write(text.encode())
        stream.flush()
        os.fsync(stream.fileno())

    _write_whole(path, write)


def replace(source: Path, target: Path) -> None:
    """Put a finished file in its place, in one step."""
    with telling_of(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        source.replace(target)


def _write_whole(path: Path, write: Callable[[Any], None]) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    with telling_of(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with beside.open("wb") as stream:
                write(stream)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)


@contextlib.contextmanager
def telling_of(path: Path) -> Iterator[None]:
    """Turn what the system says of a file that cannot be written into a message about it."""
    try:
        yield
    except OSError as error:
        raise GenerationError(
            f"{path}: cannot be written: {error.strerror or error}; "
            "free the place or choose another folder, then run it again"
        ) from error
