"""The IO manager of a series: it stores the results of its assets, and loads them for others.

It iterates over the stream of periods that an op returns, and stores each as it comes.
"""

from collections.abc import Mapping
from contextlib import closing, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from series_assets.core.errors import RequestError, SeriesError
from series_assets.core.plan.series import Plan, Series
from series_assets.dagster import history_metadata, metadata
from series_assets.dagster.assets import HISTORY, code_version
from series_assets.dagster.columns import column_lineage, history_lineage
from series_assets.dagster.failures import failure_of
from series_assets.dagster.handles import handle_of
from series_assets.dagster.input_loading import load_as_annotated
from series_assets.dagster.metadata import Metadata
from series_assets.dagster.recording import PartitionRecorder

if TYPE_CHECKING:
    from series_assets.pipeline.dataset import Dataset
    from series_assets.pipeline.workspace import Workspace
    from series_assets.reporting.profiles import Profile


class SeriesIOManager(dg.IOManager):
    """Keeps the partitioned assets of every series."""

    def __init__(self, series: Mapping[str, Series], workspace: "Workspace") -> None:
        self._series = series
        self._workspace = workspace

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        """Generate and store the periods of a stream one by one, and record each with its metadata.

        Where one fails, or the run is ended, those before it are recorded as materialized.
        """
        from series_assets.pipeline.failures import as_period_errors, period_error

        *_, name, asset = context.asset_key.path
        series = self._series[name]
        try:
            with (
                PartitionRecorder(context, _version(series, asset)) as recorder,
                self._workspace.scratch() as folder,
                closing(iter(obj)) as periods,
            ):
                writer = _PeriodWriter(series, self._workspace, folder)
                for period, result in periods:
                    with as_period_errors(series, period):
                        facts = writer.write(asset, series.plan(period.k), result)
                    if asset in ("reference_table", "dataset"):
                        facts["dagster/column_lineage"] = column_lineage(series, context.asset_key)
                    elif asset in HISTORY:
                        facts["dagster/column_lineage"] = history_lineage(series, context.asset_key)
                    recorder.stored(period.key, facts)
        except SeriesError as error:
            placed = period_error(error, name)
            raise failure_of(placed, placed.trace) from None

    def load_input(self, context: dg.InputContext) -> Any:
        """Return what an asset downstream asks for of the periods that it depends on."""
        *_, name, asset = context.asset_key.path
        series = self._series[name]
        keys = context.asset_partition_keys if context.has_asset_partitions else []
        periods = map(series.calendar.period_for_key, keys)
        found = {one.key: handle_of(series, asset, one, self._workspace) for one in periods}
        return load_as_annotated(context, found)


class _PeriodWriter:
    """Stores what the phase of an asset made of a period, and returns its metadata."""

    def __init__(self, series: Series, workspace: "Workspace", folder: Path) -> None:
        from series_assets.pipeline.work import Work

        self._series = series
        self._workspace = workspace
        self._work = Work(series, workspace, folder)
        self._table = workspace.reference_table(series)

    def write(self, asset: str, plan: Plan, result: Any) -> Metadata:
        """Store the result for an asset and return its metadata; parts are stored already."""
        from series_assets.pipeline.facts import Facts
        from series_assets.pipeline.phases import store

        series, period, layout = self._series, plan.period, self._table.layout
        if asset == "manifest":
            return history_metadata.manifest_metadata(period, result)
        facts, made = result, None
        if not isinstance(result, Facts):
            store(asset, self._work, period, result)
            facts, made = result.facts(series), result
        if asset == "new_records":
            return metadata.new_records_metadata(series, plan, facts, layout, made)
        if asset == "truth":
            return history_metadata.truth_metadata(series, period, facts.fold, layout)
        if asset == "state":
            content = made.content if made else ""
            return history_metadata.state_metadata(series, period, facts.fold, layout, content)
        counts = self._table.current_counts()
        if asset == "reference_table":
            texts = made.texts if made else None
            return metadata.reference_table_metadata(series, period, facts, layout, counts, texts)
        drawn = (made, self._plot(plan, made)) if made else None
        return metadata.dataset_metadata(series, plan, facts, layout, counts, drawn)

    def _plot(self, plan: Plan, result: "Dataset") -> bytes:
        """Return a PNG of what a dataset holds, against period 1 where that is there."""
        from series_assets.reporting.dataset_plots import plot_dataset
        from series_assets.reporting.profiles import profile_period

        period, first = plan.period, self._first_profile if plan.period.k else None
        new = None if result.new is None else result.new.to_pandas()
        existing = result.existing.texts.to_pandas() if result.existing else None
        profile = profile_period(self._series, period.k, new, existing, like=first)
        title = f"{self._series.name}, dataset {period.number}: {period.key}"
        return plot_dataset(title, profile, first)

    @cached_property
    def _first_profile(self) -> "Profile | None":
        """What period 1 looks like; None if it was removed or generated from other contents."""
        from series_assets.reporting.profiles import profile_period

        with suppress(RequestError):
            first = self._series.calendar.period(0)
            texts = self._workspace.read_new_records(self._series, first)
            return profile_period(self._series, 0, texts.to_pandas(), None)
        return None


def _version(series: Series, asset: str) -> dg.DataVersion:
    """Return the version by which Dagster tells whether what depends on an asset is stale.

    The same contents of the two files give the same data, whatever run makes them. The reference
    table and the states depend on themselves: generated in a range they would show as stale against
    what they were before the run. That they come from other contents shows by their code version.
    """
    if asset in ("reference_table", "state"):
        return dg.DataVersion(series.name)
    return dg.DataVersion(code_version(series, asset))
