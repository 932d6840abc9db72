"""Accepting any of several tied rows: the history that follows from the one that a table took.

Rows of an entity tie where only the place in the file decides which of them is its state. A
pipeline that took another of them is right, and what follows from that choice is right too: other
versions may open before or after. Few entities tie, so this goes entity by entity.
"""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass

Values = tuple[int, ...]
"""Codes of the tracked values."""


@dataclass(frozen=True)
class State:
    """What an entity was after a period (or a day): its row, and rows that would do as well."""

    since: int
    """The beginning of a version that opens with it, in microseconds."""
    place: int
    """The row of ``our_table`` that has its values."""
    values: Values
    deleted: bool = False
    rivals: tuple[tuple[int, Values], ...] = ()
    """Tied rows: place and values."""


@dataclass(frozen=True)
class Version:
    """A version of the history that follows from a choice."""

    since: int
    until: int | None
    place: int


Choice = tuple[State, int, Values]
"""A state, and the row that was taken for it."""


def adopted(
    states: Sequence[State],
    held: Sequence[tuple[int, int, Values]],
    *,
    timed: bool,
    only_last: bool = False,
) -> tuple[list[Version], int] | None:
    """Return the history with the rows that a table took, and how many differ from ours.

    ``states`` are those of one entity in order; ``held`` its versions in the table, as beginning,
    end and values. With ``timed`` the version in force when a state begins tells which row was
    taken, else, or where that does not explain the table, the sequence of the versions; if that
    does not either, any row counts as taken that the table holds in some version. ``only_last`` is
    for a table that holds the current state alone. None where the table took the expected rows.
    """
    sequence = [values for _, _, values in sorted(held)]
    if only_last:
        last = [_among(state, set(sequence)) for state in states[-1:]]
        chosen = [*map(_expected, states[:-1]), *last]
    elif timed:
        chosen = [
            _among(state, {one for start, end, one in held if start <= state.since < end})
            for state in states
        ]
        if _values(chosen) != sequence:  # the times are wrong, or more than that
            chosen = _by_sequence(states, sequence) or chosen
    else:
        chosen = _by_sequence(states, sequence) or [
            _among(state, set(sequence)) for state in states
        ]
    others = sum(place != state.place for state, place, _ in chosen)
    return (list(_folded(chosen)), others) if others else None


def _expected(state: State) -> Choice:
    return state, state.place, state.values


def _options(state: State) -> Iterator[Choice]:
    """Yield the rows that are right for a state, the expected one first."""
    yield _expected(state)
    for place, values in state.rivals:
        yield state, place, values


def _among(state: State, values: Container[Values]) -> Choice:
    """Return the row of a state with one of the values, the expected one if there is none."""
    return next((one for one in _options(state) if one[2] in values), _expected(state))


_Path = tuple[int, "tuple[Choice, _Path] | None"]
"""How many rows are not the expected ones; the last choice and the path before it."""


def _values(chosen: Sequence[Choice]) -> list[Values]:
    """Return the values of the versions that follow from choices."""
    values = {place: its_values for _, place, its_values in chosen}
    return [values[version.place] for version in _folded(chosen)]


def _by_sequence(states: Sequence[State], held: Sequence[Values]) -> list[Choice] | None:
    """Return the choices from which the values of a sequence of versions follow.

    Of several the one with the most expected rows; None if there is none.
    """
    # The best path to each point: how many versions have begun, and whether the last one is open.
    paths: dict[tuple[int, bool], _Path] = {(0, False): (0, None)}
    for state in states:
        following: dict[tuple[int, bool], _Path] = {}
        for (begun, is_open), path in paths.items():
            for choice in _options(state):
                point = _after(choice, begun, is_open, held)
                cost = path[0] + (choice[1] != state.place)
                if point and (point not in following or cost < following[point][0]):
                    following[point] = (cost, (choice, path))
        paths = following
    ends = [path for (begun, _), path in paths.items() if begun == len(held)]
    if not ends:
        return None
    chosen, step = [], min(ends, key=lambda path: path[0])[1]
    while step:
        chosen.append(step[0])
        step = step[1][1]
    return chosen[::-1]


def _after(
    choice: Choice, begun: int, is_open: bool, held: Sequence[Values]
) -> tuple[int, bool] | None:
    """Return the point that a choice leads to, None where no version of the table fits it."""
    state, _, values = choice
    if state.deleted:
        return begun, False
    if is_open and values == held[begun - 1]:
        return begun, True
    return (begun + 1, True) if begun < len(held) and values == held[begun] else None


def _folded(chosen: Sequence[Choice]) -> Iterator[Version]:
    """Yield the versions of a sequence of states."""
    opened: tuple[int, int] | None = None
    before: Values | None = None
    for state, place, values in chosen:
        if not state.deleted and values == before:
            continue
        if opened:
            yield Version(opened[0], state.since, opened[1])
        opened, before = ((state.since, place), values) if not state.deleted else (None, None)
    if opened:
        yield Version(opened[0], None, opened[1])


def by_entity(keys: Sequence[int], states: Sequence[State]) -> Mapping[int, list[State]]:
    """Return the states of each entity, in the order given."""
    found: dict[int, list[State]] = {}
    for key, state in zip(keys, states, strict=True):
        found.setdefault(key, []).append(state)
    return found
