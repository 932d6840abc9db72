"""A specification with one custom constraint, for the tests of constraints."""

from typing import Any

from series_assets_tests.builders import a_specification
from series_assets_tests.columns import a_category, a_number, a_uuid, with_columns

FREQUENCIES = ["frequency | probability_vector", "1 | 0.2", "3 | 0.8"]


def constrained(
    targets: dict[str, str], partition: str | None = None, where: str | None = None
) -> dict[str, Any]:
    """Return a specification with one custom constraint, over entities of several rows."""
    dose = {"first": 0.25, "second": 0.25, "third": 0.25, "fourth": 0.25}
    specification = with_columns(
        a_specification(number_of_rows=120),
        id=a_uuid(frequency_distribution=FREQUENCIES),
        dose=a_category("dose", dose),
        height=a_number("integer"),
    )
    specification["constraints"]["custom_constraints"] = {
        "one": {"filter": where, "partition": partition, "targets": targets}
    }
    return specification
