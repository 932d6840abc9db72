"""The manifest of a dataset: a Frictionless Data Package with the series' own part.

https://specs.frictionlessdata.io/tabular-data-package/. It depends on the delivered file and the
series alone: no clock, host or random number is in it.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from decimal import Context, Decimal
from functools import reduce
from hashlib import sha256
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from series_assets.core.plan.calendar import Period
from series_assets.core.plan.series import Series
from series_assets.core.records import column_from_text
from series_assets.core.spec.column_types import NUMBERS
from series_assets.core.truth.fold import OPERATIONS
from series_assets.core.typed_records import types_of

SCHEMA_VERSION = 1
"""Counts the changes of a series' columns; there are none so far."""
_TYPES = {"text": "string", "integer": "number", "real": "number", "date": "date", "any": "any"}
"""Frictionless' type for each kind. A column of whole numbers may be written with a point where
one is missing, and only ``number`` takes both."""
_ARROW_TYPES = {
    pa.string(): "string",
    pa.int64(): "integer",
    pa.float64(): "number",
    pa.date32(): "date",
}
_MEDIA = {
    "csv": {"mediatype": "text/csv", "encoding": "utf-8"},
    "parquet": {"mediatype": "application/vnd.apache.parquet"},
}
_NO_STATE = ("superseded", "unkeyed")
"""Operations that lead to no state, which are counted apart from the others."""
_EXACT = Context(prec=500)
_TEXTS = "texts"
"""Only in the manifest of a part: its columns that hold other values than numbers."""
_DECIMAL = pa.decimal256(76, 18)
_SHORT = r"^-?[0-9]{1,15}(\.[0-9]{1,18})?$"
"""Numbers that are exact as one of Arrow's decimals, which have room for the sum of any number."""


def manifest_of(
    series: Series,
    period: Period,
    content: bytes,
    rows: pa.Table,
    operations: Mapping[str, int] | None,
    parent: str | None,
) -> dict[str, Any]:
    """Return the manifest of a period as plain data.

    Of a shard it is that of its part, for ``combined_manifest``. ``content`` is the delivered file,
    ``rows`` the table in it as text, ``operations`` how many rows did what (None for a series
    without a ``truth`` block), ``parent`` the SHA-256 of the manifest before (None for the first).
    """
    format_ = series.user_input.format
    tabular = "tabular-data" if format_ == "csv" else "data"  # a tabular resource is text
    name = dataset = f"dataset_{period.number}"
    path = f"{dataset}.{format_}"
    if series.shard is not None:
        part = f"part-{series.shard + 1:04}"
        name, path = f"{dataset}.{part}", f"{dataset}/{part}.{format_}"
    return {
        "name": f"{series.name}-{period.number}",
        "profile": f"{tabular}-package",
        "resources": [
            {
                "name": name,
                "path": path,
                "profile": f"{tabular}-resource",
                "format": format_,
                **_MEDIA[format_],
                "bytes": len(content),
                "hash": f"sha256:{sha256(content).hexdigest()}",
                "schema": _schema(series, rows),
            }
        ],
        "series": _own_part(series, period, rows, operations) | {"parent": parent},
    }


def _schema(series: Series, rows: pa.Table) -> dict[str, Any]:
    """Return the Table Schema of the delivered file."""
    if series.user_input.format == "csv":
        types = {name: _TYPES[series.kinds.get(name, "any")] for name in rows.column_names}
        missing = {"missingValues": [""]}
    else:
        arrow = types_of(series)
        types = {name: _ARROW_TYPES[arrow.get(name, pa.string())] for name in rows.column_names}
        missing = {}
    return {
        "fields": [{"name": name, "type": types[name]} for name in rows.column_names],
        **missing,
    }


