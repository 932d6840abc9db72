"""The command about the expected history of a series: ``truth``."""

from pathlib import Path

import click

from series_assets import interrupts
from series_assets.cli.errors import report_errors
from series_assets.cli.history_options import as_of_option, profile_option
from series_assets.cli.lookup import absolute_output, valid_series
from series_assets.core.spec.truth_settings import FORMS
from series_assets.settings import from_environment
from series_assets.terminal import echo, echo_data


@click.command()
@click.argument("name")
@click.option(
    "--as",
    "form",
    type=click.Choice(FORMS),
    default="scd2",
    show_default=True,
    help="Current state, history, or what each row did.",
)
@as_of_option
@profile_option("The tool whose columns are written.")
@click.option("--output", type=click.Path(path_type=Path), help="A file, .csv or .parquet.")
@report_errors
def truth(name: str, form: str, at: str | None, profile: str, output: Path | None) -> None:
    """Write the history that a correct pipeline has after a period.

    Without --output it is printed as CSV.
    """
    settings = from_environment()
    series = valid_series(settings, name)

    with interrupts.exit_on_interrupt():
        from series_assets.pipeline.truth import expected_parts, period_named
        from series_assets.pipeline.truth_export import write_expected
        from series_assets.storage.files import csv_of

    period = period_named(series, at)
    tables = expected_parts(series, settings.workspace(), form, period, profile)
    if output is None:
        for place, table in enumerate(tables):
            echo_data(csv_of(table, header=not place))
        return
    target = absolute_output(output)
    write_expected(series, tables, profile, target)
    echo(str(target))
