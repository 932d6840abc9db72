"""Refuses regular expressions that could take forever to match.

Python's matcher backtracks through every way in which a pattern could match. Quantified groups,
which multiply these without bound, are refused; for other patterns the ways are counted.
"""

import re

from series_assets.core.spec.expressions.values import RefusedError

_MOST_WAYS = 10**8
_LONGEST = 200
_CLASS = r"\[\^?\]?(?:\\.|[^\]\\])*\]"
_ELEMENT = re.compile(rf"{_CLASS}|\\.|\((?:\?:|\?P<\w+>)?|\{{\d*,?\d*\}}\??|[*+?]\??|.", re.DOTALL)
_BACKREFERENCE = re.compile(r"\\[1-9]|\(\?(?!:|P<)")


def check_pattern(pattern: str, characters: int) -> None:
    """Raise RefusedError for a pattern that is too slow on texts of so many characters."""
    if len(pattern) > _LONGEST:
        raise RefusedError(f"is longer than {_LONGEST} characters", "use a shorter pattern")
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        raise RefusedError("is not a regular expression", "fix it, or use regex=False") from None
    if _BACKREFERENCE.search(pattern):
        problem = "has a backreference or a lookahead, which can take forever"
        raise RefusedError(problem, "use plain groups")
    choices, before = 0, ""
    for found in _ELEMENT.finditer(pattern):
        element = found[0]
        repeats = element[0] in "*+?{" and before != ""
        if repeats and before == ")":
            raise RefusedError(
                "repeats a group, which can take forever", "repeat a character or [a class]"
            )
        exactly = re.fullmatch(r"\{\d\d?\}", element)
        choices += (repeats and not exactly) or element == "|"
        before = element
    if max(characters, 2) ** (choices + 1) > _MOST_WAYS:
        raise RefusedError(
            f"leaves too much to try in strings of up to {characters} characters",
            "use fewer of * + ? | { }",
        )