def combine_manifests(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Return the manifest of the parts that two manifests of one period are about.

    A column has a total if no part holds other values than numbers in it.
    """
    left, right = one["series"], other["series"]
    texts = sorted({*left[_TEXTS], *right[_TEXTS]})
    totals = {
        name: _sum_of(left["totals"].get(name), right["totals"].get(name))
        for name in dict.fromkeys((*left["totals"], *right["totals"]))
        if name not in texts
    }
    dates = {
        name: [min(ends[0] for ends in found), max(ends[1] for ends in found)]
        for name in dict.fromkeys((*left["dates"], *right["dates"]))
        if (found := [side["dates"][name] for side in (left, right) if name in side["dates"]])
    }
    return {
        **one,
        "resources": [*one["resources"], *other["resources"]],
        "series": {
            **left,
            "rows": left["rows"] + right["rows"],
            "entities": left["entities"] + right["entities"],
            **_operations_of_both(left, right),
            "totals": totals,
            "dates": dates,
            _TEXTS: texts,
        },
    }


def _operations_of_both(left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
    """Return how many rows of two parts did what; nothing for a series without a history."""
    if "operations" not in left:
        return {}
    one, other = left["operations"], right["operations"]
    return {
        "operations": {
            op: one.get(op, 0) + other.get(op, 0) for op in OPERATIONS if op in one or op in other
        },
        **{name: left[name] + right[name] for name in _NO_STATE},
    }


def combined_manifest(parts: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return the manifest of a period from those of all of its parts."""
    found = reduce(combine_manifests, parts)
    return {**found, "series": {k: v for k, v in found["series"].items() if k != _TEXTS}}


def _sum_of(one: dict[str, Any] | None, other: dict[str, Any] | None) -> dict[str, Any]:
    given = [total for total in (one, other) if total]
    exact = Decimal(0)
    for total in given:
        exact = _EXACT.add(exact, Decimal(total["sum"]))
    return {
        "count": sum(total["count"] for total in given),
        "sum": format(exact.normalize(_EXACT), "f"),
    }


def _own_part(
    series: Series, period: Period, rows: pa.Table, operations: Mapping[str, int] | None
) -> dict[str, Any]:
    keys = pc.drop_null(rows[series.first_identifier])
    part: dict[str, Any] = {
        "series": series.name,
        "period": period.number,
        "from": period.key,
        "to": (period.last_day + timedelta(days=1)).isoformat(),
        "fingerprint": series.fingerprint,
        "schema_version": SCHEMA_VERSION,
        "rows": rows.num_rows,
        "entities": pc.count_distinct(keys).as_py(),
    }
    if operations is not None:
        part["operations"] = {op: n for op, n in operations.items() if op not in _NO_STATE}
        part |= {name: operations.get(name, 0) for name in _NO_STATE}
    part["totals"] = {
        name: _total(rows[name]) for name in rows.column_names if _is_number(series, name, rows)
    }
    if series.shard is not None:
        part[_TEXTS] = [
            name
            for name in rows.column_names
            if name not in part["totals"] and rows[name].null_count < rows.num_rows
        ]
    part["dates"] = {
        name: _ends(rows[name])
        for name in rows.column_names
        if series.kinds.get(name) == "date" and rows[name].null_count < rows.num_rows
    }
    return part


def _is_number(series: Series, name: str, rows: pa.Table) -> bool:
    """Tell whether a column is one of numbers; of a derived one only its values can tell."""
    kind = series.kinds.get(name, "any")
    if kind != "any":
        return kind in NUMBERS and name not in series.roles.identifiers
    if rows[name].null_count == rows.num_rows:
        return False
    return column_from_text(rows[name], kind).dtype.kind in "if"


def _total(column: pa.ChunkedArray) -> dict[str, Any]:
    """Return how many numbers a column has, and their exact sum as text."""
    given = pc.drop_null(column)
    return {"count": len(given), "sum": _exact_sum(given)}


def _exact_sum(texts: pa.ChunkedArray) -> str:
    is_short = pc.match_substring_regex(texts, _SHORT)
    short = texts.filter(is_short).cast(_DECIMAL)
    total = pc.sum(short).as_py() or Decimal(0)
    for text in texts.filter(pc.invert(is_short)).to_pylist():
        total = _EXACT.add(total, Decimal(text))
    return format(total.normalize(_EXACT), "f")


def _ends(column: pa.ChunkedArray) -> list[str]:
    """Return the first and the last day of a column."""
    found = pc.min_max(column).as_py()
    return [found["min"], found["max"]]
