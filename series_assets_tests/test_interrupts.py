"""Interrupts that are held back are handled afterwards, and the handlers are those from before."""

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from series_assets.interrupts import interrupts_held_back


class _EndedError(Exception):
    """What the handler of a request to terminate raises here."""


def _end(*_: Any) -> None:
    raise _EndedError


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    """Handlers of both signals that raise, as those of Dagster do."""
    before = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _end)
    yield
    for one, handler in before.items():
        signal.signal(one, handler)


@pytest.mark.parametrize(
    ("number", "raised"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, _EndedError)]
)
def test_a_signal_is_handled_after_the_block(
    number: signal.Signals, raised: type[BaseException]
) -> None:
    """What the block does is done first."""
    done = False
    with pytest.raises(raised), interrupts_held_back():
        os.kill(os.getpid(), number)
        done = True
    assert done
    assert signal.getsignal(signal.SIGTERM) is _end


def test_an_interrupt_while_handlers_are_restored_leaves_none_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A request to terminate still ends the process afterwards."""
    set_handler = signal.signal

    def interrupted(number: int, handler: Any) -> Any:
        before = set_handler(number, handler)
        if handler is signal.default_int_handler:
            os.kill(os.getpid(), signal.SIGINT)
        return before

    monkeypatch.setattr(signal, "signal", interrupted)
    with pytest.raises(KeyboardInterrupt), interrupts_held_back():
        pass
    monkeypatch.undo()
    with pytest.raises(_EndedError):
        os.kill(os.getpid(), signal.SIGTERM)
        signal.pause()
