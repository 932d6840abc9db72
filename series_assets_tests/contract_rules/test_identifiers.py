"""Identifiers of every kind, and how often an entity occurs."""

from pathlib import Path

import pytest

from series_assets_tests.builders import a_specification, a_user_input
from series_assets_tests.columns import a_uuid, with_columns
from series_assets_tests.contract_rules.series import FREQUENCIES, generate_and_check


@pytest.mark.parametrize("kind", ["uuid", "pseudo_chi", "range"])
def test_entities_occur_as_often_as_their_frequency_says(tmp_path: Path, kind: str) -> None:
    """Entities have one, two or three rows per period, for each kind of identifier."""
    specification = with_columns(
        a_specification(number_of_rows=90),
        id=a_uuid(kind, frequency_distribution=FREQUENCIES),
    )
    generate_and_check(tmp_path, specification, a_user_input(num_datasets=5, fraction_of_new="1/2"))


@pytest.mark.each_value
@pytest.mark.parametrize("links", [[], ["chi", "id", "number"], ["chi", "number"]])
@pytest.mark.parametrize("missing", ["", "id", "chi"])
def test_several_identifiers(tmp_path: Path, links: list[str], missing: str) -> None:
    """Identifiers of all kinds together, linked or not, some of them missing."""
    specification = with_columns(
        a_specification(number_of_rows=80),
        id=a_uuid(frequency_distribution=FREQUENCIES[:3]),
        chi=a_uuid("pseudo_chi", frequency_distribution=FREQUENCIES[:3], uuid_seed=5),
        number=a_uuid("range", frequency_distribution=FREQUENCIES[:3]),
    )
    if missing:
        specification["columns"][missing]["miss_probability"] = 0.2
    generate_and_check(
        tmp_path, specification, a_user_input(linked_columns=links, fraction_of_new="1/2")
    )


def test_identifiers_without_a_seed_of_their_own(tmp_path: Path) -> None:
    """Without a uuid_seed, the random_seed is used, in every period."""
    specification = a_specification(random_seed=11)
    del specification["columns"]["id"]["uuid_seed"]
    generate_and_check(tmp_path, specification)


def test_a_column_linked_to_an_identifier_is_static(tmp_path: Path) -> None:
    """A column that is linked to an identifier is static, even if not named as such."""
    generate_and_check(
        tmp_path, user_input=a_user_input(static_columns=None, linked_columns=["id", "region"])
    )


def test_records_without_an_identifier_are_never_sampled(tmp_path: Path) -> None:
    """Existing records are sampled only from records that have an identifier."""
    specification = with_columns(a_specification(), id=a_uuid(miss_probability=0.6))
    generate_and_check(tmp_path, specification, a_user_input(fraction_of_new="2/3"))
