"""``python -m benchmarks``: measure, print the tables, and write them into the documents."""

import tempfile
from pathlib import Path

import click
from rich.console import Console

from benchmarks import report
from benchmarks.children import CHECKOUT
from benchmarks.job import Scale
from benchmarks.jobs import JOBS
from benchmarks.results import Result

_DOCUMENT = CHECKOUT / "docs" / "performance.md"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1, metavar="[JOB]...", type=click.Choice([j.name for j in JOBS]))
@click.option("--times", default=3, show_default=True, help="How often each run is measured.")
@click.option("--smoke", is_flag=True, help="Tiny sizes, once: only to see that all of it runs.")
@click.option("--write", is_flag=True, help="Put the tables into docs/performance.md.")
@click.option(
    "--write-to",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Put them between the markers of another document.",
)
@click.option("--jobs", "listed", is_flag=True, help="Only list the jobs.")
def main(
    names: tuple[str, ...],
    times: int,
    smoke: bool,
    write: bool,
    write_to: Path | None,
    listed: bool,
) -> None:
    """Measure how fast and in how much memory series are made: all jobs, or those named.

    Runs are whole processes, by turns; figures are medians. Leave the machine alone meanwhile.
    """
    if listed:
        for job in JOBS:
            click.echo(f"{job.name:16} {job.description}")
        return
    scale = Scale(times=1 if smoke else times, smoke=smoke)
    console = Console(width=None if Console().is_terminal else 200)
    results: list[Result] = []
    for job in JOBS:
        if names and job.name not in names:
            continue
        with tempfile.TemporaryDirectory(prefix="benchmark") as folder:
            for result in job.measure(job, Path(folder) / job.name, scale):
                click.echo(f"measured: {result.job}", err=True)
                results.append(result)
    report.show(results, console)
    document = write_to or (_DOCUMENT if write else None)
    if document:
        said = ["python -m benchmarks", *(["--smoke"] if smoke else []), *names]
        said += [f"--times {times}"] if times != 3 and not smoke else []
        report.write(results, document, " ".join(said))
        click.echo(str(document))


if __name__ == "__main__":
    main()
