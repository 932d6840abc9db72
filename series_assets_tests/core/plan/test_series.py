"""Properties of a series and its plans, before anything runs."""

from copy import deepcopy
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from series_assets.core.errors import InputError
from series_assets.core.plan.seeds import LIMIT, RunNumber, derive, existing_seed
from series_assets.core.plan.series import Series
from series_assets.core.spec.user_input import DATA_NEUTRAL_KEYS, UserInput
from series_assets_tests.builders import a_series, a_specification, a_user_input
from series_assets_tests.plans import plan_as_dict

SEEDS = st.integers(0, LIMIT - 1)


def _complaints(specification: dict[str, Any], user_input: dict[str, Any]) -> list[str]:
    with pytest.raises(InputError) as caught:
        a_series(specification, user_input)
    return [str(fault) for fault in caught.value.faults]


def _paired_and_linked() -> dict[str, Any]:
    """Return a specification in which region is paired with code, and ward and board are linked."""
    specification = a_specification()
    columns = specification["columns"]
    columns["code"] = columns["region"] | {
        "paired_columns": ["region"],
        "original_values": "See paired column",
    }
    for name in ("ward", "board", "alone"):
        columns[name] = deepcopy(columns["sex"])
        columns[name]["original_values"][0] = f"{name} | probability_vector | amount"
    specification["linked_columns"] = [[1, ["board", "ward"]]]
    return specification


def _two_identifiers(**second: Any) -> dict[str, Any]:
    specification = a_specification(uuid_columns=["id", "chi"])
    chi = specification["columns"]["id"] | {"anonymising_set": "pseudo_chi", "uuid_seed": 7}
    specification["columns"]["chi"] = chi | second
    return specification


# Numbers -------------------------------------------------------------------------------------


@given(rows=st.integers(1, 5000), parts=st.integers(1, 100), data=st.data())
def test_the_share_of_new_records_is_exact(rows: int, parts: int, data: st.DataObject) -> None:
    """New records are the floor of the fraction of the rows, existing ones the rest."""
    share = data.draw(st.integers(0, parts))
    series = a_series(
        a_specification(number_of_rows=rows), a_user_input(fraction_of_new=f"{share}/{parts}")
    )
    new, existing = series.counts(1)
    assert new == rows * share // parts
    assert new + existing == rows
    assert series.counts(0) == (rows, 0)


@given(tens=st.integers(1, 500), written=st.sampled_from([0.1, 0.3, 0.7, 0.9, "9/10", "2/3"]))
def test_a_whole_share_loses_no_row(tens: int, written: object) -> None:
    """If the fraction of the rows is an integer, no row is lost to float errors."""
    rows = tens * 30
    series = a_series(a_specification(number_of_rows=rows), a_user_input(fraction_of_new=written))
    assert series.counts(1)[0] == rows * Fraction(str(written))


@pytest.mark.parametrize(
    ("rows", "fraction", "counts"),
    [
        (100, "1/3", (33, 67)),
        (100, "2/3", (66, 34)),
        (10, 0.1, (1, 9)),
        (9, 0.1, (0, 9)),
        (110, 0.7, (77, 33)),
        (3, 1, (3, 0)),
        (3, 0, (0, 3)),
    ],
)
def test_counts(rows: int, fraction: object, counts: tuple[int, int]) -> None:
    """floor(rows * fraction) new records and the rest existing ones, in every later period."""
    series = a_series(a_specification(number_of_rows=rows), a_user_input(fraction_of_new=fraction))
    assert [series.counts(k) for k in range(4)] == [(rows, 0), counts, counts, counts]


def test_a_part_without_rows_is_not_run() -> None:
    """Without existing rows there is no existing part, without new ones no new part."""
    plans = a_series(None, a_user_input(fraction_of_new=1)).plan(1)
    assert plans.new is not None and plans.existing is None
    plans = a_series(None, a_user_input(fraction_of_new=0)).plan(1)
    assert plans.new is None and plans.existing is not None
    assert a_series(None, a_user_input(fraction_of_new=0)).plan(0).new is not None


def test_a_cross_joined_date_follows_its_window() -> None:
    """With a cross-joined date, February has fewer combinations than January."""
    specification = a_specification(number_of_rows=100)
    specification["columns"]["date"]["cross_join_all_unique_values"] = True
    series = a_series(specification, a_user_input(fraction_of_new="1/2"))
    assert [series.combinations(k) for k in range(4)] == [31, 29, 31, 30]


# Purity --------------------------------------------------------------------------------------


