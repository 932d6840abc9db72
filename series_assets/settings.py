"""The settings that come from the environment, each with its default."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from series_assets.core.errors import Fault, InputError, as_input_error
from series_assets.pipeline.executor_names import SETTING as EXECUTOR
from series_assets.pipeline.executor_names import is_executor
from series_assets.storage.paths import resolve_path
from series_assets.storage.remote import resolved

if TYPE_CHECKING:
    from series_assets.pipeline.workspace import Workspace

_RETIRED = "SERIES_ASSETS_" + "WORKERS"
"""The former name of SERIES_ASSETS_EXECUTOR: refused, so that it is not silently ignored."""
_ON, _OFF = ("1", "true", "yes", "on"), ("0", "false", "no", "off")
SHIPPED = Path(__file__).parent / "series"


@dataclass(frozen=True)
class Settings:
    """Where series and data are, how strict to be, and how data is generated."""

    series_dir: Path
    data_dir: Path
    strict: bool
    executor: str = "auto"
    """In which processes periods are generated, see ``pipeline.executors``."""
    recorded: bool = False
    """Whether runs are recorded in a Dagster instance, that of DAGSTER_HOME."""
    any_database: bool = False
    """Whether a series may use a database that has none of Exhibit's tables."""
    stock_exhibit: bool = False
    """Whether Exhibit's own loops run instead of the fast ones of ``engine.vectorized``."""

    def workspace(self, data_dir: Path | None = None, *, flat: bool = False) -> "Workspace":
        """Return where and how data is generated, by default in the data folder."""
        from series_assets.pipeline.workspace import Workspace

        return Workspace(
            data_dir or self.data_dir,
            flat=flat,
            executor=self.executor,
            any_database=self.any_database,
            stock_exhibit=self.stock_exhibit,
        )


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings. A variable that is empty counts as not set.

    Raises InputError for a value that is not valid.
    """
    return Settings(
        series_dir=_folder("SERIES_ASSETS_SERIES_DIR", environment, SHIPPED),
        data_dir=_folder("SERIES_ASSETS_DATA_DIR", environment, Path("data"), may_be_url=True),
        executor=_executor(environment),
        strict=_switch("SERIES_ASSETS_STRICT", environment),
        recorded=bool(dagster_home(environment)),
        any_database=_switch("SERIES_ASSETS_ANY_DATABASE", environment),
        stock_exhibit=_switch("SERIES_ASSETS_STOCK_EXHIBIT", environment),
    )


def dagster_home(environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the folder of the Dagster instance in which runs are recorded, if there is one."""
    return environment.get("DAGSTER_HOME") or None


def _folder(
    name: str, environment: Mapping[str, str], default: Path, *, may_be_url: bool = False
) -> Path:
    value = environment.get(name) or default
    with as_input_error(name, value=str(value)[:100]):
        return resolved(value) if may_be_url else resolve_path(value)


def _executor(environment: Mapping[str, str]) -> str:
    if workers := environment.get(_RETIRED):
        is_count = workers.isdecimal() and int(workers) > 1
        value = f"processes:{int(workers)}" if is_count else "none" if workers == "1" else "auto"
        problem = f"was renamed to {EXECUTOR}"
        raise InputError([Fault(_RETIRED, "", problem, f"set that to {value}")])
    text = environment.get(EXECUTOR) or "auto"
    text = text if text.startswith("dask:") else text.lower()
    if not is_executor(text):
        remedy = "use auto, none, processes:2 (or another number), or dask:tcp://HOST:PORT"
        raise InputError([Fault(EXECUTOR, "", f"'{text[:40]}' is not known", remedy)])
    return text


def _switch(name: str, environment: Mapping[str, str]) -> bool:
    value = (environment.get(name) or "0").lower()
    if value not in (*_ON, *_OFF):
        problem = f"'{environment[name]}' is neither on nor off"
        raise InputError([Fault(name, "", problem, "use 1 or 0")])
    return value in _ON
