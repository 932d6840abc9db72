"""Files with random mistakes result in a series or in messages, never in an exception.

Mistakes are inserted into the files of shipped series, the templates and the example, from a seed.
``HYPOTHESIS_PROFILE=long`` tries forty times as many, different in each run.
"""

import os
import random
import shutil
import signal
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from series_assets.cli import main
from series_assets.core.errors import InputError
from series_assets.core.plan.series import Series
from series_assets.storage.loading import BrokenSeries, find_series
from series_assets.storage.unexpected_errors import REPORT
from series_assets_tests.storage.file_mutations import mutate_text

_PACKAGE = Path(__file__).parents[2]
_LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
_BATCHES = 200 if _LONG else 1
_IN_A_BATCH = 100
_TRIED = 6
"""Number of pairs in a batch that are validated completely if they are valid."""
_SECONDS = 30
"""More seconds than any file may take, even on a busy machine."""
_FILES = ("specification.yml", "user_input.yml")


class Hang(BaseException):
    """Raised after too long; not an Exception, so that no handler catches it."""


@contextmanager
def no_longer_than(seconds: float, what: str) -> Iterator[None]:
    """Interrupt a block that takes too long."""

    def end(*_: Any) -> None:
        raise Hang(what)

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _originals() -> list[tuple[str, ...]]:
    templates = _PACKAGE / "series_assets" / "templates"
    shipped = _PACKAGE / "series_assets" / "series"
    example = _PACKAGE / "examples" / "warehouse" / "src" / "warehouse" / "defs" / "customers"
    folders = [shipped / "school", shipped / "clinic", templates, example]
    return [
        tuple((f / file).read_text("utf-8").replace("SERIES_NAME", "demo") for file in _FILES)
        for f in folders
    ]


_ORIGINALS = _originals()


def a_pair(seed: int) -> tuple[str, ...]:
    """Return two files of which one or both have mistakes."""
    rng = random.Random(seed)
    texts = list(rng.choice(_ORIGINALS))
    for place in rng.choice([(0,), (0,), (1,), (0, 1)]):
        texts[place] = mutate_text(rng, texts[place])
    return tuple(texts)


def written(folder: Path, texts: tuple[str, ...]) -> Path:
    """Write two files into a series folder and return it."""
    place = folder / "demo"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for file, text in zip(_FILES, texts, strict=True):
        (place / file).write_bytes(text.encode("utf-8", "surrogatepass"))
    return folder


def check_messages(messages: list[str]) -> None:
    """Assert that each message names a file and a fault, and reports no bug of the package."""
    assert messages
    for message in messages:
        file, _, fault = message.partition(": ")
        assert file and fault.strip(), message
        assert REPORT not in message, message
        assert "Traceback" not in message, message


def found_in(folder: Path) -> Series | BrokenSeries:
    """Return the only series of a folder, or its faults."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        [found] = find_series(folder)
    if isinstance(found, BrokenSeries):
        assert isinstance(found.error, InputError)
        check_messages([str(fault) for fault in found.error.faults])
        assert all(fault.file.startswith("demo") for fault in found.error.faults)
    return found


def validate(folder: Path) -> None:
    """Validate the series of a folder completely, as the command line does."""
    environment = {
        "SERIES_ASSETS_SERIES_DIR": str(folder),
        "SERIES_ASSETS_DATA_DIR": str(folder / "data"),
    }
    with warnings.catch_warnings():
        ended = CliRunner().invoke(main, ["validate", "demo"], env=environment)
    assert ended.exit_code in (0, 2), (ended.exit_code, ended.output, ended.exception)
    if ended.exit_code:
        assert isinstance(ended.exception, SystemExit), ended.exception
        check_messages(ended.stderr.splitlines()[:1])
        assert REPORT not in ended.stderr
    assert not (folder / "data").exists()


def _first_seed(batch: int) -> int:
    return (random.SystemRandom().randrange(10**12) if _LONG else 0) + batch * _IN_A_BATCH


@pytest.mark.parametrize("batch", range(_BATCHES))
def test_mutated_files_make_a_series_or_messages(batch: int, tmp_path: Path) -> None:
    """No exception, no hang, no message without a file; some are validated completely."""
    first, tried = _first_seed(batch), 0
    for seed in range(first, first + _IN_A_BATCH):
        texts = a_pair(seed)
        with no_longer_than(_SECONDS, f"a_pair({seed})"):
            try:
                folder = written(tmp_path / "series", texts)
                found = found_in(folder)
                if isinstance(found, Series) and tried < _TRIED:
                    tried += 1
                    validate(folder)
            except Exception as error:
                raise AssertionError(f"a_pair({seed})") from error
    assert tried


@pytest.mark.thorough
def test_pairs_are_mutated_in_many_ways() -> None:
    """Most pairs are refused, many are not, and few are unchanged."""
    pairs = [a_pair(seed) for seed in range(300)]
    assert sum(pair in _ORIGINALS for pair in pairs) < 30
    assert len(set(pairs)) > 270
