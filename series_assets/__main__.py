"""``python -m series_assets`` is ``series-assets``."""

from series_assets.cli import main

main(prog_name="series-assets")
