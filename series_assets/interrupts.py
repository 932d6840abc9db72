"""Ctrl-C: one line and exit code 130, whatever Python is doing.

While libraries are imported, nothing is half done, and an exception could surface inside any
library's code: the process exits at once. Otherwise Ctrl-C raises an exception, as usual, except
where Python would then keep a lock forever: there it waits.
Imports nothing of the package and nothing that is slow to import.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

EXIT_CODE = 130
MESSAGE = "interrupted"


def exit_now(*_: Any) -> NoReturn:
    """End the process at once; a signal handler."""
    with suppress(Exception):  # a write may be in progress
        sys.stdout.flush()
    os.write(2, f"\n{MESSAGE}\n".encode())
    os._exit(EXIT_CODE)


def install_exit_handler() -> None:
    """Let Ctrl-C end this process at once, unless it was started to ignore interrupts."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, exit_now)


@contextmanager
def raise_on_interrupt() -> Iterator[None]:
    """Let Ctrl-C raise KeyboardInterrupt in a block, instead of ending the process at once."""
    with _handler_replaced(exit_now, signal.default_int_handler):
        yield


@contextmanager
def exit_on_interrupt() -> Iterator[None]:
    """Let Ctrl-C end the process at once in a block that only imports, instead of raising."""
    with _handler_replaced(signal.default_int_handler, exit_now):
        yield


@contextmanager
def _handler_replaced(expected: Any, handler: Any) -> Iterator[None]:
    """Install a handler for a block, unless the present one is another than expected."""
    before = signal.getsignal(signal.SIGINT)
    if before is not expected or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def interrupts_held_back() -> Iterator[None]:
    """Handle an interrupt of this thread, and a request to terminate, only after the block."""
    held: list[tuple[int, Any]] = []
    handlers: dict[int, Callable[[int, Any], Any]] = {}
    is_holding = True

    def hold(number: int, frame: Any) -> None:
        if is_holding:
            held.append((number, frame))
        else:  # it arrives while the handlers are restored
            handlers[number](number, frame)

    try:
        if threading.current_thread() is threading.main_thread():  # which alone handles signals
            for one in (signal.SIGINT, signal.SIGTERM):
                if callable(handler := signal.getsignal(one)):
                    handlers[one] = handler
                    signal.signal(one, hold)
        yield
    finally:
        is_holding = False
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for number, frame in held:
            handlers[number](number, frame)


@contextmanager
def interrupts_noticed() -> Iterator[Callable[[], None]]:
    """Provide a function that raises KeyboardInterrupt if one has arrived since the block began.

    Python ignores what a handler raises while it frees an object, so that Ctrl-C would have no
    effect then.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return
    reader, writer = os.pipe()
    for end in (reader, writer):
        os.set_blocking(end, False)
    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)

    def check() -> None:
        with suppress(BlockingIOError):
            if signal.SIGINT in os.read(reader, 4096):
                raise KeyboardInterrupt

    try:
        yield check
    finally:
        signal.set_wakeup_fd(before)
        for end in (reader, writer):
            os.close(end)
