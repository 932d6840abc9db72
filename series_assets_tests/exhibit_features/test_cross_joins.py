"""Cross-joined columns: complete cross joins are generated, and the requested rows kept."""

from collections import Counter
from math import prod
from pathlib import Path
from typing import Any

import pytest

from series_assets.core.errors import InputError
from series_assets_tests.builders import a_series, a_specification
from series_assets_tests.columns import a_category, a_date, a_number, a_uuid, with_columns
from series_assets_tests.exhibit_features.checked_series import (
    existing_records,
    generate_series,
    new_records,
)

TWICE = ["frequency | probability_vector", "1 | 0.5", "2 | 0.5"]


def crossed(*names: str, rows: int = 60, **columns: Any) -> dict[str, Any]:
    """Return a specification in which the named columns are cross-joined."""
    specification = with_columns(a_specification(number_of_rows=rows), **columns)
    for name in names:
        specification["columns"][name]["cross_join_all_unique_values"] = True
    return specification


@pytest.mark.each_value
@pytest.mark.parametrize("static", [[], ["sex"], ["sex", "region"]])
@pytest.mark.parametrize("rows", [48, 53])
def test_combinations_come_equally_often(tmp_path: Path, rows: int, static: list[str]) -> None:
    """Every combination of values that are not static occurs."""
    finished = generate_series(tmp_path, crossed("sex", "region", rows=rows), static_columns=static)
    for part in (new_records, existing_records):
        records = part(finished, 2)
        assert "" not in records.to_numpy()
        free = [name for name in ("sex", "region") if name not in static or part is new_records]
        counts = Counter(records[free].itertuples(index=False, name=None))
        size = prod({"sex": 2, "region": 3}[name] for name in free)
        if free:
            assert len(counts) == size
            assert max(counts.values()) - min(counts.values()) <= 2


def test_identifiers_are_one_to_a_row_however_much_is_crossed(tmp_path: Path) -> None:
    """Entities occur as often as their frequency says, in new and existing records."""
    specification = crossed("region", "date", rows=70)
    specification["columns"]["date"] |= {"to": "2024-01-05", "uniques": 5}
    with_columns(
        specification,
        id=a_uuid(frequency_distribution=TWICE),
        number=a_uuid("range", frequency_distribution=TWICE),
    )
    finished = generate_series(tmp_path, specification, linked_columns=["id", "number"])
    for records in (new_records(finished, 2), existing_records(finished, 2)):
        assert records["id"].value_counts().max() == 2


def test_a_pair_that_is_cross_joined(tmp_path: Path) -> None:
    """Both columns of a pair are cross-joined together, and static together."""
    pair = {
        "ward": a_category("ward", {"007/Ash": 0.5, "012/Elm": 0.5}, pair="label"),
        "label": a_category("label", {"x": 1, "y": 1}, paired_columns=["ward"]),
    }
    pair["label"]["original_values"] = "See paired column"
    for static in ([], ["label"]):
        specification = crossed("ward", "label", "region", rows=50, **pair)
        generate_series(tmp_path / str(len(static)), specification, static_columns=static)


def test_a_total_over_crossed_rows(tmp_path: Path) -> None:
    """Rows that only complete the last cross join take no share of the total."""
    parameters = {"dispersion": 0.0, "target_sum": 5000}
    specification = crossed(
        "sex", "region", rows=50, amount=a_number(distribution_parameters=parameters)
    )
    finished = generate_series(tmp_path, specification)
    for records in (new_records(finished, 2), existing_records(finished, 2)):
        total = records["amount"].astype(float).sum()
        assert total == pytest.approx(2500, rel=0.2)


def test_dates_and_categories_crossed_in_periods_of_changing_length(tmp_path: Path) -> None:
    """A cross join has the days of its month, no combination remains twice, and no identifier
    is issued twice.
    """
    specification = crossed("date", "sex", rows=130, id=a_uuid("range"))
    specification["columns"]["date"] = a_date(
        "2024-01-01", "2024-01-31", 31, cross_join_all_unique_values=True
    )
    finished = generate_series(tmp_path, specification, num_datasets=4)
    for number, days in ((1, 31), (2, 29), (3, 31), (4, 30)):
        rows = new_records(finished, number)
        assert rows["date"].max() == f"2024-{number:02}-{days}" or len(rows) < 130
        repeated = rows.groupby(["date", "sex"]).size()
        assert repeated.max() == -(-len(rows) // (2 * days))


def test_a_crossed_column_needs_its_values() -> None:
    """Values that only the database has cannot be cross-joined; ``uniques`` must be right."""
    specification = crossed("region")
    specification["columns"]["region"]["original_values"] = None
    with pytest.raises(InputError) as refused:
        a_series(specification)
    assert str(refused.value) == (
        "demo/specification.yml: columns.region is cross-joined; Exhibit needs its values listed "
        "in original_values"
    )
    specification = crossed("region")
    specification["columns"]["region"]["uniques"] = 4
    with pytest.raises(InputError) as refused:
        a_series(specification)
    assert str(refused.value) == (
        "demo/specification.yml: columns.region.uniques is 4, but original_values has 3"
    )
