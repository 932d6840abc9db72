"""What can go wrong, told to the person who can mend it. No formatting for a terminal here."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from series_assets.core.plain_text import visible


class SeriesError(Exception):
    """A fault that its reader can mend; its text says what is wrong and what to do."""


@dataclass(frozen=True)
class Fault:
    """One mistake in an input: the file as its reader knows it, then the place and the fault."""

    file: str
    message: str

    def __str__(self) -> str:
        """Both, as they may be shown; a name with a line break begins no fault of its own."""
        return visible(f"{self.file}: {self.message}").replace("\n", "\n  ")


class InputError(SeriesError):
    """The two files of a series, or what they name, are wrong; holds every fault found."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


class RequestError(SeriesError):
    """What was asked for cannot be done as things stand; nothing was changed."""


class GenerationError(SeriesError):
    """A period could not be made from inputs that looked right."""


_LONGEST, _MOST = 100, 500
"""Of a name, and of names, that are compared with a mistyped one: it takes its time."""


NO_MEMORY = (
    "there is not enough memory for it; use fewer rows (metadata.number_of_rows), fewer periods at "
    "once (SERIES_ASSETS_EXECUTOR=none), or a machine with more"
)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the nearest known word, or the list of them."""
    known = [name for name in known if len(name) <= _LONGEST][:_MOST]
    if len(word) > _LONGEST:
        return ""
    if near := get_close_matches(word, known, n=1, cutoff=0.6):
        return f"; did you mean '{near[0]}'?"
    return f"; known here: {', '.join(known)}" if known else ""


def listed(words: Iterable[object], conjunction: str = "or") -> str:
    """Return the words as English lists them: ``a, b or c``."""
    *head, last = map(str, words)
    return f"{', '.join(head)} {conjunction} {last}" if head else last
