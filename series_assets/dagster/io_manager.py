"""The one IO manager: it persists what assets are made of, and what goes between their ops.

It always speaks in mappings from partition key to value, for one partition as for a range.
Values between ops are pickled in the run's scratch folder and go with it.
"""

import pickle
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from series_assets.core.errors import SeriesError
from series_assets.core.plan.series import Plan, Series
from series_assets.core.spec.specification import Specification
from series_assets.dagster import metadata
from series_assets.dagster.handles import (
    AsOf,
    Dataset,
    Failed,
    NewEntities,
    NewRecords,
    RecordsFile,
)
from series_assets.dagster.input_loading import as_asked
from series_assets.dagster.metadata import Metadata
from series_assets.dagster.resources import Workspace
from series_assets.storage import files


class SeriesIOManager(dg.IOManager):
    """Keeps ``new_records``, ``reference_table`` and ``dataset`` of every series."""

    def __init__(self, series: Mapping[str, Series], workspace: Workspace) -> None:
        self._series = series
        self._workspace = workspace

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        """Persist every partition of an asset, or a value between two ops.

        Where a partition has failed, the ones before it are recorded as made all the same.
        """
        if not context.has_asset_key:
            self._pass_on(context, obj)
            return
        failed = None
        made: list[str] = []
        try:
            for key, value in obj.items():
                facts = value if isinstance(value, Failed) else self._kept(context, key, value)
                if isinstance(facts, Failed):
                    failed = facts
                    break
                made.append(key)
                context.step_context.add_asset_metadata(
                    facts, asset_key=context.asset_key, partition_key=key
                )
        finally:
            self._workspace.discard_scratch(context.run_id, _graph(context))
        context.step_context.set_data_version(context.asset_key, self._version(context.asset_key))
        if failed:
            record_as_made(context, made)
            raise failed.failure()

    def _version(self, key: dg.AssetKey) -> dg.DataVersion:
        """Return the version by which Dagster tells whether what depends on an asset is stale.

        The same contents of the two files give the same data, whatever run makes them. The
        reference table depends on itself: made in a range it would show as stale against what it
        was before the run. That it is of other contents shows by its code version.
        """
        *_, name, asset = key.path
        own = self._series[name].fingerprint if asset != "reference_table" else name
        return dg.DataVersion(own)

    def _kept(self, context: dg.OutputContext, key: str, value: Any) -> Metadata | Failed:
        """Persist one partition of an asset and return what is told of it, or what went wrong."""
        *_, name, asset = context.asset_key.path
        series = self._series[name]
        keep: dict[str, Callable[[Series, Plan, Any, Path], Metadata]] = {
            "new_records": self._keep_new_records,
            "reference_table": self._keep_entities,
            "dataset": self._keep_dataset,
        }
        try:
            folder = self._workspace.scratch(context.run_id, _graph(context))
            return keep[asset](series, series.plan(series.calendar.index(key)), value, folder)
        except Exception as error:
            return Failed.by(error, f"{name}, period {key}")

    def load_input(self, context: dg.InputContext) -> Any:
        """Return handles on what was persisted, or what a downstream asset asks for."""
        if not context.has_asset_key:
            assert context.upstream_output is not None
            return self._passed_on(context.upstream_output)
        *_, name, asset = context.asset_key.path
        series = self._series[name]
        layout = self._workspace.layout(series)
        keys = context.asset_partition_keys if context.has_asset_partitions else []
        if asset == "reference_table":
            table = self._workspace.reference_table(series)
            return as_asked(context, {key: AsOf(key, table) for key in keys})
        found = {}
        for key in keys:
            number = series.calendar.index(key) + 1
            is_new = asset == "new_records"
            path = layout.new_records(number) if is_new else layout.dataset(number)
            mark = files.fingerprint_in(layout.new_specification(number)) if is_new else None
            there = path if path.exists() else None
            found[key] = RecordsFile(there, series, asset, key, mark)
        return as_asked(context, found)

    def _pass_on(self, context: dg.OutputContext, value: Any) -> None:
        try:
            place = self._between(context)
            with files.telling_of(place):
                place.write_bytes(pickle.dumps(value))
        except SeriesError as error:
            self._workspace.discard_scratch(context.run_id, _graph(context))
            raise Failed.by(error, _graph(context)).failure() from None

    def _passed_on(self, context: dg.OutputContext) -> Any:
        place = self._between(context)
        if not place.exists():
            raise dg.Failure(
                f"what the step {context.step_key} handed on is gone: it goes with its run; "
                "instead of re-executing a run from its failure, re-execute all of it, or make "
                "the partitions that are missing",
                allow_retries=False,
            )
        return pickle.loads(place.read_bytes())

    def _between(self, context: dg.OutputContext) -> Path:
        folder = self._workspace.scratch(context.run_id, _graph(context))
        return folder / f"{context.step_key}.{context.name}.pickle"

    def _keep_new_records(
        self, series: Series, plan: Plan, made: NewRecords, folder: Path
    ) -> Metadata:
        layout, number = self._workspace.layout(series), plan.number
        specification, records = layout.new_specification(number), layout.new_records(number)
        prepared = _prepared(series, made.specification, folder)
        with self._workspace.one_at_a_time():
            if made.records is None:
                for path in (specification, records):  # of an earlier run from other files
                    files.remove(path)
            else:
                _put(series, (made.records, records), (prepared, specification))
        if not self._workspace.explained:
            return {}
        return metadata.of_new_records(series, plan, made, layout)

    def _keep_entities(self, series: Series, plan: Plan, picked: NewEntities, _: Path) -> Metadata:
        from series_assets.core.records import typed

        table = self._workspace.reference_table(series)
        if picked.places is None:
            table.replace(plan.k, None)
        else:
            texts = self._workspace.read_new_records(series, plan.key)
            first = typed(texts, series.kinds).take(files.read_integers(picked.places))
            table.replace(plan.k, first.reset_index(drop=True))
        if not self._workspace.explained:
            return {}
        return metadata.of_reference_table(series, plan, picked, table.layout, table.made())

    def _keep_dataset(self, series: Series, plan: Plan, made: Dataset, folder: Path) -> Metadata:
        table = self._workspace.reference_table(series)
        records = table.layout.dataset(plan.number)
        specification = table.layout.existing_specification(plan.number)
        prepared = _prepared(series, made.existing_specification, folder)
        with self._workspace.one_at_a_time():
            if plan.new is not None:  # which lie beside it, and would not fit
                self._workspace.check_new_records(series, plan.key)
            _put(series, (made.records, records), (prepared, specification))
        if not self._workspace.explained:
            return {}
        return metadata.of_dataset(series, plan, made, table.layout, table.made())


