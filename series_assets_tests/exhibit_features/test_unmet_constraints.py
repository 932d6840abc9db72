"""Constraints that Exhibit would violate: met where possible, otherwise counted and reported."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from series_assets.engine import enforce_constraints
from series_assets_tests.builders import a_specification
from series_assets_tests.columns import a_category, a_date, a_number, with_columns
from series_assets_tests.dagster.recorded_metadata import table
from series_assets_tests.exhibit_features.checked_series import (
    existing_records,
    generate_series,
    new_records,
    run_command,
    saved_specification,
)
from series_assets_tests.exhibit_features.metadata import SECOND, metadata_of

YES_NO = {"Y": 0.5, "N": 0.5}
OPEN_CLOSED = {"open": 0.5, "closed": 0.5}


def specification(*basic: str, rows: int = 200, **columns: Any) -> dict[str, Any]:
    """Return a specification with more columns and basic constraints."""
    specification = with_columns(a_specification(number_of_rows=rows), **columns)
    specification["constraints"]["basic_constraints"] = list(basic) or None
    return specification


def custom(content: dict[str, Any], **constraints: Any) -> dict[str, Any]:
    """Return the specification with custom constraints."""
    content["constraints"]["custom_constraints"] = constraints
    return content


def number(records: pd.DataFrame, name: str) -> "pd.Series[float]":
    """Return a column of text as numbers."""
    return records[name].replace("", np.nan).astype(float)


@pytest.fixture
def as_exhibit_leaves_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Apply the constraints only as often as stock Exhibit does."""
    monkeypatch.setattr(enforce_constraints, "_PASSES", 0)
    monkeypatch.setattr(enforce_constraints.Enforcer, "enforce_each", lambda self, records: records)


# Existing records ----------------------------------------------------------------------------


def test_a_missing_date_keeps_no_row_from_being_corrected(tmp_path: Path) -> None:
    """A pass that corrects dates also corrects the other columns of rows without a date."""
    wanted = specification(
        "amount <= cap",
        "visits < amount",
        "paid >= date",
        "date > '2024-01-20'",  # which breaks the one before in some rows
        rows=300,
        cap=a_number(),
        visits=a_number(),
        paid=a_date("2024-01-01", "2024-01-31", 31, miss_probability=0.4),
    )
    dates = ["date", "paid"]
    finished = generate_series(tmp_path, wanted, static_columns=["cap"], date_columns=dates)
    for count in (2, 3):
        existing = existing_records(finished, count)
        assert (existing["paid"] == "").any()
        assert (number(existing, "amount") <= number(existing, "cap")).all()


def test_a_custom_constraint_with_a_static_filter_holds(tmp_path: Path) -> None:
    """A custom constraint with a static filter holds in existing records."""
    wanted = custom(
        specification(pregnant=a_category("pregnant", YES_NO)),
        men={"filter": "sex == 'M'", "targets": {"pregnant": "assign_value$N"}},
    )
    finished = generate_series(tmp_path, wanted)
    assert saved_specification(finished, 2, "existing")["constraints"]["custom_constraints"] == {}
    for records in (
        new_records(finished, 1),
        new_records(finished, 3),
        existing_records(finished, 3),
    ):
        men = records["sex"] == "M"
        assert men.sum() > 30
        assert set(records.loc[men, "pregnant"]) == {"N"}
        assert set(records.loc[~men, "pregnant"]) == {"Y", "N"}


def test_a_custom_constraint_on_a_moved_date_holds(tmp_path: Path) -> None:
    """A custom constraint on a moved date holds in existing records."""
    wanted = custom(
        specification(
            status=a_category("status", OPEN_CLOSED),
            discharged=a_date("2024-01-01", "2024-01-31", 31),
        ),
        still_open={"filter": "status == 'open'", "targets": {"discharged": "make_null"}},
    )
    finished = generate_series(tmp_path, wanted, date_columns=["date", "discharged"])
    for records in (new_records(finished, 3), existing_records(finished, 3)):
        is_open = records["status"] == "open"
        assert is_open.sum() > 30
        assert ((records["discharged"] == "") == is_open).all()


def registered_all_year() -> dict[str, Any]:
    """Return a specification with a static date in any month, and a date of the period after it."""
    return specification(
        "updated >= registered",
        registered=a_date("2024-01-01", "2024-12-31", 366),
        updated=a_date("2024-01-01", "2024-01-31", 31),
    )


