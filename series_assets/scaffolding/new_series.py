"""Writes the files of a new series: a template, a copy of one that ships, or inferred from data."""

import os
import re
import shutil
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from series_assets.core.errors import Fault, InputError, fault_at, join_words
from series_assets.core.plan.shared_identifiers import default_uuid_seed
from series_assets.core.spec.period_units import UNITS
from series_assets.scaffolding.schemas import copy_schemas, modeline
from series_assets.storage.loading import SPECIFICATION, USER_INPUT, name_faults

_PACKAGE = Path(__file__).parents[1]
_IDENTIFIER = re.compile(r"^    type: uuid$(\n    uuid_seed: \d+)?", re.MULTILINE)
"""Where a specification that ships gives the type of an identifier, and its seed."""
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
    like: str | None = None,
    stock_exhibit: bool = False,
) -> CreatedSeries:
    """Write both files of a series called ``name`` into ``folder / name``.

    With ``like``, the name of a bundled series, they are copies of its files. With ``data``, a
    CSV, they are inferred from it; ``identifier`` is the column that identifies entities,
    ``stock_exhibit`` runs Exhibit's own loops. The folder appears only when it is complete. Raises
    InputError.
    """
    place = folder / name
    faults = list(name_faults(name, "the name"))
    if place.exists():
        faults.append(fault_at("", "this folder already exists", "choose another name"))
    if faults:
        raise InputError(fault.in_file(str(place)) for fault in faults)
    notes: tuple[str, ...] = ()
    comparison: tuple[str, ...] = ()
    beside = folder / f".{name}.{os.getpid()}.part"
    created = False
    try:
        beside.mkdir(parents=True)
        created = True
        texts = _template(name) if like is None else _copy(like, name)
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
    texts = [(_PACKAGE / "templates" / file).read_text(encoding="utf-8") for file in _FILES]
    marks = {
        "SERIES_NAME": name,
        "UUID_SEED": str(default_uuid_seed(name)),
        "PERIOD_UNITS": join_words(UNITS),
    }
    for mark, value in marks.items():
        texts = [text.replace(mark, value) for text in texts]
    return texts


def _copy(like: str, name: str) -> list[str]:
    """Return the files of a bundled series, as those of another one with other identifiers."""
    folder = _PACKAGE / "series" / like
    specification, user_input = (folder / file for file in _FILES)
    places = count()

    def seeded(_: re.Match[str]) -> str:
        return f"    type: uuid\n    uuid_seed: {default_uuid_seed(name, next(places))}"

    text = specification.read_text(encoding="utf-8").replace(
        f"\n  id: {like}\n", f"\n  id: {name}\n"
    )
    return [_IDENTIFIER.sub(seeded, text), user_input.read_text(encoding="utf-8")]
