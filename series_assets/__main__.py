"""``python -m series_assets`` is ``series-assets``."""

import gc

from series_assets.interrupts import install_exit_handler


def run() -> None:
    """Run the command line in a process of its own."""
    install_exit_handler()  # before anything slow is imported
    gc.set_threshold(100_000, 20, 100)  # almost nothing of what is imported ever becomes garbage
    from series_assets.cli import main

    main(prog_name="series-assets")


if __name__ == "__main__":
    run()
