"""``python -m series_assets`` is ``series-assets``."""

import gc

from series_assets.interrupts import leave_on_interrupt


def run() -> None:
    """Run the command line in a process of its own."""
    leave_on_interrupt()  # before anything that takes time is imported
    gc.set_threshold(100_000, 20, 100)  # of the many things that are imported none ever goes
    from series_assets.cli import main

    main(prog_name="series-assets")


if __name__ == "__main__":
    run()
