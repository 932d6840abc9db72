"""The files of a series: where they lie, and how each appears whole or not at all (section 8)."""

import contextlib
import csv
import io
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import yaml

from series_assets.core.errors import GenerationError
from series_assets.core.specification import Specification

if TYPE_CHECKING:
    import pandas as pd


_FINGERPRINT = "made from a specification and a user input with the fingerprint "


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
        ours = re.compile(r"dataset_[1-9]\d*\.(csv|new\.yml|existing\.yml)")
        inner = re.compile(r"dataset_[1-9]\d*\.csv")
        made = [path for path in self.folder.glob("*") if ours.fullmatch(path.name)]
        records = (self.folder / "new_records").glob("*")
        return sorted([*made, *(path for path in records if inner.fullmatch(path.name))])


class _LinesEndInLf:
    """A stream for a CSV writer that quotes line breaks of any kind; its lines end in LF.

    Python's writer quotes just those line breaks that it ends lines with.
    """

    ending = "\r\n"

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, line: str) -> int:
        """Write one line, as the writer hands it over."""
        return self._stream.write(line.removesuffix(self.ending) + "\n")


def write_csv(path: Path, texts: "pd.DataFrame") -> None:
    """Write a frame of text as CSV: UTF-8, a header, LF, quotes only where needed.

    Missing values are empty.
    """
    columns = [texts[name].tolist() for name in texts.columns]

    def write(stream: io.BufferedWriter) -> None:
        with io.TextIOWrapper(stream, encoding="utf-8", newline="") as text:
            writer = csv.writer(_LinesEndInLf(text), lineterminator=_LinesEndInLf.ending)
            writer.writerow(texts.columns)
            writer.writerows(zip(*columns, strict=True))
            text.flush()
            os.fsync(stream.fileno())

    _write_whole(path, write)


def read_csv(path: Path) -> "pd.DataFrame":
    """Return the table in a CSV of ours as text, None where a value is missing."""
    import pandas as pd

    table = read_table(path)
    columns = {name: table.column(name).to_pylist() for name in table.column_names}
    return pd.DataFrame(columns, columns=table.column_names, dtype=object)


def read_table(path: Path) -> Any:
    """Return the table in a CSV of ours as a ``pyarrow.Table`` of text, null where it is missing.

    Raises OSError or ValueError where the file is none.
    """
    from pyarrow import csv as arrow
    from pyarrow import string

    names = read_header(path)
    return arrow.read_csv(
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


def read_header(path: Path) -> list[str]:
    """Return the names in the first line of a CSV. Raises OSError or ValueError."""
    with path.open(encoding="utf-8", newline="") as stream:
        names = next(csv.reader(stream), None)
    if names is None:
        raise ValueError("the file is empty")
    return names


def write_yaml(path: Path, content: Specification, fingerprint: str) -> None:
    """Write plain YAML that ``yaml.safe_load`` and ``exhibit fromspec`` read.

    A comment says which contents of the series' two files it was made from.
    """
    text = f"# {_FINGERPRINT}{fingerprint}\n" + as_yaml(content)

    def write(stream: io.BufferedWriter) -> None:
        stream.write(text.encode())
        stream.flush()
        os.fsync(stream.fileno())

    _write_whole(path, write)


def as_yaml(content: Specification) -> str:
    """Return a specification as plain YAML, one line a value, keys in their order."""
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=2**16)


def fingerprint_in(path: Path) -> str | None:
    """Return the fingerprint that ``write_yaml`` put into a file; None where there is none."""
    try:
        with path.open(encoding="utf-8") as stream:
            first = stream.readline().rstrip("\n")
    except (OSError, UnicodeDecodeError):
        return None
    return first.partition(_FINGERPRINT)[2] or None


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
