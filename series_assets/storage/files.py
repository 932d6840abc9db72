"""The files of a series: where they lie, and how each appears whole or not at all (section 8)."""

import contextlib
import csv
import io
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TextIO

from series_assets.core.errors import GenerationError
from series_assets.core.plan.series import Series
from series_assets.core.spec.truth_settings import DIMENSIONS

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_OURS = {
    "": re.compile(r"dataset_[1-9]\d*\.(csv|new\.yml|existing\.yml|manifest\.json)|report\.html"),
    "new_records": re.compile(r"dataset_[1-9]\d*\.csv"),
    "truth": re.compile(r"(changes|cells|scd1|scd2)_[1-9]\d*\.csv"),
}
"""The names of files of ours in each folder of a series, the series' own first."""
INNER_FOLDERS = tuple(filter(None, _OURS))
"""The folders within that of a series."""


@dataclass(frozen=True)
class Layout:
    """Where the files of one series lie, and its database."""

    folder: Path
    database: Path

    @classmethod
    def of(cls, series: Series, data_dir: Path, *, flat: bool = False) -> Self:
        """Return where the files of a series lie; ``flat``: in the data dir itself."""
        return cls(
            folder=data_dir if flat else data_dir / series.name,
            database=series.database or data_dir / "exhibit.db",
        )

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

    def manifest(self, number: int) -> Path:
        """What tells a consumer that a dataset is there, and how to know that it is whole."""
        return self.folder / f"dataset_{number}.manifest.json"

    @property
    def truth(self) -> Path:
        """The folder of the expected history, apart from what a consumer picks up."""
        return self.folder / "truth"

    def changes(self, number: int) -> Path:
        """What each row of a dataset did."""
        return self.truth / f"changes_{number}.csv"

    def cells(self, number: int) -> Path:
        """The values that a dataset changed."""
        return self.truth / f"cells_{number}.csv"

    def dimension(self, kind: str, number: int) -> Path:
        """The expected dimension after a dataset; ``kind`` is ``scd1`` or ``scd2``."""
        return self.truth / f"{kind}_{number}.csv"

    def truth_files(self, number: int) -> list[Path]:
        """All files of the history after a dataset, whether they are asked for or not."""
        dimension = [self.dimension(kind, number) for kind in DIMENSIONS]
        return [self.changes(number), self.cells(number), *dimension]

    @property
    def report(self) -> Path:
        """The report on all periods made so far."""
        return self.folder / "report.html"

    def existing_files(self) -> list[Path]:
        """Return the files that were made, of all periods, sorted."""
        return sorted(
            path
            for folder, ours in _OURS.items()
            for path in (self.folder / folder).glob("*")
            if ours.fullmatch(path.name)
        )


_TO_QUOTE = (b",", b'"', b"\r", b"\n")
_ROWS_AT_ONCE = 50_000
"""Rows that are put together before they are written: a text of pyarrow holds 2 GB at most."""


def write_csv(path: Path, texts: "pd.DataFrame") -> None:
    """Write a frame of text as CSV: UTF-8, a header, LF, quotes only where needed.

    Missing values are empty. Quotes are needed around a comma, a quote, and line breaks of any
    kind; and around nothing at all, where it is the whole line.
    """
    columns = {name: texts[name].to_numpy(dtype=object) for name in texts.columns}
    _write_columns(path, columns, len(texts))


def write_table(path: Path, table: "pa.Table") -> None:
    """Write an Arrow table as ``write_csv`` does; truth values as ``true`` and ``false``."""
    import pyarrow as pa

    columns = {name: table[name].cast(pa.string()) for name in table.column_names}
    joined = {name: column.combine_chunks() for name, column in columns.items()}
    _write_columns(path, joined, table.num_rows)


def _write_columns(path: Path, columns: Mapping[str, Any], count: int) -> None:
    def write(stream: io.BufferedWriter) -> None:
        _write_lines(stream, columns, count)
        stream.flush()
        os.fsync(stream.fileno())

    _write_whole(path, write)


def _write_lines(stream: Any, columns: Mapping[str, Any], count: int) -> None:
    stream.write(_lines([[name] for name in columns]))
    for begin in range(0, count, _ROWS_AT_ONCE):
        some = [column[begin : begin + _ROWS_AT_ONCE] for column in columns.values()]
        stream.write(_lines(some))


def csv_of(table: "pa.Table") -> str:
    """Return what ``write_table`` writes."""
    import pyarrow as pa

    stream = io.BytesIO()
    columns = {name: table[name].cast(pa.string()).combine_chunks() for name in table.column_names}
    _write_lines(stream, columns, table.num_rows)
    return stream.getvalue().decode()


def _lines(columns: Sequence[Any]) -> Any:
    """Return the lines of a CSV, as bytes; each column is a sequence of texts and None."""
    import pyarrow as pa
    import pyarrow.compute as pc

    alone = len(columns) == 1
    cells = [_cells(pa.array(column, pa.string()), alone) for column in columns]
    rows = pc.binary_join_element_wise(*cells, ",", null_handling="replace")
    return _content(pc.binary_join_element_wise(rows, "", "\n"))


