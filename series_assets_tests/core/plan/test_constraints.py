"""The constraints that existing records can meet, and how (contract, sections 5.6 and 5.7)."""

from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from series_assets.core.plan.constraint_solver import solved_for
from series_assets.core.plan.constraints import ConstraintPlan, Violation
from series_assets_tests.builders import a_series, a_specification, a_user_input
from series_assets_tests.columns import a_category, a_date, a_number, with_columns

OPERATORS = ["<", ">", "<=", ">=", "=="]


@pytest.mark.parametrize(
    ("constraint", "turned"),
    [
        ("limit > amount", "amount < limit"),
        ("limit == amount", "amount == limit"),
        ("limit >= amount*2", "amount <= (limit/(2))"),
        ("limit < -amount", "amount < (-(limit))"),
        ("limit <= 10-amount", "amount <= ((10)-limit)"),
        ("limit <= (amount+cost)*-0.5", "amount <= ((limit/(-0.5))-(cost))"),
        ("~my limit~ > amount-~my cost~", "amount < (my__limit+(my__cost))"),
        ("limit > cost", None),
        ("limit > amount*amount", None),
        ("limit > amount*cost", None),
        ("limit > 3/amount", None),
        ("limit > amount*0", None),
        ("limit > amount.mean()", None),
    ],
)
def test_a_constraint_is_solved_for_a_column(constraint: str, turned: str | None) -> None:
    """If simple arithmetic suffices, in the form that Exhibit reads; otherwise not."""
    assert solved_for("amount", constraint) == turned


@given(
    operator=st.sampled_from(OPERATORS),
    steps=st.lists(
        st.tuples(
            st.sampled_from(["({}+{})", "({}-{})", "({}*{})", "({}/{})", "({1}-{0})", "({1}+{0})"]),
            st.sampled_from(["2", "-4", "0.5", "cost"]),
        ),
        max_size=4,
    ),
    rows=st.lists(st.tuples(*[st.integers(-8, 8)] * 3), min_size=1, max_size=8),
)
def test_a_solved_constraint_says_the_same(
    operator: str, steps: list[tuple[str, str]], rows: list[tuple[int, int, int]]
) -> None:
    """It holds in exactly the rows in which the original one does."""
    right = "amount"
    for form, other in steps:
        right = form.format(right, other)
    frame = pd.DataFrame(rows, columns=["limit", "amount", "cost"], dtype=float)
    turned = solved_for("amount", f"limit {operator} {right}")
    if turned is None:
        assert any(other == "cost" and ("*" in form or "/" in form) for form, other in steps)
        return
    held = frame.eval(f"limit {operator} {right}", engine="python")
    assert frame.eval(turned, engine="python").tolist() == held.tolist()


def constraint_plan(specification: dict[str, Any], **keys: Any) -> ConstraintPlan:
    """Return the constraint plan for the existing records of the second period."""
    part = a_series(specification, a_user_input(**keys)).plan(1).existing
    assert part is not None
    return part.removed.constraint_plan


def with_custom(**constraints: Any) -> dict[str, Any]:
    """Return a specification with another category and number, and custom constraints."""
    specification = with_columns(
        a_specification(), dose=a_category("dose", {"low": 0.5, "high": 0.5}), height=a_number()
    )
    specification["constraints"]["custom_constraints"] = constraints
    return specification


def test_what_is_removed_is_applied_afterwards() -> None:
    """Its regenerated targets, also by static or moved filters and partitions."""
    wanted = with_custom(
        by_sex={"filter": None, "partition": "sex", "targets": {"dose": "make_same"}},
        men={"filter": "sex == 'M'", "targets": {"sex, region": "sort_ascending"}},
        days={"filter": None, "targets": {"date": "sort_ascending"}},
        kept={"filter": "amount > 3", "targets": {"height": "make_null"}},
    )
    assert constraint_plan(wanted).custom == {
        "by_sex": {"filter": None, "partition": "sex", "targets": {"dose": "make_same"}},
        "men": {"filter": "sex == 'M'", "targets": {"region": "sort_ascending"}},
        "days": {"filter": None, "targets": {"date": "sort_ascending"}},
    }


def test_what_builds_on_it_is_applied_after_it() -> None:
    """A kept constraint that mentions a column changed afterwards, and not by Exhibit before."""
    wanted = with_custom(
        before={"filter": "region == 'West'", "targets": {"height": "assign_value$3"}},
        men={"filter": "sex == 'M'", "targets": {"region": "assign_value$West"}},
        reads={"filter": "region == 'West'", "targets": {"dose": "assign_value$low"}},
        reads_that={"filter": "dose == 'low'", "targets": {"height": "assign_value$5"}},
        writes={"filter": "amount > 3", "targets": {"region": "assign_value$North"}},
        apart={"filter": "amount > 3", "targets": {"amount": "make_outlier"}},
    )
    found = constraint_plan(wanted)
    assert list(found.custom) == ["men", "reads", "reads_that", "writes"]
    assert found.deferred == {("reads", "dose"), ("reads_that", "height"), ("writes", "region")}


