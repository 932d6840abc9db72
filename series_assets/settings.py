"""The settings that come from the environment, each with its default."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from series_assets.core.errors import Fault, InputError, UnusableError
from series_assets.storage.paths import absolute

_LONGEST = 9
"""Digits of a number of workers."""
_ON, _OFF = ("1", "true", "yes", "on"), ("0", "false", "no", "off")
SHIPPED = Path(__file__).parent / "series"


@dataclass(frozen=True)
class Settings:
    """Where series and data are, how strict to be, and who makes the data."""

    series_dir: Path
    data_dir: Path
    strict: bool
    workers: int | None = None
    """How many periods of a run to make at once; None lets the idle cores decide."""
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
        workers=_workers(environment.get("SERIES_ASSETS_WORKERS") or "auto"),
        strict=_switch("SERIES_ASSETS_STRICT", environment),
        any_database=_switch("SERIES_ASSETS_ANY_DATABASE", environment),
        stock_exhibit=_switch("SERIES_ASSETS_STOCK_EXHIBIT", environment),
    )


def _folder(name: str, environment: Mapping[str, str], default: Path) -> Path:
    given = environment.get(name)
    try:
        return absolute(given or default)
    except UnusableError as error:
        problem = f"'{(given or str(default))[:100]}' {error.problem}"
        raise InputError([Fault(name, "", problem, error.remedy)]) from None


def _workers(text: str) -> int | None:
    if text.lower() == "auto":
        return None
    if not text.isdecimal() or len(text) > _LONGEST or not int(text):
        raise InputError(
            [
                Fault(
                    "SERIES_ASSETS_WORKERS",
                    "",
                    f"'{text[:40]}' is no number of periods to make at once",
                    "use 1, 2, … or auto",
                )
            ]
        )
    return int(text)


def _switch(name: str, environment: Mapping[str, str]) -> bool:
    said = environment.get(name) or "0"
    if said.lower() not in (*_ON, *_OFF):
        raise InputError([Fault(name, "", f"'{said}' is neither on nor off", "use 1 or 0")])
    return said.lower() in _ON
