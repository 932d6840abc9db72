"""The rule ``truth``: the delivered history of a period agrees with its dataset.

Nothing is folded here: last rows are looked for in the dataset itself, and compared with what is
recorded and what the change log says.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from series_assets.checks.rules import EXAMPLES, Example, Finding
from series_assets.core.errors import GenerationError, RequestError
from series_assets.core.plan.calendar import Period
from series_assets.core.plan.series import Series
from series_assets.core.truth.columns import combined, moments
from series_assets.storage import files
from series_assets.storage.layout import Layout
from series_assets.storage.tables import state_table

_NO_ROW = ("delete",)
"""Operations of lines that stand for no row."""
_WITHOUT_ENTITY = ("superseded", "unkeyed")
"""Operations counted apart from the others in a manifest."""
_ROWS = " rows"
"""What follows the name of an operation in a fact."""


def check_truth(series: Series, layout: Layout, period: Period) -> Finding:
    """Return what is wrong with the history of a period whose dataset is there.

    - The change log has a line for each row, with its identifier, and for each delete.
    - The recorded state of each entity is its last row, and its version that of the change log.
    - Each entity has one open version in a delivered ``scd2`` file, or none if deleted.
    - The manifest, if the series has one, has the bytes of the dataset and these operations.

    Of a shard they are those of its part, but the operations: ``check_operations`` looks at these
    once all parts are known.
    """
    try:
        content = layout.dataset(period.number).read_bytes()
        _require_current(series, layout, period, content)
        log = _read(layout.changes(period.number), f"regenerate truth of {period.key}")
        examples = list(_violations(series, layout, period, content, log))
        counts = Counter(log["op"].to_pylist())
        if series.user_input.manifest and series.shard is None:
            examples += _operations(layout, period, counts)
    except (RequestError, GenerationError) as error:
        return Finding("truth", problem=str(error))
    facts = {f"{name}{_ROWS}": count for name, count in counts.items()}
    wrong = len(examples)
    return Finding("truth", "rows", log.num_rows, wrong, tuple(examples[:EXAMPLES]), facts=facts)


def check_operations(layout: Layout, period: Period, finding: Finding) -> Finding:
    """Return a finding on all parts of a period with what its manifest has otherwise in total."""
    if finding.problem:
        return finding
    counts = {
        name.removesuffix(_ROWS): count
        for name, count in finding.facts.items()
        if isinstance(count, int)
    }
    try:
        found = list(_operations(layout, period, counts))
    except RequestError as error:
        return replace(finding, problem=str(error))
    examples = (*finding.examples, *found)[:EXAMPLES]
    return replace(finding, wrong=finding.wrong + len(found), examples=examples)


def _require_current(series: Series, layout: Layout, period: Period, content: bytes) -> None:
    """Refuse states that are missing, or come from another file than the one that is there."""
    if state_table(series, layout).content(period.k) != sha256(content).hexdigest():
        raise RequestError(
            "its states were computed from a dataset other than the one that is there now",
            f"generate {period.key} again, with series-assets generate {series.name} --periods "
            f"{period.key}",
            series=series.name,
            period=period.key,
        )


def _violations(
    series: Series, layout: Layout, period: Period, content: bytes, log: pa.Table
) -> Iterator[Example]:
    rows = files.parse_table(content)
    of_rows = log.filter(pc.invert(pc.is_in(log["op"], pa.array(_NO_ROW))))
    numbers = [str(number) for number in range(1, rows.num_rows + 1)]
    if of_rows["row"].to_pylist() != numbers:
        found, expected = str(of_rows.num_rows), f"{len(numbers)}, one for each row in its order"
        yield Example(None, "the number of lines for rows", found, expected)
    else:
        yield from _identifiers(series, rows, of_rows)
        yield from _states(series, layout, period, rows, of_rows)
    yield from _open_versions(series, layout, period)
    if series.user_input.manifest:
        yield from _resource(series, layout, period, content)


def _identifiers(series: Series, rows: pa.Table, log: pa.Table) -> Iterator[Example]:
    """Yield the lines that have another identifier than their row."""
    found, expected = (table[series.first_identifier].to_pylist() for table in (log, rows))
    for place, (one, other) in enumerate(zip(found, expected, strict=True), start=1):
        if one != other:
            yield Example(other, f"the identifier in line {place}", one, repr(other))


def _states(
    series: Series, layout: Layout, period: Period, rows: pa.Table, log: pa.Table
) -> Iterator[Example]:
    """Yield where the recorded state of an entity is not its last row in the dataset.

    ``log`` has a line for each of the rows.
    """
    truth = series.history
    places = pa.array(_last_rows(rows[truth.key], moments(rows, truth)[0]))
    last = rows.take(places)
    keys = combined(last[truth.key], pa.chunked_array([], pa.string()))
    recorded = state_table(series, layout).latest(keys, period.k + 1)
    states = recorded.take(pc.index_in(keys, recorded[truth.key].combine_chunks()))
    for name in truth.track:
        found, expected = states[name].to_pylist(), last[name].to_pylist()
        for key, one, other in zip(keys.to_pylist(), found, expected, strict=True):
            if one != other:
                yield Example(key, name, one, "nothing" if other is None else repr(other))
    versions = log["version"].take(places).to_pylist(), states["state_version"].to_pylist()
    for key, one, other in zip(keys.to_pylist(), *versions, strict=True):
        if one != str(other):
            yield Example(key, "the version in the change log", one, str(other))


def _last_rows(keys: pa.ChunkedArray, ranks: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the place of each entity's last row: by ``order_by``, then by place in the file."""
    codes = combined(keys, pa.chunked_array([], pa.string())).dictionary_encode().indices
    numbers = pc.fill_null(codes, -1).to_numpy().astype(np.int64)
    order = np.lexsort((np.arange(len(numbers)), ranks, numbers))
    grouped = numbers[order]
    is_last = np.r_[grouped[1:] != grouped[:-1], True] if len(grouped) else grouped.astype(bool)
    return order[is_last & (grouped >= 0)]