ROLES = {"date_columns": ["date", "updated"], "static_columns": ["registered"]}


def test_a_moved_date_is_corrected_to_follow_a_static_one(tmp_path: Path) -> None:
    """The date of the period is corrected within its window; the recorded date never changes."""
    finished = generate_series(tmp_path, registered_all_year(), **ROLES)
    records = existing_records(finished, 3)
    within = records["registered"] <= "2024-03-31"
    assert (records["updated"] >= records["registered"])[within].all()
    assert ((records["registered"] >= "2024-03-01") & within).any()
    assert records["updated"].between("2024-03-01", "2024-03-31").all()
    recorded = pd.concat([new_records(finished, 1), new_records(finished, 2)]).set_index("id")[
        "registered"
    ]
    assert records["registered"].tolist() == recorded[records["id"]].tolist()


@pytest.mark.parametrize("constraint", ["registered < seen", "seen > registered"])
def test_a_day_follows_a_static_one(tmp_path: Path, constraint: str) -> None:
    """On either side of the constraint, the regenerated date is corrected."""
    wanted = specification(
        constraint,
        registered=a_date("2024-01-01", "2024-11-30", 335),
        seen=a_date("2024-01-01", "2024-12-31", 366),
    )
    finished = generate_series(tmp_path, wanted, static_columns=["registered"])
    for records in (
        new_records(finished, 2),
        existing_records(finished, 2),
        existing_records(finished, 3),
    ):
        assert (records["seen"] > records["registered"]).all()
        assert records["seen"].nunique() > 20


def test_unmet_constraints_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The note and the metadata have the number of rows that one counts in the file."""
    wanted = registered_all_year()
    ended, message = run_command(monkeypatch, tmp_path / "told", "generate", wanted, **ROLES)
    whole = pd.read_csv(tmp_path / "told" / "data" / "demo" / "dataset_2.csv")
    first = pd.read_csv(tmp_path / "told" / "data" / "demo" / "dataset_1.csv")
    rows = whole[whole["id"].isin(first["id"])]
    broken = int((rows["updated"] < rows["registered"]).sum())
    assert broken > 30
    sentence = f"{broken} of {len(rows)} existing records do not meet 'updated >= registered'"
    assert (ended, message) == (0, f"note: demo, period {SECOND}: {sentence}")
    ended, message = run_command(monkeypatch, tmp_path / "told", "validate", wanted, **ROLES)
    assert ended == 0
    assert message == f"note: demo/specification.yml: in a trial, {sentence}"


@pytest.mark.thorough
def test_unmet_constraints_are_in_the_metadata(tmp_path: Path) -> None:
    """The table has the violations and the number of records; it is empty if there are none."""
    wanted = custom(
        specification(rows=60),
        one={"filter": "region == 'South'", "targets": {"sex": "assign_value$F"}},
    )
    found = metadata_of(tmp_path / "broken", wanted, "dataset")["unmet_constraints"]
    [record] = table(found)
    assert record["constraint"] == "custom_constraints.one: sex: assign_value$F"
    assert 0 < record["records"] < record["of"] == 40
    for asset in ("new_records", "dataset"):
        met = metadata_of(tmp_path / asset, specification("amount > 3"), asset)
        assert "unmet_constraints" not in met


def test_validate_lists_constraints_that_are_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With place and reason, although the files are valid."""
    wanted = custom(
        specification("limit > amount*amount", rows=60, limit=a_number()),
        one={"filter": "region == 'South'", "targets": {"sex": "sort_ascending"}},
    )
    wanted["columns"]["limit"]["distribution_parameters"] |= {"target_min": 20000}
    wanted["columns"]["limit"]["distribution_parameters"] |= {"target_max": 30000}
    ended, message = run_command(
        monkeypatch, tmp_path, "validate", wanted, static_columns=["sex", "limit"]
    )
    assert (ended, message.splitlines()) == (
        0,
        [
            "note: demo/specification.yml: constraints.basic_constraints 'limit > amount*amount' "
            "is not enforced in existing records: limit stays as recorded, and the rest cannot be "
            "rearranged to adjust another column",
            "note: demo/specification.yml: constraints.custom_constraints.one.targets.sex is not "
            "enforced in existing records: sex stays as recorded",
        ],
    )


