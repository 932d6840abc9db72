"""Writes the two files of a new series: a commented template, or inferred from real data."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from series_assets.core.errors import Fault, InputError, fault_at, join_words
from series_assets.core.plan.shared_identifiers import default_uuid_seed
from series_assets.core.spec.period_units import UNITS
from series_assets.scaffolding.schemas import copy_schemas, modeline
from series_assets.storage.loading import SPECIFICATION, USER_INPUT, name_faults

_TEMPLATES = Path(__file__).parents[1] / "templates"
_FILES = (SPECIFICATION, USER_INPUT)


@dataclass(frozen=True)
class CreatedSeries:
    """The files of a new series."""

    paths: list[Path]
    notes: tuple[str, ...] = ()
    """Sentences about decisions that a user may want to change."""
    comparison: tuple[str, ...] = ()
    """Lines of a table that compares the data with the first dataset."""


def create_series(
    folder: Path,
    name: str,
    data: Path | None = None,
    identifier: str | None = None,
    *,
    stock_exhibit: bool = False,
) -> CreatedSeries:
    """Write both files of a series called ``name`` into ``folder / name``.

    With ``data``, a CSV, the files are inferred from it; ``identifier`` is the column that
    identifies entities, ``stock_exhibit`` runs Exhibit's own loops. The folder appears only when it
    is complete. Raises InputError.
    """
    place = folder / name
    faults = list(name_faults(name, "the name"))
    if place.exists():
        faults.append(fault_at("", "there is such a folder already", "choose another name"))
    if faults:
        raise InputError(fault.in_file(str(place)) for fault in faults)
    notes: tuple[str, ...] = ()
    comparison: tuple[str, ...] = ()
    beside = folder / f".{name}.{os.getpid()}.part"
    created = False
    try:
        beside.mkdir(parents=True)
        created = True
        texts = _template(name)
        if data is not None:
            from series_assets.scaffolding.infer_series import PICTURE, infer

            inferred = infer(beside, name, data, identifier or "", stock_exhibit=stock_exhibit)
            texts, notes, comparison = inferred.texts, inferred.notes, inferred.comparison
            (beside / PICTURE).write_bytes(inferred.picture)
        for file, text in zip(_FILES, texts, strict=True):
            (beside / file).write_text(modeline(file) + text, encoding="utf-8")
        copy_schemas(beside)
        beside.rename(place)
    except OSError as error:
        raise InputError([Fault(str(place), "", f"cannot be written: {error.strerror}")]) from None
    finally:
        if created:
            shutil.rmtree(beside, ignore_errors=True)
    paths = sorted(path for path in place.iterdir() if path.is_file())
    return CreatedSeries(paths, notes, comparison)


def write_template(folder: Path, name: str) -> None:
    """Write the commented template of each file that ``folder`` lacks, and the schemas."""
    for file, text in zip(_FILES, _template(name), strict=True):
        if not (folder / file).exists():
            (folder / file).write_text(modeline(file) + text, encoding="utf-8")
    copy_schemas(folder)


def _template(name: str) -> list[str]:
    texts = [(_TEMPLATES / file).read_text(encoding="utf-8") for file in _FILES]
    marks = {
        "SERIES_NAME": name,
        "UUID_SEED": str(default_uuid_seed(name)),
        "PERIOD_UNITS": join_words(UNITS),
    }
    for mark, value in marks.items():
        texts = [text.replace(mark, value) for text in texts]
    return texts
