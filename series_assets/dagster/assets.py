"""The assets of a series: the usual ones, or one that explains why they are not available.

What the ops do is in ``ops``, what a partition is in ``partitions``.
"""

import json
import re
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import dagster as dg

from series_assets.core.plain_text import escape_invisible, escape_markdown
from series_assets.core.plan.series import Series
from series_assets.dagster.metadata import definition_metadata
from series_assets.dagster.ops import Tools, graph_of
from series_assets.dagster.options import NO_OPTIONS, AssetOptions
from series_assets.dagster.partitions import PREVIOUS, partitions_of
from series_assets.dagster.scoping import between_ops_key, io_manager_key
from series_assets.storage.layout import Layout
from series_assets.storage.loading import BrokenSeries

NAMES = ("new_records", "reference_table", "dataset")
"""The partitioned assets of every series, in the order in which they are materialized."""
HISTORY = ("state", "truth")
"""Those of a series with a ``truth`` block, after the others."""
MANIFEST = ("manifest",)
"""That of a series with ``manifest: true``, the last one."""

_BROKEN_GROUP = "broken_series"
_KINDS = {
    "reference_table": ("python", "sqlite"),
    "state": ("python", "sqlite"),
    "truth": ("python", "csv"),
    "manifest": ("python", "json"),
}
_DESCRIPTIONS = {
    "new_records": "Records about entities never seen before, with the period's own seed and "
    "dates.",
    "reference_table": "The entities so far, as first recorded: what existing records are sampled "
    "from.",
    "dataset": "What the period delivers: its new records, and existing records about entities "
    "of earlier periods, shuffled.",
    "state": "The state of each delivered entity after the period, and the versions that a correct "
    "pipeline has by then.",
    "truth": "What each row of the dataset did to the history of its entity. A pipeline under test "
    "does not read it.",
    "manifest": "Size, hash and totals of the dataset, written when all files of the period are "
    "complete.",
}


def names_of(series: Series) -> tuple[str, ...]:
    """Return the names of the partitioned assets of a series, in the order of NAMES and HISTORY."""
    history = HISTORY if series.truth else ()
    return (*NAMES, *history, *(MANIFEST if series.user_input.manifest else ()))


def keys_of(
    series: str, options: AssetOptions = NO_OPTIONS, names: Sequence[str] = NAMES
) -> list[dg.AssetKey]:
    """Return the keys of partitioned assets of a series, by default of those all series have."""
    return [options.key_of(series, name) for name in names]


def job_of(series: Series, options: AssetOptions = NO_OPTIONS) -> Any:
    """Return the job that materializes a period or a range of periods, named after the series.

    It is what ``Definitions`` takes among its ``jobs``: its class has no public name.
    """
    return dg.define_asset_job(
        series.name,
        selection=dg.AssetSelection.assets(*keys_of(series.name, options, names_of(series))),
        # A process for each op would cost more than most ops take, whatever project this is in.
        executor_def=dg.in_process_executor,
        description=f"Generate periods of {series.name}: {describe_series(series)}.",
        tags={"series_assets/series": series.name},
    )


def describe_series(series: Series) -> str:
    """Return how many periods of how many rows a series has, in words."""
    calendar = series.calendar
    new, existing = series.counts(1) if calendar.count > 1 else series.counts(0)
    return (
        f"{calendar.count} periods, one every {calendar.cadence} from {calendar.start}, of "
        f"{series.rows} rows each; after the first, {new} are about new entities and {existing} "
        "about known ones"
    )


