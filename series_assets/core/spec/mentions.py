"""Which columns an expression of a specification mentions, by exact name (section 5.6).

Exhibit writes column names in several ways: ``~my col~`` in constraints and filters, ``my col``
with its blanks in derivations, plain names separated by commas in partitions and targets.
"""

import io
import re
import tokenize
from collections.abc import Iterable

_TILDE = re.compile(r"~(.*?)~")
_QUOTED = re.compile(r"""("[^"]*"|'[^']*')""")
_LANGUAGE = {"and", "or", "not", "in", "is", "True", "False", "None", "df", "index"}


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


def in_code(column: str) -> str:
    """Return a column's name as Exhibit writes it in code."""
    return column.replace(" ", "__")


def constraint_code(text: str) -> str:
    """Return a constraint or filter in which ``~my col~`` is ``my__col``, as Exhibit runs it."""
    return _TILDE.sub(lambda found: in_code(found[1]), text)


def derivation_code(text: str) -> str:
    """Return a calculation as Exhibit runs it: blanks between words become ``__``."""
    return re.sub(r"\b\s\b", "__", text)


def in_constraint(expression: str | None, columns: Iterable[str]) -> set[str]:
    """Return the columns that a basic constraint or the filter of a custom one mentions."""
    return _columns(_words(constraint_code(expression))[0], columns) if expression else set()


def in_derivation(expression: str, columns: Iterable[str]) -> set[str]:
    """Return the columns that a derived column is computed from.

    Names in quotes count (``df.groupby('sex')``), and attributes of ``df`` (``df.sex``).
    """
    names, quoted = _words(derivation_code(expression))
    return _columns(names | quoted, columns)


def in_list(names: str | None, columns: Iterable[str]) -> set[str]:
    """Return the columns that a partition or a target key names, separated by commas."""
    return {name.strip() for name in (names or "").split(",")} & set(columns)


def unknown_names(expression: str, columns: Iterable[str]) -> set[str]:
    """Return the names in an expression that are neither columns nor part of pandas' language.

    ``@name`` (supplied by Exhibit), attributes, functions and keyword arguments do not count.
    An expression that Python cannot tokenize has none.
    """
    known = {in_code(column) for column in columns} | _LANGUAGE
    code = constraint_code(expression).strip()
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(code).readline))
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


def _columns(words: set[str], columns: Iterable[str]) -> set[str]:
    return {column for column in columns if in_code(column) in words}


def _words(expression: str) -> tuple[set[str], set[str]]:
    """Return the names in an expression, attributes left out, and the contents of its quotes."""
    names: set[str] = set()
    quoted: set[str] = set()
    previous = ["", ""]
    try:
        for token in tokenize.generate_tokens(io.StringIO(expression.strip()).readline):
            is_attribute = previous[-1] == "." and previous[-2] != "df"
            if token.type == tokenize.NAME and not is_attribute:
                names.add(token.string)
            elif token.type == tokenize.STRING:
                quoted.add(token.string.strip("\"'"))
            previous.append(token.string)
    except (tokenize.TokenError, SyntaxError):
        # Python cannot tokenize it: count every word, too many rather than too few.
        quoted |= {text[1:-1] for text in _QUOTED.findall(expression)}
        names |= set(re.findall(r"\w+", _QUOTED.sub(" ", expression)))
    return names, quoted
