"""The commands about the data of a series: ``generate``, ``check``, ``clean``."""

import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import click

from series_assets import interrupts
from series_assets.cli.errors import FAILED, report_errors
from series_assets.cli.lookup import data_output, valid_series
from series_assets.core.errors import SeriesError, join_words
from series_assets.core.plain_text import escape_invisible
from series_assets.settings import Settings, from_environment
from series_assets.storage.layout import Layout
from series_assets.storage.loading import load_series_from_files
from series_assets.storage.remote import check_readable
from series_assets.terminal import echo, progress_bar

_periods_option = click.option(
    "--periods", metavar="FIRST..LAST", help="Only these periods, by their first days; or one day."
)


@click.command()
@click.argument("name", required=False)
@_periods_option
@click.option(
    "--specification",
    type=click.Path(path_type=Path),
    help="Specification outside a series folder.",
)
@click.option(
    "--user-input", type=click.Path(path_type=Path), help="User input outside a series folder."
)
@click.option("--output", metavar="PLACE", help="Folder or URL for the data of these two files.")
@click.option("--quiet", is_flag=True, help="Print errors only.")
@click.option("--verbose", is_flag=True, help="Print each phase, and the log of recorded runs.")
@report_errors
def generate(
    name: str | None,
    periods: str | None,
    specification: Path | None,
    user_input: Path | None,
    output: str | None,
    quiet: bool,
    verbose: bool,
) -> None:
    """Generate the datasets of a series.

    Give its name, or two files with --specification, --user-input and --output.
    """
    files = (specification, user_input, output)
    if name is None and None in files:
        raise click.UsageError(
            "name a series, or give --specification, --user-input and --output together"
        )
    if name is not None and any(files):
        raise click.UsageError(
            "a named series takes no --specification, --user-input or --output; its data goes to "
            "SERIES_ASSETS_DATA_DIR"
        )
    settings = from_environment()
    if specification and user_input and output:
        series, data_dir = (
            load_series_from_files(specification, user_input),
            data_output(output),
        )
    else:
        assert name is not None
        series, data_dir = valid_series(settings, name), settings.data_dir

    with interrupts.exit_on_interrupt():
        from series_assets.pipeline.progress import phases_of
        from series_assets.pipeline.requests import chosen_periods

        workspace = settings.workspace(data_dir, flat=name is None)
    chosen = chosen_periods(series, periods)
    generate_periods = _generator(settings, verbose)
    steps = len(chosen) * len(phases_of(series))
    with progress_bar(series.name, steps, quiet=quiet, verbose=verbose) as progress:
        try:
            paths = generate_periods(series, chosen, workspace, progress)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(
                "interrupted; run it again to generate what is missing"
            ) from None
    if not quiet:
        for path in paths:
            echo(str(path))


def _generator(settings: Settings, verbose: bool) -> Callable[..., list[Path]]:
    """Return what generates periods: through Dagster if runs are to be recorded, or without it."""
    with interrupts.exit_on_interrupt():
        if settings.recorded:
            from series_assets.dagster.recorded_run import generate_recorded

            return partial(generate_recorded, verbose=verbose)
        from series_assets.pipeline.run import generate_periods

        return generate_periods


@click.command()
@click.argument("name")
@_periods_option
@click.option("--quiet", is_flag=True, help="Print only the rules that do not hold.")
@report_errors
def check(name: str, periods: str | None, quiet: bool) -> None:
    """Check datasets against the rules that consumers rely on.

    Without --periods, all existing datasets are checked.
    """
    settings = from_environment()
    series = valid_series(settings, name)

    with interrupts.exit_on_interrupt():
        from series_assets.checks.rules import rules_of
        from series_assets.checks.run import check_periods, keys_to_check
        from series_assets.pipeline.requests import chosen_periods
        from series_assets.storage.tables import reference_table

    table = reference_table(series, Layout.of(series, settings.data_dir))
    check_readable(table.layout.folder)
    chosen = chosen_periods(series, periods) if periods else ()
    keys = keys_to_check(table, chosen)
    failed = []
    for result in check_periods(table, keys):
        failed += [] if result.holds else [result.key]
        for line in result.complaints():
            echo(line, err=True)
    if failed:
        if not quiet:
            # Periods build on those before them, which have to be recorded first.
            known, recorded = series.calendar.keys, dict[int, int]()
            with suppress(SeriesError):  # a damaged table is among the complaints
                recorded = table.current_counts()
            first = known.index(failed[0])
            first = next((k for k in range(first) if k not in recorded), first)
            span = "..".join(dict.fromkeys((known[first], failed[-1])))
            echo(f"to regenerate: series-assets generate {name} --periods {span}", err=True)
        sys.exit(FAILED)
    if not quiet:
        rules = f"all {len(rules_of(series))} rules hold"
        count = series.calendar.count
        some = f"{len(keys)} of {count}" if len(keys) < count and not periods else f"{len(keys)}"
        echo(f"{name}: {rules} in {some} {'period' if some == '1' else 'periods'}")
        last = series.calendar.period_for_key(keys[-1]).k
        skipped = [key for key in series.calendar.keys[:last] if key not in keys]
        if skipped and not periods:
            are = "has no dataset and was" if len(skipped) == 1 else "have no datasets and were"
            echo(f"note: {join_words(skipped, 'and')} {are} skipped", err=True)


@click.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@click.option(
    "--take-over",
    is_flag=True,
    help="Also remove the table of another series of this name whose folder no longer exists.",
)
@report_errors
def clean(name: str, yes: bool, take_over: bool) -> None:
    """Remove the data of a series.

    That is its delivered files, its reference table and its states, and nothing else.
    """
    from series_assets.storage.cleaning import removable_files, remove_files
    from series_assets.storage.entities import ReferenceTable
    from series_assets.storage.states import States
    from series_assets.storage.tables import all_reference_tables, all_states_of, reference_table

    settings = from_environment()
    series = valid_series(settings, name)
    layout = Layout.of(series, settings.data_dir)
    tables: list[tuple[str, ReferenceTable | States]] = [
        *(("the reference table", table) for table in all_reference_tables(series, layout)),
        *(("the table of states", table) for table in all_states_of(series, layout)),
    ]
    check_readable(layout.folder)
    files = removable_files(layout)
    for _, table in tables:
        table.check_owner(take_over=take_over)
    if not yes:
        click.confirm(
            escape_invisible(
                f"Remove {len(files)} files of {name} in {layout.folder}, and its reference table "
                f"in {reference_table(series, layout).place}?"
            ),
            abort=True,
        )
    remove_files(layout, files)
    removed = [f"{len(files)} files"]
    removed += [name for name, table in tables if table.drop(take_over=take_over)]
    echo(f"removed {join_words(dict.fromkeys(removed), 'and')}")
