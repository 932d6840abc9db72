"""The paths of a series' files (contract, 8), and of those of each shard of a sharded one."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from series_assets.core.plan.series import Series
from series_assets.core.spec.truth_settings import DIMENSIONS
from series_assets.storage.paths import installed_database
from series_assets.storage.remote import is_remote, names_below

_REFERENCE = "reference"
_STATES = "states"
_SPECIFICATIONS = "specifications"
_DATASET = r"dataset_[1-9]\d*"
_PART = r"part-\d{4,}"
_OF_TRUTH = r"(changes|cells|scd1|scd2)_[1-9]\d*"
_INNER_FOLDER = re.compile(
    rf"new_records|truth|{_SPECIFICATIONS}|{_REFERENCE}|{_STATES}|{_DATASET}|{_OF_TRUTH}"
    r"|period_[1-9]\d*"
)
"""The folders within a series' folder."""
_FILE = re.compile(
    rf"{_DATASET}\.(new\.yml|existing\.yml|manifest\.json)|report\.html"
    rf"|(new_records/)?{_DATASET}(/{_PART})?\.(csv|parquet)"
    rf"|{_DATASET}/{_SPECIFICATIONS}/{_PART}\.(new|existing)\.yml"
    rf"|truth/{_OF_TRUTH}(/{_PART})?\.csv"
)
"""The paths of a series' files within its folder, but for its reference table and its states."""
_ENTITIES = re.compile(rf"{_REFERENCE}/period_[1-9]\d*/{_PART}\.parquet")
"""The paths of the files of a reference table."""
_STATE_FILES = re.compile(rf"{_STATES}/period_[1-9]\d*/{_PART}\.parquet")
"""The paths of the files of a table of states."""


def _database(data_dir: Path) -> Path:
    """Return the database of lookup tables: with object storage, the one that ships with Exhibit.

    That one is only read: entities are kept in Parquet there.
    """
    return installed_database() if is_remote(data_dir) else data_dir / "exhibit.db"


def is_inner_folder(name: str) -> bool:
    """Return whether a folder's name is that of a folder within a series' folder."""
    return bool(_INNER_FOLDER.fullmatch(name))


