"""The ``truth`` block of a user input: its meaning, and its faults with place and remedy."""

from typing import Any

import pytest

from series_assets.core.errors import InputError
from series_assets_tests.builders import a_series, a_specification, a_user_input

FILE = "demo/user_input.yml"


def _faults(truth: Any, specification: dict[str, Any] | None = None, **keys: Any) -> list[str]:
    with pytest.raises(InputError) as caught:
        a_series(specification, a_user_input(truth=truth, **keys))
    return [str(fault) for fault in caught.value.faults]


def test_without_the_block_there_is_no_truth() -> None:
    """An empty key counts as none; an empty mapping has the defaults."""
    assert a_series().truth is None
    assert a_series(None, a_user_input(truth=None)).truth is None
    found = a_series(None, a_user_input(truth={})).truth
    assert found is not None
    assert (found.key, found.order_by) == ("id", None)
    assert not found.every_row and not found.by_event


def test_all_but_the_identifier_and_moving_dates_are_tracked() -> None:
    """A moving date is tracked if it is static or named in the block."""
    found = a_series(None, a_user_input(truth={})).truth
    assert found and found.track == ("sex", "region", "amount")
    static = a_series(None, a_user_input(truth={}, static_columns=["date"])).truth
    assert static and static.track == ("sex", "region", "amount", "date")
    named = a_series(None, a_user_input(truth={"track": ["date", "sex"]})).truth
    assert named and named.track == ("date", "sex")


@pytest.mark.parametrize(
    ("truth", "fault"),
    [
        (
            {"track": ["regio"]},
            "truth.track names 'regio', which the specification lacks; did you mean 'region'?",
        ),
        (
            {"track": ["id"]},
            "truth.track names 'id', which identifies the entity and never changes; take it off "
            "the "
            "list",
        ),
        (
            {"order_by": "dat"},
            "truth.order_by 'dat' is not a column of the data; did you mean 'date'?",
        ),
        (
            {"order_by": "id"},
            "truth.order_by 'id' identifies the entity, so it is the same in all of its rows; name "
            "another column",
        ),
        (
            {"time": "event"},
            "truth.order_by is missing, but with time: event a version begins on the day that it "
            "names; name a date column, or use time: load",
        ),
        (
            {"history": "every_row", "order_by": "date"},
            "truth.history every_row opens several versions in a period, which time: load would "
            "all date to its first day; use time: event and name a date column as order_by",
        ),
        (
            {"time": "event", "order_by": "amount"},
            "truth.order_by 'amount' does not move with the period, which time: event needs; name "
            "one of the date_columns that is not static, or use time: load",
        ),
        (
            {"write": ["scd3"]},
            "truth.write names 'scd3', which is not known; use scd1, scd2 or both",
        ),
        ({"cells": 1}, "truth.cells 1 is neither true nor false; use true or false"),
        ({"cell": True}, "unknown key 'cell' in truth; did you mean 'cells'?"),
        (
            {"order_by": ["date"]},
            "truth.order_by ['date'] is not the name of a column; name one column",
        ),
        ([], "truth [] is not a mapping of keys to values"),
    ],
)
def test_an_invalid_truth_block_is_refused(truth: Any, fault: str) -> None:
    """In one message with place and remedy."""
    assert _faults(truth) == [f"{FILE}: {fault}"]


def test_events_need_windows_that_do_not_overlap() -> None:
    """Otherwise versions could start before the ones that they end."""
    specification = a_specification()
    specification["columns"]["date"]["to"] = "2024-02-01"
    truth = {"time": "event", "order_by": "date"}
    assert _faults(truth, specification) == [
        f"{FILE}: truth.time event needs dates that do not overlap, but 'date' ends on 2024-02-01 "
        "in period 2024-01-01 and begins on 2024-02-01 in the next; use time: load, or a shorter "
        "window"
    ]
    assert a_series(None, a_user_input(truth=truth | {"history": "every_row"})).truth
    specification = a_specification()
    specification["columns"]["date"]["miss_probability"] = 0.5
    (fault,) = _faults(truth, specification)
    assert "may be missing (miss_probability 0.5)" in fault


def test_names_of_the_files_cannot_be_columns() -> None:
    """In upper or lower case; columns that are not tracked may have any name."""
    specification = a_specification()
    specification["derived_columns"] = {"Version": "amount * 2"}
    (fault,) = _faults({}, specification)
    assert fault == (
        f"{FILE}: truth.track includes 'Version', but histories have a column 'version' of their "
        "own; list the columns to track without it, or rename it in the specification"
    )
    assert a_series(specification, a_user_input(truth={"track": ["sex"]})).truth
