"""``series-assets``: the command line. Reads its arguments and prints; the work is elsewhere."""

import sys
import warnings
from collections.abc import Callable
from functools import partial, wraps
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from series_assets import interrupts
from series_assets.core.errors import (
    NO_MEMORY,
    Fault,
    GenerationError,
    InputError,
    InvalidValueError,
    RequestError,
    join_words,
    suggestion,
)
from series_assets.core.plain_text import escape_invisible
from series_assets.core.plan.notes import notes_of
from series_assets.core.plan.series import Series
from series_assets.settings import SHIPPED, Settings, from_environment
from series_assets.storage.files import Layout
from series_assets.storage.loading import (
    SPECIFICATION,
    USER_INPUT,
    BrokenSeries,
    InstalledDatabaseWarning,
    find_series,
    load_series_from_files,
)
from series_assets.storage.paths import is_pipe_or_device, resolve_path
from series_assets.storage.unexpected_errors import describe_unexpected_error
from series_assets.terminal import cell, echo, progress_bar

_FAILED, _WRONG_INPUT = 1, 2


def _telling(command: Callable[..., Any]) -> Callable[..., Any]:
    """Show the faults of a command as messages, and end with the exit code for them."""

    @wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> None:
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", InstalledDatabaseWarning)
        warnings.showwarning = lambda message, *_: echo(f"warning: {message}", err=True)
        try:
            with interrupts.raising():
                command(*args, **kwargs)
        except BaseException as error:
            text, code = _ending(error)
            echo(text, err=True)
            sys.exit(code)

    return wrapped


def _ending(error: BaseException) -> tuple[str, int]:
    """Return what to say of the error that ends a command, and its exit code.

    Raises it again where it is none of ours to tell of.
    """
    match error:
        case InputError() | RequestError():
            return str(error), _WRONG_INPUT
        case GenerationError():
            return str(error), _FAILED
        case KeyboardInterrupt():
            return f"\n{str(error) or interrupts.MESSAGE}", interrupts.EXIT_CODE
        case MemoryError():
            return f"series-assets: {NO_MEMORY}", _FAILED
        case BrokenPipeError() | click.ClickException() | click.exceptions.Exit() | click.Abort():
            raise error
        case OSError():
            where = error.filename or "a file"
            reason = error.strerror or str(error)
            remedy = "see that you may read and write it, or name another folder"
            return f"{where}: cannot be used: {reason}; {remedy}", _WRONG_INPUT
        case Exception():
            return f"series-assets could not go on: {describe_unexpected_error(error)}", _FAILED
    raise error


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="series_assets")
def main() -> None:
    """Make series of realistic periodic datasets from an Exhibit specification and a user input.

    Series lie in the folder SERIES_ASSETS_SERIES_DIR (by default those that come with the
    package), data goes to SERIES_ASSETS_DATA_DIR (by default the folder data).
    """


@main.command("list")
@_telling
def list_() -> None:
    """Show the series, their periods, and what has been made."""
    settings = from_environment()
    table = Table("series", "periods", "first", "last", "rows", "new", "made", box=None)
    broken = []
    for one in _all_series(settings):
        if isinstance(one, BrokenSeries):
            broken.append(one)
            table.add_row(cell(one.name), "broken, see below")
            continue
        said, calendar = one.user_input, one.calendar
        layout = _layout(one, settings)
        made = sum(layout.dataset(number + 1).exists() for number in range(calendar.count))
        every = f"{calendar.length} {calendar.unit}"
        table.add_row(
            one.name,
            f"{calendar.count} × {every}",
            calendar.keys[0],
            calendar.keys[-1],
            str(one.rows),
            str(said.fraction_of_new),
            f"{made} of {calendar.count}",
        )
    _console(sys.stdout).print(table)
    for one in broken:
        echo(str(one.error), err=True)


@main.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@_telling
def validate(names: tuple[str, ...]) -> None:
    """Check both files of each series (of the named ones), try it, and tell every fault."""
    settings = from_environment()
    chosen = [_named(settings, name) for name in names] if names else _all_series(settings)
    faults: list[Fault] = []
    for one in chosen:
        notes: list[str] = []
        if isinstance(one, BrokenSeries):
            told = list(one.error.faults)
        else:
            try:
                told = _deeper_faults(one, settings, notes)
            except GenerationError as error:  # about the database, not about a file of the series
                told = [error.fault()]
        faults += told
        if isinstance(one, Series):
            for note in notes_of(one):
                echo(f"note: {note}", err=True)
        if not told:
            echo(f"{one.name}: in order")
            for note in notes:
                echo(f"note: {note}", err=True)
    if faults:
        raise InputError(faults)
    _note_shared_identifiers(settings, {one.name for one in chosen})