def test_planning_leaves_the_specification_as_it_is() -> None:
    """The specification and its source are equal before and after any plan."""
    content, message = _paired_and_linked(), a_user_input(static_columns=["ward", "region"])
    before = deepcopy((content, message))
    series = a_series(content, message)
    specification = deepcopy(series.specification)
    for k in range(4):
        series.plan(k)
    assert series.specification == specification
    assert (content, message) == before


def test_changing_a_plan_changes_nothing_else() -> None:
    """Changes to a plan affect neither the series nor the next plan."""
    series = a_series()
    plan, before = series.plan(1), plan_as_dict(series.plan(1))
    assert plan.new is not None and plan.existing is not None
    for changed in (
        plan.new.specification,
        plan.existing.specification,
        plan.existing.unmodified_specification,
    ):
        changed["columns"].clear()
        changed["metadata"].clear()
    assert plan_as_dict(series.plan(1)) == before


@given(few=st.integers(1, 20), more=st.integers(1, 400), data=st.data())
def test_a_plan_does_not_depend_on_how_many_periods_there_are(
    few: int, more: int, data: st.DataObject
) -> None:
    """A higher num_datasets leaves the plans of earlier periods unchanged."""
    k = data.draw(st.integers(0, few - 1))
    short = a_series(None, a_user_input(num_datasets=few))
    long = a_series(None, a_user_input(num_datasets=few + more))
    assert short.plan(k) == long.plan(k)
    assert short.fingerprint == long.fingerprint


def test_a_plan_does_not_depend_on_the_plans_before() -> None:
    """A period has the same plan alone, in reverse order, or planned twice."""
    forwards = [a_series().plan(k) for k in range(4)]
    series = a_series()
    backwards = [series.plan(k) for k in reversed(range(4))]
    assert forwards == backwards[::-1]
    assert series.plan(3) == forwards[3]


def test_hundreds_of_periods_are_built_in_one_go() -> None:
    """A series of 600 periods is validated and planned like any other."""
    series = a_series(None, a_user_input(num_datasets=600))
    plans = [series.plan(k) for k in range(600)]
    assert [plan.period.number for plan in plans] == list(range(1, 601))
    assert plans[-1].period.key == "2073-12-01"
    seeds = {plan.new.specification["metadata"]["random_seed"] for plan in plans if plan.new}
    assert seeds == set(range(600))


# Seeds ---------------------------------------------------------------------------------------


def test_new_records_count_the_seeds_up() -> None:
    """Period k has random_seed + k and uuid_seed + k."""
    series = a_series(_two_identifiers(), a_user_input())
    for k in range(4):
        part = series.plan(k).new
        assert part is not None
        assert part.specification["metadata"]["random_seed"] == k
        assert part.specification["columns"]["chi"]["uuid_seed"] == 7 + k
        assert [ids.seed for ids in part.identifiers] == [k, 7 + k]


@given(random_seed=SEEDS, k=st.integers(1, 1000))
def test_existing_records_have_a_seed_of_their_own(random_seed: int, k: int) -> None:
    """The seed of existing records is valid and never that of the period's new ones."""
    seed = existing_seed(random_seed, RunNumber(k))
    assert 0 <= seed < LIMIT
    assert seed != random_seed + k


def test_no_two_periods_share_a_seed() -> None:
    """The seeds of existing records and of shuffling differ between periods."""
    series = a_series(None, a_user_input(num_datasets=300))
    plans = [series.plan(k) for k in range(1, 300)]
    seeds = [p.existing.specification["metadata"]["random_seed"] for p in plans if p.existing]
    assert len(set(seeds)) == 299
    assert len({plan.shuffle_seed for plan in plans} | set(seeds)) == 598


@pytest.mark.parametrize(
    ("parts", "seed"),
    [
        ((0, 1, "existing"), 2_258_767_375),
        ((42, 3, "shuffle"), 3_630_528_465),
        (("a", "b"), 476_898_525),
    ],
)
def test_derived_seeds_never_change(parts: tuple[object, ...], seed: int) -> None:
    """Equal parts give equal seeds on every machine and in every release, as data depends on it."""
    assert derive(*parts) == seed


def test_the_parts_of_a_seed_do_not_run_together() -> None:
    """The parts 1 and 23 differ from 12 and 3."""
    assert derive(1, 23) != derive(12, 3)
    assert derive("ab") != derive("a", "b")


def test_identifiers_without_a_seed_go_by_the_random_seed() -> None:
    """A uuid column without uuid_seed uses the random_seed of its period."""
    specification = a_specification(random_seed=30)
    del specification["columns"]["id"]["uuid_seed"]
    assert a_series(specification).identifier_plans(2)[0].seed == 32


