"""Writing the two files of a new series: a commented template, or what real data look like."""

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from series_assets.core.errors import Fault, InputError
from series_assets.core.shared_identifiers import own_uuid_seed
from series_assets.core.user_input import UserInput
from series_assets.storage.loading import SPECIFICATION, USER_INPUT, name_faults

_TEMPLATES = Path(__file__).parent / "templates"
_FILES = (SPECIFICATION, USER_INPUT)


@dataclass(frozen=True)
class Started:
    """The files of a new series."""

    paths: list[Path]
    notes: tuple[str, ...] = ()
    """Sentences about what was decided, which a user may want to have otherwise."""


def start_series(
    folder: Path, name: str, data: Path | None = None, identifier: str | None = None
) -> Started:
    """Write both files of a series called ``name`` into ``folder / name``.

    With ``data``, a CSV, the files describe it; ``identifier`` is the column that names its
    entities. The folder appears whole or not at all. Raises InputError.
    """
    place = folder / name
    faults = list(name_faults(name, "the name"))
    if place.exists():
        faults.append("there is such a folder already; choose another name")
    if faults:
        raise InputError(Fault(str(place), fault) for fault in faults)
    notes: tuple[str, ...] = ()
    beside = folder / f".{name}.{os.getpid()}.part"
    try:
        beside.mkdir(parents=True)
        texts = _template(name)
        if data is not None:
            texts, notes = _described(beside, name, data, identifier or "")
        for file, text in zip(_FILES, texts, strict=True):
            (beside / file).write_text(text, encoding="utf-8")
        beside.rename(place)
    except OSError as error:
        raise InputError([Fault(str(place), f"cannot be written: {error.strerror}")]) from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return Started(sorted(place.iterdir()), notes)


def write_template(folder: Path, name: str) -> None:
    """Write the commented template of those of a series' two files that ``folder`` lacks."""
    for file, text in zip(_FILES, _template(name), strict=True):
        if not (folder / file).exists():
            (folder / file).write_text(text, encoding="utf-8")


def _template(name: str) -> list[str]:
    texts = [(_TEMPLATES / file).read_text(encoding="utf-8") for file in _FILES]
    seed = str(own_uuid_seed(name))
    return [text.replace("SERIES_NAME", name).replace("UUID_SEED", seed) for text in texts]


def _described(
    folder: Path, name: str, data: Path, identifier: str
) -> tuple[list[str], tuple[str, ...]]:
    """Return the texts of both files, and what there is to be said of them."""
    from series_assets.engine.from_data import describe
    from series_assets.storage import database

    with tempfile.TemporaryDirectory() as place:
        scratch, own = Path(place) / "exhibit.db", folder / "exhibit.db"
        database.ensure(scratch)
        described = describe(data, identifier, name, scratch)
        if database.copy_renamed(scratch, own, described.kept_as, f"temp_{name}_"):
            described.user_input["exhibit_db_path"] = own.name
    head = (
        f"# What {data.name} looks like, as Exhibit describes it; dates are those of the first\n"
        "# period. user_input.yml beside it says how the series goes on.\n"
    )
    specification = yaml.safe_dump(
        described.specification, sort_keys=False, allow_unicode=True, width=2**16
    )
    said = [f"# How the series {name} goes on after the first period.\n"]
    for key, value in described.user_input.items():
        said.append(f"\n# {UserInput.model_fields[key].description}\n{_entry(key, value)}")
    return [head + specification, "".join(said)], described.notes


def _entry(key: str, value: Any) -> str:
    if value is None:
        return f"{key}:\n"
    return yaml.safe_dump({key: value}, sort_keys=False, allow_unicode=True)
