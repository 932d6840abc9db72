"""The one IO manager: it persists what assets are made of, and what goes between their ops.

It always speaks in mappings from partition key to value, for one partition as for a range.
Values between ops are pickled in the run's scratch folder and go with it.
"""

import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from series_assets.core.errors import SeriesError
from series_assets.core.series import Series
from series_assets.handles import AsOf, Dataset, NewEntities, NewRecords, RecordsFile
from series_assets.resources import Workspace
from series_assets.storage import files


class SeriesIOManager(dg.IOManager):
    """Keeps ``new_records``, ``reference_table`` and ``dataset`` of every series."""

    def __init__(self, series: Mapping[str, Series], workspace: Workspace) -> None:
        self._series = series
        self._workspace = workspace

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        """Persist every partition of an asset, or a value between two ops."""
        if not context.has_asset_key:
            place = self._between(context)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(pickle.dumps(obj))
            return
        *_, name, asset = context.asset_key.path
        series = self._series[name]
        keep: dict[str, Callable[[Series, int, Any], dict[str, Any]]] = {
            "new_records": self._keep_new_records,
            "reference_table": self._keep_entities,
            "dataset": self._keep_dataset,
        }
        graph = context.step_key.split(".")[0]
        try:
            for key, value in obj.items():
                facts = keep[asset](series, series.calendar.index(key), value)
                context.step_context.add_asset_metadata(
                    facts, asset_key=context.asset_key, partition_key=key
                )
        except SeriesError as error:
            raise dg.Failure(description=str(error), allow_retries=False) from error
        finally:
            self._workspace.discard_scratch(context.run_id, graph)

    def load_input(self, context: dg.InputContext) -> Any:
        """Return handles on what was persisted; nothing is read before it is needed."""
        if not context.has_asset_key:
            assert context.upstream_output is not None
            return pickle.loads(self._between(context.upstream_output).read_bytes())
        *_, name, asset = context.asset_key.path
        series = self._series[name]
        layout = self._workspace.layout(series)
        keys = context.asset_partition_keys if context.has_asset_partitions else []
        if asset == "reference_table":
            return {key: AsOf(key) for key in keys}
        found = {}
        for key in keys:
            number = series.calendar.index(key) + 1
            is_new = asset == "new_records"
            path = layout.new_records(number) if is_new else layout.dataset(number)
            mark = files.fingerprint_in(layout.new_specification(number)) if is_new else None
            there = path if path.exists() else None
            found[key] = RecordsFile(there, series, asset, key, mark)
        return found

    def _between(self, context: dg.OutputContext) -> Path:
        folder = self._workspace.scratch(context.run_id, context.step_key.split(".")[0])
        return folder / f"{context.step_key}.{context.name}.pickle"

    def _keep_new_records(self, series: Series, k: int, made: NewRecords) -> dict[str, Any]:
        layout = self._workspace.layout(series)
        specification, records = layout.new_specification(k + 1), layout.new_records(k + 1)
        if made.records is None or made.specification is None:
            for path in (specification, records):  # of an earlier run from other files
                path.unlink(missing_ok=True)
            return {"rows": 0}
        # In this order, so that a run that ends in between leaves no records that look as if
        # they were made from another specification than they were.
        specification.unlink(missing_ok=True)
        files.replace(made.records, records)
        files.write_yaml(specification, made.specification, series.fingerprint)
        return {"path": dg.MetadataValue.path(records), "exhibit_said": "\n".join(made.said)}

    def _keep_entities(self, series: Series, k: int, picked: NewEntities) -> dict[str, Any]:
        from series_assets.core.records import typed

        table = self._workspace.reference_table(series)
        if picked.records is None:
            table.replace(k, None)
        else:
            records = typed(files.read_csv(picked.records), series.kinds)
            table.replace(k, records.take(picked.places).reset_index(drop=True))
        return {"new_entities": len(picked.places)}

    def _keep_dataset(self, series: Series, k: int, made: Dataset) -> dict[str, Any]:
        layout = self._workspace.layout(series)
        specification, records = layout.existing_specification(k + 1), layout.dataset(k + 1)
        specification.unlink(missing_ok=True)
        files.replace(made.records, records)
        if made.existing_specification is not None:
            files.write_yaml(specification, made.existing_specification, series.fingerprint)
        return {
            "path": dg.MetadataValue.path(records),
            "new_rows": made.new,
            "existing_rows": made.existing,
            "exhibit_said": "\n".join(made.said),
        }
