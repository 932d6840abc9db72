"""Which columns an expression of a specification mentions, by exact name (section 5.6).

Exhibit writes column names in several ways: ``~my col~`` in constraints and filters, ``my col``
with its blanks in derivations, plain names split by commas in partitions and targets. Each has
its function here. What is done about a mention is decided in ``plan.spec_changes``.
"""

import io
import re
import tokenize
from collections.abc import Iterable

_TILDE = re.compile(r"~(.*?)~")
_QUOTED = re.compile(r"""("[^"]*"|'[^']*')""")


def split_constraint(text: str) -> tuple[str, str, str] | None:
    """Return column, operator and expression of a basic constraint, or None if it is not one."""
    words = text.split(" ")
    places = [i for i, word in enumerate(words) if word in ("<", ">", "<=", ">=", "==")]
    if len(places) != 1:
        return None
    place = places[0]
    left, right = " ".join(words[:place]).strip(), " ".join(words[place + 1 :]).strip()
    name = left.strip("~")
    if not left or not right or (" " in name and left != f"~{name}~"):
        return None
    return name, words[place], right


def without_tildes(expression: str) -> str:
    """Return an expression in which ``~my col~`` is ``my__col``, as Exhibit evaluates it."""
    return _TILDE.sub(lambda found: in_code(found[1]), expression)


def in_code(column: str) -> str:
    """Return a column's name as Exhibit writes it in code."""
    return column.replace(" ", "__")


def in_constraint(expression: str | None, columns: Iterable[str]) -> set[str]:
    """Return the columns that a basic constraint or the filter of a custom one mentions."""
    if not expression:
        return set()
    safe = _TILDE.sub(lambda found: _safe(found[1]), expression)
    return _columns(_words(safe)[0], columns)


def in_derivation(expression: str, columns: Iterable[str]) -> set[str]:
    """Return the columns that a derived column is computed from.

    Names in quotes count (``df.groupby('sex')``), and attributes of ``df`` (``df.sex``).
    """
    safe = re.sub(r"\b\s\b", "__", expression)
    names, quoted = _words(safe)
    return _columns(names | quoted, columns)


def in_list(names: str | None, columns: Iterable[str]) -> set[str]:
    """Return the columns that a partition or the key of a target names, split by commas."""
    wanted = {name.strip() for name in (names or "").split(",")}
    return wanted & set(columns)


def unknown_names(expression: str, columns: Iterable[str]) -> set[str]:
    """Return the names in an expression that are neither columns nor of pandas' own language.

    ``@name`` (what Exhibit hands in), attributes, functions and keyword arguments do not count.
    An expression that Python cannot split has none.
    """
    safe = _TILDE.sub(lambda found: _safe(found[1]), expression)
    known = {_safe(column) for column in columns} | _LANGUAGE
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(safe.strip()).readline))
    except (tokenize.TokenError, SyntaxError):
        return set()
    texts = ["", *(token.string for token in tokens), ""]
    return {
        token.string
        for place, token in enumerate(tokens, start=1)
        if token.type == tokenize.NAME
        and token.string not in known
        and texts[place - 1] not in (".", "@")
        and texts[place + 1] not in ("(", "=")
    }


_LANGUAGE = {"and", "or", "not", "in", "is", "True", "False", "None", "df", "index"}


def _safe(column: str) -> str:
    return column.replace(" ", "__")


def _columns(words: set[str], columns: Iterable[str]) -> set[str]:
    return {column for column in columns if _safe(column) in words}


def _words(expression: str) -> tuple[set[str], set[str]]:
    """Return the names that stand free in an expression, and the contents of its quotes."""
    names: set[str] = set()
    quoted: set[str] = set()
    before: list[str] = ["", ""]
    try:
        for token in tokenize.generate_tokens(io.StringIO(expression.strip()).readline):
            free = before[-1] != "." or before[-2] == "df"
            if token.type == tokenize.NAME and free:
                names.add(token.string)
            elif token.type == tokenize.STRING:
                quoted.add(token.string.strip("\"'"))
            before.append(token.string)
    except (tokenize.TokenError, SyntaxError):
        # Not an expression that Python can split: count every word, rather none too few.
        quoted |= {text[1:-1] for text in _QUOTED.findall(expression)}
        names |= set(re.findall(r"\w+", _QUOTED.sub(" ", expression)))
    return names, quoted