def _content(texts: "pa.Array") -> Any:
    """Return the UTF-8 of all texts, one behind the other."""
    import pyarrow as pa

    if texts.offset:  # a slice has the texts of all in its buffers
        texts = pa.concat_arrays([texts, pa.array([], pa.string())])
    _, _, content = texts.buffers()
    return content.to_pybytes() if content else b""


def _cells(texts: "pa.Array", alone: bool) -> "pa.Array":
    """Return the texts of a column as a CSV has them, missing ones still missing."""
    import pyarrow.compute as pc

    content = _content(texts)
    if any(mark in content for mark in _TO_QUOTE):
        doubled = pc.replace_substring(texts, '"', '""')
        quoted = pc.binary_join_element_wise('"', doubled, '"', "")
        marks = "|".join(mark.decode() for mark in _TO_QUOTE)
        texts = pc.if_else(pc.match_substring_regex(texts, marks), quoted, texts)
    if alone:
        texts = texts.fill_null("")
        texts = pc.if_else(pc.equal(texts, ""), '""', texts)
    return texts


def read_csv(path: Path, columns: Sequence[str] | None = None) -> "pd.DataFrame":
    """Return the table in a CSV of ours as text, None where a value is missing.

    Of the columns asked for, or of all. Raises KeyError for one that is not there exactly once,
    OSError or ValueError where the file is no table.
    """
    frame: pd.DataFrame = read_table(path, columns).to_pandas()
    return frame


def read_table(path: Path, columns: Sequence[str] | None = None) -> "pa.Table":
    """Return the table in a CSV of ours as text, null where a value is missing.

    As ``read_csv`` does.
    """
    # Opened once: another run may put other records in its place at any time.
    with path.open(encoding="utf-8", newline="") as stream:
        return _parsed(stream, columns)


def parse_table(content: bytes, columns: Sequence[str] | None = None) -> "pa.Table":
    """Return the table in the bytes of a CSV, as ``read_table`` does."""
    with io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", newline="") as stream:
        return _parsed(stream, columns)


def _parsed(stream: io.TextIOWrapper, columns: Sequence[str] | None) -> "pa.Table":
    from pyarrow import csv as arrow
    from pyarrow import string

    names = _header(stream)
    # pyarrow takes a mark at the start of a file off the first name.
    known = [*names, names[0].removeprefix("\ufeff")]
    wanted = names if columns is None else list(columns)
    for name in wanted:
        if columns is not None and names.count(name) != 1:
            raise KeyError(name)
    stream.seek(0)
    table = arrow.read_csv(
        stream.buffer,
        read_options=arrow.ReadOptions(use_threads=False),
        parse_options=arrow.ParseOptions(newlines_in_values=True),
        convert_options=arrow.ConvertOptions(
            column_types=dict.fromkeys(known, string()),
            include_columns=None if columns is None else wanted,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    )
    return table.rename_columns(wanted)


def read_header(path: Path) -> list[str]:
    """Return the names in the first line of a CSV. Raises OSError or ValueError."""
    with path.open(encoding="utf-8", newline="") as stream:
        return _header(stream)


def _header(stream: TextIO) -> list[str]:
    names = next(csv.reader(stream), None)
    if names is None:
        raise ValueError("it is empty")
    return names


def write_text(path: Path, text: str) -> None:
    """Write a text as UTF-8."""

    def write(stream: io.BufferedWriter) -> None:
        stream.write(text.encode())
        stream.flush()
        os.fsync(stream.fileno())

    _write_whole(path, write)


def replace(source: Path, target: Path) -> None:
    """Put a finished file in its place, in one step. Raises GenerationError, for a link too."""
    _refuse_links(target)
    with explain_write_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        source.replace(target)


def remove(path: Path) -> None:
    """Remove a file if it is there. Raises GenerationError where that cannot be done."""
    _refuse_links(path)
    with explain_write_errors(path):
        path.unlink(missing_ok=True)


def remove_if_there(path: Path) -> None:
    """Remove a file, and do nothing at all where there is none. Raises GenerationError."""
    if path.exists():
        remove(path)


def _refuse_links(target: Path) -> None:
    """Refuse a file of a series, or a folder of its own, that is a link to somebody's place."""
    inner = target.parent.name in INNER_FOLDERS
    for place in (target, target.parent, *((target.parent.parent,) if inner else ())):
        if place.is_symlink():
            raise GenerationError(
                "is a link, which is not followed to write or to replace anything",
                "move the link away, or name the folder that it leads to as the folder for data, "
                "then run it again",
                file=place,
            )


def _write_whole(path: Path, write: Callable[[Any], None]) -> None:
    _refuse_links(path)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    with explain_write_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with beside.open("wb") as stream:
                write(stream)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)


@contextlib.contextmanager
def explain_write_errors(path: Path) -> Iterator[None]:
    """Turn what the system says of a file that cannot be written into a message about it."""
    try:
        yield
    except OSError as error:
        raise GenerationError(
            f"cannot be written: {error.strerror or error}",
            "free the place or choose another folder, then run it again",
            file=path,
        ) from error
