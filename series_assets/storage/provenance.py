"""Which version of a series' two files a dataset was generated from (contract, section 6).

Each specification beside a dataset begins with a comment with the fingerprint of the two files.
Records of different fingerprints are never combined.
"""

from pathlib import Path

from series_assets.core.errors import RequestError
from series_assets.core.plan.calendar import Period
from series_assets.core.plan.series import Series
from series_assets.core.spec.specification import Specification
from series_assets.storage import files
from series_assets.storage.layout import Layout
from series_assets.storage.yaml_writing import as_yaml

_COMMENT = "made from a specification and a user input with the fingerprint "


def write_specification(path: Path, content: Specification, fingerprint: str) -> None:
    """Write a specification as plain YAML, with the fingerprint in a comment."""
    files.write_text(path, f"# {_COMMENT}{fingerprint}\n" + as_yaml(content))


def read_fingerprint(path: Path) -> str | None:
    """Return the fingerprint in a specification file, or None."""
    try:
        with path.open(encoding="utf-8") as stream:
            first = stream.readline().rstrip("\n")
    except (OSError, UnicodeDecodeError):
        return None
    return first.partition(_COMMENT)[2] or None


def require_new_records(series: Series, layout: Layout, period: Period) -> Path:
    """Return the file of a period's new records, generated from the current files.

    Raises RequestError where it is missing or is from other versions of these. The caller has to
    prevent other runs from replacing the file.
    """
    records = layout.new_records(period.number)
    fingerprint = read_fingerprint(layout.new_specification(period.number))
    problem, remedy = "", "regenerate new_records"
    if not records.exists():
        problem, remedy = "are missing", "materialize new_records first"
    elif fingerprint is None:
        problem = "have no specification beside them that says what they were generated from"
    elif fingerprint != series.fingerprint:
        problem = "were generated from another version of the series' two files"
    if problem:
        raise RequestError(
            f"its new records {problem}", remedy, series=series.name, period=period.key
        )
    return records


def require_delivered(series: Series, layout: Layout, period: Period) -> None:
    """Require that all files of a dataset exist and were generated from the current files.

    Raises RequestError with the file and what to generate again.
    """
    for part, part_layout in zip(series.parts, layout.parts, strict=True):
        _require_part(part, part_layout, period)


def _require_part(series: Series, layout: Layout, period: Period) -> None:
    def refusal(path: Path, problem: str, remedy: str) -> RequestError:
        return RequestError(problem, remedy, file=path, colon=False)

    required = [("dataset", layout.dataset(period.number))]
    if series.counts(period.k)[0]:
        required.append(("new_records", layout.new_records(period.number)))
    for asset, path in required:
        if not path.exists():
            raise refusal(path, "is missing", f"generate {asset} of {period.key}")
    for asset, path in _specifications(series, layout, period):
        fingerprint, remedy = read_fingerprint(path), f"regenerate {asset} of {period.key}"
        if fingerprint is None:
            raise refusal(path, "is missing, or does not say what it was generated from", remedy)
        if fingerprint != series.fingerprint:
            raise refusal(
                path, "was generated from another version of the series' two files", remedy
            )


def is_stale(series: Series, layout: Layout, period: Period, asset: str = "dataset") -> bool:
    """Return whether records were generated from another version of the series' two files.

    ``asset`` is ``dataset`` or ``new_records``.
    """
    for part, part_layout in zip(series.parts, layout.parts, strict=True):
        found = _specifications(part, part_layout, period)
        paths = [path for writer, path in found if asset in ("dataset", writer)]
        if paths and read_fingerprint(paths[-1]) not in (None, series.fingerprint):
            return True
    return False


def _specifications(series: Series, layout: Layout, period: Period) -> list[tuple[str, Path]]:
    """Return the specifications of a dataset, each with the asset that writes it."""
    new, existing = series.counts(period.k)
    candidates = [
        (new, "new_records", layout.new_specification(period.number)),
        (existing, "dataset", layout.existing_specification(period.number)),
    ]
    return [(asset, path) for rows, asset, path in candidates if rows]


def move_with_specification(
    records: tuple[Path, Path], specification: tuple[Path | None, Path], fingerprint: str
) -> None:
    """Move records and their specification, each a source and a target, to their places.

    Without a source the specification is removed. If a run is interrupted, no records are left
    beside a specification that they were not generated from. The caller has to prevent other runs
    from replacing the files.
    """
    source, target = specification
    if source is None or read_fingerprint(target) != fingerprint:
        files.remove(target)
    files.replace(*records)
    if source is not None:
        files.replace(source, target)
