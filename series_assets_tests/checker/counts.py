"""The columns and the number of rows of each dataset."""

from series_assets_tests.checker.delivered import DeliveredData
from series_assets_tests.checker.finished import ensure, some


def check_columns(data: DeliveredData) -> None:
    """Every file has the columns of the specification, in the same order."""
    first = data.headers["dataset_1.csv"]
    ensure(
        set(first) == data.rules.header,
        f"dataset_1.csv: its columns and those of the specification differ in "
        f"{some(sorted(set(first) ^ data.rules.header))}",
    )
    for file, header in data.headers.items():
        ensure(header == first, f"{file}: has the columns {header}, dataset_1.csv has {first}")


def check_counts(data: DeliveredData, k: int) -> None:
    """Every dataset has the rows that the contract requires, new and existing."""
    new, existing = data.rules.counts(k)
    if not data.rules.specification["constraints"]["allow_duplicates"]:
        # Exhibit drops new rows that differ only in their numbers.
        numbers = {
            *(data.rules.metadata.get("numerical_columns") or []),
            *data.rules.of_type("continuous"),
        }
        seen = [tuple(v for n, v in row.items() if n not in numbers) for row in data.new[k]]
        ensure(len(set(seen)) == len(seen), f"new_records/dataset_{k + 1}.csv: holds duplicates")
        ensure(len(seen) <= new, f"dataset_{k + 1}.csv: has {len(seen)} new rows instead of {new}")
        new = len(seen)
    for what, found, wanted in (
        ("rows", len(data.datasets[k]), new + existing),
        ("new rows", len(data.new[k]), new),
        ("existing rows", len(data.existing[k]), existing),
    ):
        ensure(found == wanted, f"dataset_{k + 1}.csv: has {found} {what} instead of {wanted}")
