"""Random mistakes in the files of series, from a seed.

A mutation takes the text of a specification or a user input and returns another one. Some change
lines and characters, as an editor does, others the values that YAML finds in a text.
"""

import random
import re
from collections.abc import Callable
from typing import Any

import yaml

Mutation = Callable[[random.Random, str], str]

ODD_SCALARS = [
    *("", "~", "null", "{{ x }}", "[a]", "{a: b}", "[[a]]", "'", '"', "*x", "&x y", "!!int abc"),
    *("!!bool maybe", "!!timestamp soon", "!!float x", "!!binary $$$", "!!set {a, b}", "!foo bar"),
    *("0", "-1", "1", "0x", "0x1F", "0o17", "017", "1:30", "1_000", "1e5", "1e308", "1e-320"),
    *("1e999999999", "1/3", "1/0", "1/1e99999", "1e999999999/3", "0.1", "-0.5", "2.5", "1.0"),
    *("1" * 30, "9" * 120, "1" * 5000, "4294967295", "4294967296", "2147483648", "1000000000000"),
    *(".inf", "-.inf", ".nan", "true", "no", "on", "2024-01-01", "2024-02-30", "0001-01-01"),
    *("9999-12-31", "'9999-12-31'", "31/12/1676", "2024-01-01T10:00:00", "12:00", "1677-09-21"),
    *("ms", "MS", "me", "0D", "-1D", "99999999999D", "1D12h", "bh", "W-MON", "QE", "B", "WOM-1MON"),
    *("days", "weeks", "months", "quarters", "uuid", "pseudo_chi", "range", "random", "regex"),
    *("categorical", "continuous", "date", "geospatial", "normal", "weighted_uniform", "integer"),
    *("See paired column", "Missing data", "SELECT", "SELECT * FROM x", "'[a-'", "'[a-z]{999999}'"),
    *("'a | b'", "'1 | 1.0'", "'|'", "' '", '"\\0"', '"\\ud800"', '"\\x1b[31m"', '"\\u202e"', "💥"),
    *("日本", "'a,b'", "'~a~'", "~nobody/x.db", "/dev/zero", "/dev/null", "'../..'", "/", "."),
    *("a" * 300, "'" + "x" * 5000 + "'", "@sysdate", "@pd", "a == b", "a < ~b~", "'amount > 1'"),
    *("make_null", "assign_value : 1", "generate_as_sequence", "make_outlier", "x : y : z", "-"),
]
_LINES = [
    *("  - a", "- - - a", "? b", ": c", "<<: *all", "<<: 3", "  x: y", "x: &all {a: *all}", "---"),
    *("...", "\t", "%YAML 1.1", "# only a comment", "[a]: b", "{a: b}: c", "? [x]\n: y", "=: 1"),
    *("a: &a [x, x, x]\nb: &b [*a, *a, *a]\nc: [*b, *b, *b]", "'': ''", "null: 1", "1: 2", "no: x"),
    *("extra_key: 1", "period: weeks", "columns: {}", "metadata:", "derived_columns: {x: y}"),
    *("linked_columns: [[0, [a, b]]]", "models: {x: {}}", "exhibit_db_path: ''", "id: 3"),
]
_CHARACTERS = "\t\x00\x07\x1b\x7f\x85\u2028\ufeff\u202e\ufffd'\"{}[]:|>&*!%@`#-?,~ é💥0"


def mutate_text(rng: random.Random, text: str) -> str:
    """Return the text with one to three mutations, usually one."""
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        text = rng.choice(_MUTATIONS)(rng, text)
    return text


def _of_lines(change: Callable[[random.Random, list[str], int], None]) -> Mutation:
    def mutate(rng: random.Random, text: str) -> str:
        lines = text.split("\n")
        change(rng, lines, rng.randrange(len(lines)))
        return "\n".join(lines)

    return mutate


@_of_lines
def _without_line(_: random.Random, lines: list[str], place: int) -> None:
    del lines[place]


@_of_lines
def _with_line_twice(rng: random.Random, lines: list[str], place: int) -> None:
    lines.insert(rng.randrange(len(lines)), lines[place])


@_of_lines
def _with_lines_swapped(rng: random.Random, lines: list[str], place: int) -> None:
    other = rng.randrange(len(lines))
    lines[place], lines[other] = lines[other], lines[place]


@_of_lines
def _indented_otherwise(rng: random.Random, lines: list[str], place: int) -> None:
    bare = lines[place].lstrip()
    lines[place] = rng.choice([" ", "  ", "    ", "\t", ""]) * rng.randrange(4) + bare


@_of_lines
def _with_odd_line(rng: random.Random, lines: list[str], place: int) -> None:
    depth = len(lines[place]) - len(lines[place].lstrip())
    odd = rng.choice(_LINES).split("\n")
    lines[place:place] = [" " * depth + line for line in odd]


@_of_lines
def _without_end(_: random.Random, lines: list[str], place: int) -> None:
    del lines[place:]


