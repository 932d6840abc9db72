"""A table may have taken any of several tied rows, and what follows from that choice."""

from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from series_assets.core.verify.instants import OPEN
from series_assets.core.verify.ties import State, Values, adopted

_VALUES = st.integers(0, 2).map(lambda code: (0, code))
_STATES = st.lists(
    st.tuples(st.lists(_VALUES, min_size=1, max_size=3, unique=True), st.booleans()),
    min_size=1,
    max_size=6,
)


def _states(drawn: list[tuple[list[Values], bool]]) -> list[State]:
    """Return states at 0, 10, 20 …; the rows of each are numbered from ten times that."""
    found: list[State] = []
    for number, (rows, gone) in enumerate(drawn):
        deleted = gone and bool(found) and not found[-1].deleted
        rivals = [] if deleted else rows[1:]
        first = number * 100
        others = tuple((first + 1 + n, one) for n, one in enumerate(rivals))
        found.append(State(number * 10, first, rows[0], deleted, others))
    return found


def _table(states: list[State], choice: list[int]) -> list[tuple[int, int, Values]]:
    """Return the versions of a table that took some row of each state."""
    taken: list[tuple[int, Values | None]] = []
    for state, place in zip(states, choice, strict=True):
        rows = [state.values, *(values for _, values in state.rivals)]
        taken.append((state.since, None if state.deleted else rows[place % len(rows)]))
    runs = [(next(run)[0], values) for values, run in groupby(taken, key=lambda one: one[1])]
    ends = [*(since for since, _ in runs[1:]), OPEN]
    return [
        (since, end, values)
        for (since, values), end in zip(runs, ends, strict=True)
        if values is not None
    ]


@given(_STATES, st.lists(st.integers(0, 2), min_size=6, max_size=6), st.booleans())
def test_any_choice_is_recognized(
    drawn: list[tuple[list[Values], bool]], choice: list[int], timed: bool
) -> None:
    """By its times or by the sequence of its versions, with no more other rows than needed."""
    states = _states(drawn)
    table = _table(states, choice[: len(states)])
    # Only the order of these times matters.
    held = table if timed else [(n, n + 1, values) for n, (_, _, values) in enumerate(table)]
    found = adopted(states, held, timed=timed)
    rows = {state.place: state.values for state in states}
    rows |= {place: values for state in states for place, values in state.rivals}
    if found is None:
        versions = _table(states, [0] * len(states))
    else:
        versions = [(one.since, one.until or OPEN, rows[one.place]) for one in found[0]]
        assert found[1] <= sum(place > 0 for place in choice)
    assert [values for _, _, values in versions] == [values for _, _, values in table]
    if timed:
        assert versions == table


def test_of_a_current_state_only_the_last_row_counts() -> None:
    """Earlier ties do not matter."""
    earlier = State(0, 0, (1,), rivals=((1, (2,)),))
    last = State(10, 100, (2,))
    assert adopted([earlier, last], [(0, OPEN, (2,))], timed=True, only_last=True) is None
    tied = State(10, 100, (3,), rivals=((101, (2,)),))
    found = adopted([earlier, tied], [(0, OPEN, (2,))], timed=True, only_last=True)
    assert found is not None and found[1] == 1 and found[0][-1].place == 101


def test_a_table_that_is_wrong_besides_keeps_the_rows_it_took() -> None:
    """Only the wrong version is reported."""
    states = [State(0, 0, (1,), rivals=((1, (2,)),)), State(10, 100, (3,))]
    found = adopted(states, [(0, 1, (2,)), (1, 2, (9,))], timed=False)
    assert found is not None and [one.place for one in found[0]] == [1, 100]
