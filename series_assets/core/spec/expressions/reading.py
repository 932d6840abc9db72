"""Parses an expression into the same syntax tree that pandas will evaluate.

Exhibit rewrites a text before it passes it to pandas, and pandas rewrites it before Python parses
it. Both rewrites are repeated here exactly, so that what is checked is what would run.
"""

import ast
import io
import re
import tokenize

from series_assets.core.spec.expressions.values import RefusedError, UnreadableExpressionError

LOCAL = "__pd_eval_local_"
"""What pandas puts in place of ``@``."""
MOST_CHARACTERS = 2000
"""Of one expression; longer ones are not parsed."""

_TILDES = re.compile(r"~.*?~")
_OPERATORS = re.compile(r"(\s[<>]\s|\s>=\s|\s<=\s|\s==\s)")
_QUOTED = re.compile(r"""("[^"]*"|'[^']*')""")
_FAILURES = (
    *(SyntaxError, ValueError, MemoryError, RecursionError, OverflowError),
    tokenize.TokenError,
)


def of_constraint(text: str) -> str:
    """Return a constraint or filter as Exhibit passes it to pandas: without its tildes."""
    for name in _TILDES.findall(text):
        text = text.replace(name, name.replace("~", "").replace(" ", "__"))
    return text


def between_tildes(text: str) -> list[str]:
    """Return the texts between pairs of tildes in a constraint."""
    return [found[1:-1] for found in _TILDES.findall(text)]


def sides(constraint: str) -> list[str]:
    """Return the parts of a constraint without tildes, split at operators as Exhibit does."""
    return [part.strip() for part in _OPERATORS.split(constraint)]


def unquoted(text: str) -> str:
    """Return a text with empty quotes."""
    return _QUOTED.sub("''", text)


def parse(text: str) -> ast.expr:
    """Return the syntax tree of an expression, as pandas' own parser builds it.

    Raises UnreadableExpressionError for invalid syntax, and RefusedError for text that is too long,
    has several lines or backticks, or is a statement.
    """
    if len(text) > MOST_CHARACTERS:
        raise RefusedError(
            f"is longer than {MOST_CHARACTERS} characters", "split it over several derived columns"
        )
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) != 1:
        raise RefusedError(f"has {len(lines)} lines", "an expression has one")
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(lines[0]).readline))
        if any(token.string == "`" for token in tokens):
            raise RefusedError(
                "has backticks", "write ~my column~ in a constraint, the plain name elsewhere"
            )
        tree = ast.parse(tokenize.untokenize(map(_as_pandas, tokens)))
    except RefusedError:
        raise
    except _FAILURES:
        raise UnreadableExpressionError(
            "is not an expression that pandas can read", "fix its syntax"
        ) from None
    match tree.body:
        case [ast.Expr(value)]:
            return value
        case [ast.Assign() | ast.AugAssign() | ast.AnnAssign()]:
            raise RefusedError("assigns with =", "compare with ==")
        case _:
            raise RefusedError("is a statement", "write one expression")


def _as_pandas(token: tokenize.TokenInfo) -> tuple[int, str]:
    kind, text = token.type, token.string
    if kind == tokenize.OP and text == "@":
        return kind, LOCAL
    if kind == tokenize.OP and text in ("&", "|"):
        return tokenize.NAME, "and" if text == "&" else "or"
    return kind, text


def shown(node: ast.AST) -> str:
    """Return the source text of a part of an expression, approximately."""
    try:
        text = ast.unparse(node).replace(LOCAL, "@")
    except RecursionError:
        return "..."
    return text if len(text) <= 60 else f"{text[:57]}..."
