"""Makes a series as ``series-assets generate`` does, and prints where the time went, as JSON.

    python phases.py FOLDER_OF_THE_TWO_FILES FOLDER_FOR_THE_DATA [FIRST..LAST]

Seconds by phase, summed over the periods, in one process: a phase lasts from when the run says that
it begins until it says that the next one does. That costs one reading of the clock for each phase.
``start`` is everything before the first of them, imports included, ``end`` everything after the
last.
"""

import time

_BEGUN = time.perf_counter()

import json  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402

import click  # noqa: E402

from series_assets.interface import generate  # noqa: E402
from series_assets.pipeline.progress import Progress  # noqa: E402
from series_assets.storage.loading import load_series  # noqa: E402


def main(source: Path, target: Path, periods: str | None) -> None:
    """Make the periods of the series whose files lie in ``source``."""
    marks = [(_BEGUN, "start")]

    def reached(self: Progress, key: str, phase: str) -> None:
        marks.append((time.perf_counter(), phase))

    Progress.reached = reached  # type: ignore[method-assign]
    generate(load_series(source), target, periods=periods, executor="none")
    marks.append((time.perf_counter(), ""))
    seconds: dict[str, float] = {}
    for place, (begun, phase) in enumerate(marks[:-1]):
        name = "end" if place and place == len(marks) - 2 else phase
        lasted = marks[place + 1][0] - begun
        seconds[name] = seconds.get(name, 0) + lasted
    click.echo(json.dumps(seconds))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else None)
