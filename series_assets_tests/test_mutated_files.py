"""Pairs of files that somebody damaged by hand, by a merge or by a program, still end in messages.

The pairs are the same in every run; ``HYPOTHESIS_PROFILE=long`` makes twenty times as many.
"""

import os
import random
import signal
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from series_assets import starting
from series_assets.cli import main
from series_assets.core.errors import InputError
from series_assets.core.series import Series
from series_assets.settings import SHIPPED
from series_assets.storage.loading import SPECIFICATION, USER_INPUT, load_series

_PAIRS = 20_000 if os.environ.get("HYPOTHESIS_PROFILE") == "long" else 1_000
_BY_COMMAND = 40
_SEED = 20240229
_SECONDS = 5.0
_FILES = (SPECIFICATION, USER_INPUT)
_WAREHOUSE = Path(__file__).parents[1] / "examples/warehouse/src/warehouse/defs/customers"

_ODD = (
    "9" * 5000, "-1", "0", "1e308", "1e999999999", "-1e-999999999", "1/0", "1/3", "0x", "0b", "0o8",
    ".inf", ".nan", "2024-02-30", "2024-02-29", "0001-01-01", "9999-12-31", "10000-01-01", "12:30",
    "!!int abc", "!!bool abc", "!!timestamp abc", "!!binary x", "!!python/name:os.system", "!x y",
    "{{ x }}", "[a]: b", "{[a]: b}", "{a: b}", "[]", "{}", "[[[]]]", "[1, a, null]", "~", "yes",
    "''", '"\\0"', '"\\ud800"', '"\\x1b[31m"', "\x07", "\x00", "\t", "&a [*a]", "*a", "&b x", "*b",
    "<<: *b", "ms", "0D", "-1D", "MS", "D", "1h", "W-XXX", "months", "@sysdate", "df.x", "1 +", "(",
    "select 1", "~nobody/x.db", "/" + "x" * 5000, "../..", "%", "🙂", "[" * 200, "- " * 200, "|",
    "normal", "uniform", "categorical", "uuid", "date", "paired columns", "linked", "missing data",
)  # fmt: skip


def _sources() -> list[tuple[str, str]]:
    folders = [SHIPPED / "school", SHIPPED / "clinic", Path(starting.__file__).parent / "templates"]
    folders.append(_WAREHOUSE)
    return [
        ((folder / SPECIFICATION).read_text(), (folder / USER_INPUT).read_text())
        for folder in folders
    ]


def _without_line(draw: random.Random, lines: list[str], at: int) -> None:
    del lines[at : at + draw.choice([1, 1, 1, 5])]


def _line_twice(draw: random.Random, lines: list[str], at: int) -> None:
    lines.insert(draw.randrange(len(lines) + 1), lines[at])


def _lines_swapped(draw: random.Random, lines: list[str], at: int) -> None:
    other = draw.randrange(len(lines))
    lines[at], lines[other] = lines[other], lines[at]


def _other_value(draw: random.Random, lines: list[str], at: int) -> None:
    key, colon, _ = lines[at].partition(":")
    value = draw.choice(_ODD)
    if colon:
        lines[at] = f"{key}: {value}"
    else:
        lines[at] = f"{lines[at][: len(lines[at]) - len(lines[at].lstrip())]}- {value}"


def _other_key(draw: random.Random, lines: list[str], at: int) -> None:
    key, colon, rest = lines[at].partition(":")
    indent = key[: len(key) - len(key.lstrip())]
    new = draw.choice([*_ODD, key.strip()[:-1], key.strip() + "s", key.upper().strip()])
    lines[at] = f"{indent}{new}{colon}{rest}"


def _other_indent(draw: random.Random, lines: list[str], at: int) -> None:
    lines[at] = draw.choice(["  ", " ", "\t", "      "]) + lines[at]


def _outdented(draw: random.Random, lines: list[str], at: int) -> None:
    lines[at] = lines[at][draw.choice([1, 2]) :]


def _cut_off(draw: random.Random, lines: list[str], at: int) -> None:
    lines[at] = lines[at][: draw.randrange(len(lines[at]) + 1)]
    del lines[at + 1 :]


def _a_character(draw: random.Random, lines: list[str], at: int) -> None:
    place = draw.randrange(len(lines[at]) + 1)
    sign = draw.choice("{}[]:,#&*!|>'\"%@`-?\x00\x1b\u2028\ufeff\r~\\ 0")
    lines[at] = lines[at][:place] + sign + lines[at][place:]


