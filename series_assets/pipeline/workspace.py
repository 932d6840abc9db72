"""The data folder, where the files of series and the scratch folders of runs are."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from uuid import uuid4

from series_assets.core.plan.calendar import Period
from series_assets.core.plan.series import Series
from series_assets.storage import files, provenance, scratch
from series_assets.storage.entities import ReferenceTable
from series_assets.storage.layout import Layout
from series_assets.storage.remote import data_path, is_remote
from series_assets.storage.tables import reference_table

if TYPE_CHECKING:
    import pyarrow as pa

_RUNS = ".runs"


@dataclass(frozen=True)
class Workspace:
    """Where and how data is generated: a folder for each series, and ``exhibit.db``."""

    data_dir: str | Path
    flat: bool = False
    """Whether the files of the only series are in the data folder itself."""
    executor: str = "auto"
    """In which processes periods are generated, see ``executors``."""
    any_database: bool = False
    """Whether a series may use a database that has none of Exhibit's tables."""
    stock_exhibit: bool = False
    """Whether Exhibit's own loops run instead of the fast ones of ``engine.vectorized``."""

    @property
    def folder(self) -> Path:
        """The data folder as a path."""
        return data_path(self.data_dir)

    def layout(self, series: Series) -> Layout:
        """Return the paths of a series' files."""
        return Layout.of(series, self.folder, flat=self.flat)

    def reference_table(self, series: Series) -> ReferenceTable:
        """Return the reference table of a series."""
        return reference_table(series, self.layout(series))

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Provide a folder for temporary files. Raises GenerationError if it cannot be written.

        It is on the file system of the data, so that a finished file can be moved by renaming it;
        for object storage it is a temporary folder of this machine.
        """
        if is_remote(self.folder):
            with TemporaryDirectory(prefix="series_assets_") as folder:
                yield Path(folder)
            return
        run = str(uuid4())
        try:
            yield scratch.claim(self.folder / _RUNS, run)
        finally:
            scratch.discard(self.folder / _RUNS, run)

    def exclusive_access(self) -> AbstractContextManager[None]:
        """Run a block while no other run in this folder runs one. Raises GenerationError.

        Object storage has no locks: there blocks of several runs may run at the same time.
        """
        if is_remote(self.folder):
            return nullcontext()
        return scratch.exclusive_access(self.folder / _RUNS)

    def read_new_records(self, series: Series, period: Period) -> "pa.Table":
        """Return the new records of a period as text.

        Raises RequestError unless they were generated from the current input files.
        """
        with self.exclusive_access():
            path = provenance.require_new_records(series, self.layout(series), period)
            return files.read_table(path)
