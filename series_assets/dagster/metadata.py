"""What Dagster shows of an asset and of a partition: counts, seeds, files, first rows, the diff.

Names with a slash are Dagster's own, which its UI draws in a special way.
"""

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
from series_assets.pipeline.record_summary import RecordSummary, summarize_records
from series_assets.reporting.plotting import data_uri
from series_assets.storage.layout import Layout
from series_assets.storage.remote import is_remote
from series_assets.storage.tables import reference_table
from series_assets.storage.yaml_writing import as_yaml

if TYPE_CHECKING:
    from series_assets.pipeline.dataset import Dataset
    from series_assets.pipeline.new_records import NewRecords
    from series_assets.pipeline.reference import NewEntities

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
    path = folders.get(asset, layout.database)
    in_parquet = layout.keeps_parquet
    if asset == "reference_table":
        path = reference_table(series, layout).place
    elif asset == "state" and in_parquet:  # in SQLite they are in the database
        path = layout.states_folder
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
        metadata["dagster/code_references"] = dg.CodeReferencesMetadataValue(
            code_references=[
                dg.LocalFileCodeReference(file_path=str(path), line_number=1, label=path.name)
                for path in series.source_files
            ]
        )
    return metadata


def new_records_metadata(
    series: Series, plan: Plan, records: "NewRecords", layout: Layout
) -> Metadata:
    """Return what is shown of the new records of a period; ``layout`` says where they are."""
    if plan.new is None or records.texts is None:
        return {**of_period(plan.period), "rows_requested": 0, "dagster/row_count": 0}
    number, summary = plan.period.number, summarize_records(records.texts, series.first_identifier)
    return {
        "path": dg.MetadataValue.path(str(layout.new_records(number))),
        **of_period(plan.period),
        "rows_requested": plan.new.rows,
        "dagster/row_count": summary.rows,
        "new_entities": summary.entities,
        "seeds": dg.MetadataValue.json(
            {
                "random_seed": plan.new.specification["metadata"]["random_seed"],
                **{ids.column: ids.seed for ids in plan.new.identifiers},
            }
        ),
        "files": table_of_files([layout.new_records(number), layout.new_specification(number)]),
        **contents_of(series, summary, column_types(series, records.texts)),
        **_of_exhibit(
            series.specification,
            plan.new.specification,
            records.unmet,
            records.exhibit_messages,
        ),
    }


def reference_table_metadata(
    series: Series, plan: Plan, entities: "NewEntities", layout: Layout, counts: Mapping[int, int]
) -> Metadata:
    """Return what is shown of the reference table; ``counts`` are its entities by period."""
    place, in_parquet = reference_table(series, layout).place, is_remote(layout.folder)
    metadata = {
        "path": dg.MetadataValue.path(str(place)),
        **of_period(plan.period),
        **({} if in_parquet else {"dagster/table_name": series.table}),
        "new_entities": entities.count,
        "total_entities": sum(count for k, count in counts.items() if k <= plan.period.k),
        "files": table_of_files([layout.entities(plan.period.number) if in_parquet else place]),
    }
    if entities.texts is None:
        return metadata
    summary = summarize_records(entities.texts, series.first_identifier)
    return metadata | contents_of(series, summary, column_types(series, entities.texts))


def dataset_metadata(
    series: Series,
    plan: Plan,
    dataset: "Dataset",
    plot: bytes,
    layout: Layout,
    counts: Mapping[int, int],
) -> Metadata:
    """Return what is shown of a dataset; ``counts`` are the recorded entities by period."""
    number, part, existing = plan.period.number, plan.existing, dataset.existing
    summary = summarize_records(dataset.texts, series.first_identifier)
    paths = [layout.dataset(number)]
    paths += [layout.new_specification(number)] if plan.new else []
    paths += [layout.existing_specification(number)] if part else []
    seeds = {"shuffle": plan.shuffle_seed}
    if part:
        seeds["random_seed"] = part.specification["metadata"]["random_seed"]
    metadata = {
        "path": dg.MetadataValue.path(str(layout.dataset(number))),
        **of_period(plan.period),
        "dagster/row_count": summary.rows,
        "new_rows": 0 if dataset.new is None else len(dataset.new),
        "existing_rows": len(existing.texts) if existing else 0,
        "new_rows_requested": plan.new.rows if plan.new else 0,
        "existing_rows_requested": part.rows if part else 0,
        "entities": summary.entities,
        "earlier_entities": sum(count for k, count in counts.items() if k < plan.period.k),
        "plot": dg.MetadataValue.md(f"![rows, and each column against period 1]({data_uri(plot)})"),
        **contents_of(series, summary, column_types(series, dataset.texts)),
        "seeds": dg.MetadataValue.json(seeds),
        "files": table_of_files(paths),
    }
    if part and existing:
        metadata |= _of_exhibit(
            series.specification, part.specification, existing.unmet, existing.exhibit_messages
        )
    return metadata


def of_period(period: Period) -> Metadata:
    """Return the number of a period's dataset, and its first and last day."""
    return {
        "dataset_number": period.number,
        "period_start": period.start.isoformat(),
        "period_end": period.last_day.isoformat(),
    }


def table_of_files(paths: Iterable[Path]) -> dg.TableMetadataValue:
    """Return those of the files that exist, with their sizes."""
    return table_of(
        {"file": "text", "bytes": "integer"},
        [(str(path), path.stat().st_size) for path in paths if path.exists()],
    )


def contents_of(series: Series, summary: RecordSummary, types: Mapping[str, str]) -> Metadata:
    """Return first rows and columns of records; ``types`` has the type of each column."""
    roles = roles_of(series)
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