# Roles ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("named", "static"),
    [
        (["sex"], {"sex"}),
        (["region"], {"region", "code"}),
        (["code"], {"region", "code"}),
        (["ward"], {"ward", "board"}),
        (["board", "code"], {"ward", "board", "region", "code"}),
        ([], set()),
    ],
)
def test_static_columns_bring_what_belongs_to_them(named: list[str], static: set[str]) -> None:
    """A static column makes its paired column and its linked group static, from either side."""
    series = a_series(_paired_and_linked(), a_user_input(static_columns=named))
    assert set(series.roles.static) == static
    assert series.roles.static[: len(named)] == tuple(named)


def test_pairs_of_pairs_belong_together() -> None:
    """A column paired with a member of a linked group is static with the group."""
    specification = _paired_and_linked()
    specification["linked_columns"] = [[1, ["board", "ward", "region"]]]
    series = a_series(specification, a_user_input(static_columns=["ward"]))
    assert set(series.roles.static) == {"ward", "board", "region", "code"}


def test_an_identifier_is_not_static_besides() -> None:
    """Identifiers are always kept, so naming one as static changes nothing."""
    series = a_series(None, a_user_input(static_columns=["id", "sex"]))
    assert series.roles.static == ("sex",)
    assert series.reference_columns == ["id", "sex"]


def test_linked_identifiers_are_one_to_one() -> None:
    """Linked uuid columns share one order of entities; others have their own."""
    user_input = a_user_input(linked_columns=["chi", "id"])
    linked = a_series(_two_identifiers(), user_input)
    assert linked.linked == ("id", "chi")
    assert {ids.order_seed for ids in linked.identifier_plans(2)} == {2}
    free = a_series(_two_identifiers(), a_user_input())
    assert free.linked == ()
    assert [ids.order_seed for ids in free.identifier_plans(2)] == [2, 9]


def test_what_is_linked_to_an_identifier_is_static() -> None:
    """With all columns that belong to it."""
    series = a_series(
        _paired_and_linked(), a_user_input(static_columns=None, linked_columns=["id", "code"])
    )
    assert set(series.roles.static) == {"code", "region"}
    assert series.linked == ()


def test_a_linked_group_of_the_specification_may_be_named() -> None:
    """A list without identifiers must be a linked group; naming it has no effect."""
    user_input = a_user_input(linked_columns=["ward", "board"])
    assert a_series(_paired_and_linked(), user_input).roles.static == ("sex",)
    assert _complaints(_paired_and_linked(), a_user_input(linked_columns=["ward", "sex"])) == [
        "demo/user_input.yml: linked_columns [ward, sex] has no uuid column and is not a linked "
        "group of the specification; link columns to an identifier, or name a group of "
        "linked_columns there"
    ]


def test_linked_identifiers_need_the_same_distribution() -> None:
    """An entity that has two rows by one identifier cannot have one by the other."""
    specification = _two_identifiers(
        frequency_distribution=["frequency | probability_vector", "2 | 1.0"]
    )
    assert _complaints(specification, a_user_input(linked_columns=["id", "chi"])) == [
        "demo/user_input.yml: linked_columns links the identifiers id, chi one to one, but their "
        "frequency_distribution differs in the specification; give them the same one"
    ]


# Starts --------------------------------------------------------------------------------------


def test_the_first_period_starts_with_the_earliest_window() -> None:
    """Without a start_date, it is the earliest ``from`` of the date_columns."""
    specification = a_specification()
    for name, start in (("early", "2023-11-05"), ("earlier", "2020-01-01")):
        specification["columns"][name] = specification["columns"]["date"] | {"from": start}
    series = a_series(specification, a_user_input(date_columns=["date", "early"]))
    assert series.calendar.keys == ("2023-11-05", "2023-12-05", "2024-01-05", "2024-02-05")


def test_a_start_date_goes_before_the_windows() -> None:
    """A start_date determines the periods; windows still move from their own first days."""
    series = a_series(None, a_user_input(start_date="2024-01-15"))
    plan = series.plan(1)
    assert plan.new is not None
    assert plan.period.key == "2024-02-15"
    assert plan.new.specification["columns"]["date"]["from"] == "2024-02-01"


# Fingerprint ---------------------------------------------------------------------------------