@dataclass(frozen=True)
class Layout:
    """The paths of one series' files and of its database.

    With several shards a dataset is a folder of parts, one from each shard; a layout with a
    ``shard`` gives the paths of that shard's parts.
    """

    folder: Path
    database: Path
    shards: int = 1
    shard: int | None = None
    """The shard whose parts these are, counted from 0; None for the series as a whole."""
    format: str = "csv"
    """The format of files of records, which is also their extension."""

    @classmethod
    def of(cls, series: Series, data_dir: Path, *, flat: bool = False) -> Self:
        """Return the layout of a series; ``flat`` puts its files into the data dir itself."""
        return cls(
            folder=data_dir if flat else data_dir / series.name,
            database=series.database or _database(data_dir),
            shards=series.shards,
            shard=series.shard,
            format=series.user_input.format,
        )

    @property
    def other_format(self) -> Self:
        """The layout of the series in the other format, which an earlier run may have used."""
        return replace(self, format="parquet" if self.format == "csv" else "csv")

    @property
    def parts(self) -> tuple[Self, ...]:
        """The layouts of the shards; the layout itself where there is only one."""
        if self.shards == 1 or self.shard is not None:
            return (self,)
        return tuple(replace(self, shard=shard) for shard in range(self.shards))

    @property
    def keeps_parquet(self) -> bool:
        """Whether entities and states are in Parquet files, not in the database.

        Shards do not wait for each other, and object storage has no locks: neither can use SQLite.
        """
        return self.shards > 1 or is_remote(self.folder)

    @property
    def _part(self) -> str:
        """The name of the shard's files, without an extension."""
        assert self.shard is not None
        return f"part-{self.shard + 1:04}"

    def dataset(self, number: int) -> Path:
        """The delivered records: a file, or the folder of all parts."""
        return self._in_parts(self.folder / f"dataset_{number}", self.format)

    def _in_parts(self, place: Path, extension: str) -> Path:
        """Return the file at a place, or the folder of all parts there, or a shard's part."""
        if self.shards == 1:
            return place.with_name(f"{place.name}.{extension}")
        return place if self.shard is None else place / f"{self._part}.{extension}"

    def is_delivered(self, number: int) -> bool:
        """Return whether the records of a dataset exist, those of all shards."""
        return all(part.dataset(number).exists() for part in self.parts)

    def is_begun(self, number: int) -> bool:
        """Return whether records of a dataset exist, those of one shard at least."""
        if not self.dataset(number).exists():  # one look where there is no folder
            return False
        return any(part.dataset(number).exists() for part in self.parts)

    def new_specification(self, number: int) -> Path:
        """The specification of a dataset's new records; with several shards, of a part's."""
        return self._specification(number, "new")

    def existing_specification(self, number: int) -> Path:
        """The specification of a dataset's existing records; with several shards, of a part's."""
        return self._specification(number, "existing")

    def _specification(self, number: int, kind: str) -> Path:
        if self.shards == 1:
            return self.folder / f"dataset_{number}.{kind}.yml"
        folder = self.folder / f"dataset_{number}" / _SPECIFICATIONS
        return folder / f"{self._part}.{kind}.yml"

    def new_records(self, number: int) -> Path:
        """The new records of a dataset on their own: a file, or the folder of all parts."""
        return self._in_parts(self.folder / "new_records" / f"dataset_{number}", self.format)

    def manifest(self, number: int) -> Path:
        """The manifest, by which a consumer knows that a dataset is there and complete."""
        return self.folder / f"dataset_{number}.manifest.json"

    @property
    def reference_folder(self) -> Path:
        """The folder of a reference table in Parquet."""
        return self.folder / _REFERENCE

    def entities(self, number: int) -> Path:
        """The part of a reference table in Parquet that a period introduced."""
        return self._in_parquet(_REFERENCE, number)

    @property
    def states_folder(self) -> Path:
        """The folder of a table of states in Parquet."""
        return self.folder / _STATES

    def states(self, number: int) -> Path:
        """The part of a table of states in Parquet that a period left."""
        return self._in_parquet(_STATES, number)

    def _in_parquet(self, place: str, number: int) -> Path:
        part = "part-0001" if self.shard is None else self._part
        return self.folder / place / f"period_{number}" / f"{part}.parquet"

    @property
    def truth(self) -> Path:
        """The folder of the expected history, which is not delivered."""
        return self.folder / "truth"

    def changes(self, number: int) -> Path:
        """The change that each row of a dataset is: a file, or the folder of all parts."""
        return self._in_parts(self.truth / f"changes_{number}", "csv")

    def cells(self, number: int) -> Path:
        """The values that a dataset changed: a file, or the folder of all parts."""
        return self._in_parts(self.truth / f"cells_{number}", "csv")

    def dimension(self, kind: str, number: int) -> Path:
        """The expected dimension after a dataset; ``kind`` is ``scd1`` or ``scd2``."""
        return self._in_parts(self.truth / f"{kind}_{number}", "csv")

    def truth_files(self, number: int) -> list[Path]:
        """All files of the history after a dataset, whether they are written or not."""
        dimension = [self.dimension(kind, number) for kind in DIMENSIONS]
        return [self.changes(number), self.cells(number), *dimension]

    @property
    def report(self) -> Path:
        """The report on all periods generated so far."""
        return self.folder / "report.html"

    def inner_folders(self) -> list[Path]:
        """Return the existing folders within the series' folder, the inner ones last."""
        return list(_folders_within(self.folder))

    def existing_files(self) -> list[Path]:
        """Return the existing files of all periods, without a reference table, sorted."""
        return self._existing(_FILE)

    def existing_entities(self) -> list[Path]:
        """Return the existing files of a reference table in Parquet, sorted."""
        return self._existing(_ENTITIES)

    def existing_states(self) -> list[Path]:
        """Return the existing files of a table of states in Parquet, sorted."""
        return self._existing(_STATE_FILES)

    def _existing(self, pattern: re.Pattern[str]) -> list[Path]:
        if is_remote(self.folder):
            names = names_below(self.folder)
            return [self.folder / name for name in names if pattern.fullmatch(name)]
        return sorted(
            path
            for folder in (self.folder, *self.inner_folders())
            for path in folder.glob("*")
            if pattern.fullmatch(path.relative_to(self.folder).as_posix())
        )

    def surplus_files(self, number: int, *, history: bool = False) -> list[Path]:
        """Return files of a dataset that another number of shards left, in any format, sorted.

        ``history`` says whether the series has one; else what an earlier run left of it in parts is
        surplus too.
        """
        found = [path for place in self._folders_of_parts(number) for path in place.glob("part-*")]
        known: set[Path] = set()
        if self.shards > 1:
            whole = replace(self, shards=1, shard=None)
            found += [*whole._files(number), *whole.truth_files(number)]
            other = whole.other_format
            found += [other.dataset(number), other.new_records(number)]
            for part in replace(self, shard=None).parts:
                known |= {*part._files(number), part.entities(number)}
                known |= {*part.truth_files(number), part.states(number)} if history else set()
        elif is_remote(self.folder):
            known |= {self.entities(number), *([self.states(number)] if history else [])}
        surplus = [path for path in found if path not in known]
        return sorted(path for path in surplus if path.exists() and self._is_own(path))

    def _folders_of_parts(self, number: int) -> list[Path]:
        """Return the folders that may have parts of a dataset, whatever the series is now."""
        dataset = f"dataset_{number}"
        inner = (dataset, f"new_records/{dataset}", f"{dataset}/{_SPECIFICATIONS}")
        folders = [self.folder / name for name in (*inner, f"{_REFERENCE}/period_{number}")]
        if self.truth.is_dir():
            names = ("changes", "cells", *DIMENSIONS)
            folders += [self.truth / f"{name}_{number}" for name in names]
        if self.states_folder.is_dir():
            folders.append(self.states_folder / f"period_{number}")
        # A listing of a folder that object storage lacks is empty, and costs no more than a look.
        return [folder for folder in folders if is_remote(folder) or folder.is_dir()]

    def _is_own(self, path: Path) -> bool:
        name = path.relative_to(self.folder).as_posix()
        return any(one.fullmatch(name) for one in (_FILE, _ENTITIES, _STATE_FILES))

    def _files(self, number: int) -> list[Path]:
        return [
            self.dataset(number),
            self.new_specification(number),
            self.existing_specification(number),
            self.new_records(number),
        ]


def _folders_within(folder: Path) -> Iterator[Path]:
    """Yield the folders of a series within a folder, also links in their place."""
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        if is_inner_folder(path.name) and (path.is_dir() or path.is_symlink()):
            yield path
            if not path.is_symlink():
                yield from _folders_within(path)
