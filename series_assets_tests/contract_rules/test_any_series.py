"""Any numbers in the two files: the series keeps every rule of the contract."""

from copy import deepcopy
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from series_assets_tests.builders import a_specification, a_user_input
from series_assets_tests.columns import a_date, a_uuid, with_columns
from series_assets_tests.contract_rules.series import FREQUENCIES, generate_and_check

_EXAMPLES = 200 if settings.get_current_profile_name() == "long" else 8


@st.composite
def series(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """Draw a specification and a user input that vary in all numeric settings."""
    specification = a_specification(
        number_of_rows=draw(st.integers(6, 40)), random_seed=draw(st.integers(0, 99))
    )
    first = draw(st.dates(date(1950, 1, 1), date(2090, 12, 31)))
    last = date.fromordinal(first.toordinal() + draw(st.integers(0, 60)))
    column = a_date(first.isoformat(), last.isoformat(), draw(st.integers(1, 40)))
    frequencies = draw(st.sampled_from([FREQUENCIES[:2], FREQUENCIES[:3], FREQUENCIES]))
    identifier = a_uuid(
        draw(st.sampled_from(["uuid", "pseudo_chi", "range"])), frequency_distribution=frequencies
    )
    parts = draw(st.integers(1, 12))
    inputs = a_user_input(
        period=draw(st.sampled_from(["days", "weeks", "months"])),
        length_of_period=draw(st.integers(1, 13)),
        num_datasets=draw(st.integers(1, 5)),
        fraction_of_new=f"{draw(st.integers(0, parts))}/{parts}",
    )
    inputs["static_columns"] = draw(
        st.lists(st.sampled_from(["sex", "region", "amount", "date"]), unique=True)
    )
    return with_columns(specification, id=identifier, date=column), inputs


@settings(max_examples=_EXAMPLES, database=None)
@given(files=series())
def test_any_series_keeps_every_promise(files: tuple[dict[str, Any], dict[str, Any]]) -> None:
    """Whatever the numbers of a series, it keeps every promise."""
    specification, inputs = files
    with TemporaryDirectory() as folder:
        generate_and_check(Path(folder), deepcopy(specification), inputs)