@_of_lines
def _with_odd_value(rng: random.Random, lines: list[str], place: int) -> None:
    places = [n for n, line in enumerate(lines) if re.match(r"\s*(- |[\w ]+:)", line)]
    place = rng.choice(places) if places else place
    head = re.match(r"\s*(?:- )?(?:[\w ]+: ?)?", lines[place])
    lines[place] = (head[0] if head else "") + rng.choice(ODD_SCALARS)


@_of_lines
def _with_odd_cell(rng: random.Random, lines: list[str], place: int) -> None:
    places = [n for n, line in enumerate(lines) if "|" in line]
    if places:
        place = rng.choice(places)
        cells = lines[place].split("|")
        cells[rng.randrange(len(cells))] = f" {rng.choice(ODD_SCALARS)} "
        lines[place] = "|".join(cells)


@_of_lines
def _with_odd_prefix(rng: random.Random, lines: list[str], place: int) -> None:
    key, colon, value = lines[place].partition(": ")
    mark = rng.choice(["&x ", "*x ", "!!str ", "!!int ", "!!map ", "!!seq ", "| ", "> ", "!x "])
    lines[place] = f"{key}{colon}{mark}{value}" if colon else mark + key


def _with_odd_character(rng: random.Random, text: str) -> str:
    place = rng.randrange(len(text) + 1)
    return text[:place] + rng.choice(_CHARACTERS) + text[place:]


def _without_character(rng: random.Random, text: str) -> str:
    place = rng.randrange(len(text) + 1)
    return text[:place] + text[place + rng.randint(1, 4) :]


def _with_other_number(rng: random.Random, text: str) -> str:
    found = list(re.finditer(r"\d+", text))
    if not found:
        return text
    number = rng.choice(found)
    return text[: number.start()] + rng.choice(ODD_SCALARS) + text[number.end() :]


def _of_values(change: Callable[[random.Random, Any, Any], None]) -> Mutation:
    """Turn a change of one entry of a list or mapping into a mutation of YAML text."""

    def mutate(rng: random.Random, text: str) -> str:
        try:
            content = yaml.safe_load(text)
        except Exception:  # after an earlier mutation
            return text
        places = [(parent, key) for parent, key in _entries(content)]
        if not places:
            return text
        change(rng, *rng.choice(places))
        return yaml.safe_dump(content, sort_keys=False, allow_unicode=True)

    return mutate


def _entries(content: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    waiting, seen = [content], set()
    while waiting:
        value = waiting.pop()
        if id(value) in seen or not isinstance(value, dict | list):
            continue
        seen.add(id(value))
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        found += [(value, key) for key in keys]
        waiting += [value[key] for key in keys]
    return found


_ODD_VALUES: list[Any] = [
    *(None, True, False, 0, -1, 1, 2, 10**9, 10**12, 10**30, 2**32, 2**31, 1e308, -1e308, 1e-320),
    *(float("inf"), float("nan"), 0.5, 1.5, "", " ", "x", "a b", [], {}, [[]], [{}], {"x": None}),
    *(
        ["a", "a"],
        [1, 2],
        [None],
        {"a": {"b": {"c": 1}}},
        {1: 2},
        {None: 1},
        "x" * 1000,
        ["x"] * 99,
    ),
]


@_of_values
def _with_value(rng: random.Random, parent: Any, key: Any) -> None:
    parent[key] = rng.choice(_ODD_VALUES)


@_of_values
def _without_entry(_: random.Random, parent: Any, key: Any) -> None:
    del parent[key]


@_of_values
def _with_values_swapped(rng: random.Random, parent: Any, key: Any) -> None:
    other = rng.choice(list(parent) if isinstance(parent, dict) else range(len(parent)))
    parent[key], parent[other] = parent[other], parent[key]


@_of_values
def _wrapped(rng: random.Random, parent: Any, key: Any) -> None:
    inner = parent[key]
    parent[key] = rng.choice([[inner], {"x": inner}, str(inner), [inner, inner]])


@_of_values
def _scaled(rng: random.Random, parent: Any, key: Any) -> None:
    if isinstance(parent[key], int | float):
        parent[key] = rng.choice([-1, 10, 1000, 10**6, 1e300, 0.001, 1e-300]) * parent[key]
    elif isinstance(parent[key], list):
        parent[key] = parent[key] * 2


@_of_values
def _renamed(rng: random.Random, parent: Any, key: Any) -> None:
    if isinstance(parent, dict):
        odd = [f"{key}x", str(key).upper(), f"{key} ", f"temp_{key}", "key", "", "a.b", "__", "é"]
        name = rng.choice([*odd, *parent])
        items = [(name if k == key else k, value) for k, value in parent.items()]
        parent.clear()
        parent.update(items)


_MUTATIONS: list[Mutation] = [
    *(_without_line, _with_line_twice, _with_lines_swapped, _indented_otherwise, _with_odd_line),
    *(_with_odd_value, _with_odd_value, _with_odd_cell, _with_odd_prefix, _with_odd_character),
    *(
        _without_character,
        _with_other_number,
        _with_value,
        _with_value,
        _without_entry,
        _without_end,
    ),
    *(_with_values_swapped, _wrapped, _scaled, _renamed),
]