@pytest.mark.each_value
@pytest.mark.parametrize(
    "constraint",
    ["limit > amount", "amount < limit", "limit >= amount*2+1", "amount <= limit*0.5"],
)
@pytest.mark.parametrize("precision", ["integer", "float"])
def test_a_number_is_bounded_by_a_static_one(
    tmp_path: Path, constraint: str, precision: str
) -> None:
    """The regenerated number is adjusted, even if the static one is on the left side."""
    wanted = specification(constraint, limit=a_number(precision), amount=a_number(precision))
    finished = generate_series(tmp_path, wanted, static_columns=["limit"])
    for records in (
        new_records(finished, 2),
        existing_records(finished, 2),
        existing_records(finished, 3),
    ):
        frame = pd.DataFrame({name: number(records, name) for name in ("amount", "limit")})
        assert frame.eval(constraint).all()
        assert frame["amount"].nunique() > 10


@pytest.mark.parametrize(
    ("targets", "partition", "holds"),
    [
        ({"dose": "make_same"}, "sex", lambda of: of["dose"].nunique() == 1),
        ({"height": "sort_ascending"}, "sex", lambda of: number(of, "height").notna().all()),
        ({"dose": "generate_as_repeating_sequence"}, "sex",
         lambda of: of["dose"].value_counts().max() - of["dose"].value_counts().min() <= 1),
    ],
)  # fmt: skip
def test_actions_within_groups_of_a_static_column(
    tmp_path: Path, targets: dict[str, str], partition: str, holds: Any
) -> None:
    """A static partition works in existing records as in new ones."""
    dose = {"first": 0.25, "second": 0.25, "third": 0.5}
    wanted = custom(
        specification(dose=a_category("dose", dose), height=a_number()),
        one={"partition": partition, "targets": targets},
    )
    finished = generate_series(tmp_path, wanted)
    for records in (new_records(finished, 2), existing_records(finished, 2)):
        assert all(holds(group) for _, group in records.groupby(partition))


def test_missing_values_that_a_static_column_forbids(tmp_path: Path) -> None:
    """make_not_null inserts various values that the column may have."""
    wanted = custom(
        specification(dose=a_category("dose", YES_NO, miss_probability=0.5), height=a_number()),
        one={"filter": "sex == 'F'", "targets": {"dose, height": "make_not_null"}},
    )
    wanted["columns"]["height"]["miss_probability"] = 0.5
    finished = generate_series(tmp_path, wanted)
    for records in (new_records(finished, 2), existing_records(finished, 2)):
        women = records["sex"] == "F"
        assert set(records.loc[women, "dose"]) == {"Y", "N"}
        assert set(records.loc[~women, "dose"]) == {"Y", "N", ""}
        assert number(records, "height")[women].notna().all()
        assert number(records, "height")[~women].isna().any()


def test_numbers_have_the_weights_of_what_was_assigned(tmp_path: Path) -> None:
    """A number depends on a category that a static filter assigns."""
    wanted = custom(
        specification(), men={"filter": "sex == 'M'", "targets": {"region": "assign_value$West"}}
    )
    table = wanted["columns"]["region"]["original_values"]
    table[1:4] = ["North | 0.2 | 0.9", "South | 0.5 | 0.9", "West | 0.3 | 0.01"]
    wanted["columns"]["sex"]["original_values"] = ["sex | probability_vector", "F | 0.5", "M | 0.5",
                                                   "Missing data | 0"]  # fmt: skip
    finished = generate_series(tmp_path, wanted)
    for records in (new_records(finished, 2), existing_records(finished, 2)):
        men = records["sex"] == "M"
        assert set(records.loc[men, "region"]) == {"West"}
        west = records["region"] == "West"
        assert number(records, "amount")[west].max() < number(records, "amount")[~west].min()


def test_derived_columns_follow_corrected_records(tmp_path: Path) -> None:
    """Derived columns are computed from the corrected records."""
    wanted = custom(
        specification("amount < limit", limit=a_number()),
        men={"filter": "sex == 'M'", "targets": {"region": "assign_value$West"}},
    )
    wanted["derived_columns"] = {"room": "(limit - amount)", "double room": "(room * 2)"}
    finished = generate_series(tmp_path, wanted)
    for records in (
        new_records(finished, 1),
        new_records(finished, 2),
        existing_records(finished, 2),
    ):
        room = number(records, "limit") - number(records, "amount")
        assert (room > 0).all()
        assert np.allclose(room, number(records, "room"))
        assert np.allclose(room * 2, number(records, "double room"))


