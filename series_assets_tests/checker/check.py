"""The checks of a series, in their order."""

from series_assets_tests.checker.constraints import check_constraints, check_dates
from series_assets_tests.checker.counts import check_columns, check_counts
from series_assets_tests.checker.delivered import DeliveredData, check_files
from series_assets_tests.checker.existing_records import (
    check_existing,
    check_origins,
    check_shuffled,
)
from series_assets_tests.checker.finished import Finished
from series_assets_tests.checker.identifiers import check_links, check_new_identifiers
from series_assets_tests.checker.over_periods import check_over_periods
from series_assets_tests.checker.reference_table import check_reference_table
from series_assets_tests.checker.rules import Rules
from series_assets_tests.checker.specifications import (
    check_existing_specifications,
    check_new_specifications,
)
from series_assets_tests.checker.values import check_pools, check_values


def check(finished: Finished) -> None:
    """Raise an AssertionError that names the file and the fault if the series breaks a rule."""
    rules = Rules(finished)
    check_files(rules)
    data = DeliveredData(rules)
    check_columns(data)
    for k in range(rules.periods):
        check_counts(data, k)
        for part, rows in (("new", data.new[k]), ("existing", data.existing[k])):
            where = f"dataset_{k + 1}.csv ({part} records)"
            check_values(rules, rows, where)
            check_dates(rules, rows, k, part == "existing", where)
            check_constraints(rules, rows, k, part == "existing", where)
    check_pools(data)
    check_new_identifiers(data)
    check_links(data)
    for k in range(rules.periods):
        check_existing(data, k)
        check_origins(data, k)
        check_shuffled(data, k)
    check_over_periods(data)
    check_new_specifications(rules)
    check_existing_specifications(rules)
    check_reference_table(data)
