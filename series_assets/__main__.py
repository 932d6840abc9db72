"""``python -m series_assets`` is ``series-assets``."""

import gc

from series_assets.cli import main


def run() -> None:
    """Run the command line in a process of its own."""
    gc.set_threshold(100_000, 20, 100)  # of the many things that are imported none ever goes
    main(prog_name="series-assets")


if __name__ == "__main__":
    run()
