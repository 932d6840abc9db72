"""What can go wrong, told to the person who can mend it. No formatting for a terminal here.

Whoever wants to know what an error is about reads its fields; its text is only ever shown.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import partial
from typing import Any, Self

from series_assets.core.plain_text import escape_invisible


def sentence(problem: str, remedy: str = "") -> str:
    """Return what is wrong and what to do about it as one sentence."""
    return f"{problem}; {remedy}" if remedy else problem


class SeriesError(Exception):
    """A fault that its reader can mend; its text says what is wrong and what to do."""


@dataclass(frozen=True)
class Fault:
    """One mistake in an input. Its text is ``file: place problem; remedy``."""

    file: str
    """The file (or the setting) as the user knows it; "" until ``in_file`` adds it."""
    place: str
    """The key that is wrong, such as ``columns.age.uniques``; "" for the file as a whole."""
    problem: str
    """What is wrong: the sentence goes on with it from the place."""
    remedy: str = ""
    """What to do about it; "" where the problem says it all."""
    place_first: bool = True
    """Whether the sentence begins with the place; else the problem names it in its own words."""

    @property
    def message(self) -> str:
        """All but the file, as one sentence."""
        first = self.place if self.place_first else ""
        return sentence(" ".join(filter(None, (first, self.problem))), self.remedy)

    def __str__(self) -> str:
        """All of it, as it may be shown; a name with a line break begins no fault of its own."""
        text = f"{self.file}: {self.message}" if self.file else self.message
        return escape_invisible(text).replace("\n", "\n  ")

    def in_file(self, file: str) -> "Fault":
        """Return the fault as one of ``file``."""
        return replace(self, file=file)


def fault_at(place: str, problem: str, remedy: str = "") -> Fault:
    """Return a fault at a place of a file that is named later, by ``Fault.in_file``."""
    return Fault("", place, problem, remedy)


class InputError(SeriesError):
    """The two files of a series, or what they name, are wrong; holds every fault found."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """Let the error be sent to another process, faults and all."""
        return type(self), (self.faults,)


class InvalidValueError(ValueError):
    """A value that cannot be used; its text is half a sentence that follows its place.

    Who raises it does not know where the value stands; who catches it makes a ``Fault`` of it.
    """

    def __init__(self, problem: str, remedy: str = "") -> None:
        self.problem, self.remedy = problem, remedy
        super().__init__(sentence(problem, remedy))


class LocatedError(SeriesError):
    """What went wrong with a period or a file: ``series, period key (part): problem; remedy``.

    With a ``file`` it stands before the problem. Without a ``colon`` the sentence goes on from
    where it is: ``…/dataset_1.csv is missing``. Names that are not known are "".
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
        self.problem, self.remedy, self.colon = problem, remedy, colon
        self.file, self.series, self.period, self.part = str(file), series, period, part
        super().__init__(sentence(self._problem, remedy))

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """Let the error be sent to another process with its fields."""
        again = partial(
            type(self),
            self.problem,
            self.remedy,
            file=self.file,
            series=self.series,
            period=self.period,
            part=self.part,
            colon=self.colon,
        )
        return again, ()

    @property
    def where(self) -> str:
        """Which period or file it is about, as the text begins; "" where nothing is known."""
        period = f", period {self.period}" if self.period else ""
        part = f" ({self.part})" if self.part else ""
        return ": ".join(filter(None, (f"{self.series}{period}{part}", self.file)))

    @property
    def _problem(self) -> str:
        mark = ": " if self.colon else " "
        return f"{self.where}{mark}{self.problem}" if self.where else self.problem

    def fault(self, file: str = "") -> Fault:
        """Return the error as a fault of ``file``, or of the file or period it is about itself."""
        if not file and self.colon:
            return Fault(self.where, "", self.problem, self.remedy)
        return Fault(file, "", self._problem, self.remedy)

    def in_period(self, series: str, period: str, part: str = "") -> Self:
        """Return the error as one of a period; as it is where it names its period itself."""
        if self.period:
            return self
        colon = self.colon or not self.file
        error = type(self)(
            self.problem,
            self.remedy,
            file=self.file,
            series=series,
            period=period,
            part=part,
            colon=colon,
        )
        error.__cause__ = self.__cause__
        return error


class RequestError(LocatedError):
    """What was asked for cannot be done as things stand; nothing was changed."""


class GenerationError(LocatedError):
    """A period could not be made from inputs that looked right."""


_LONGEST, _MOST = 100, 500
"""Of a name, and of names, that are compared with a mistyped one: it takes its time."""


SHORT_OF_MEMORY = (
    "there is not enough memory for it",
    "use fewer rows (metadata.number_of_rows), fewer periods at once "
    "(SERIES_ASSETS_EXECUTOR=none), or a machine with more",
)
"""A problem and its remedy."""
NO_MEMORY = sentence(*SHORT_OF_MEMORY)


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ``"did you mean 'x'?"`` for the nearest known word, "" where none is near."""
    known = [name for name in known if len(name) <= _LONGEST][:_MOST]
    if len(word) > _LONGEST:
        return ""
    near = get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean '{near[0]}'?" if near else ""


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return ``"did you mean 'x'?"`` for the nearest known word, or the list of them."""
    known = [name for name in known if len(name) <= _LONGEST][:_MOST]
    if len(word) > _LONGEST or not known:
        return ""
    return nearest(word, known) or f"known here: {', '.join(known)}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return the suggestion behind a semicolon, to go at the end of a sentence."""
    found = suggestion(word, known)
    return f"; {found}" if found else ""


def join_words(words: Iterable[object], conjunction: str = "or") -> str:
    """Return the words as English lists them: ``a, b or c``."""
    *head, last = map(str, words)
    return f"{', '.join(head)} {conjunction} {last}" if head else last