def _to_itself(draw: random.Random, lines: list[str], at: int) -> None:
    key = lines[at].partition(":")[0]
    lines[at] = f"{key}: &self {draw.choice(['[*self]', '{a: *self}', '{<<: *self}'])}"


def _a_bomb(draw: random.Random, lines: list[str], at: int) -> None:
    indent = lines[at].partition(":")[0]
    parts = ["&l0 [x, x, x, x, x, x, x, x, x]"]
    parts += [f"&l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 9)]
    lines[at] = f"{indent}: [{', '.join(parts)}]"


_MUTATIONS: tuple[Callable[[random.Random, list[str], int], None], ...] = (
    _without_line, _line_twice, _lines_swapped, _other_value, _other_value, _other_value,
    _other_value, _other_key, _other_indent, _outdented, _cut_off, _a_character, _to_itself,
    _a_bomb,
)  # fmt: skip


def _mutated(draw: random.Random, text: str) -> str:
    lines = text.split("\n")
    for _ in range(draw.choice([1, 1, 1, 2, 4])):
        # Comments are of no interest.
        places = [n for n, line in enumerate(lines) if line.strip() and line.lstrip()[0] != "#"]
        if places:
            draw.choice(_MUTATIONS)(draw, lines, draw.choice(places))
    return "\n".join(lines)


def _write_pair(place: Path, draw: random.Random, sources: list[tuple[str, str]]) -> None:
    place.mkdir(exist_ok=True)
    which = draw.choice([(True, False), (False, True), (True, True)])
    for file, text, damaged in zip(_FILES, draw.choice(sources), which, strict=True):
        content = _mutated(draw, text) if damaged else text
        (place / file).write_bytes(content.encode(errors="surrogatepass"))


class _TooSlowError(BaseException):
    """What a pair takes too long with; no handler of errors may take it for one of its own."""


@contextmanager
def _in_time(seconds: float) -> Iterator[None]:
    def ring(*_: object) -> None:
        raise _TooSlowError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _wrong(place: Path, loaded: list[Series]) -> str | None:
    """Return what is wrong with how a pair ends, if anything is; ``loaded`` gets its series."""
    try:
        with _in_time(_SECONDS), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            loaded.append(load_series(place))
    except InputError as error:
        names = tuple(f"{place.name}/{file}: " for file in _FILES)
        for fault in error.faults:
            if not str(fault).startswith(names):
                return f"names no file: {fault}"
            if "a fault of series_assets" in str(fault):
                return str(fault)
        return None
    except (_TooSlowError, Exception) as error:
        return f"{type(error).__name__}: {error}"
    return None


def test_every_mutated_pair_is_a_series_or_ends_in_messages(tmp_path: Path) -> None:
    """Each message names its file; nothing else is raised, and nothing hangs."""
    draw, sources = random.Random(_SEED), _sources()
    found: list[str] = []
    loaded: list[Series] = []
    place = tmp_path / "demo"
    for number in range(_PAIRS):
        _write_pair(place, draw, sources)
        if wrong := _wrong(place, loaded):
            changed = [(place / file).read_bytes().decode(errors="replace") for file in _FILES]
            found.append(f"pair {number}: {wrong}\n")
            (tmp_path / f"{number}.txt").write_text("\n=====\n".join(changed))
    assert not found, f"{len(found)} of {_PAIRS}, kept in {tmp_path}:\n" + "".join(found[:20])
    assert 0.02 < len(loaded) / _PAIRS < 0.5  # both kinds of ending are seen


@pytest.mark.parametrize("number", range(_BY_COMMAND))
def test_the_command_line_tells_of_a_mutated_pair(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """``validate`` tries what it can load, and ends with an exit code and without a traceback."""
    monkeypatch.setenv("SERIES_ASSETS_SERIES_DIR", str(tmp_path / "series"))
    monkeypatch.setenv("SERIES_ASSETS_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "series").mkdir()
    _write_pair(tmp_path / "series" / "demo", random.Random(_SEED + number), _sources())
    with _in_time(60):
        result = CliRunner().invoke(main, ["validate", "demo"])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert result.exit_code in (0, 1, 2)
    assert "Traceback" not in result.output
    assert "a fault of series_assets" not in result.output
