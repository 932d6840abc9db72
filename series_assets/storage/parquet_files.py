"""Tables that a series keeps for itself in Parquet: a file for each period of it, or of one shard.

The metadata of a file has a mark, a JSON object that says what it was generated from, which is
written and replaced together with the rows. Nothing but whole files is read or written, so such a
table needs no database and no lock, and works on storage that has neither.
"""

import json
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
from pyarrow.parquet import ParquetFile

from series_assets.core.errors import GenerationError, RequestError
from series_assets.storage import files
from series_assets.storage.remote import is_remote
from series_assets.storage.series_table import SeriesTable

Mark = dict[str, Any]
_NAME = b"series_assets"


class ParquetFiles(SeriesTable):
    """A table of one series, or of one shard, in a folder of its own."""

    rows: ClassVar[str]
    """What its rows are, for names of temporary files."""
    whole: ClassVar[str]
    """What messages call the table."""

    @abstractmethod
    def file(self, number: int) -> Path:
        """Return the path of the file of a period, by the number of its dataset."""

    @abstractmethod
    def existing_files(self) -> list[Path]:
        """Return the existing files of all periods and shards."""

    @property
    def place(self) -> Path:
        """The folder of all periods."""
        return self.file(1).parent.parent

    def check_owner(self, *, take_over: bool = False) -> None:
        """Refuse the files of another series in the folder. Raises RequestError."""
        if self.place.is_dir():
            for _, mark in self.marks():
                self.check_series(mark)
                return

    def check_series(self, mark: Mark) -> None:
        """Refuse the mark of another series. Raises RequestError."""
        if mark["series"] != self.series.name:
            raise RequestError(
                f"holds the files of the series '{mark['series']}'",
                "choose another folder for this series, or remove those files first",
                file=self.layout.folder,
            )

    def drop(self, *, take_over: bool = False) -> bool:
        """Remove the files of all shards, and folders that are then empty; tell if any existed.

        Raises GenerationError.
        """
        paths = self.existing_files()
        for path in paths:
            files.remove(path)
        if paths and not is_remote(self.place):
            for folder in (*sorted({path.parent for path in paths}, reverse=True), self.place):
                files.remove_if_empty(folder)
        return bool(paths)

    def marks(self, periods: Sequence[int] | None = None) -> Iterator[tuple[int, Mark]]:
        """Yield the mark of each recorded period, of those asked for or of all, in order."""
        for k in range(self.series.calendar.count) if periods is None else periods:
            if mark := self.mark(k):
                yield k, mark

    def mark(self, k: int) -> Mark | None:
        """Return the mark of period ``k``; None where it has no file.

        Raises GenerationError for a file that is unreadable or has no mark.
        """
        try:
            with self.opened(k) as file:
                found: Mark = json.loads((file.metadata.metadata or {})[_NAME])
        except GenerationError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                return None
            raise
        return found

    @contextmanager
    def opened(self, k: int) -> Iterator[ParquetFile]:
        """Open the file of period ``k``. Raises GenerationError where it cannot be read."""
        path = self.file(k + 1)
        try:
            with path.open("rb") as stream:
                yield ParquetFile(stream)
        except (OSError, ValueError, KeyError) as error:
            text = "series_assets did not write it" if isinstance(error, KeyError) else str(error)
            raise GenerationError(
                f"cannot be read as a part of {self.whole}: {' '.join(text.split())[:200]}",
                "remove it and regenerate its period",
                file=path,
            ) from error

    def put(self, k: int, table: pa.Table, folder: Path | None, mark: Mark, **how: Any) -> None:
        """Write the file of period ``k``, with a temporary one in ``folder``, atomically.

        The mark also names the series and the period; ``how`` is as in ``files.write_parquet``.
        """
        period = self.series.calendar.period(k)
        mark = {"series": self.series.name, "period": period.key, **mark}
        target = self.file(period.number)
        written = (folder or target.parent) / f"{self.rows}_{period.number}_{target.name}"
        marked = table.replace_schema_metadata({_NAME: json.dumps(mark)})
        files.write_parquet(written, marked, **how)
        files.replace(written, target)
