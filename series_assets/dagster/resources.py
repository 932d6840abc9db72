"""What ops and the IO manager share in a run: where files go, and whom to tell of progress."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from series_assets.core.errors import RequestError
from series_assets.core.plan.series import Series
from series_assets.storage import files
from series_assets.storage.files import Layout, telling_of
from series_assets.storage.reference_table import ReferenceTable

if TYPE_CHECKING:
    import pandas as pd

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
        return Layout.of(series, self.folder, flat=self.flat)

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

    def discard_scratch(self, run_id: str, graph: str = "") -> None:
        """Remove the scratch of one asset of a run, and the folders that held nothing else.

        Without the name of an asset's graph, that of all assets.
        """
        from series_assets.storage import scratch

        scratch.discard(self._runs, run_id, graph)

    def one_at_a_time(self) -> AbstractContextManager[None]:
        """Do a block while no other run in this folder does one. Raises GenerationError."""
        from series_assets.storage import scratch

        return scratch.one_at_a_time(self._runs)

    def read_new_records(
        self, series: Series, key: str, columns: Sequence[str] | None = None
    ) -> "pd.DataFrame":
        """Return the new records of a period as text: the columns asked for, or all.

        Raises RequestError unless they were made from these very contents of the series' files;
        another run may be making them from others.
        """
        with self.one_at_a_time():
            return files.read_csv(self.check_new_records(series, key), columns)

    def check_new_records(self, series: Series, key: str) -> Path:
        """Return the file of a period's new records, refusing those that are not of these contents.

        Of use only where no other run may put others in their place. Raises RequestError.
        """
        layout, number = self.layout(series), series.calendar.index(key) + 1
        records, mark = layout.new_records(number), layout.new_specification(number)
        check_new_records(series, key, records.exists(), files.fingerprint_in(mark))
        return records

    @property
    def _runs(self) -> Path:
        return self.folder / _RUNS


def check_new_records(series: Series, key: str, there: bool, fingerprint: str | None) -> None:
    """Refuse new records that are missing, or that were made from other contents of the files.

    ``fingerprint`` is what the specification beside them says. Raises RequestError.
    """
    where = f"{series.name}, period {key}: its new records"
    if not there:
        raise RequestError(f"{where} are missing; make new_records first")
    if fingerprint is None:
        raise RequestError(
            f"{where} have no specification beside them that says what they were made from; make "
            "new_records again"
        )
    if fingerprint != series.fingerprint:
        raise RequestError(
            f"{where} were made from other contents of the two files; make new_records again"
        )


class Progress:
    """Whom to tell how far a run is; this one tells nobody, the command line draws a bar."""

    def reached(self, key: str, phase: str) -> None:
        """Take note that ``phase`` of the period ``key`` begins."""

    def noted(self, text: str) -> None:
        """Take note of something that is no fault, but that a user would want to know."""
