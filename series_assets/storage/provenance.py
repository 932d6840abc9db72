"""From which contents of a series' two files something was made (contract, section 6).

Each specification beside a dataset begins with a comment that holds the fingerprint of the two
files. What was made from other contents is never mixed with what is made from the current ones.
"""

from collections.abc import Sequence
from pathlib import Path

from series_assets.core.errors import RequestError
from series_assets.core.plan.calendar import Period
from series_assets.core.plan.series import Series
from series_assets.core.spec.specification import Specification
from series_assets.storage import files
from series_assets.storage.files import Layout
from series_assets.storage.yaml_writing import as_yaml

_COMMENT = "made from a specification and a user input with the fingerprint "


def write_specification(path: Path, content: Specification, fingerprint: str) -> None:
    """Write plain YAML that ``yaml.safe_load`` and ``exhibit fromspec`` read.

    A comment holds the fingerprint of the series' two files.
    """
    files.write_text(path, f"# {_COMMENT}{fingerprint}\n" + as_yaml(content))


def read_fingerprint(path: Path) -> str | None:
    """Return the fingerprint in a specification; None where there is none."""
    try:
        with path.open(encoding="utf-8") as stream:
            first = stream.readline().rstrip("\n")
    except (OSError, UnicodeDecodeError):
        return None
    return first.partition(_COMMENT)[2] or None


def require_new_records(series: Series, layout: Layout, period: Period) -> Path:
    """Return the file of a period's new records.

    Raises RequestError where it is missing or was made from other contents. The answer holds as
    long as no other run may replace the file.
    """
    records = layout.new_records(period.number)
    mark = read_fingerprint(layout.new_specification(period.number))
    require_current(series, period, exists=records.exists(), fingerprint=mark)
    return records


def require_current(
    series: Series, period: Period, *, exists: bool, fingerprint: str | None
) -> None:
    """Refuse new records that are missing, or that were made from other contents.

    ``fingerprint`` is the one in the specification beside them. Raises RequestError.
    """
    problem, remedy = "", "make new_records again"
    if not exists:
        problem, remedy = "are missing", "make new_records first"
    elif fingerprint is None:
        problem = "have no specification beside them that says what they were made from"
    elif fingerprint != series.fingerprint:
        problem = "were made from other contents of the two files"
    if problem:
        raise RequestError(
            f"its new records {problem}", remedy, series=series.name, period=period.key
        )


def require_delivered(series: Series, layout: Layout, period: Period) -> None:
    """Refuse a dataset whose files are not all there, or were made from other contents.

    Raises RequestError with the file and what to make again.
    """
    new, existing = series.counts(period.k)
    wanted = [("dataset", layout.dataset(period.number))]
    wanted += [("new_records", layout.new_records(period.number))] if new else []
    for asset, path in wanted:
        if not path.exists():
            raise _undelivered(path, "is missing", f"make {asset} of {period.key}")
    for asset, path in _specifications(layout, period, bool(new), bool(existing)):
        mark, remedy = read_fingerprint(path), f"make {asset} of {period.key} again"
        if mark is None:
            raise _undelivered(path, "is missing, or does not say what it was made from", remedy)
        if mark != series.fingerprint:
            raise _undelivered(path, "was made from other contents of the two files", remedy)


def _undelivered(path: Path, problem: str, remedy: str) -> RequestError:
    return RequestError(problem, remedy, file=path, colon=False)


def is_stale(series: Series, layout: Layout, period: Period) -> bool:
    """Tell whether a dataset says that it was made from other contents."""
    *_, (_, path) = _specifications(layout, period, *map(bool, series.counts(period.k)))
    return read_fingerprint(path) not in (None, series.fingerprint)


def _specifications(
    layout: Layout, period: Period, new: bool, existing: bool
) -> Sequence[tuple[str, Path]]:
    """Return the specifications of a dataset, each with the asset that makes it."""
    found = [("new_records", layout.new_specification(period.number))] if new else []
    if existing:
        found.append(("dataset", layout.existing_specification(period.number)))
    return found


def move_with_specification(
    records: tuple[Path, Path], specification: tuple[Path | None, Path], fingerprint: str
) -> None:
    """Move records and their specification from a scratch folder into their places.

    Each is a pair of source and target; a specification of None leaves none. The order is such
    that a run that ends in between leaves no records beside a specification that they were not
    made from. No other run may replace the same files meanwhile.
    """
    prepared, target = specification
    if prepared is None or read_fingerprint(target) != fingerprint:
        files.remove(target)
    files.replace(*records)
    if prepared is not None:
        files.replace(prepared, target)
