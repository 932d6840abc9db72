"""Regular expressions that cannot take forever, whatever text they are held against.

Python's matcher tries every way in which a pattern could fit. Quantified groups multiply these
ways without bound, so that they are refused; the ways of what is left are counted.
"""

import re

from series_assets.core.spec.expressions.values import RefusedError

_MOST_WAYS = 10**8
_LONGEST = 200
_CLASS = r"\[\^?\]?(?:\\.|[^\]\\])*\]"
_ELEMENT = re.compile(rf"{_CLASS}|\\.|\((?:\?:|\?P<\w+>)?|\{{\d*,?\d*\}}\??|[*+?]\??|.", re.DOTALL)
_BACKREFERENCE = re.compile(r"\\[1-9]|\(\?(?!:|P<)")


def check_pattern(pattern: str, characters: int) -> None:
    """Return nothing for a pattern that can be used on texts of so many characters.

    Raises RefusedError, whose text goes on from the pattern, for another.
    """
    if len(pattern) > _LONGEST:
        raise RefusedError(f"is longer than {_LONGEST} characters", "use a shorter pattern")
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        raise RefusedError("is not a regular expression", "fix it, or use regex=False") from None
    if _BACKREFERENCE.search(pattern):
        raise RefusedError("refers back or looks ahead, which can take forever", "use plain groups")
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
            f"leaves too much to try in texts of up to {characters} characters",
            "use fewer of * + ? | { }",
        )
