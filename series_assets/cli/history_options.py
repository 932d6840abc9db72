"""The options that the commands about the expected history share."""

from collections.abc import Callable
from typing import Any

import click

from series_assets.core.spec.truth_settings import PROFILES

as_of_option = click.option(
    "--at", metavar="PERIOD", help="As of this period, given by its first day; default: the last."
)


def profile_option(help_text: str) -> Callable[[Any], Any]:
    """Return the option that chooses the tool whose columns a table has."""
    return click.option(
        "--profile",
        type=click.Choice(PROFILES),
        default="plain",
        show_default=True,
        help=help_text,
    )