def test_what_depends_on_a_removed_bound_is_applied_after_it() -> None:
    """A basic constraint comes before all custom ones."""
    wanted = with_custom(
        reads={"filter": "height > 3", "targets": {"dose": "assign_value$low"}},
        apart={"filter": "dose == 'high'", "targets": {"region": "make_null"}},
    )
    wanted["constraints"]["basic_constraints"] = ["height > amount"]
    found = constraint_plan(wanted, static_columns=["amount"])
    assert found.rules_first and found.deferred == {("reads", "dose"), ("apart", "region")}
    found = constraint_plan(wanted)
    assert not found.rules_first and not found.deferred
    by_static = with_custom(reads={"filter": "amount > 3", "targets": {"dose": "make_same"}})
    by_static["constraints"]["basic_constraints"] = ["height > amount"]
    assert not constraint_plan(by_static, static_columns=["amount"]).rules_first


def test_a_static_value_that_is_looked_up_by_what_is_generated_again() -> None:
    """It fits the row in which it was recorded."""
    statement = "SELECT temp_demo.region, t.dose AS dose FROM temp_demo JOIN t USING (region)"
    wanted = with_custom()
    wanted["columns"]["dose"]["anonymising_set"] = statement
    assert [str(one) for one in constraint_plan(wanted, static_columns=["dose"]).unenforced] == [
        "columns.dose.anonymising_set is not enforced in existing records: dose stays as recorded, "
        "while region, which it is looked up by, is generated again"
    ]
    assert not constraint_plan(wanted, static_columns=["region", "dose"]).unenforced


def test_constraints_that_cannot_be_kept_have_place_and_reason() -> None:
    """One sentence for each change of a static column, or of one derived into it."""
    wanted = with_custom(
        one={"filter": "amount > 3", "targets": {"sex": "assign_value$F"}},
        two={"filter": None, "targets": {"sex, height": "sort_and_skew_right"}},
    )
    wanted["constraints"]["basic_constraints"] = ["height > amount*amount", "amount > 3"]
    wanted["derived_columns"] = {"twice": "(amount * 2)"}
    found = constraint_plan(wanted, static_columns=["sex", "height", "twice"])
    assert [str(one) for one in found.unenforced] == [
        "constraints.basic_constraints 'height > amount*amount' is not enforced in existing "
        "records: "
        "height stays as recorded, and the rest cannot be rearranged to adjust another column",
        "constraints.custom_constraints.one.targets.sex is not enforced in existing records: "
        "sex stays as recorded",
        "constraints.custom_constraints.two.targets.sex, height is not enforced in existing "
        "records: "
        "sex and height stay as recorded",
        "derived_columns.twice '(amount * 2)' is not enforced in existing records: twice stays as "
        "recorded, while amount is regenerated",
    ]
    assert not found.custom


def test_what_was_met_when_it_was_recorded_needs_nothing() -> None:
    """Static columns come from one recorded row, which met the constraint."""
    wanted = with_columns(
        with_custom(one={"filter": "sex == 'M'", "targets": {"dose": "assign_value$low"}}),
        birth=a_date("2000-01-01", "2010-12-31", 500),
        death=a_date("2011-01-01", "2023-12-31", 500),
    )
    wanted["constraints"]["basic_constraints"] = ["death > birth"]
    found = constraint_plan(wanted, static_columns=["sex", "dose", "birth", "death"])
    assert found == ConstraintPlan(arranged=frozenset())


def test_only_the_last_word_on_a_column_is_demanded() -> None:
    """Later actions override earlier ones; Exhibit blanks and fills before all others."""
    wanted = with_custom(
        one={
            "filter": "amount > 3",
            "targets": {"dose": "assign_value$low", "height": "make_null"},
        },
        two={"filter": "amount > 5", "targets": {"dose": "make_null", "region": "make_not_null"}},
        three={"filter": None, "targets": {"height": "sort_ascending"}},
        four={"filter": "dose with_high_frequency", "targets": {"amount": "make_null"}},
    )
    assert [str(one) for one in constraint_plan(wanted).requirements] == [
        "custom_constraints.one: dose: assign_value$low",
        "custom_constraints.two: region: make_not_null",
    ]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (12, "12 of 40 existing records do not meet 'a < b'"),
        (1, "1 of 40 existing records does not meet 'a < b'"),
    ],
)
def test_violations_are_described_in_a_sentence(rows: int, message: str) -> None:
    """It has the number of records, of how many, and the constraint."""
    assert Violation("a < b", rows, 40).describe("existing records") == message
