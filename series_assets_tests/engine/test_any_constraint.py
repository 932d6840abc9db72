"""Random constraints are met in existing records, or every violation is counted."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from series_assets.core.plan import sampling
from series_assets.core.records import as_text, first_row_positions, typed
from series_assets.engine.run import Outcome, generate_existing_records, generate_new_records
from series_assets.storage import scratch_database
from series_assets_tests.builders import a_series, a_specification, a_user_input
from series_assets_tests.columns import a_category, a_date, a_number, a_uuid, with_columns
from series_assets_tests.engine.stock_comparison import INSTALLED, assert_same, run_both_ways

Content = dict[str, Any]
_EXAMPLES = 300 if settings.get_current_profile_name() == "long" else 8

FILTERS = [None, "sex == 'M'", "born < '1990-01-01'", "limit > 40", "date > '2024-01-15'"]
FILTERS += ["sex == 'M' & dose == 'low'", "dose == 'low'"]
TARGETS = [("dose", "assign_value$high"), ("height", "assign_value$7"), ("dose", "make_null")]
TARGETS += [("height", "make_null"), ("date", "make_null"), ("date", "make_not_null")]
TARGETS += [("dose", "make_not_null"), ("sex", "assign_value$F"), ("height", "sort_ascending")]
BASIC = ["height < limit", "limit >= height*2", "seen >= date", "date > born", "limit > height+5"]
BASIC += ["seen <= ended", "height > 20", "born <= seen", "amount < height"]


@dataclass(frozen=True)
class BothParts:
    """The new records of the first period and the existing ones of the second."""

    new: Outcome
    existing: Outcome
    drawn: pd.DataFrame
    """The recorded values of the sampled entities."""


@st.composite
def specifications(draw: st.DrawFn) -> Content:
    """Draw a specification with constraints on static columns, and with missing values."""
    often = ["frequency | probability_vector", "1 | 0.5", "3 | 0.5"]
    gaps = {"miss_probability": draw(st.sampled_from([0.0, 0.3]))}
    dates = {name: a_date("2024-01-01", "2024-01-31", 31, **gaps) for name in ("date", "seen")}
    generated = with_columns(
        a_specification(number_of_rows=80, random_seed=draw(st.integers(0, 999))),
        id=a_uuid(frequency_distribution=often) if draw(st.booleans()) else a_uuid(),
        dose=a_category("dose", {"low": 0.5, "high": 0.5}, **gaps),
        height=a_number(draw(st.sampled_from(["integer", "float"])), **gaps),
        limit=a_number(draw(st.sampled_from(["integer", "float"]))),
        born=a_date("1980-01-01", "1999-12-31", 500),
        ended=a_date("2024-01-01", "2024-01-31", 31),
        **dates,
    )
    target, action = draw(st.sampled_from(TARGETS))
    custom = {"filter": draw(st.sampled_from(FILTERS)), "targets": {target: action}}
    generated["constraints"]["basic_constraints"] = draw(
        st.lists(st.sampled_from(BASIC), unique=True, max_size=3)
    )
    generated["constraints"]["custom_constraints"] = (
        {"one": custom} if draw(st.booleans()) else None
    )
    generated["derived_columns"] = {"both": "(height + limit)"}
    return generated


STATIC = ["sex", "limit", "born"]
USER_INPUT = a_user_input(static_columns=STATIC, date_columns=["date", "seen", "ended"])


def run(specification: Content) -> BothParts:
    """Generate the first period, and the existing records of the second."""
    series = a_series(specification, USER_INPUT)
    first, second = series.plan(0), series.plan(1)
    assert first.new is not None and second.existing is not None
    with TemporaryDirectory() as folder:
        scratch = Path(folder) / "exhibit.db"
        scratch_database.copy_for_run(INSTALLED, scratch, first.new.specification)
        new = generate_new_records(first, scratch)
        known, part = as_text(new.records), second.existing
        places = first_row_positions(known["id"].tolist())
        ranks = sampling.sample_ranks(
            part.distribution, part.rows, len(places), second.random_seed, 1
        )
        drawn = known[series.reference_columns].take(places[ranks]).reset_index(drop=True)
        scratch_database.copy_for_run(INSTALLED, scratch, part.unmodified_specification)
        return BothParts(
            new, generate_existing_records(second, typed(drawn, series.kinds), scratch), drawn
        )


def count(records: pd.DataFrame, specification: Content) -> dict[str, int]:
    """Return the number of rows that violate each basic constraint with both sides present."""
    counts = {}
    frame = records.convert_dtypes().astype(
        dict.fromkeys([n for n in ("height", "limit", "amount") if n in records], float)
    )
    for text in specification["constraints"]["basic_constraints"]:
        left, _, right = text.split(" ")
        holds = frame.eval(text, engine="python").astype("boolean").fillna(False)
        known = frame[left].notna()
        if not right.isdigit():
            known &= frame.eval(right, engine="python").notna()
        if broken := int((known & ~holds.astype(bool)).sum()):
            counts[text] = broken
    return counts


def reported_counts(outcome: Outcome) -> dict[str, int]:
    """Return the violations of basic constraints that a run reports."""
    return {one.constraint: one.rows for one in outcome.broken if "custom" not in one.constraint}


@settings(max_examples=_EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
@given(specification=specifications())
def test_what_is_not_met_is_told_and_what_is_recorded_stays(specification: Content) -> None:
    """Counts are those of the records; static values do not change; derivations fit."""
    generated = run(specification)
    assert reported_counts(generated.new) == count(generated.new.records, specification)
    # Between two static columns nothing is counted: they come from one row of new records.
    assert reported_counts(generated.existing) == count(generated.existing.records, specification)
    event("all is met" if not generated.existing.broken else "something is broken")
    texts = as_text(generated.existing.records)
    for name in generated.drawn:
        assert texts[name].tolist() == generated.drawn[name].tolist()
    for outcome in (generated.new, generated.existing):
        both = outcome.records["height"].astype(float) + outcome.records["limit"].astype(float)
        found = outcome.records["both"].astype(float)
        first = outcome.records["id"].duplicated()
        if outcome is generated.existing or not first.any():
            pd.testing.assert_series_equal(found, both, check_names=False)
    days = generated.existing.records[["date", "seen", "ended"]]
    assert days.min().min() >= pd.Timestamp("2024-02-01")
    _check_custom(generated.existing.records, specification)


def _check_custom(records: pd.DataFrame, specification: Content) -> None:
    """Existing records meet the custom constraint where that is possible."""
    for custom in (specification["constraints"]["custom_constraints"] or {}).values():
        [(target, action)] = custom["targets"].items()
        where = (custom["filter"] or "index == index").replace("2024-01", "2024-02")
        rows = records[records.eval(where, engine="python").astype("boolean").fillna(False)]
        blanked = any(text.startswith(f"{target} ") for text in
                      specification["constraints"]["basic_constraints"])  # fmt: skip
        if target in STATIC or (target in where):
            continue
        word, _, value = action.partition("$")
        if word == "assign_value":
            wanted = value if target == "dose" else float(value)
            assert (rows[target] == wanted).all()
        elif word == "make_null":
            assert rows[target].isna().all()
        elif word == "make_not_null" and not blanked and "date" not in where:
            assert rows[target].notna().all()


@settings(max_examples=_EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
@given(specification=specifications())
def test_both_ways_meet_constraints_alike(specification: Content) -> None:
    """With stock Exhibit's loops and without them the records are the same to the bit."""
    assert_same(*run_both_ways(a_series(specification, USER_INPUT)))
