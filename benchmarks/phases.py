"""Makes a series as ``series-assets generate`` does, and prints where the time went, as JSON.

    python phases.py FOLDER_OF_THE_TWO_FILES FOLDER_FOR_THE_DATA [cpu]

Seconds by phase, summed over the periods, in one process: a phase lasts from when the run says that
it begins until it says that the next one does. That costs one reading of the clock for each phase.
With ``cpu`` they are seconds of CPU time. Of the phase ``state``, ``record`` is what records the
states in the database, and ``state`` the rest.
``start`` is everything before the first of them, imports included, ``end`` everything after the
last.
"""

import time

_BEGUN = time.perf_counter()

import json  # noqa: E402
import sys  # noqa: E402
from collections.abc import Callable  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import click  # noqa: E402

from series_assets.interface import generate  # noqa: E402
from series_assets.pipeline.progress import Progress  # noqa: E402
from series_assets.storage.loading import load_series  # noqa: E402
from series_assets.storage.sqlite_states import SqliteStateTable  # noqa: E402


def main(source: Path, target: Path, clock: Callable[[], float], begun: float) -> None:
    """Make the periods of the series whose files lie in ``source``."""
    marks = [(begun, "start")]

    def reached(self: Progress, key: str, phase: str) -> None:
        marks.append((clock(), phase))

    replace = SqliteStateTable.replace

    def recorded(self: SqliteStateTable, k: int, states: Any, *others: Any) -> None:
        marks.append((clock(), "record"))
        replace(self, k, states, *others)

    Progress.reached = reached  # type: ignore[method-assign]
    SqliteStateTable.replace = recorded  # type: ignore[method-assign,assignment]
    generate(load_series(source), target, executor="none")
    marks.append((clock(), ""))
    seconds: dict[str, float] = {}
    for place, (begun, phase) in enumerate(marks[:-1]):
        name = "end" if place and place == len(marks) - 2 else phase
        lasted = marks[place + 1][0] - begun
        seconds[name] = seconds.get(name, 0) + lasted
    click.echo(json.dumps(seconds))


if __name__ == "__main__":
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    if sys.argv[3:] == ["cpu"]:
        main(source, target, time.process_time, 0)
    else:
        main(source, target, time.perf_counter, _BEGUN)
