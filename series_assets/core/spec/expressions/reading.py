"""From the text of a specification to the syntax tree that pandas will walk, and no other.

Exhibit rewrites a text before it hands it to pandas, and pandas rewrites it again before Python
parses it. Both are done here in the same way, so that what is checked is what would run.
"""

import ast
import io
import re
import tokenize

from series_assets.core.spec.expressions.values import RefusedError, UnreadableExpressionError

LOCAL = "__pd_eval_local_"
"""What pandas puts in place of ``@``."""
MOST_CHARACTERS = 2000
"""How long the text of one expression may be; longer ones are not even parsed."""

_TILDES = re.compile(r"~.*?~")
_OPERATORS = re.compile(r"(\s[<>]\s|\s>=\s|\s<=\s|\s==\s)")
_QUOTED = re.compile(r"""("[^"]*"|'[^']*')""")
_FAILURES = (
    SyntaxError,
    ValueError,
    MemoryError,
    RecursionError,
    OverflowError,
    tokenize.TokenError,
)


def of_constraint(text: str) -> str:
    """Return a constraint or filter as Exhibit hands it to pandas: without its tildes."""
    for name in _TILDES.findall(text):
        text = text.replace(name, name.replace("~", "").replace(" ", "__"))
    return text


def between_tildes(text: str) -> list[str]:
    """Return what stands between pairs of tildes in a constraint."""
    return [found[1:-1] for found in _TILDES.findall(text)]


def sides(constraint: str) -> list[str]:
    """Return the parts into which Exhibit splits a constraint (its tildes gone) at operators."""
    return [part.strip() for part in _OPERATORS.split(constraint)]


def unquoted(text: str) -> str:
    """Return a text without what stands in quotes."""
    return _QUOTED.sub("''", text)


def parse(text: str) -> ast.expr:
    """Return the tree of an expression, as pandas' own reader makes it.

    Raises RefusedError for text that is too long, has several lines or backticks, or assigns, and
    UselessError for what is no expression of Python's.
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
    """Return a part of an expression as its author wrote it, near enough."""
    try:
        text = ast.unparse(node).replace(LOCAL, "@")
    except RecursionError:
        return "..."
    return text if len(text) <= 60 else f"{text[:57]}..."