def _open_versions(series: Series, layout: Layout, period: Period) -> Iterator[Example]:
    """Yield the entities that have several open versions in a delivered dimension."""
    truth = series.history
    if "scd2" not in truth.settings.write:
        return
    path = layout.dimension("scd2", period.number)
    table = _read(path, f"regenerate truth of {period.key}")
    current = table.filter(pc.equal(table["is_current"], "true"))
    for key, count in Counter(current[truth.key].to_pylist()).items():
        if count > 1:
            yield Example(key, "the number of open versions", str(count), "1")


def _resource(series: Series, layout: Layout, period: Period, content: bytes) -> Iterator[Example]:
    """Yield where the manifest describes another file than that of the dataset, or of a part."""
    path = layout.manifest(period.number)
    try:
        resource = _manifest(path, period)["resources"][series.shard or 0]
        found = (resource["bytes"], resource["hash"])
    except (LookupError, TypeError):
        raise _unreadable(path, period) from None
    expected = (len(content), f"sha256:{sha256(content).hexdigest()}")
    for name, one, other in zip(("bytes", "hash"), found, expected, strict=True):
        if one != other:
            yield Example(None, f"{name} in {path.name}", str(one), repr(other))


def _operations(layout: Layout, period: Period, counts: Mapping[str, int]) -> Iterator[Example]:
    """Yield where the manifest has other numbers of rows and operations than change logs."""
    path = layout.manifest(period.number)
    try:
        part = _manifest(path, period)["series"]
        found = part["rows"]
        operations = part["operations"] | {name: part[name] for name in _WITHOUT_ENTITY}
    except (LookupError, TypeError):
        raise _unreadable(path, period) from None
    rows = sum(counts.values()) - sum(counts.get(name, 0) for name in _NO_ROW)
    if found != rows:
        yield Example(None, f"rows in {path.name}", str(found), repr(rows))
    for name in sorted({*operations, *counts}):
        if operations.get(name, 0) != counts.get(name, 0):
            what = f"the number of {name} in {path.name}"
            yield Example(None, what, str(operations.get(name, 0)), str(counts.get(name, 0)))


def _manifest(path: Path, period: Period) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads(path.read_bytes())
    except (OSError, ValueError):
        raise _unreadable(path, period) from None
    return manifest


def _unreadable(path: Path, period: Period) -> RequestError:
    remedy = f"generate manifest of {period.key}"
    return RequestError("is missing or cannot be read", remedy, file=path, colon=False)


def _read(path: Path, remedy: str) -> pa.Table:
    with files.explain_read_errors(path, remedy):
        return files.read_table(path)
