"""The commands about series and their files: ``list``, ``validate``, ``new``."""

import warnings
from collections.abc import Iterable
from pathlib import Path

import click

from series_assets import interrupts
from series_assets.cli.errors import report_errors
from series_assets.cli.lookup import all_series, series_named
from series_assets.core.errors import Fault, GenerationError, InputError
from series_assets.core.plan.notes import notes_of
from series_assets.core.plan.series import Series
from series_assets.settings import SHIPPED, Settings, from_environment
from series_assets.storage.layout import Layout
from series_assets.storage.loading import BrokenSeries
from series_assets.storage.paths import is_pipe_or_device
from series_assets.storage.remote import check_readable
from series_assets.terminal import echo, print_table


@click.command("list")
@report_errors
def list_series() -> None:
    """List the series, their periods, and how many datasets exist."""
    settings = from_environment()
    rows = []
    broken = []
    for series in all_series(settings):
        if isinstance(series, BrokenSeries):
            broken.append(series)
            rows.append([series.name, "broken, see below"])
            continue
        calendar, layout = series.calendar, Layout.of(series, settings.data_dir)
        check_readable(layout.folder)
        existing = sum(layout.is_delivered(period.number) for period in calendar.periods)
        rows.append(
            [
                series.name,
                f"{calendar.count} × {calendar.length_in_words}",
                calendar.keys[0],
                calendar.keys[-1],
                str(series.rows),
                str(series.user_input.fraction_of_new),
                f"{existing} of {calendar.count}{_with_history(series, layout)}",
            ]
        )
    print_table(("series", "periods", "first", "last", "rows", "new", "datasets"), rows)
    for series in broken:
        echo(str(series.error), err=True)


def _with_history(series: Series, layout: Layout) -> str:
    """Return how many periods have a history, for a series that asks for one."""
    if series.truth is None:
        return ""
    from series_assets.storage.tables import states_of

    return f", {states_of(series, layout).recorded_periods()} with truth"


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@report_errors
def validate(names: tuple[str, ...]) -> None:
    """Check both files of each series and report every mistake.

    Without NAME, all series are checked. Each is also generated with a few rows, in memory.
    """
    settings = from_environment()
    chosen = [series_named(settings, name) for name in names] or all_series(settings)
    faults: list[Fault] = []
    for series in chosen:
        notes: list[str] = []
        if isinstance(series, BrokenSeries):
            found = list(series.error.faults)
        else:
            try:
                found = _faults_when_run(series, settings, notes)
            except GenerationError as error:  # about the database, not about a file of the series
                found = [error.fault()]
            _print_notes(notes_of(series))
        faults += found
        if not found:
            echo(f"{series.name}: valid")
            _print_notes(notes)
    if faults:
        raise InputError(faults)
    _note_shared_identifiers(settings, {series.name for series in chosen})


def _faults_when_run(series: Series, settings: Settings, notes: list[str]) -> list[Fault]:
    """Return what the database lacks or, if nothing, the faults that a trial run finds.

    Constraints that records will not meet are added to ``notes``.
    """
    from series_assets.storage.lookup_tables import lookup_faults
    from series_assets.storage.sqlite import check_readable, installed_database

    database = Layout.of(series, settings.data_dir).database
    if database.exists():
        check_readable(database)
    if missing := lookup_faults(series, database, any_database=settings.any_database):
        return missing
    with interrupts.exit_on_interrupt():
        from series_assets.pipeline.small_run import faults_of_trial

    trial_notes: list[str] = []
    source = database if database.exists() else installed_database()
    faults = list(
        faults_of_trial(series, source, trial_notes, stock_exhibit=settings.stock_exhibit)
    )
    notes += [f"{series.specification_file}: {note}" for note in (*series.unenforced, *trial_notes)]
    return faults


def _note_shared_identifiers(settings: Settings, names: set[str]) -> None:
    """Print which of the named series share identifiers with another one of the folder."""
    from series_assets.core.plan.shared_identifiers import shared_identifiers

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they were printed when the series were first read
        valid = [one for one in all_series(settings) if not isinstance(one, BrokenSeries)]
    _print_notes(
        shared for shared in shared_identifiers(valid) if names & {shared.first, shared.second}
    )


@click.command()
@click.argument("name")
@click.option(
    "--from-data",
    type=click.Path(path_type=Path),
    help="A CSV or Parquet file that the generated data should resemble.",
)
@click.option("--id", "identifier", metavar="COLUMN", help="The column that identifies entities.")
@click.option(
    "--like",
    type=click.Choice(sorted(path.name for path in SHIPPED.iterdir() if path.is_dir())),
    help="Start from a copy of this bundled series.",
)
@report_errors
def new(name: str, from_data: Path | None, identifier: str | None, like: str | None) -> None:
    """Write both files of a new series.

    They are a commented template, a copy (--like), or inferred from real data (--from-data).

    If the data has no --id column, one is added: each row is then a different entity.
    """
    if from_data is not None and like is not None:
        raise click.UsageError("--like and --from-data cannot be used together")
    if (from_data is None) != (identifier is None):
        raise click.UsageError("--from-data and --id have to be given together")
    with interrupts.exit_on_interrupt():
        from series_assets.scaffolding.new_series import create_series

    if from_data is not None and is_pipe_or_device(from_data):
        problem, remedy = "is a pipe or a device, not a file", "save its output as a CSV file"
        raise InputError([Fault(str(from_data), "", problem, remedy)])
    settings = from_environment()
    is_default = settings.series_dir == SHIPPED
    folder = Path("series").resolve() if is_default else settings.series_dir
    started = create_series(
        folder, name, from_data, identifier, like=like, stock_exhibit=settings.stock_exhibit
    )
    for path in started.paths:
        echo(str(path))
    _print_notes(started.notes)
    for line in started.comparison:
        echo(line, err=True)
    if is_default:
        echo(f"To use it: export SERIES_ASSETS_SERIES_DIR={folder}", err=True)


def _print_notes(notes: Iterable[object]) -> None:
    for note in notes:
        echo(f"note: {note}", err=True)
