"""Where the files of a run go: the data folder, and in it the scratch folders of runs."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from series_assets.core.plan.calendar import Period
from series_assets.core.plan.series import Series
from series_assets.storage import files, provenance, scratch
from series_assets.storage.files import Layout
from series_assets.storage.reference_table import ReferenceTable

if TYPE_CHECKING:
    import pandas as pd

_RUNS = ".runs"


@dataclass(frozen=True)
class Workspace:
    """The folder that holds a folder for each series, and ``exhibit.db``."""

    data_dir: str | Path
    flat: bool = False
    """Whether the files of the only series lie in the data folder itself."""
    executor: str = "auto"
    """In which processes periods are made, see ``executors``."""
    any_database: bool = False
    """Whether a series may use a database with none of the tables of Exhibit."""
    stock_exhibit: bool = False
    """Whether Exhibit's own loops run, not the fast ones of ``engine.vectorized``."""

    @property
    def folder(self) -> Path:
        """The data folder as a path."""
        return Path(self.data_dir)

    def layout(self, series: Series) -> Layout:
        """Return where the files of a series lie."""
        return Layout.of(series, self.folder, flat=self.flat)

    def reference_table(self, series: Series) -> ReferenceTable:
        """Return the reference table of a series."""
        return ReferenceTable(series, self.layout(series))

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Provide a folder for temporary files, on the file system of the data.

        So a finished file can be renamed into its place. Raises GenerationError where the folder
        cannot be written.
        """
        run = str(uuid4())
        try:
            yield scratch.claim(self.folder / _RUNS, run)
        finally:
            scratch.discard(self.folder / _RUNS, run)

    def exclusive_access(self) -> AbstractContextManager[None]:
        """Run a block while no other run in this folder runs one. Raises GenerationError."""
        return scratch.exclusive_access(self.folder / _RUNS)

    def read_new_records(
        self, series: Series, period: Period, columns: Sequence[str] | None = None
    ) -> "pd.DataFrame":
        """Return the new records of a period as text: the given columns, or all of them.

        Raises RequestError unless they come from the current contents of the series' files;
        another run may be writing others.
        """
        with self.exclusive_access():
            path = provenance.require_new_records(series, self.layout(series), period)
            return files.read_csv(path, columns)
