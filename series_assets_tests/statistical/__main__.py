"""``python -m series_assets_tests.statistical``: print the statistics; exit code 1 if any fails."""

import sys

from series_assets_tests.statistical.statistic import table
from series_assets_tests.statistical.suite import SERIES, statistics_of

if __name__ == "__main__":
    taken = [one for name in SERIES for one in statistics_of(name)]
    sys.stdout.write(f"{table(taken)}\n")
    sys.exit(0 if all(one.holds for one in taken) else 1)
