"""Date literals in expressions, and the columns that each is compared with.

Exhibit's expressions are pandas': ``visit > '2024-01-15'``, ``visit.between('…', '…')``,
``(visit - '2024-01-01').dt.days``. Python's parser finds what a literal is compared with; only the
literals are replaced, the rest of the text stays as written. ``date_shifts`` decides how far.
"""

import ast
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import date

from series_assets.core.spec.mentions import constraint_code, derivation_code, in_code

_QUOTED = r"""'[^']*'|"[^"]*\""""
_IN_CONSTRAINT = re.compile(rf"~[^~]*~|{_QUOTED}")
_IN_DERIVATION = re.compile(_QUOTED)
_TEXT_MAKERS = {"strftime", "astype", "str"}


@dataclass(frozen=True)
class Day:
    """A day as it is written in an expression."""

    text: str
    day: date
    form: str
    """Its format: ``yyyy``, ``mm`` and ``dd`` with separators."""
    time: str = ""
    """The time of day after it."""

    def at(self, day: date, *, iso: bool) -> str:
        """Return another day in the same form, with ``iso`` a day-first one in ISO form."""
        to_iso = iso and self.form == _DAY_FIRST
        if day == self.day and not to_iso:
            return self.text
        form = _ISO if to_iso or (self.form == _MONTH and day.day != 1) else self.form
        numbers = {"yyyy": f"{day.year:04}", "mm": f"{day.month:02}", "dd": f"{day.day:02}"}
        return re.sub("yyyy|mm|dd", lambda found: numbers[found[0]], form) + self.time


_ISO, _DAY_FIRST, _MONTH = "yyyy-mm-dd", "dd/mm/yyyy", "yyyy-mm"
_FORMS = (
    (re.compile(r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})"), _ISO),
    (re.compile(r"(?P<year>\d{4})/(?P<month>\d{1,2})/(?P<day>\d{1,2})"), "yyyy/mm/dd"),
    (re.compile(r"(?P<day>\d{1,2})/(?P<month>\d{1,2})/(?P<year>\d{4})"), _DAY_FIRST),
    (re.compile(r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)"), "yyyymmdd"),
    (re.compile(r"(?P<year>\d{4})-(?P<month>\d\d)"), _MONTH),
)
_TIME = re.compile(r"[T ]\d{1,2}:\d\d.*")


def parse_day(text: str) -> Day | None:
    """Return the day that a text names, in one of ``_FORMS``; None if it names none.

    A time may follow. A month alone names its first day.
    """
    for pattern, form in _FORMS:
        found = pattern.match(text.strip())
        if not found:
            continue
        time = text.strip()[found.end() :]
        if time and not _TIME.fullmatch(time):
            continue
        numbers = {key: int(value) for key, value in found.groupdict().items()}
        try:
            return Day(text, date(**{"day": 1, **numbers}), form, time)
        except ValueError:
            return None
    return None


@dataclass(frozen=True)
class Compared:
    """What a day is compared with in an expression."""

    columns: frozenset[str]
    as_text: bool
    """Whether the columns are converted to text, so that texts are compared."""


Change = Callable[[Day, Compared], str]


def in_constraint(text: str, columns: Collection[str], change: Change) -> str:
    """Return a basic constraint, or the filter of a custom one, with its days replaced.

    ``change`` takes a day and the columns that it is compared with, and returns its new text. A day
    compared with no column stays, and so does an expression that Python cannot parse.
    """
    return _replaced(text, _IN_CONSTRAINT, constraint_code, columns, change)


def in_derivation(text: str, columns: Collection[str], change: Change) -> str:
    """Return the calculation of a derived column with its days replaced, see ``in_constraint``.

    Column names may contain blanks here, and may be in quotes (``df['visit']``).
    """
    return _replaced(text, _IN_DERIVATION, derivation_code, columns, change)


def _replaced(
    text: str,
    pattern: re.Pattern[str],
    to_code: Callable[[str], str],
    columns: Collection[str],
    change: Change,
) -> str:
    quoted = [found for found in pattern.finditer(text) if found[0][0] != "~"]
    days = {i: day for i, match in enumerate(quoted) if (day := parse_day(match[0][1:-1]))}
    if not days:
        return text
    parsed = _Parsed(
        to_code(
            _with_replacements(
                text, quoted, [f"'{_placeholder(place)}'" for place in range(len(quoted))]
            )
        ),
        [match[0][1:-1] for match in quoted] if pattern is _IN_DERIVATION else [],
        columns,
    )
    contents = [match[0] for match in quoted]
    for place, day in days.items():
        compared = parsed.beside(place)
        if compared:
            quote = contents[place][0]
            contents[place] = f"{quote}{change(day, compared)}{quote}"
    return _with_replacements(text, quoted, contents)


def _with_replacements(text: str, places: list[re.Match[str]], contents: list[str]) -> str:
    """Return a text with other contents in some places."""
    pieces, end = [], 0
    for place, content in zip(places, contents, strict=True):
        pieces += [text[end : place.start()], content]
        end = place.end()
    return "".join([*pieces, text[end:]])


def _placeholder(place: int) -> str:
    return f"_quoted_{place}_"


class _Parsed:
    """A parsed expression, with a placeholder for each text in quotes."""

    def __init__(self, text: str, quoted: list[str], columns: Collection[str]) -> None:
        names = {in_code(column): column for column in columns}
        marked = {_placeholder(place): content for place, content in enumerate(quoted)}
        self._names = names
        self._quoted = {mark: names.get(derivation_code(quote)) for mark, quote in marked.items()}
        self._parents: dict[ast.AST, ast.AST] = {}
        self._placeholders: dict[object, ast.AST] = {}
        # In pandas, & and | have the precedence of `and` and `or`; @ marks local variables.
        plain = text.replace("`", "").replace("@", " ")
        plain = plain.replace("&", " and ").replace("|", " or ")
        try:
            tree = ast.parse(f"({plain.strip()})", mode="eval")
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return
        for node in ast.walk(tree):
            self._parents |= dict.fromkeys(ast.iter_child_nodes(node), node)
            if isinstance(node, ast.Constant):
                self._placeholders[node.value] = node

    def beside(self, place: int) -> Compared | None:
        """Return what a text in quotes is compared with; None if with no column."""
        child = self._placeholders.get(_placeholder(place))
        while child in self._parents:
            parent = self._parents[child]
            for scope in _scopes(parent, child):
                columns = frozenset(self._columns(scope))
                if columns:
                    nodes = ast.walk(scope)
                    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
                    return Compared(columns, bool(attributes & _TEXT_MAKERS))
            child = parent
        return None

    def _columns(self, scope: ast.AST) -> Iterator[str]:
        for node in ast.walk(scope):
            found: str | None = None
            if isinstance(node, ast.Name):
                found = self._names.get(node.id)
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                found = self._names.get(node.attr) if node.value.id == "df" else None
            elif isinstance(node, ast.Constant):
                found = self._quoted.get(str(node.value))
            if found is not None:
                yield found


def _scopes(node: ast.AST, child: ast.AST) -> Iterator[ast.AST]:
    """Yield where to look for columns: the object of a method call, then the expression."""
    if isinstance(node, ast.Call) and child is not node.func:
        yield node.func
    yield node