# New records ---------------------------------------------------------------------------------


def numbers_made_again() -> dict[str, Any]:
    """Return a specification whose numbers are regenerated after its basic constraint."""
    return custom(
        specification("amount < limit", rows=300, limit=a_number()),
        some={"filter": "sex == 'M'", "targets": {"region": "assign_value$North"}},
    )


def two_in_a_row() -> dict[str, Any]:
    """Return a specification whose second basic constraint violates its first."""
    return specification(
        "amount < limit", "limit < cost", rows=300, limit=a_number(), cost=a_number()
    )


@pytest.mark.parametrize("wanted", [numbers_made_again(), two_in_a_row()])
def test_another_pass_makes_all_constraints_true(tmp_path: Path, wanted: dict[str, Any]) -> None:
    """In all periods and both parts; assigned values are not changed."""
    finished = generate_series(tmp_path, wanted)
    for records in (
        new_records(finished, 1),
        new_records(finished, 2),
        existing_records(finished, 2),
    ):
        for text in wanted["constraints"]["basic_constraints"]:
            left, right = text.split(" < ")
            assert (number(records, left) < number(records, right)).all()
        if wanted["constraints"]["custom_constraints"]:
            assert set(records.loc[records["sex"] == "M", "region"]) == {"North"}


@pytest.mark.usefixtures("as_exhibit_leaves_them")
@pytest.mark.parametrize("wanted", [numbers_made_again(), two_in_a_row()])
def test_what_exhibit_leaves_broken_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: dict[str, Any]
) -> None:
    """Without another pass, each part would be reported with its number of violations."""
    ended, message = run_command(monkeypatch, tmp_path, "generate", wanted, fraction_of_new="1/2")
    notes = message.splitlines()
    assert ended == 0
    assert [note.split(" ")[3].rstrip(":") for note in notes] == ["2024-01-01"] + [SECOND] * 2
    assert all(note.endswith(" do not meet 'amount < limit'") for note in notes)
    records = pd.read_csv(tmp_path / "data" / "demo" / "new_records" / "dataset_1.csv")
    broken = (records["amount"] >= records["limit"]).sum()
    assert broken > 20
    assert notes[0].split(": ")[2] == (f"{broken} of 300 new records do not meet 'amount < limit'")


def test_contradictory_constraints_are_not_met(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No pass can meet them, so records stay as Exhibit generates them, and it is reported."""
    wanted = specification("amount > 60", "amount < 50", rows=60)
    ended, message = run_command(monkeypatch, tmp_path, "generate", wanted)
    assert (ended, message.splitlines()) == (
        0,
        [
            "note: demo, period 2024-01-01: 60 of 60 new records do not meet 'amount > 60'",
            "note: demo, period 2024-02-01: 20 of 20 new records do not meet 'amount > 60'",
            "note: demo, period 2024-02-01: 40 of 40 existing records do not meet 'amount > 60'",
        ],
    )


def test_a_pass_leaves_alone_what_an_action_has_arranged(tmp_path: Path) -> None:
    """Assigned values and sorted columns are kept; the other side of a constraint changes."""
    wanted = custom(
        specification("amount < limit", limit=a_number()),
        some={"filter": "sex == 'M'", "targets": {"amount": "assign_value$70"}},
    )
    finished = generate_series(tmp_path, wanted)
    for records in (
        new_records(finished, 1),
        new_records(finished, 2),
        existing_records(finished, 2),
    ):
        assert (number(records, "amount")[records["sex"] == "M"] == 70).all()
        assert (number(records, "amount") < number(records, "limit")).all()


def test_a_pass_keeps_days_in_their_window(tmp_path: Path) -> None:
    """A chain of dates is corrected without leaving the window."""
    wanted = specification(
        "date <= seen", "seen <= closed",
        seen=a_date("2024-01-01", "2024-01-31", 31),
        closed=a_date("2024-01-01", "2024-01-31", 31),
    )  # fmt: skip
    finished = generate_series(tmp_path, wanted, date_columns=["date", "seen", "closed"])
    for records, month in ((new_records(finished, 1), "01"), (existing_records(finished, 3), "03")):
        assert (records["date"] <= records["seen"]).all()
        assert (records["seen"] <= records["closed"]).all()
        for name in ("date", "seen", "closed"):
            assert records[name].str.startswith(f"2024-{month}-").all()
