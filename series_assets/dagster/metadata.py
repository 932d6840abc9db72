"""What Dagster shows of an asset and of a partition: counts, seeds, files, first rows, the diff.

Names with a slash are Dagster's own, which its UI draws in a special way.
"""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from series_assets.core.plain_text import code_block, escape_invisible
from series_assets.core.plan.calendar import Period
from series_assets.core.plan.constraints import Violation
from series_assets.core.plan.series import Plan, Series
from series_assets.core.spec.specification import Specification
from series_assets.dagster.columns import column_schema, column_types, history_schema, roles_of
from series_assets.pipeline.facts import Facts, RecordSummary
from series_assets.reporting.plotting import data_uri
from series_assets.storage.layout import Layout
from series_assets.storage.remote import is_remote
from series_assets.storage.tables import reference_table
from series_assets.storage.yaml_writing import as_yaml

if TYPE_CHECKING:
    import pyarrow as pa

    from series_assets.pipeline.dataset import Dataset
    from series_assets.pipeline.new_records import NewRecords

Metadata = dict[str, Any]


def definition_metadata(series: Series, asset: str, layout: Layout) -> Metadata:
    """Return what an asset's definition shows before its first run.

    Where it is stored, its columns, and the files that describe the series.
    """
    folders = {
        "new_records": layout.new_records(1).parent,
        "dataset": layout.folder,
        "truth": layout.truth,
        "manifest": layout.folder,
    }
    in_parquet = layout.keeps_parquet
    if in_parquet:  # in SQLite they are in the database
        folders |= {"reference_table": layout.reference_folder, "state": layout.states_folder}
    path = folders.get(asset, layout.database)
    metadata: Metadata = {
        "path": dg.MetadataValue.path(str(path)),
        "dagster/uri": str(path) if is_remote(path) else path.absolute().as_uri(),
    }
    if asset in ("state", "truth"):
        metadata["dagster/column_schema"] = history_schema(series, asset)
    elif asset != "manifest":
        metadata["dagster/column_schema"] = column_schema(series)
    tables = {"reference_table": series.table, "state": series.states_table}
    if asset in tables and not in_parquet:
        metadata["dagster/table_name"] = tables[asset]
    if series.source_files:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", dg.BetaWarning)  # of code references
            metadata["dagster/code_references"] = dg.CodeReferencesMetadataValue(
                code_references=[
                    dg.LocalFileCodeReference(file_path=str(path), line_number=1, label=path.name)
                    for path in series.source_files
                ]
            )
    return metadata


# What is shown of a partition comes from its facts, which for a sharded series are those of all
# parts together, and from what was ``made``, which for a sharded series is no longer at hand.


def new_records_metadata(
    series: Series, plan: Plan, facts: Facts, layout: Layout, made: "NewRecords | None"
) -> Metadata:
    """Return what is shown of the new records of a period; ``layout`` says where they are."""
    number, records = plan.period.number, facts.records
    counts: Metadata = {
        **of_period(plan.period, series),
        "rows_requested": series.counts(plan.period.k)[0],
        "dagster/row_count": records.rows if records else 0,
    }
    if made and records is None:
        return counts
    metadata = {"path": dg.MetadataValue.path(str(layout.new_records(number))), **counts}
    files = [part.new_records(number) for part in layout.parts]
    if made is None or plan.new is None:
        metadata["entities"] = records.entities if records else 0
        return metadata | _contents_of(series, records) | {"files": table_of_files(files)}
    return {
        **metadata,
        "new_entities": records.entities if records else 0,
        "seeds": dg.MetadataValue.json(
            {
                "random_seed": plan.new.specification["metadata"]["random_seed"],
                **{ids.column: ids.seed for ids in plan.new.identifiers},
            }
        ),
        "files": table_of_files([*files, layout.new_specification(number)]),
        **_contents_of(series, records, made.texts),
        **_of_exhibit(
            series.specification, plan.new.specification, made.unmet, made.exhibit_messages
        ),
    }


def reference_table_metadata(
    series: Series,
    period: Period,
    facts: Facts,
    layout: Layout,
    counts: Mapping[int, int],
    texts: "pa.Table | None",
) -> Metadata:
    """Return what is shown of the reference table; ``counts`` are its entities by period.

    ``texts`` are those that are new, where they are at hand.
    """
    place, files = reference_table(series, layout).place, [layout.database]
    if layout.keeps_parquet:
        files = [part.entities(period.number) for part in layout.parts]
    return {
        "path": dg.MetadataValue.path(str(place)),
        **of_period(period, series),
        **({} if layout.keeps_parquet else {"dagster/table_name": series.table}),
        "new_entities": facts.new_entities,
        "total_entities": sum(count for k, count in counts.items() if k <= period.k),
        "files": table_of_files(files),
        **_contents_of(series, facts.records, texts),
    }


