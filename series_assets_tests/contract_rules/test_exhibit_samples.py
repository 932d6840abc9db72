"""Exhibit's sample specifications as series."""

from importlib.resources import files
from pathlib import Path

import pytest
import yaml

from series_assets_tests.builders import a_user_input
from series_assets_tests.columns import a_uuid, with_columns
from series_assets_tests.contract_rules.series import generate_and_check

SAMPLES = Path(str(files("exhibit") / "sample" / "_spec"))


def test_the_vaccinations_that_come_with_exhibit(tmp_path: Path) -> None:
    """Exhibit's sample with identifiers is a valid series as it is."""
    sample = yaml.safe_load((SAMPLES / "uuid_demo.yml").read_text(encoding="utf-8"))
    sample["metadata"]["number_of_rows"] = 200
    inputs = a_user_input(date_columns=["vacc_date"], length_of_period=12)
    generate_and_check(tmp_path, sample, inputs)


@pytest.mark.parametrize("static", [["sex", "hb_name"], ["age", "hb_code"]])
def test_the_inpatients_that_come_with_exhibit(tmp_path: Path, static: list[str]) -> None:
    """Exhibit's sample of inpatients is a valid series with an identifier added."""
    sample = yaml.safe_load((SAMPLES / "inpatients_demo.yml").read_text(encoding="utf-8"))
    sample["metadata"] |= {"number_of_rows": 150, "uuid_columns": []}
    inputs = a_user_input(date_columns=["quarter_date"], static_columns=static, length_of_period=12)
    generate_and_check(tmp_path, with_columns(sample, id=a_uuid()), inputs)
