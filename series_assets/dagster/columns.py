"""What Dagster shows of the columns of a series: types, roles, descriptions, lineage."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import dagster as dg

from series_assets.core.plan.derived_columns import calculated_kinds
from series_assets.core.plan.series import Series
from series_assets.core.plan.truth import PART
from series_assets.core.spec.column_types import DERIVED_KIND, KINDS
from series_assets.core.spec.expressions import values
from series_assets.core.spec.expressions.table import TRUTH
from series_assets.core.spec.specification import calculations_of, output_columns

if TYPE_CHECKING:
    import pyarrow as pa

_ROLES = {
    "identifier": "identifies the entity; issued once, kept for life",
    "static": "belongs to the entity, which keeps its value",
    "moved": "its dates move with the period",
    "derived": "computed from other columns",
    "generated": "generated afresh in each period",
}
"""The roles of a column, with what they mean."""
_TYPES_BY_DTYPE = {"i": "integer", "f": "number", "M": "date", "b": "boolean"}
_TYPES_OF_VALUES = {values.NUMBER: "number", values.TEXT: "text", TRUTH: "true or false"}


def roles_of(series: Series) -> dict[str, str]:
    """Return the role of each column of the data, in the order of the specification.

    A column may have two, such as ``static, derived``.
    """
    specification, roles = series.specification, series.roles
    calculations = calculations_of(specification)
    found: dict[str, str] = {}
    for name in (*specification["columns"], *calculations):
        own = [
            role
            for role, names in (
                ("identifier", roles.identifiers),
                ("static", roles.static),
                ("moved", roles.moved),
                ("derived", calculations),
            )
            if name in names
        ]
        for output in output_columns(specification, name):
            found[output] = ", ".join(own or ["generated"])
    return found


def column_types(series: Series, texts: "pa.Table | None" = None) -> dict[str, str]:
    """Return the type of each column of the data, as people read it.

    That of a derived column shows in the data (text); without them it is what the calculation
    gives, or ``any`` where that does not tell.
    """
    types = {name: KINDS[kind].shown_as for name, kind in series.kinds.items()}
    derived = [name for name, kind in series.kinds.items() if kind == DERIVED_KIND]
    if texts is None:
        return types | {name: _calculated_types(series).get(name, "any") for name in derived}
    from series_assets.core.records import column_from_text

    for name in derived:
        if name in texts.column_names and texts[name].null_count < len(texts):
            dtype = column_from_text(texts[name], DERIVED_KIND).dtype
            types[name] = _TYPES_BY_DTYPE.get(dtype.kind, "text")
    return types


def column_schema(
    series: Series, missing: Mapping[str, int] | None = None, types: Mapping[str, str] | None = None
) -> dg.TableSchema:
    """Return the columns of the data with types, roles and, of delivered ones, missing values."""
    roles = roles_of(series)
    types = types or column_types(series)
    calculations = calculations_of(series.specification)
    columns = []
    for name in roles if missing is None else missing:
        role = roles.get(name, "generated")
        parts = [_ROLES[one] for one in role.split(", ")]
        if name in calculations:
            parts.append(calculations[name])
        if missing is not None:
            parts.append(f"{missing[name]} missing")
        columns.append(
            dg.TableColumn(
                name, types.get(name, "any"), description="; ".join(parts), tags={"role": role}
            )
        )
    return dg.TableSchema(columns)


def column_lineage(series: Series, asset: dg.AssetKey) -> dg.TableColumnLineage:
    """Return which columns of ``new_records`` and ``reference_table`` an asset's columns come from.

    Identifiers and static columns of a dataset come from both, since existing records take them
    from the table; other columns of existing records come from no asset.
    """
    *prefix, name = asset.path
    new_records, table = (dg.AssetKey([*prefix, one]) for one in ("new_records", "reference_table"))
    recorded = set(series.reference_columns) if name == "dataset" else set()
    return dg.TableColumnLineage(
        {
            column: [
                dg.TableColumnDep(new_records, column),
                *([dg.TableColumnDep(table, column)] if column in recorded else []),
            ]
            for column in roles_of(series)
        }
    )


_CHANGE_LOG = {
    "row": ("integer", "row of the dataset, from 1; empty for a delete"),
    "op": ("text", "what the row did to the history of its entity"),
    "version": ("integer", "version that is current after it"),
    "changed": ("integer", "tracked columns that differ from the state before"),
    "previous_dataset": ("integer", "dataset that opened the state before"),
    "previous_row": ("integer", "row that opened the state before"),
    "tied": ("boolean", "whether only the order in the file decided that this row is the last"),
}
"""The columns of a change log beside the identifier, which is the second."""


def history_schema(series: Series, asset: str) -> dg.TableSchema:
    """Return the columns of ``state`` (those of the data) or of ``truth`` (the change log)."""
    truth = series.history
    columns = column_schema(series).columns
    if asset == "state":
        return dg.TableSchema([one for one in columns if one.name in (truth.key, *truth.track)])
    own = [
        dg.TableColumn(name, type_, description=description)
        for name, (type_, description) in _CHANGE_LOG.items()
    ]
    part = [dg.TableColumn(PART, "integer", description="part of the dataset that the row is in")]
    first = [*(part if series.is_sharded else []), own[0]]
    return dg.TableSchema([*first, *(one for one in columns if one.name == truth.key), *own[1:]])


def history_lineage(series: Series, asset: dg.AssetKey) -> dg.TableColumnLineage:
    """Return from which columns of the dataset those of ``state`` and ``truth`` come."""
    truth, dataset = series.truth, dg.AssetKey([*asset.path[:-1], "dataset"])
    assert truth is not None
    sources = [truth.key, *truth.track, *((truth.order_by,) if truth.order_by else ())]
    deps = {name: dg.TableColumnDep(dataset, name) for name in sources}
    if asset.path[-1] == "state":
        return dg.TableColumnLineage({name: [deps[name]] for name in (truth.key, *truth.track)})
    derived = [name for name in _CHANGE_LOG if name != "row"]
    return dg.TableColumnLineage(
        {truth.key: [deps[truth.key]]} | {name: list(deps.values()) for name in derived}
    )


def _calculated_types(series: Series) -> dict[str, str]:
    """Return the types of those derived columns whose calculation tells it."""
    kinds = calculated_kinds(series.specification)
    return {
        name: _TYPES_OF_VALUES[kind] for name, kind in kinds.items() if kind in _TYPES_OF_VALUES
    }
