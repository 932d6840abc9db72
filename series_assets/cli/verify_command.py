"""The command that compares a tester's table with the expected history: ``verify``."""

import json
import sys
from pathlib import Path

import click

from series_assets import interrupts
from series_assets.cli.errors import FAILED, INVALID_INPUT, report_errors
from series_assets.cli.history_options import as_of_option, profile_option
from series_assets.cli.lookup import absolute_output, valid_series
from series_assets.core.errors import GenerationError, RequestError
from series_assets.core.spec.truth_settings import DIMENSIONS
from series_assets.settings import from_environment
from series_assets.terminal import echo


@click.command()
@click.argument("name")
@click.option(
    "--table",
    required=True,
    help="A .csv or .parquet file, sqlite:///FILE#TABLE or duckdb:///FILE#SCHEMA.TABLE.",
)
@click.option(
    "--as",
    "form",
    type=click.Choice(DIMENSIONS),
    default="scd2",
    show_default=True,
    help="Whether the table holds the current state or the history.",
)
@as_of_option
@profile_option("The tool whose columns the table has.")
@click.option(
    "--time",
    type=click.Choice(("exact", "rank", "order")),
    default="exact",
    show_default=True,
    help="Compare times as they are, by the order of loads, or by the order of versions.",
)
@click.option(
    "--loads",
    type=click.Path(path_type=Path),
    help="A CSV with period and loaded_at, for --time rank.",
)
@click.option(
    "--tolerance",
    type=float,
    default=0.0,
    show_default=True,
    help="Largest difference at which two numbers still count as equal.",
)
@click.option(
    "--column",
    "columns",
    metavar="THEIRS=OURS",
    multiple=True,
    help="A column that has another name in the table; may be repeated.",
)
@click.option("--valid-from", metavar="COLUMN", help="The column with the start of each version.")
@click.option("--valid-to", metavar="COLUMN", help="The column with the end of each version.")
@click.option("--current", metavar="COLUMN", help="The column that marks current versions.")
@click.option(
    "--open-value",
    metavar="VALUE",
    help="The end of current versions in the table; default: that of the profile.",
)
@click.option(
    "--interval", metavar="KIND", help="half-open, or closed:1d if a version includes its end day."
)
@click.option("--json", "output", type=click.Path(path_type=Path), help="Write the report as JSON.")
@report_errors
def verify(
    name: str,
    table: str,
    form: str,
    at: str | None,
    columns: tuple[str, ...],
    loads: Path | None,
    output: Path | None,
    **options: object,
) -> None:
    """Compare a pipeline's table with the correct history.

    The exit code is 0 if the table is correct, 1 if it is not, 2 if it cannot be compared.
    """
    settings = from_environment()
    series = valid_series(settings, name)

    with interrupts.exit_on_interrupt():
        from series_assets.core.verify.options import VerifyOptions
        from series_assets.pipeline.truth import period_named
        from series_assets.pipeline.verify import verify_table
        from series_assets.storage.files import write_text
        from series_assets.storage.foreign_tables import read_foreign_table, read_loads

    period = period_named(series, at)
    asked = VerifyOptions(
        as_=form,
        columns=_pairs(columns),
        loads=read_loads(loads) if loads else (),
        **options,  # type: ignore[arg-type]
    )
    report = verify_table(
        series, settings.workspace(), read_foreign_table(table), asked, period, table
    )
    for line in report.lines():
        echo(line)
    if output:
        text = json.dumps(report.as_dict(), indent=2, ensure_ascii=False)
        try:
            write_text(absolute_output(output, "--json"), text + "\n")
        except GenerationError as error:  # exit code 1 would mean that the table is wrong
            echo(str(error), err=True)
            sys.exit(INVALID_INPUT)
    if not report.holds:
        sys.exit(FAILED)


def _pairs(columns: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for one in columns:
        theirs, equals, ours = one.partition("=")
        if not equals or not theirs or not ours:
            raise RequestError(
                f"--column {one} is not a pair of names",
                "write the name in the table, =, and the name in the series",
            )
        found[theirs] = ours
    return found
