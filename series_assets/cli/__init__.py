"""``series-assets``: the command line. Commands read arguments and print; the work is elsewhere."""

import click

from series_assets.cli.data_commands import check, clean, generate
from series_assets.cli.preview_command import preview
from series_assets.cli.series_commands import list_series, new, validate
from series_assets.cli.truth_command import truth
from series_assets.cli.verify_command import verify


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="series_assets")
def main() -> None:
    """Generate series of realistic periodic datasets from Exhibit specifications and user inputs.

    Series are read from the folder SERIES_ASSETS_SERIES_DIR (default: those that come with
    the package). Data is written to the folder SERIES_ASSETS_DATA_DIR (default: data).
    """


for _command in (list_series, validate, preview, generate, truth, verify, check, new, clean):
    main.add_command(_command)
