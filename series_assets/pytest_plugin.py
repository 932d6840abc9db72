"""A pytest plugin with one fixture, ``series_factory``: series as data for tests.

pytest loads it wherever the package is installed. Therefore it imports nothing else of the package,
nor pandas, before the fixture is used.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import pandas as pd

    from series_assets.core.plan.series import Series
    from series_assets.core.verify.report import VerificationReport


@dataclass(frozen=True)
class GeneratedSeries:
    """A series and its data, a copy that a test may change."""

    series: "Series"
    data_dir: Path

    @property
    def folder(self) -> Path:
        """The folder of the files of the series."""
        return self.data_dir / self.series.name

    @property
    def paths(self) -> list[Path]:
        """The paths of the datasets, the first one first: files, or the folders of shards."""
        from series_assets.pipeline.workspace import Workspace

        layout = Workspace(self.data_dir).layout(self.series)
        return [layout.dataset(period.number) for period in self.series.calendar.periods]

    def datasets(self) -> "Iterator[tuple[str, pd.DataFrame]]":
        """Yield the first day of each period and its dataset as a typed frame."""
        from series_assets.core.records import typed
        from series_assets.storage.files import read_records

        for key, path in zip(self.series.calendar.keys, self.paths, strict=True):
            yield key, typed(read_records(path), self.series.kinds)

    def truth(
        self, as_: str = "scd2", at: str | date | None = None, **options: Any
    ) -> "pd.DataFrame":
        """Return the history that a correct pipeline has: ``series_assets.truth``."""
        from series_assets.interface import truth

        return truth(self.series, self.data_dir, as_, at, **options)

    def verify(
        self, table: Any, at: str | date | None = None, **options: Any
    ) -> "VerificationReport":
        """Compare a table of a pipeline with that history: ``series_assets.verify``."""
        from series_assets.interface import verify

        return verify(table, self.series, self.data_dir, at, **options)


class SeriesFactory:
    """Generates series and keeps them for the session. What a test gets is a copy."""

    def __init__(self, cache: Path, tmp_path: Path, root: Path) -> None:
        self._cache, self._tmp_path, self._root = cache, tmp_path, root

    def __call__(self, series: "str | Path | Series", **user_input: Any) -> GeneratedSeries:
        """Return a series with the data of all its periods, below ``tmp_path``.

        ``series`` is the folder of its two files, relative to the root folder of the tests; or a
        name in SERIES_ASSETS_SERIES_DIR, by default of a bundled series; or a ``Series``. Other
        arguments replace keys of the user input, such as ``num_datasets=2``. Raises InputError if
        the files are not valid, GenerationError if a period fails.
        """
        wanted = self._loaded(series, user_input)
        key = sha256(repr((wanted.name, wanted.fingerprint, wanted.user_input)).encode())
        cached = self._cache / f"{wanted.name}_{key.hexdigest()[:16]}"
        if not cached.exists():
            self._generate(wanted, cached)
        copy = self._tmp_path / cached.name
        if not copy.exists():
            shutil.copytree(cached, copy)
        return GeneratedSeries(_with_database(wanted, copy), copy)

    def _loaded(self, series: "str | Path | Series", user_input: dict[str, Any]) -> "Series":
        from series_assets.core.plan.series import Series
        from series_assets.settings import from_environment
        from series_assets.storage.loading import SPECIFICATION, USER_INPUT, load_parts, load_series
        from series_assets.storage.yaml_reading import read_yaml

        if isinstance(series, Series):
            if user_input:
                raise TypeError("keys of the user input can be replaced in a folder only")
            return series
        folder = self._root / series
        if not folder.is_dir():
            folder = from_environment().series_dir / series
        original = load_series(folder)
        if not user_input:
            return original
        written = read_yaml(folder / USER_INPUT, original.user_input_file)
        return load_parts(
            original.name,
            folder / SPECIFICATION,
            {**written, **user_input},
            labels=(original.specification_file, original.user_input_file),
            named_by="the folder's name",
            folder=folder,
        )

    def _generate(self, series: "Series", place: Path) -> None:
        """Generate a series into a folder, which appears only when it is complete."""
        from series_assets.pipeline.progress import Progress
        from series_assets.pipeline.run import generate_periods
        from series_assets.settings import from_environment
        from series_assets.storage.lookup_tables import check_lookups
        from series_assets.storage.scratch_database import copy_for_run

        beside = place.with_name(f"{place.name}.part")
        shutil.rmtree(beside, ignore_errors=True)  # of a test that failed while it was generated
        beside.mkdir(parents=True)
        workspace = replace(from_environment(), executor="none").workspace(beside)
        if series.database:  # the user's own is only read
            check_lookups(series, series.database, any_database=workspace.any_database)
            copy_for_run(series.database, beside / _DATABASE, series.specification)
            workspace = replace(workspace, any_database=True)
        generate_periods(
            _with_database(series, beside), series.calendar.periods, workspace, Progress()
        )
        beside.rename(place)


_DATABASE = "exhibit.db"


def _with_database(series: "Series", folder: Path) -> "Series":
    """Return a series whose reference table is in the database of a folder."""
    return replace(series, database=folder / _DATABASE) if series.database else series


@pytest.fixture
def series_factory(
    request: pytest.FixtureRequest, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> SeriesFactory:
    """Return a function that generates a series once a session, and copies it to ``tmp_path``."""
    stash = request.session.stash
    if _CACHE not in stash:
        stash[_CACHE] = tmp_path_factory.mktemp("series", numbered=True)
    return SeriesFactory(stash[_CACHE], tmp_path, request.config.rootpath)


_CACHE = pytest.StashKey[Path]()
