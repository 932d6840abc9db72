"""The settings that come from the environment, each with its default."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SHIPPED = Path(__file__).parent / "series"


@dataclass(frozen=True)
class Settings:
    """Where series and data are, and how strict to be."""

    series_dir: Path
    data_dir: Path
    strict: bool


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings; an empty variable counts as one that is not set."""
    return Settings(
        series_dir=Path(environment.get("SERIES_ASSETS_SERIES_DIR") or SHIPPED).resolve(),
        data_dir=Path(environment.get("SERIES_ASSETS_DATA_DIR") or "data").resolve(),
        strict=(environment.get("SERIES_ASSETS_STRICT") or "0") not in ("0", "false", "no"),
    )
