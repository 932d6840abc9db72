"""One bad series takes no other down: whatever comes up while it is read becomes a message.

Which messages the mistakes of a user have is decided where they are found.
"""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from series_assets.core.errors import Fault, InputError, sentence

_PACKAGE = Path(__file__).parents[1]


@contextmanager
def errors_as_faults(file: str) -> Iterator[None]:
    """Let nothing but an InputError leave a block that reads ``file``, and interrupts.

    What nobody foresaw is a fault of ours, not of the file; it stays the cause of the InputError.
    """
    try:
        yield
    except InputError:
        raise
    except MemoryError as error:
        raise InputError(
            [
                Fault(
                    file,
                    "",
                    "could not be loaded for want of memory",
                    "close other programs, or make it smaller",
                )
            ]
        ) from error
    except OSError as error:
        about = f"{error.filename}: " if error.filename else ""
        reason = error.strerror or str(error) or type(error).__name__
        raise InputError(
            [Fault(file, "", f"could not be loaded: {about}{reason}", "see that it can be read")]
        ) from error
    except Exception as error:
        raise InputError([_reported(file, error)]) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # what pydantic's core dies of
            raise
        raise InputError([_reported(file, error)]) from error


_REPORT = "this is a fault of series_assets, please report it"


def _reported(file: str, error: BaseException) -> Fault:
    return Fault(file, "", f"could not be loaded: {_named(error)}", f"{_REPORT} with both files")


def describe_unexpected_error(error: BaseException) -> str:
    """Return what no user's mistake should end in, where it arose, and to whom it is to be told."""
    return sentence(_named(error), _REPORT)


def _named(error: BaseException) -> str:
    """Return the kind of an error, what it says and where it arose."""
    text = " ".join(str(error).split())
    text = f"{type(error).__name__}{f': {text}' if text else ''}"
    text = text if len(text) <= 200 else f"{text[:197]}..."
    return f"{text}{_place(error)}"


def _place(error: BaseException) -> str:
    """Return the last line of ours that an error passed."""
    ours = [
        (Path(frame.f_code.co_filename), line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if Path(frame.f_code.co_filename).is_relative_to(_PACKAGE)
    ]
    if not ours:
        return ""
    file, line = ours[-1]
    return f" ({file.relative_to(_PACKAGE).as_posix()}, line {line})"
