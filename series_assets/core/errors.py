"""Errors that a user can act on. Formatting for a terminal is done elsewhere.

Code that needs to know what an error is about reads its fields; its text is only displayed.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Self

from series_assets.core.plain_text import escape_invisible


def sentence(problem: str, remedy: str = "") -> str:
    """Return a problem and its remedy as one sentence."""
    return f"{problem}; {remedy}" if remedy else problem


class SeriesError(Exception):
    """A fault that the user can fix; its text gives the problem and the remedy."""


@dataclass(frozen=True)
class Fault:
    """One mistake in an input. Its text is ``file: place problem; remedy``."""

    file: str
    """The file (or the setting) as the user knows it; "" until ``in_file`` adds it."""
    place: str
    """The key that is wrong, such as ``columns.age.uniques``; "" for the file as a whole."""
    problem: str
    """What is wrong; continues the sentence that begins with the place."""
    remedy: str = ""
    """How to fix it; "" where the problem makes that obvious."""
    place_first: bool = True
    """Whether the sentence begins with the place; if not, the problem names it."""

    @property
    def message(self) -> str:
        """Everything but the file, as one sentence."""
        first = self.place if self.place_first else ""
        return sentence(" ".join(filter(None, (first, self.problem))), self.remedy)

    def __str__(self) -> str:
        """Return the full text; continuation lines are indented so none looks like a new fault."""
        text = f"{self.file}: {self.message}" if self.file else self.message
        return escape_invisible(text).replace("\n", "\n  ")

    def in_file(self, file: str) -> "Fault":
        """Return a copy that names ``file``."""
        return replace(self, file=file)


def fault_at(place: str, problem: str, remedy: str = "") -> Fault:
    """Return a fault whose file is added later, by ``Fault.in_file``."""
    return Fault("", place, problem, remedy)


class InputError(SeriesError):
    """The two files of a series, or what they refer to, are wrong; has every fault found."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(self.faults)  # as ``args``, so that pickling keeps them

    def __str__(self) -> str:
        return "\n".join(map(str, self.faults))


@contextmanager
def collected(faults: list[Fault]) -> Iterator[None]:
    """Add the faults of an InputError in a block to the list instead of raising it."""
    try:
        yield
    except InputError as error:
        faults += error.faults


class InvalidValueError(ValueError):
    """A value that cannot be used; its text continues a sentence that begins with its place.

    The code that raises it does not know the place; the code that catches it builds a ``Fault``.
    """

    def __init__(self, problem: str, remedy: str = "") -> None:
        self.problem, self.remedy = problem, remedy
        super().__init__(sentence(problem, remedy))


@contextmanager
def as_input_error(file: str, place: str = "", value: str = "") -> Iterator[None]:
    """Raise an InvalidValueError in a block as an InputError that names its place."""
    try:
        yield
    except InvalidValueError as error:
        problem = f"'{value}' {error.problem}" if value else error.problem
        raise InputError([Fault(file, place, problem, error.remedy)]) from None


class LocatedError(SeriesError):
    """A failure in a period or a file: ``series, period key (part): problem; remedy``.

    A ``file`` is named before the problem. Without ``colon`` the problem continues the sentence:
    ``…/dataset_1.csv is missing``. Unknown names are "".
    """

    def __init__(
        self,
        problem: str,
        remedy: str = "",
        *,
        file: object = "",
        series: str = "",
        period: str = "",
        part: str = "",
        colon: bool = True,
    ) -> None:
        super().__init__(problem, remedy)
        self.problem, self.remedy, self.colon = problem, remedy, colon
        self.file, self.series, self.period, self.part = str(file), series, period, part

    def __str__(self) -> str:
        return sentence(self._located_problem, self.remedy)

    @property
    def location(self) -> str:
        """The period or file at the start of the text; "" if neither is known."""
        period = f", period {self.period}" if self.period else ""
        part = f" ({self.part})" if self.part else ""
        return ": ".join(filter(None, (f"{self.series}{period}{part}", self.file)))

    @property
    def _located_problem(self) -> str:
        separator = ": " if self.colon else " "
        return f"{self.location}{separator}{self.problem}" if self.location else self.problem

    def fault(self, file: str = "") -> Fault:
        """Return the error as a fault of ``file``, by default of its own file or period."""
        if not file and self.colon:
            return Fault(self.location, "", self.problem, self.remedy)
        return Fault(file, "", self._located_problem, self.remedy)

    def in_period(self, series: str, period: str, part: str = "") -> Self:
        """Return a copy that names a period; the error itself if it already names one."""
        if self.period:
            return self
        error = copy(self)
        error.series, error.period, error.part = series, period, part
        error.colon = self.colon or not self.file
        error.__cause__ = self.__cause__
        return error


class RequestError(LocatedError):
    """A request that cannot be met in the current state; nothing was changed."""


class GenerationError(LocatedError):
    """A period could not be generated from valid inputs."""


_MAX_LENGTH, _MAX_CANDIDATES = 100, 500
"""Limits for comparing a mistyped name with known ones, which is slow."""

SHORT_OF_MEMORY = (
    "there is not enough memory for it",
    "use fewer rows (metadata.number_of_rows), fewer periods at once "
    "(SERIES_ASSETS_EXECUTOR=none), or a machine with more",
)
"""A problem and its remedy."""
NO_MEMORY = sentence(*SHORT_OF_MEMORY)


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ``"did you mean 'x'?"`` for the most similar known word, "" if none is similar."""
    candidates = [name for name in known if len(name) <= _MAX_LENGTH][:_MAX_CANDIDATES]
    if len(word) > _MAX_LENGTH:
        return ""
    matches = get_close_matches(word, candidates, n=1, cutoff=0.6)
    return f"did you mean '{matches[0]}'?" if matches else ""


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return ``"did you mean 'x'?"`` for the most similar known word, or else list them all."""
    candidates = [name for name in known if len(name) <= _MAX_LENGTH][:_MAX_CANDIDATES]
    if len(word) > _MAX_LENGTH or not candidates:
        return ""
    return nearest(word, candidates) or f"known here: {', '.join(candidates)}"


def require_known(name: str, value: str, known: Sequence[str]) -> None:
    """Raise RequestError unless the value of an option is one of those known."""
    if value not in known:
        raise RequestError(f"{name} {value} is not known", suggestion(value, known))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return the suggestion after a semicolon, to append to a sentence."""
    text = suggestion(word, known)
    return f"; {text}" if text else ""


def join_words(words: Iterable[object], conjunction: str = "or") -> str:
    """Return the words as an English list: ``a, b or c``."""
    *head, last = map(str, words)
    return f"{', '.join(head)} {conjunction} {last}" if head else last
