"""Ctrl-C: a line and exit code 130, whatever Python was just doing.

While libraries are imported nothing is half done, and an exception would come up in the middle of
somebody's code: the process ends at once. Everything else is interrupted by an exception, as ever.
Imports nothing of ours and nothing that takes time.
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

EXIT_CODE = 130
MESSAGE = "interrupted"


def leave(*_: Any) -> NoReturn:
    """End the process at once."""
    with suppress(Exception):  # it may be in the middle of writing
        sys.stdout.flush()
    os.write(2, f"\n{MESSAGE}\n".encode())
    os._exit(EXIT_CODE)


def leave_on_interrupt() -> None:
    """Let Ctrl-C end this process at once from now on, unless it was started to ignore it."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, leave)


@contextmanager
def raising() -> Iterator[None]:
    """Let Ctrl-C raise KeyboardInterrupt in a block, where it would end the process at once."""
    with _handled_by(signal.default_int_handler, instead_of=leave):
        yield


@contextmanager
def leaving() -> Iterator[None]:
    """Let Ctrl-C end the process at once in a block that only imports, where it would raise."""
    with _handled_by(leave, instead_of=signal.default_int_handler):
        yield


@contextmanager
def _handled_by(handler: Any, instead_of: Any) -> Iterator[None]:
    before = signal.getsignal(signal.SIGINT)
    if before is not instead_of or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
