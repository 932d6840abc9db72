"""What Dagster shows of a partition: counts, seeds, files, first rows, what was changed.

Names with a slash are Dagster's own, which its UI draws in a special way.
"""

from collections.abc import Iterable, Mapping
from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from series_assets.core.plain_text import code_block, escape_invisible
from series_assets.core.plan.constraints import Violation
from series_assets.core.plan.series import Plan, Series
from series_assets.core.spec.column_types import KINDS
from series_assets.core.spec.specification import Specification
from series_assets.reporting.plotting import data_uri
from series_assets.reporting.record_summary import RecordSummary, summarize_records
from series_assets.storage.files import Layout
from series_assets.storage.yaml_writing import as_yaml

if TYPE_CHECKING:
    from series_assets.pipeline.dataset import Dataset
    from series_assets.pipeline.new_records import NewRecords
    from series_assets.pipeline.reference import NewEntities

Metadata = dict[str, Any]

_COLUMNS = dg.TableSchema(
    [
        dg.TableColumn("column", "text"),
        dg.TableColumn("type", "text"),
        dg.TableColumn("missing", "integer"),
    ]
)


def constraints_on_new_records(
    series: Series, plan: Plan, made: "NewRecords", layout: Layout
) -> Metadata:
    """Return what is told of the new records of a period; they lie where ``layout`` says."""
    if plan.new is None or made.texts is None:
        return {**_of_period(plan), "rows_asked": 0, "dagster/row_count": 0}
    number, summary = plan.period.number, summarize_records(made.texts, series.first_identifier)
    return {
        "path": dg.MetadataValue.path(layout.new_records(number)),
        **_of_period(plan),
        "rows_asked": plan.new.rows,
        "dagster/row_count": summary.rows,
        "new_entities": summary.entities,
        "seeds": dg.MetadataValue.json(
            {
                "random_seed": plan.new.specification["metadata"]["random_seed"],
                **{ids.column: ids.seed for ids in plan.new.identifiers},
            }
        ),
        "files": _files([layout.new_records(number), layout.new_specification(number)]),
        **_of_contents(series, summary),
        "constraints_not_met": _not_met(made.unmet),
        "changed_in_the_specification": _difference(series.specification, plan.new.specification),
        "exhibit_said": _said(made.exhibit_messages),
    }


def of_reference_table(
    series: Series, plan: Plan, picked: "NewEntities", layout: Layout, counts: Mapping[int, int]
) -> Metadata:
    """Return what is told of the reference table; ``counts`` are its entities by period."""
    told = {
        "path": dg.MetadataValue.path(layout.database),
        **_of_period(plan),
        "dagster/table_name": series.table,
        "new_entities": picked.count,
        "entities_so_far": sum(count for k, count in counts.items() if k <= plan.period.k),
        "files": _files([layout.database]),
    }
    if picked.texts is None:
        return told
    return told | _of_contents(series, summarize_records(picked.texts, series.first_identifier))


def of_dataset(
    series: Series,
    plan: Plan,
    made: "Dataset",
    picture: bytes,
    layout: Layout,
    counts: Mapping[int, int],
) -> Metadata:
    """Return what is told of a dataset; ``counts`` are the entities known by period."""
    number, part = plan.period.number, plan.existing
    summary = summarize_records(made.texts, series.first_identifier)
    asked = (plan.new.rows if plan.new else 0, part.rows if part else 0)
    paths = [layout.dataset(number)]
    paths += [layout.new_specification(number)] if plan.new else []
    paths += [layout.existing_specification(number)] if part else []
    told = {
        "path": dg.MetadataValue.path(layout.dataset(number)),
        **_of_period(plan),
        "dagster/row_count": summary.rows,
        "new_rows": 0 if made.new is None else len(made.new),
        "existing_rows": len(made.existing.texts) if made.existing else 0,
        "new_rows_asked": asked[0],
        "existing_rows_asked": asked[1],
        "entities": summary.entities,
        "entities_known_before": sum(count for k, count in counts.items() if k < plan.period.k),
    }
    told["picture"] = dg.MetadataValue.md(
        f"![rows, and each column against period 1]({data_uri(picture)})"
    )
    seeds = {"shuffle": plan.shuffle_seed}
    if part:
        seeds["random_seed"] = part.specification["metadata"]["random_seed"]
    told |= _of_contents(series, summary)
    told |= {"seeds": dg.MetadataValue.json(seeds), "files": _files(paths)}
    if part:
        told["changed_in_the_specification"] = _difference(series.specification, part.specification)
    told["constraints_not_met"] = _not_met(made.existing.unmet if made.existing else ())
    messages = made.existing.exhibit_messages if made.existing else ()
    return told | {"exhibit_said": _said(messages)}


def _of_period(plan: Plan) -> Metadata:
    return {
        "dataset": plan.period.number,
        "period_start": plan.period.start.isoformat(),
        "period_end": plan.period.last_day.isoformat(),
    }


def _files(paths: Iterable[Path]) -> dg.TableMetadataValue:
    return dg.MetadataValue.table(
        [
            dg.TableRecord({"file": escape_invisible(str(path)), "bytes": path.stat().st_size})
            for path in paths
            if path.exists()
        ],
        dg.TableSchema([dg.TableColumn("file", "text"), dg.TableColumn("bytes", "integer")]),
    )


def _of_contents(series: Series, contents: RecordSummary) -> Metadata:
    types = {name: KINDS[series.kinds.get(name, "any")].shown_as for name in contents.missing}
    schema = dg.TableSchema(
        [
            dg.TableColumn(name, types[name], description=f"{missing} of {contents.rows} missing")
            for name, missing in contents.missing.items()
        ]
    )
    columns = [
        dg.TableRecord({"column": escape_invisible(name), "type": types[name], "missing": missing})
        for name, missing in contents.missing.items()
    ]
    text = dg.TableSchema([dg.TableColumn(name, "text") for name in contents.missing])
    rows = [
        dg.TableRecord({name: escape_invisible(value or "") for name, value in row.items()})
        for row in contents.first
    ]
    return {
        "first_rows": dg.MetadataValue.table(rows, text),
        "columns": dg.MetadataValue.table(columns, _COLUMNS),
        "dagster/column_schema": schema,
    }


def _difference(before: Specification, after: Specification) -> dg.MarkdownMetadataValue:
    """Return the lines that differ, with those around them, as a diff that the UI colours."""
    lines = unified_diff(
        as_yaml(before).splitlines(),
        as_yaml(after).splitlines(),
        "specification",
        "period",
        n=1,
        lineterm="",
    )
    text = "\n".join(line for line in lines) or "nothing"
    return dg.MetadataValue.md(code_block(text, "diff"))


def _not_met(broken: Iterable[Violation]) -> dg.TableMetadataValue:
    """Return the constraints that some records do not meet, and how many; no rows where all do."""
    return dg.MetadataValue.table(
        [
            dg.TableRecord(
                {"constraint": escape_invisible(one.constraint), "records": one.rows, "of": one.of}
            )
            for one in broken
        ],
        dg.TableSchema(
            [
                dg.TableColumn("constraint", "text"),
                dg.TableColumn("records", "integer"),
                dg.TableColumn("of", "integer"),
            ]
        ),
    )


def _said(lines: Iterable[str]) -> dg.TextMetadataValue:
    return dg.MetadataValue.text(escape_invisible("\n".join(lines)))
