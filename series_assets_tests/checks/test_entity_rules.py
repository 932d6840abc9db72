"""Rules about entities: identifiers, repetitions, static and linked columns."""

from collections import Counter
from pathlib import Path

import pytest

from series_assets.checks.rules import Example
from series_assets_tests.builders import a_series, a_specification, a_user_input
from series_assets_tests.checks.delivered_series import DeliveredSeries, generate_series
from series_assets_tests.columns import a_uuid, with_columns


def test_an_existing_record_with_an_unknown_identifier_is_found(delivered: DeliveredSeries) -> None:
    """No earlier period recorded the entity."""
    place = delivered.existing(2)[0]
    delivered.change(2, place, id="f" * 32)
    found = delivered.findings(2)["identifiers"]
    assert (found.examined, found.wrong) == (60, 1)
    wanted = "that of an entity recorded before the period, or of new_records"
    assert found.examples == (Example("f" * 32, "id", "f" * 32, wanted),)
    assert str(found) == (
        f"1 of 60 rows wrong, such as {'f' * 32}: id is '{'f' * 32}', should be {wanted}"
    )
    assert delivered.broken(2).keys() == {"identifiers"}


def test_an_existing_record_of_a_later_period_is_found(delivered: DeliveredSeries) -> None:
    """An entity of a later period is unknown, even if the table has it by now."""
    later = delivered.rows(3, new=True)[0]["id"]
    delivered.change(2, delivered.existing(2)[0], id=later)
    assert delivered.broken(2) == {"identifiers": 1}


def test_an_existing_record_without_an_identifier_is_found(delivered: DeliveredSeries) -> None:
    """Without an identifier, the entity is unknown."""
    delivered.change(2, delivered.existing(2)[0], id="")
    assert delivered.findings(2)["identifiers"].examples[0].identifier is None
    assert delivered.broken(2)["identifiers"] == 1


@pytest.mark.parametrize("column", ["id", "chi", "card"])
def test_a_new_record_with_a_known_identifier_is_found(
    delivered: DeliveredSeries, column: str
) -> None:
    """For each identifier column, although both files have the same record."""
    known = delivered.rows(1)[0][column]
    delivered.change(3, delivered.new(3)[0], both=True, **{column: known})
    found = delivered.findings(3)["identifiers"]
    assert found.wrong == 1
    [example] = found.examples
    assert (example.column, example.found) == (column, known)
    assert example.expected == "one that no earlier period has"


def test_an_identifier_that_was_recorded_otherwise_is_found(delivered: DeliveredSeries) -> None:
    """An identifier that is not linked differs from the recorded one; the finding names that."""
    place = delivered.existing(2)[0]
    before = delivered.change(2, place, card="7777")
    found = delivered.findings(2)["identifiers"]
    wanted = f"'{before['card']}', as recorded"
    assert found.examples == (Example(before["id"], "card", "7777", wanted),)
    assert delivered.broken(2) == {"identifiers": 1}


def test_an_unknown_linked_identifier_is_found(delivered: DeliveredSeries) -> None:
    """It is unknown, and it does not match the other identifier."""
    delivered.change(2, delivered.existing(2)[0], chi="0013990000")
    assert delivered.broken(2) == {"identifiers": 1, "linked_columns": 1}


def test_an_entity_with_more_rows_than_any_may_have_is_found(delivered: DeliveredSeries) -> None:
    """A repeated row exceeds the highest frequency of its entity."""
    rows = delivered.rows(2)
    row = rows[delivered.existing(2, times=2)[0]]
    delivered.write(2, [*rows, row])
    found = delivered.findings(2)["repetitions"]
    assert (found.unit, found.wrong) == ("entities", 1)
    assert found.examples == (Example(row["id"], "id", "3 rows", "at most 2"),)
    assert delivered.broken(2) == {"repetitions": 1, "counts": 1}


def test_too_many_entities_with_two_rows_are_found(delivered: DeliveredSeries) -> None:
    """The repetition is allowed for an entity, but too many entities have it."""
    rows = delivered.rows(2)
    often = Counter(Counter(row["id"] for row in rows).values())
    delivered.write(2, [*rows, rows[delivered.existing(2, times=1)[0]]])
    assert delivered.broken(2) == {"repetitions": 1, "counts": 1}
    assert often[2] > 0


