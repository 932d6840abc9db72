"""What ops and the IO manager share in a run: where files go, and whom to tell of progress."""

import shutil
from pathlib import Path

import dagster as dg

from series_assets.core.series import Series
from series_assets.storage.files import Layout, telling_of
from series_assets.storage.reference_table import ReferenceTable

_RUNS = ".runs"


class Workspace(dg.ConfigurableResource):
    """The folder in which series lie, and in it the scratch folders of runs."""

    data_dir: str
    """Holds a folder for each series, and ``exhibit.db``."""
    flat: bool = False
    """Whether the files of the only series lie in the data dir itself."""
    one_process: bool = True
    """Whether all steps of a run happen in one process."""
    workers: int | None = None
    """How many periods to make at once; None lets the idle cores decide."""
    explained: bool = True
    """Whether to tell Dagster what is in each partition, or only where it is."""

    @property
    def folder(self) -> Path:
        """The data dir as a path."""
        return Path(self.data_dir)

    def layout(self, series: Series) -> Layout:
        """Return where the files of a series lie."""
        return Layout(
            folder=self.folder if self.flat else self.folder / series.name,
            database=series.database or self.folder / "exhibit.db",
        )

    def reference_table(self, series: Series) -> ReferenceTable:
        """Return the reference table of a series."""
        return ReferenceTable(series, self.layout(series))

    def scratch(self, run_id: str, graph: str) -> Path:
        """Return the folder for what one asset of one run has to put down on its way.

        On the file system of the data, so that a finished file can be renamed into its place.
        """
        from series_assets.storage import scratch

        folder = scratch.claim(self._runs, run_id, one_process=self.one_process) / graph
        with telling_of(folder):
            folder.mkdir(exist_ok=True)
        return folder

    def discard_scratch(self, run_id: str, graph: str) -> None:
        """Remove the scratch of one asset of a run, and the folders that held nothing else."""
        from series_assets.storage import scratch

        shutil.rmtree(self._runs / run_id / graph, ignore_errors=True)
        scratch.give_back(self._runs, run_id)

    @property
    def _runs(self) -> Path:
        return self.folder / _RUNS


class Progress:
    """Whom to tell how far a run is; this one tells nobody, the command line draws a bar."""

    def reached(self, key: str, phase: str) -> None:
        """Take note that ``phase`` of the period ``key`` begins."""

    def noted(self, text: str) -> None:
        """Take note of something that is no fault, but that a user would want to know."""
