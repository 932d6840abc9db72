"""What an asset downstream gets of a period: a handle, which reads only what is asked for."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from series_assets.core.errors import GenerationError, RequestError
from series_assets.core.plan.calendar import Period
from series_assets.core.plan.series import Series
from series_assets.core.plan.truth import CHANGE_COLUMNS, PART
from series_assets.storage import files
from series_assets.storage.entities import ReferenceTable
from series_assets.storage.provenance import is_stale

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from series_assets.pipeline.workspace import Workspace


@dataclass(frozen=True)
class ReferenceTableSnapshot:
    """The reference table as it stood after a period."""

    key: str
    """The partition key of the period."""
    table: ReferenceTable

    @property
    def exists(self) -> bool:
        """Whether the period and all before it are recorded."""
        recorded = self.table.current_counts()
        return all(k in recorded for k in range(self._periods))

    def path(self) -> Path:
        """Raise RequestError: the entities of a period have no file of their own."""
        raise RequestError(
            "the entities up to a period have no file of their own",
            "annotate the input pd.DataFrame to get its entities, or ReferenceTableSnapshot",
            series=self.table.series.name,
        )

    def load(self) -> "pd.DataFrame":
        """Return the entities as first recorded, typed, the oldest first; shard by shard.

        Raises RequestError where a period up to this one is missing or outdated.
        """
        import numpy as np
        import pandas as pd

        self.table.require_periods(self._periods, f"the reference table after period {self.key}")
        frames = []
        for table in self.table.parts:
            known = table.entities_before(self._periods)
            frames.append(table.fetch(known.keys(np.arange(known.total)), table.columns()))
        return frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)

    def as_arrow(self) -> "pa.Table":
        """Return the entities as an Arrow table. Raises as ``load`` does."""
        return _as_arrow(self.load())

    @property
    def _periods(self) -> int:
        return self.table.series.calendar.period_for_key(self.key).number


@dataclass(frozen=True)
class RecordsFile:
    """Records of a period on disk."""

    records: Path | None
    """None where there are none."""
    series: Series
    asset: str
    key: str
    is_stale: Callable[[], bool] = bool
    """Tells whether they are from another version of the files, in which the period may be another.

    Asked only when they are read: on object storage it takes a request for each shard.
    """

    @property
    def exists(self) -> bool:
        """Whether the records of the period exist."""
        return self.records is not None

    def path(self) -> Path:
        """Return the path of the CSV, or of the folder of all parts of a sharded series.

        Raises RequestError where there is none, or it is stale.
        """
        asset, was = ("new records", "were") if self.asset == "new_records" else (self.asset, "was")
        problem, remedy = "", f"materialize {self.asset} again"
        if self.records is None:
            problem = f"its {asset} {'are' if was == 'were' else 'is'} missing"
            remedy = f"materialize {self.asset} first"
        elif self.is_stale():
            problem = f"its {asset} {was} generated from another version of the series' two files"
        if problem or self.records is None:
            raise RequestError(problem, remedy, series=self.series.name, period=self.key)
        return self.records

    def load(self) -> "pd.DataFrame":
        """Return the records as a pandas frame, typed.

        Raises RequestError where there are none, or a file is damaged or has other columns.
        """
        import pyarrow as pa

        path = self.path()
        texts = list(self._texts(path))
        with files.explain_read_errors(path, self._remedy):
            return self._typed(pa.concat_tables(texts))

    def _typed(self, texts: "pa.Table") -> "pd.DataFrame":
        from series_assets.core.records import typed

        return typed(texts, self.series.kinds)

    def parts(self) -> "list[RecordsFile]":
        """Return the records of each shard, to be read one at a time.

        Those of a series that is not sharded are one part. Raises RequestError where there are
        none.
        """
        return [replace(self, records=part, is_stale=bool) for part in self._parts(self.path())]

    def as_arrow(self) -> "pa.Table":
        """Return the records as an Arrow table with the types of ``format: parquet``.

        Raises RequestError where there are none, a file is damaged or has other columns, or a
        value in a CSV does not fit its type.
        """
        import pyarrow as pa

        from series_assets.core.typed_records import typed_table, types_of

        types, path = types_of(self.series), self.path()
        try:
            parts = [typed_table(texts, types) for texts in self._texts(path)]
        except GenerationError as error:
            remedy = f"{self._remedy}, or annotate the input pd.DataFrame"
            raise RequestError(error.problem, remedy, file=path) from error
        with files.explain_read_errors(path, self._remedy):
            return pa.concat_tables(parts)

    def _parts(self, path: Path) -> list[Path]:
        """Return the files of all parts below ``path``, which is itself the only one or a folder.

        Given the path, since ``path()`` reads a file of each shard to see whether it is stale.
        """
        if not path.is_dir():
            return [path]
        if parts := files.parts_in(path):
            return parts
        raise RequestError("has no parts", self._remedy, file=path, colon=False)

    def _texts(self, path: Path) -> "Iterator[pa.Table]":
        """Yield the records of each part below ``path`` as text, their columns as expected."""
        for part in self._parts(path):
            with files.explain_read_errors(part, self._remedy):
                texts = files.read_table(part)
            found, expected = texts.column_names, self._columns
            if sorted(found) != sorted(expected):
                others = [
                    *(f"without {name}" for name in expected if name not in found),
                    *(f"with {name}" for name in found if name not in expected),
                ] or ["one twice"]
                problem = f"has other columns than the series: {', '.join(others)}"
                raise RequestError(problem, self._remedy, file=part, colon=False)
            yield texts

    @property
    def _columns(self) -> Sequence[str]:
        return list(self.series.kinds)

    @property
    def _remedy(self) -> str:
        return f"materialize {self.asset} of {self.key} again"


class ChangeLogFile(RecordsFile):
    """What each row of a dataset did to the history: a CSV of the asset ``truth``, or its parts."""

    def as_arrow(self) -> "pa.Table":
        """Return the change log as an Arrow table. Raises RequestError where there is none."""
        return _as_arrow(self.load())

    @property
    def _columns(self) -> Sequence[str]:
        part = (PART,) if len(self.series.parts) > 1 else ()
        return (self.series.first_identifier, *part, *CHANGE_COLUMNS)

    def _typed(self, texts: "pa.Table") -> "pd.DataFrame":
        import pandas as pd
        import pyarrow as pa
        import pyarrow.compute as pc

        kept = ("op", self.series.first_identifier)
        columns = {
            name: texts[name] if name in kept else texts[name].cast(pa.int64())
            for name in texts.column_names
            if name != "tied"
        }
        columns["tied"] = pc.equal(texts["tied"], "true")
        types = {pa.int64(): pd.Int64Dtype()}
        return pa.table(columns).to_pandas(types_mapper=types.get)


class ManifestFile(RecordsFile):
    """The manifest of a dataset, which is JSON."""

    def as_arrow(self) -> "pa.Table":
        """Raise RequestError, as ``load`` does."""
        return _as_arrow(self.load())

    def load(self) -> "pd.DataFrame":
        """Raise RequestError: a manifest is no table."""
        raise RequestError(
            "its manifest is JSON, not a table",
            "annotate the input pathlib.Path, and read the file",
            series=self.series.name,
        )


@dataclass(frozen=True)
class StateSnapshot:
    """The state of all entities as of a period."""

    key: str
    """The partition key of the period."""
    series: Series
    workspace: "Workspace"

    @property
    def exists(self) -> bool:
        """Whether the period and all before it are recorded."""
        from series_assets.pipeline.state import recorded_periods

        return recorded_periods(self.series, self.workspace) > self._period.k

    def path(self) -> Path:
        """Raise RequestError: states have no file of their own."""
        raise RequestError(
            "its states are bookkeeping, not a file to read",
            "annotate the input pd.DataFrame to get them, or StateSnapshot",
            series=self.series.name,
        )

    def load(self) -> "pd.DataFrame":
        """Return the current state as of the period, typed: a row for each entity (SCD1).

        Raises RequestError where a period up to this one is missing or not current.
        """
        return self._expected("scd1")

    def as_arrow(self) -> "pa.Table":
        """Return the current state as an Arrow table. Raises as ``load`` does."""
        return _as_arrow(self.load())

    def history(self, profile: str = "plain") -> "pd.DataFrame":
        """Return all versions as of the period, typed (SCD2). Raises as ``load`` does."""
        return self._expected("scd2", profile)

    def _expected(self, form: str, profile: str = "plain") -> "pd.DataFrame":
        from series_assets.pipeline.truth import expected
        from series_assets.pipeline.truth_export import frame_of

        table = expected(self.series, self.workspace, form, self._period, profile)
        return frame_of(self.series, table, profile)

    @property
    def _period(self) -> Period:
        return self.series.calendar.period_for_key(self.key)


def _as_arrow(frame: "pd.DataFrame") -> "pa.Table":
    """Return a typed frame as an Arrow table, its days as ``date32``."""
    import pyarrow as pa

    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    for place, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            days = table[field.name].cast(pa.date32())
            table = table.set_column(place, field.name, days)
    return table


_OF_PARTS = ("new_records", "dataset", "truth")
"""The assets that a sharded series keeps in parts."""
Handle = ReferenceTableSnapshot | RecordsFile | StateSnapshot


def handle_of(series: Series, asset: str, period: Period, workspace: "Workspace") -> Handle:
    """Return the handle of an asset's partition."""
    if asset == "reference_table":
        return ReferenceTableSnapshot(period.key, workspace.reference_table(series))
    if asset == "state":
        return StateSnapshot(period.key, series, workspace)
    layout = workspace.layout(series)
    kind, place = {
        "new_records": (RecordsFile, layout.new_records),
        "dataset": (RecordsFile, layout.dataset),
        "truth": (ChangeLogFile, layout.changes),
        "manifest": (ManifestFile, layout.manifest),
    }[asset]
    path = place(period.number)
    parts = [getattr(part, place.__name__)(period.number) for part in layout.parts]
    made = all(part.exists() for part in parts) if asset in _OF_PARTS else path.exists()
    writer = asset if asset == "new_records" else "dataset"
    stale = partial(is_stale, series, layout, period, writer)
    return kind(path if made else None, series, asset, period.key, stale)