def test_data_made_by_an_earlier_version_stays_valid() -> None:
    """Existing files and tables have these fingerprints."""
    other = a_user_input(period="weeks", length_of_period=2, start_date="2024-01-01")
    assert a_series().fingerprint == "41e15bbe0d4341bf"
    assert a_series(None, other | {"linked_columns": ["id", "sex"]}).fingerprint == (
        "c9b75680b8786d21"
    )


_NO_DATA: list[dict[str, Any]] = [
    {"num_datasets": 90},
    {"release": "immediate"},
    {"exhibit_db_path": "elsewhere.db"},
    {"exhibit_db_path": None},
    {"manifest": True},
    {"truth": {}},
    {"truth": {"track": ["region"], "order_by": "date"}},
]
_OTHER_DATA: list[dict[str, Any]] = [
    {"date_columns": []},
    {"static_columns": ["region"]},
    {"static_columns": ["sex", "region"]},
    {"period": "weeks"},
    {"period": "quarters"},
    {"length_of_period": 2},
    {"fraction_of_new": "1/2"},
    {"linked_columns": ["id", "sex"]},
    {"start_date": "2024-01-02"},
    {"format": "parquet"},
    {"shards": 2},
]


def test_every_key_of_the_user_input_is_tried() -> None:
    """The cases below cover the table of keys."""
    assert {key for case in _NO_DATA for key in case} == DATA_NEUTRAL_KEYS
    rest = set(UserInput.model_fields) - DATA_NEUTRAL_KEYS
    assert {key for case in _OTHER_DATA for key in case} == rest


@pytest.mark.parametrize("changes", _NO_DATA)
def test_what_changes_no_row_keeps_the_fingerprint(changes: dict[str, Any]) -> None:
    """More periods, another release or another database leave existing rows valid."""
    assert a_series(None, a_user_input(**changes)).fingerprint == a_series().fingerprint


@pytest.mark.parametrize("changes", _OTHER_DATA)
def test_any_other_key_changes_the_fingerprint(changes: dict[str, Any]) -> None:
    """Rows generated with another user input are recognized."""
    start = {"start_date": "2024-01-01"}
    plain = a_series(None, a_user_input(**start)).fingerprint
    assert a_series(None, a_user_input(**(start | changes))).fingerprint != plain


def test_any_part_of_the_specification_changes_the_fingerprint() -> None:
    """Rows generated from another specification are recognized."""
    variants = [a_specification() for _ in range(7)]
    variants[1]["metadata"]["random_seed"] = 1
    variants[2]["columns"]["date"]["to"] = "2024-01-30"
    variants[3]["columns"]["sex"]["original_values"][1] = "F | 0.500 | 0.700"
    variants[4]["constraints"]["basic_constraints"] = ["amount > 1"]
    variants[5]["derived_columns"] = {"twice": "amount * 2"}
    variants[6]["columns"] = dict(reversed(variants[6]["columns"].items()))
    assert len({a_series(variant).fingerprint for variant in variants}) == 7


def test_the_order_of_keys_in_a_user_input_is_nothing() -> None:
    """The order of keys in a user input does not matter."""
    user_input = a_user_input()
    turned = dict(reversed(user_input.items()))
    assert a_series(None, turned).fingerprint == a_series(None, user_input).fingerprint


# Failures that can be predicted --------------------------------------------------------------


def _series_of(periods: int, specification: dict[str, Any]) -> Series:
    return a_series(specification, a_user_input(num_datasets=periods))


def test_the_last_seed_that_fits_is_accepted() -> None:
    """Seed + periods must stay below 2**32: the largest valid seed passes, the next is refused."""
    most = LIMIT - 4
    plan = _series_of(4, a_specification(random_seed=most)).plan(3)
    assert plan.new is not None
    assert plan.new.specification["metadata"]["random_seed"] == LIMIT - 1
    assert _complaints(a_specification(random_seed=most + 1), a_user_input()) == [
        f"demo/specification.yml: metadata.random_seed {most + 1} is too large; keep seed + "
        f"periods below {LIMIT}"
    ]


def test_too_few_entities_are_refused_and_just_enough_accepted() -> None:
    """The first sample needs enough known entities, not counting missing identifiers."""
    specification = a_specification(number_of_rows=40)
    specification["columns"]["id"]["miss_probability"] = 0.5
    found = _complaints(specification, a_user_input(fraction_of_new=0))
    known = int(found[0].split("but only ")[1].split()[0])
    assert 10 < known < 30
    enough = a_series(specification, a_user_input(fraction_of_new=f"{40 - known}/40"))
    assert enough.counts(1)[1] == known
    assert _complaints(specification, a_user_input(fraction_of_new=f"{39 - known}/40"))