def assets_of(
    series: Series, io_manager: dg.IOManager, tools: Tools
) -> Sequence[dg.AssetsDefinition]:
    """Return the partitioned assets of a series, see ``names_of``.

    The IO manager is bound to them, ``tools`` are handed to their ops: neither is a resource of
    the code location.
    """
    new_records, reference_table, dataset = keys_of(series.name, tools.options)
    state, truth = keys_of(series.name, tools.options, HISTORY)
    partitions = partitions_of(series)
    layout, in_words = tools.workspace.layout(series), describe_series(series)

    def asset(name: str, **inputs: dg.AssetKey) -> dg.AssetsDefinition:
        # Draws only need the table as it stood one period before. To depend on that one instead
        # would let a backfill of some periods reach the dataset of the one after them.
        earlier = {"previous"} & set(inputs)
        return dg.AssetsDefinition.from_graph(
            graph_of(series, tools, name, list(inputs)),
            keys_by_input_name=inputs,
            keys_by_output_name={"result": tools.options.key_of(series.name, name)},
            partitions_def=partitions,
            partition_mappings=dict.fromkeys(earlier, PREVIOUS),
            group_name=series.name,
            descriptions_by_output_name={"result": f"{_DESCRIPTIONS[name]}\n\n{in_words}."},
            tags_by_output_name={
                "result": {
                    "series_assets/series": series.name,
                    **{f"dagster/kind/{kind}": "" for kind in _kinds_of(name, layout)},
                }
            },
            metadata_by_output_name={"result": definition_metadata(series, name, layout)},
            code_versions_by_output_name={"result": code_version(series, name)},
            backfill_policy=dg.BackfillPolicy.single_run(),
        )

    assets = [
        asset("new_records"),
        asset("reference_table", new_records=new_records, previous=reference_table),
        asset("dataset", new_records=new_records, reference_table=reference_table),
    ]
    if series.truth:
        assets.append(asset("state", dataset=dataset, previous=state))
        assets.append(asset("truth", dataset=dataset, state=state))
    if series.user_input.manifest:
        # It names the manifest before. To depend on that one would cost each backfill another
        # run, for an order that the reference table, or the state, has brought about.
        inputs = {"dataset": dataset} | ({"truth": truth} if series.truth else {})
        assets.append(asset("manifest", **inputs))
    keys = {io_manager_key(series.name): io_manager, between_ops_key(series.name): dg.fs_io_manager}
    return dg.with_resources(tools.options.attach(assets), keys)


def _kinds_of(asset: str, layout: Layout) -> tuple[str, ...]:
    """Return what an asset shows as made with."""
    if asset in ("new_records", "dataset"):
        return "python", layout.format
    in_tables = asset in ("reference_table", "state")
    return ("python", "parquet") if in_tables and layout.keeps_parquet else _KINDS[asset]


def code_version(series: Series, asset: str) -> str:
    """Return a version that changes whenever an asset would be generated from other contents.

    The ``truth`` block changes no dataset, so it is no part of the fingerprint of the two files.
    """
    if asset in NAMES or series.truth is None:
        return series.fingerprint
    block: dict[str, Any] = dict(series.truth.identity)
    if asset == "truth":
        block |= {"cells": series.truth.settings.cells, "write": list(series.truth.settings.write)}
    text = json.dumps([series.fingerprint, block], ensure_ascii=False)
    return sha256(text.encode()).hexdigest()[:16]


def broken_assets(broken: BrokenSeries, options: AssetOptions) -> list[dg.AssetsDefinition]:
    """Return an asset that stands for a broken series and says what is wrong with it.

    Beside it are its usual assets, as external ones: where another asset takes one as an input,
    Dagster would otherwise refuse the definitions of the project.
    """
    text = escape_invisible(str(broken.error))
    failing = _failing_asset(broken.name, text)
    if not (broken.name.isascii() and broken.name.isidentifier()):
        return [failing]
    key = io_manager_key(broken.name)
    specs = [
        dg.AssetSpec(
            asset_key,
            group_name=_BROKEN_GROUP,
            description=f"Not available: see the asset `{broken.name}/broken`.",
        ).with_io_manager_key(key)
        for asset_key in keys_of(broken.name, options, (*NAMES, *HISTORY, *MANIFEST))
    ]
    external = dg.AssetsDefinition(specs=specs, resource_defs={key: _NothingToLoad(text)})
    return [failing, external]


class _NothingToLoad(dg.IOManager):
    """Refuses to load what a broken series would provide, with what is wrong."""

    def __init__(self, text: str) -> None:
        self._text = text

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        """Do nothing: the assets are external."""

    def load_input(self, context: dg.InputContext) -> Any:
        """Raise dagster.Failure."""
        raise dg.Failure(description=self._text, allow_retries=False)


def _failing_asset(series: str, text: str) -> dg.AssetsDefinition:
    name = re.sub(r"[^A-Za-z0-9_]", "_", series)
    if name != series:  # keep apart what now looks alike
        name += "_" + sha256(series.encode()).hexdigest()[:6]

    @dg.asset(
        key=dg.AssetKey([name, "broken"]),
        group_name=_BROKEN_GROUP,
        description=f"This series cannot be loaded:\n\n{escape_markdown(text)}",
        metadata={"faults": dg.MetadataValue.text(text)},
        op_tags={"series_assets/broken": "true"},
    )
    def broken_series() -> None:
        raise dg.Failure(description=text, allow_retries=False)

    return broken_series