def dataset_metadata(
    series: Series,
    plan: Plan,
    facts: Facts,
    layout: Layout,
    counts: Mapping[int, int],
    made: "tuple[Dataset, bytes] | None",
) -> Metadata:
    """Return what is shown of a dataset; ``counts`` are the recorded entities by period.

    What was ``made`` is the dataset and its plot.
    """
    period, records = plan.period, facts.records
    new, existing = series.counts(period.k)
    files = [part.dataset(period.number) for part in layout.parts]
    metadata: Metadata = {
        "path": dg.MetadataValue.path(str(layout.dataset(period.number))),
        **of_period(period, series),
        "dagster/row_count": records.rows if records else 0,
        "new_rows": facts.new_rows,
        "existing_rows": facts.existing_rows,
        "new_rows_requested": new,
        "existing_rows_requested": existing,
        "entities": records.entities if records else 0,
        "earlier_entities": sum(count for k, count in counts.items() if k < period.k),
    }
    if made is None:
        return metadata | _contents_of(series, records) | {"files": table_of_files(files)}
    (dataset, plot), part = made, plan.existing
    seeds = {"shuffle": plan.shuffle_seed}
    files += [layout.new_specification(period.number)] if plan.new else []
    if part:
        seeds["random_seed"] = part.specification["metadata"]["random_seed"]
        files.append(layout.existing_specification(period.number))
    metadata |= {
        "plot": dg.MetadataValue.md(f"![rows, and each column against period 1]({data_uri(plot)})"),
        **_contents_of(series, records, dataset.texts),
        "seeds": dg.MetadataValue.json(seeds),
        "files": table_of_files(files),
    }
    if part and (own := dataset.existing):
        metadata |= _of_exhibit(
            series.specification, part.specification, own.unmet, own.exhibit_messages
        )
    return metadata


def of_period(period: Period, series: Series | None = None) -> Metadata:
    """Return the number of a period's dataset, its first and last day, and of how many parts."""
    days = {
        "dataset_number": period.number,
        "period_start": period.start.isoformat(),
        "period_end": period.last_day.isoformat(),
    }
    return {**days, "parts": series.shards} if series and series.is_sharded else days


def table_of_files(paths: Iterable[Path]) -> dg.TableMetadataValue:
    """Return those of the files that exist, with their sizes."""
    return table_of(
        {"file": "text", "bytes": "integer"},
        [(str(path), path.stat().st_size) for path in paths if path.exists()],
    )


def _contents_of(
    series: Series, summary: RecordSummary | None, texts: "pa.Table | None" = None
) -> Metadata:
    """Return first rows and columns of records, if there are any; ``texts`` tells their types."""
    if summary is None:
        return {}
    roles, types = roles_of(series), column_types(series, texts)
    names = dict.fromkeys(summary.missing, "text")
    return {
        "first_rows": table_of(
            names, [[row[name] or "" for name in names] for row in summary.first]
        ),
        "columns": table_of(
            {"column": "text", "type": "text", "role": "text", "missing": "integer"},
            [
                (name, types.get(name, "any"), roles.get(name, ""), missing)
                for name, missing in summary.missing.items()
            ],
        ),
        "dagster/column_schema": column_schema(series, summary.missing, types),
    }


def _of_exhibit(
    before: Specification,
    after: Specification,
    unmet: Sequence[Violation],
    messages: Sequence[str],
) -> Metadata:
    """Return the changes to the specification, unmet constraints and the output of Exhibit.

    Empty entries are left out.
    """
    lines = unified_diff(
        as_yaml(before).splitlines(),
        as_yaml(after).splitlines(),
        "specification",
        "period",
        n=1,
        lineterm="",
    )
    metadata: Metadata = {}
    if unmet:
        metadata["unmet_constraints"] = table_of(
            {"constraint": "text", "records": "integer", "of": "integer"},
            [(one.constraint, one.rows, one.of) for one in unmet],
        )
    if difference := "\n".join(lines):  # a diff, which the UI colours
        metadata["specification_diff"] = dg.MetadataValue.md(code_block(difference, "diff"))
    if messages:
        metadata["exhibit_output"] = dg.MetadataValue.text(escape_invisible("\n".join(messages)))
    return metadata


def table_of(
    columns: Mapping[str, str], rows: Iterable[Sequence[str | int]]
) -> dg.TableMetadataValue:
    """Return a table of these columns, given with their types."""
    return dg.MetadataValue.table(
        [
            dg.TableRecord(
                {
                    name: escape_invisible(value) if isinstance(value, str) else value
                    for name, value in zip(columns, row, strict=True)
                }
            )
            for row in rows
        ],
        dg.TableSchema([dg.TableColumn(name, type_) for name, type_ in columns.items()]),
    )