@main.command()
@click.argument("name", required=False)
@click.option("--periods", metavar="FIRST..LAST", help="Only these periods, by their first days.")
@click.option("--specification", type=click.Path(path_type=Path), help="A loose specification.")
@click.option("--user-input", type=click.Path(path_type=Path), help="A loose user input.")
@click.option("--output", type=click.Path(path_type=Path), help="Folder for a loose series.")
@click.option("--quiet", is_flag=True, help="Print nothing but what goes wrong.")
@click.option("--verbose", is_flag=True, help="Print each phase, and the log of recorded runs.")
@_telling
def generate(
    name: str | None,
    periods: str | None,
    specification: Path | None,
    user_input: Path | None,
    output: Path | None,
    quiet: bool,
    verbose: bool,
) -> None:
    """Make the periods of a series, named or given as two loose files."""
    loose = (specification, user_input, output)
    if name is None and None in loose:
        raise click.UsageError(
            "name a series, or give --specification, --user-input and --output together"
        )
    if name is not None and any(loose):
        raise click.UsageError(
            "a named series takes no --specification, --user-input or --output; its data goes to "
            "SERIES_ASSETS_DATA_DIR"
        )
    settings = from_environment()
    if specification and user_input and output:
        series, data_dir = load_series_from_files(specification, user_input), _output(output)
    else:
        assert name is not None
        series, data_dir = _sound(settings, name), settings.data_dir

    with interrupts.leaving():
        from series_assets.pipeline.progress import phases_of
        from series_assets.pipeline.requests import chosen_periods
        from series_assets.pipeline.workspace import Workspace

    workspace = Workspace(
        data_dir,
        flat=name is None,
        executor=settings.executor,
        any_database=settings.any_database,
        stock_exhibit=settings.stock_exhibit,
    )
    chosen = chosen_periods(series, periods)
    make = _generator(settings, verbose)
    steps = len(chosen) * len(phases_of(series))
    with progress_bar(series.name, steps, quiet=quiet, verbose=verbose) as progress:
        try:
            made = make(series, chosen, workspace, progress)
        except KeyboardInterrupt:
            raise KeyboardInterrupt("interrupted; run it again to make what is missing") from None
    if not quiet:
        for path in made:
            echo(str(path))


@main.command()
@click.argument("name")
@click.option("--periods", metavar="FIRST..LAST", help="Only these periods, by their first days.")
@click.option("--quiet", is_flag=True, help="Print nothing but what is wrong.")
@_telling
def check(name: str, periods: str | None, quiet: bool) -> None:
    """Hold the datasets of a series against the rules that their consumers rely on.

    Without --periods all that have been made.
    """
    settings = from_environment()
    series = _sound(settings, name)

    with interrupts.leaving():
        from series_assets.checks.rules import rules_of
        from series_assets.checks.run import check_periods, delivered_keys
        from series_assets.pipeline.requests import chosen_periods
        from series_assets.storage.reference_table import ReferenceTable

    table = ReferenceTable(series, _layout(series, settings))
    chosen = chosen_periods(series, periods) if periods else ()
    keys = [period.key for period in chosen] or delivered_keys(table)
    if not keys:
        raise RequestError(
            f"no dataset has been made yet in {table.layout.folder}",
            f"first run series-assets generate {name}",
            series=name,
        )
    failed = False
    for checked in check_periods(table, keys):
        failed = failed or not checked.holds
        for line in checked.complaints():
            echo(line, err=True)
    if failed:
        sys.exit(_FAILED)
    if not quiet:
        rules = f"all {len(rules_of(series))} rules hold"
        echo(f"{name}: {rules} in {len(keys)} {'period' if len(keys) == 1 else 'periods'}")
        last = series.calendar.period_for_key(keys[-1]).k
        left_out = [key for key in series.calendar.keys[:last] if key not in keys]
        if left_out and not periods:
            are = "is" if len(left_out) == 1 else "are"
            echo(f"note: {join_words(left_out, 'and')} {are} not made, and left out", err=True)


@main.command()
@click.argument("name")
@click.option("--from-data", type=click.Path(path_type=Path), help="A CSV that it is to look like.")
@click.option("--id", "identifier", metavar="COLUMN", help="The column that names its entities.")
@_telling
def new(name: str, from_data: Path | None, identifier: str | None) -> None:
    """Write both files of a new series: a commented template, or what real data look like.

    A column given as --id that the data lack is added, with one row for each entity.
    """
    if (from_data is None) != (identifier is None):
        raise click.UsageError("--from-data and --id go together")
    with interrupts.leaving():
        from series_assets.scaffolding.new_series import create_series

    if from_data is not None and is_pipe_or_device(from_data):
        problem, remedy = "is a pipe or a device, not a file", "save what comes out of it as a CSV"
        raise InputError([Fault(str(from_data), "", problem, remedy)])
    settings = from_environment()
    own = settings.series_dir != SHIPPED
    folder = settings.series_dir if own else Path("series").resolve()
    started = create_series(
        folder, name, from_data, identifier, stock_exhibit=settings.stock_exhibit
    )
    for path in started.paths:
        echo(str(path))
    for note in started.notes:
        echo(f"note: {note}", err=True)
    for line in started.comparison:
        echo(line, err=True)
    if not own:
        echo(f"To use it: export SERIES_ASSETS_SERIES_DIR={folder}", err=True)