def _prepared(series: Series, specification: Specification | None, folder: Path) -> Path | None:
    """Write a specification into a scratch folder, ready to be put in its place."""
    if specification is None:
        return None
    path = folder / "specification.yml"
    files.write_yaml(path, specification, series.fingerprint)
    return path


def _put(
    series: Series, records: tuple[Path, Path], specification: tuple[Path | None, Path]
) -> None:
    """Put records in their place, and the specification that they were made from beside them.

    Each from the scratch folder. In an order in which a run that ends in between leaves no records
    that look as if they were made from another specification than they were; no other run may
    put the same ones meanwhile.
    """
    prepared, path = specification
    if prepared is None or files.fingerprint_in(path) != series.fingerprint:
        files.remove(path)
    files.replace(*records)
    if prepared is not None:
        files.replace(prepared, path)


def _graph(context: dg.OutputContext) -> str:
    """Return the name of the graph that an op is part of."""
    return context.step_key.split(".")[0]


def record_as_made(context: dg.OutputContext, keys: Sequence[str]) -> None:
    """Record partitions as materialised in a step that is going to fail.

    Of a step that fails Dagster records nothing. The events are those that it would have written,
    with the versions by which it tells what is stale.
    """
    from dagster._core.execution.plan.execute_step import _get_output_asset_events

    if keys:
        step = context.step_context
        asset = step.job_def.asset_layer.get_assets_def_for_node(step.node_handle)
        assert asset is not None
        events = _get_output_asset_events(
            context.asset_key,
            keys,
            dg.Output(None, context.name),
            step.op_def.output_def_named(context.name),
            {},
            step,
            asset.execution_type,
        )
        for event in events:
            assert isinstance(event, dg.AssetMaterialization)
            dg.DagsterEvent.asset_materialization(step, event)
