"""Which partitions of a step are recorded as materialized, and when.

Left alone, Dagster records all partitions of a range when the step ends, and none of a step that
fails. Here each is recorded as soon as it is stored; the last one is left to Dagster, so that
every partition has one event, which belongs to its run.
"""

from types import TracebackType

import dagster as dg

from series_assets.dagster import private
from series_assets.dagster.metadata import Metadata

_CHECK = "all_periods_stored"
"""What the log of a run calls the check that fails where a step stops half way."""


class PartitionRecorder:
    """Records the partitions of one step, in their order; a context manager.

    In a run of an asset backfill partitions are recorded when the step ends: whenever the daemon
    looks at a backfill, it launches the next assets for just the partitions that are recorded, so
    that a range would fall into as many runs as there are looks.
    """

    def __init__(self, context: dg.OutputContext, version: dg.DataVersion) -> None:
        self._context = context
        self._keys = context.asset_partition_keys
        self._at_the_end = private.is_asset_backfill(context)
        self._waiting: dict[str, Metadata] = {}
        self._recorded = 0
        private.set_data_version(context, version)

    def stored(self, key: str, metadata: Metadata) -> None:
        """Take note that the period of a partition is stored."""
        self._waiting[key] = metadata
        if not self._at_the_end and key != self._keys[-1]:
            self._record()

    def __enter__(self) -> "PartitionRecorder":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the rest to Dagster, or record it where the step fails or is ended."""
        if kind is None:
            for key, metadata in self._waiting.items():
                private.add_partition_metadata(self._context, key, metadata)
            private.limit_partitions(self._context, list(self._waiting))
            return
        self._record()
        if self._recorded:
            private.record_incomplete(
                self._context, _CHECK, f"{self._recorded} of {len(self._keys)} periods are stored"
            )

    def _record(self) -> None:
        for key, metadata in self._waiting.items():
            private.record_partition(self._context, key, metadata)
        self._recorded += len(self._waiting)
        self._waiting.clear()
