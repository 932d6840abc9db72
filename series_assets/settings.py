"""The settings that come from the environment, each with its default."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from series_assets.core.errors import Fault, InputError, InvalidValueError
from series_assets.pipeline.executor_names import is_executor
from series_assets.storage.paths import resolve_path

_RETIRED = "SERIES_ASSETS_" + "WORKERS"
"""What SERIES_ASSETS_EXECUTOR was before; not to be ignored without a word."""
_ON, _OFF = ("1", "true", "yes", "on"), ("0", "false", "no", "off")
SHIPPED = Path(__file__).parent / "series"


@dataclass(frozen=True)
class Settings:
    """Where series and data are, how strict to be, and who makes the data."""

    series_dir: Path
    data_dir: Path
    strict: bool
    executor: str = "auto"
    """In which processes periods are made, see ``pipeline.executors``."""
    recorded: bool = False
    """Whether runs are recorded in a Dagster instance: the one of DAGSTER_HOME."""
    any_database: bool = False
    """Whether a series may use a database with none of the tables of Exhibit."""
    stock_exhibit: bool = False
    """Whether stock Exhibit's own loops are to run, not the fast ones of ``engine.vectorized``."""


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings; an empty variable counts as one that is not set.

    Raises InputError where a value means nothing.
    """
    return Settings(
        series_dir=_folder("SERIES_ASSETS_SERIES_DIR", environment, SHIPPED),
        data_dir=_folder("SERIES_ASSETS_DATA_DIR", environment, Path("data")),
        executor=_executor(environment),
        strict=_switch("SERIES_ASSETS_STRICT", environment),
        recorded=bool(dagster_home(environment)),
        any_database=_switch("SERIES_ASSETS_ANY_DATABASE", environment),
        stock_exhibit=_switch("SERIES_ASSETS_STOCK_EXHIBIT", environment),
    )


def dagster_home(environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the folder of the Dagster instance in which runs are recorded, if there is one."""
    return environment.get("DAGSTER_HOME") or None


def _folder(name: str, environment: Mapping[str, str], default: Path) -> Path:
    given = environment.get(name)
    try:
        return resolve_path(given or default)
    except InvalidValueError as error:
        problem = f"'{(given or str(default))[:100]}' {error.problem}"
        raise InputError([Fault(name, "", problem, error.remedy)]) from None


def _executor(environment: Mapping[str, str]) -> str:
    if workers := environment.get(_RETIRED):
        remedy = f"set that to {_instead_of(workers)}"
        raise InputError([Fault(_RETIRED, "", "is SERIES_ASSETS_EXECUTOR now", remedy)])
    text = environment.get("SERIES_ASSETS_EXECUTOR") or "auto"
    if not is_executor(text.lower()):
        remedy = "use auto, none, or processes:2 (or another number)"
        problem = f"'{text[:40]}' is not known"
        raise InputError([Fault("SERIES_ASSETS_EXECUTOR", "", problem, remedy)])
    return text.lower()


def _instead_of(workers: str) -> str:
    if workers.isdecimal() and int(workers) > 1:
        return f"processes:{int(workers)}"
    return "none" if workers == "1" else "auto"


def _switch(name: str, environment: Mapping[str, str]) -> bool:
    said = environment.get(name) or "0"
    if said.lower() not in (*_ON, *_OFF):
        raise InputError([Fault(name, "", f"'{said}' is neither on nor off", "use 1 or 0")])
    return said.lower() in _ON
