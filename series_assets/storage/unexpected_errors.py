"""Turning unexpected errors while reading a series into faults of that series.

So one bad series does not prevent loading the others.
"""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from series_assets.core.errors import Fault, InputError, sentence

_PACKAGE = Path(__file__).parents[1]


@contextmanager
def errors_as_faults(file: str) -> Iterator[None]:
    """Raise InputError for any error, except interrupts, in a block that reads ``file``.

    The original error is its cause. Unexpected ones are reported as faults of this package.
    """
    try:
        yield
    except InputError:
        raise
    except MemoryError as error:
        problem = "could not be loaded: there is not enough memory"
        remedy = "close other programs, or make it smaller"
        raise InputError([Fault(file, "", problem, remedy)]) from error
    except OSError as error:
        prefix = f"{error.filename}: " if error.filename else ""
        reason = error.strerror or str(error) or type(error).__name__
        problem = f"could not be loaded: {prefix}{reason}"
        raise InputError([Fault(file, "", problem, "make sure that it can be read")]) from error
    except BaseException as error:
        # A PanicException is how pydantic's core crashes; the others are interrupts.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        problem = f"could not be loaded: {_description(error)}"
        raise InputError([Fault(file, "", problem, f"{REPORT} with both files")]) from error


REPORT = "this is a bug in series_assets, please report it"
"""The remedy for what no user's mistake should cause."""


def describe_unexpected_error(error: BaseException) -> str:
    """Return a message for an error that no user's mistake should cause."""
    return sentence(_description(error), REPORT)


def _description(error: BaseException) -> str:
    """Return the type, message and origin of an error."""
    text = " ".join(str(error).split())
    text = f"{type(error).__name__}{f': {text}' if text else ''}"
    text = text if len(text) <= 200 else f"{text[:197]}..."
    return f"{text}{_place(error)}"


def _place(error: BaseException) -> str:
    """Return the last line of this package in an error's traceback."""
    frames = [
        (Path(frame.f_code.co_filename), line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if Path(frame.f_code.co_filename).is_relative_to(_PACKAGE)
    ]
    if not frames:
        return ""
    file, line = frames[-1]
    return f" ({file.relative_to(_PACKAGE).as_posix()}, line {line})"
