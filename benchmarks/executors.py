"""``python -m benchmarks.executors``: how long a period takes in a host project, by its executor.

It is the second period of ``clinic`` in 100 rows, with its checks, from the start of the run to its
end. Beside it: as many steps in a row that do nothing.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import click
import dagster as dg

from benchmarks import inputs
from benchmarks.children import CHECKOUT
from benchmarks.host_project import EXECUTORS
from series_assets.dagster.assets import NAMES

_SELECTED = " or ".join(f'key:"clinic/{name}"' for name in NAMES)
_IDLE = "multiprocess, assets that do nothing"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1, metavar="[EXECUTOR]...", type=click.Choice([*EXECUTORS, _IDLE]))
@click.option("--times", default=1, show_default=True, help="How often each is measured, by turns.")
def main(names: tuple[str, ...], times: int) -> None:
    """Print the seconds of a run under each executor, or under those named."""
    for _ in range(times):
        for name in names or (*EXECUTORS, _IDLE):
            with tempfile.TemporaryDirectory(prefix="benchmark") as folder:
                click.echo(f"{name:38} {measure(name, Path(folder)):6.1f} s")


def measure(name: str, folder: Path) -> float:
    """Return the seconds of a run under an executor.

    Raises CalledProcessError where the run fails.
    """
    (folder / "dagster.yaml").write_text("telemetry: {enabled: false}\n", encoding="utf-8")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SERIES_ASSETS", "DAGST"))}
    environment = kept | {
        "DAGSTER_HOME": str(folder),
        "PYTHONPATH": str(CHECKOUT),
        "PYTHONWARNINGS": "ignore",
    }
    if name == _IDLE:
        _materialize(environment | {"BENCHMARK_EXECUTOR": "multiprocess"}, folder, "*")
    else:
        series = inputs.write_series(folder / "series", "clinic", rows=100, periods=2)
        environment |= {"BENCHMARK_SERIES": str(series)}
        for executor, key in (("in_process", "2024-01-01"), (name, "2024-02-01")):
            chosen = environment | {"BENCHMARK_EXECUTOR": executor}
            _materialize(chosen, folder, _SELECTED, "--partition", key)
    with dg.DagsterInstance.local_temp(str(folder)) as instance:
        [record] = instance.get_run_records(limit=1)
    assert record.start_time and record.end_time
    return record.end_time - record.start_time


def _materialize(environment: dict[str, str], folder: Path, selected: str, *more: str) -> None:
    """Run a selection of assets."""
    command = [sys.executable, "-m", "dagster", "asset", "materialize", "--select", selected]
    subprocess.run(
        [*command, "-m", "benchmarks.host_project", *more],
        env=environment,
        cwd=folder,
        check=True,
        capture_output=True,
    )


if __name__ == "__main__":
    main()
