"""Accepting any of several tied rows: the history that follows from the one that a table took.

Rows of an entity tie where only the place in the file decides which of them is its state. A
pipeline that took another of them is right, and what follows from that choice is right too: other
versions may open before or after. Few entities tie, so this goes entity by entity.
"""

from collections.abc import Iterator, Mapping, Sequence
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


def adopted(
    states: Sequence[State], held: Sequence[tuple[int, int, Values]], *, timed: bool
) -> tuple[list[Version], int] | None:
    """Return the history with the rows that a table took, and how many differ from ours.

    ``states`` are those of one entity in order; ``held`` its versions in the table, as beginning,
    end and values. With ``timed`` the version in force when a state begins tells which row was
    taken; else, any version with the values of a rival where none has the expected ones. None
    where the table took the expected rows.
    """
    chosen, others = [], 0
    held_values = {values for _, _, values in held}
    for state in states:
        place, values = state.place, state.values
        if state.rivals:
            in_force = held_values
            if timed:
                in_force = {one for start, end, one in held if start <= state.since < end}
            if values not in in_force:
                for rival, its_values in state.rivals:
                    if its_values in in_force:
                        place, values, others = rival, its_values, others + 1
                        break
        chosen.append((state, place, values))
    return (list(_folded(chosen)), others) if others else None


def _folded(chosen: Sequence[tuple[State, int, Values]]) -> Iterator[Version]:
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