def test_repeated_new_records_are_found(delivered: DeliveredSeries) -> None:
    """Both files have the same record, so only its frequency is wrong."""
    new = delivered.rows(2, new=True)
    row = next(r for r in new if sum(o["id"] == r["id"] for o in new) == 2)
    other = delivered.rows(2)[delivered.new(2)[0]]
    delivered.change(2, delivered.rows(2).index(other), both=True, id=row["id"], chi=row["chi"])
    assert delivered.broken(2)["repetitions"] >= 1
    example = delivered.findings(2)["repetitions"].examples[0]
    assert (example.found, example.expected) == ("3 rows", "at most 2")


def test_a_static_value_that_was_changed_is_found(delivered: DeliveredSeries) -> None:
    """The finding names the recorded value."""
    place = delivered.existing(2)[0]
    before = delivered.change(2, place, sex="X")
    found = delivered.findings(2)["static_columns"]
    assert (found.examined, found.wrong) == (60, 1)
    assert found.examples == (Example(before["id"], "sex", "X", f"'{before['sex']}', as recorded"),)
    assert delivered.broken(2) == {"static_columns": 1}


def test_rows_are_counted_once_however_much_is_wrong_with_them(delivered: DeliveredSeries) -> None:
    """Each wrong cell is an example, up to five."""
    for place in delivered.existing(2)[:4]:
        delivered.change(2, place, sex="X", born="")
    found = delivered.findings(2)["static_columns"]
    assert found.wrong == 4
    assert len(found.examples) == 5
    assert found.examples[-1].found is None


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize(
    ("column", "rule"),
    [("sex", "static_columns"), ("born", "static_columns"), ("blood", "linked_columns")],
)
def test_a_new_entity_whose_rows_differ_is_found(
    delivered: DeliveredSeries, number: int, column: str, rule: str
) -> None:
    """In its static columns, and also in the first dataset, when nothing is recorded yet."""
    delivered.change(number, delivered.new(number, times=2)[0], both=True, **{column: "1901-02-03"})
    found = delivered.findings(number)[rule]
    assert (found.examined, found.wrong) == (60, 1)
    assert found.examples[0].column == column
    assert found.examples[0].expected.endswith(", as in another row of the entity")
    assert delivered.broken(number).keys() - {"dates"} == {rule}


def test_rows_without_an_identifier_are_no_entity(tmp_path: Path) -> None:
    """Their static columns may differ."""
    specification = with_columns(a_specification(), id=a_uuid(miss_probability=0.5))
    delivered = generate_series(tmp_path, a_series(specification, a_user_input(num_datasets=1)))
    found = delivered.findings(1)["static_columns"]
    assert 0 < found.examined < 60
    assert found.holds


def test_a_static_value_of_an_entity_that_had_none_is_found(delivered: DeliveredSeries) -> None:
    """A missing value must stay missing; linked columns have their own rule."""
    rows = delivered.rows(2)
    place = next(p for p in delivered.existing(2) if not rows[p]["blood"])
    delivered.change(2, place, blood="A")
    assert delivered.broken(2) == {"linked_columns": 1}
    assert delivered.findings(2)["linked_columns"].examples[0].expected == "nothing, as recorded"


def test_a_swapped_linked_pair_is_found(delivered: DeliveredSeries) -> None:
    """Two entities have swapped identifiers, both of which are known."""
    one, other = delivered.existing(3)[:2]
    rows = delivered.rows(3)
    delivered.change(3, one, chi=rows[other]["chi"])
    delivered.change(3, other, chi=rows[one]["chi"])
    found = delivered.findings(3)["linked_columns"]
    assert (found.examined, found.wrong) == (60, 2)
    assert {(e.identifier, e.expected) for e in found.examples} == {
        (rows[p]["id"], f"'{rows[p]['chi']}', as recorded") for p in (one, other)
    }
    assert delivered.broken(3) == {"linked_columns": 2}


def test_two_new_entities_with_one_linked_identifier_are_found(delivered: DeliveredSeries) -> None:
    """One of the two is reported."""
    one, other = sorted(delivered.new(2)[:2])
    rows = delivered.rows(2)
    delivered.change(2, other, both=True, chi=rows[one]["chi"])
    found = delivered.findings(2)["linked_columns"]
    assert found.wrong == 1
    assert found.examples == (
        Example(
            rows[other]["id"],
            "chi",
            rows[one]["chi"],
            f"one to one with id, but another row has '{rows[one]['id']}' with "
            f"'{rows[one]['chi']}'",
        ),
    )
