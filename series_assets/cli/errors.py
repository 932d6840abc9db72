"""How a command ends: errors become a message on stderr and an exit code."""

import sys
import warnings
from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from series_assets import interrupts
from series_assets.core.errors import NO_MEMORY, GenerationError, InputError, RequestError
from series_assets.storage.loading import InstalledDatabaseWarning
from series_assets.storage.unexpected_errors import describe_unexpected_error
from series_assets.terminal import echo

FAILED, INVALID_INPUT = 1, 2


def report_errors(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a command so that its errors and warnings are printed without a traceback."""

    @wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> None:
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", InstalledDatabaseWarning)
        warnings.showwarning = lambda message, *_: echo(f"warning: {message}", err=True)
        try:
            with interrupts.raise_on_interrupt():
                command(*args, **kwargs)
        except BaseException as error:
            message, exit_code = _message_and_exit_code(error)
            echo(message, err=True)
            sys.exit(exit_code)

    return wrapped


def _message_and_exit_code(error: BaseException) -> tuple[str, int]:
    """Return how to report an error. Raises it again if click or Python handles it."""
    match error:
        case InputError() | RequestError():
            return str(error), INVALID_INPUT
        case GenerationError():
            return str(error), FAILED
        case KeyboardInterrupt():
            return f"\n{str(error) or interrupts.MESSAGE}", interrupts.EXIT_CODE
        case MemoryError():
            return f"series-assets: {NO_MEMORY}", FAILED
        case BrokenPipeError() | click.ClickException() | click.exceptions.Exit() | click.Abort():
            raise error
        case OSError():
            path, reason = error.filename or "a file", error.strerror or str(error)
            remedy = "make sure that you may read and write it, or choose another folder"
            return f"{path}: cannot be used: {reason}; {remedy}", INVALID_INPUT
        case Exception():
            return f"series-assets failed unexpectedly: {describe_unexpected_error(error)}", FAILED
    raise error