@main.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--take-over", is_flag=True, help="Also the table of a series whose folder is gone for good."
)
@_telling
def clean(name: str, yes: bool, take_over: bool) -> None:
    """Remove the files of a series and its reference table, nothing else."""
    from series_assets.storage.cleaning import removable_files, remove_files
    from series_assets.storage.reference_table import ReferenceTable

    settings = from_environment()
    series = _sound(settings, name)
    layout = _layout(series, settings)
    table = ReferenceTable(series, layout)
    files = removable_files(layout)
    table.check_owner(take_over=take_over)
    if not yes:
        click.confirm(
            escape_invisible(
                f"Remove {len(files)} files of {name} in {layout.folder}, and its reference table "
                f"in {layout.database}?"
            ),
            abort=True,
        )
    remove_files(layout, files)
    dropped = table.drop(take_over=take_over)
    echo(f"removed {len(files)} files{' and the reference table' if dropped else ''}")


def _generator(settings: Settings, verbose: bool) -> Callable[..., list[Path]]:
    """Return what makes periods: through Dagster where runs are to be recorded, or without it."""
    with interrupts.leaving():
        if settings.recorded:
            from series_assets.dagster.recorded_run import generate_recorded

            return partial(generate_recorded, verbose=verbose)
        from series_assets.pipeline.run import generate_periods

        return generate_periods


def _note_shared_identifiers(settings: Settings, names: set[str]) -> None:
    """Print which of the named series share identifiers with another one of the folder."""
    from series_assets.core.plan.shared_identifiers import shared_identifiers

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what there is to warn of has been shown by now
        sound = [one for one in _all_series(settings) if not isinstance(one, BrokenSeries)]
    for shared in shared_identifiers(sound):
        if names & {shared.first, shared.second}:
            echo(f"note: {shared}", err=True)


def _deeper_faults(series: Series, settings: Settings, notes: list[str]) -> list[Fault]:
    """Return what the database lacks, or else what a trial of the series ends with.

    What its records will not meet is added to ``notes``.
    """
    from series_assets.storage.lookup_tables import lookup_faults
    from series_assets.storage.sqlite import check_readable, installed_database

    database = _layout(series, settings).database
    if database.exists():
        check_readable(database)
    if missing := lookup_faults(series, database, any_database=settings.any_database):
        return missing
    with interrupts.leaving():
        from series_assets.pipeline.trial import faults_of_trial

    tried: list[str] = []
    source = database if database.exists() else installed_database()
    faults = list(faults_of_trial(series, source, tried, stock_exhibit=settings.stock_exhibit))
    notes += [f"{series.specification_file}: {text}" for text in (*series.unenforced, *tried)]
    return faults


def _output(folder: Path) -> Path:
    try:
        return resolve_path(folder)
    except InvalidValueError as error:
        file = f"--output {str(folder)[:100]}"
        raise InputError([Fault(file, "", error.problem, error.remedy)]) from None


def _layout(series: Series, settings: Settings) -> Layout:
    return Layout.of(series, settings.data_dir)


def _all_series(settings: Settings) -> list[Series | BrokenSeries]:
    """Return the series of the folder. Raises InputError where it holds none."""
    folder = settings.series_dir
    found = find_series(folder)
    if not found:
        problem = "holds no series"
        remedy = "a series is a folder in it with specification.yml and user_input.yml"
        if (folder / SPECIFICATION).exists() or (folder / USER_INPUT).exists():
            problem = "is a series itself"
            remedy = "name the folder that it lies in, which may hold more"
        remedy += " (SERIES_ASSETS_SERIES_DIR)"
        raise InputError([Fault(str(folder), "", problem, remedy)])
    return found


def _named(settings: Settings, name: str) -> Series | BrokenSeries:
    known = {one.name: one for one in _all_series(settings)}
    if name not in known:
        where = "" if settings.series_dir == SHIPPED else f" in {settings.series_dir}"
        raise RequestError(f"there is no series '{name}'{where}", suggestion(name, known))
    return known[name]


def _sound(settings: Settings, name: str) -> Series:
    one = _named(settings, name)
    if isinstance(one, BrokenSeries):
        raise one.error
    return one


def _console(stream: Any) -> Console:
    """Return a console that cuts nothing off where a program reads its output."""
    return Console(file=stream, highlight=False, width=None if stream.isatty() else 500)
