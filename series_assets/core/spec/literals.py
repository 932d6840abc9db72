"""The days written in an expression of a specification, and the columns each is compared with.

Exhibit's expressions are pandas': ``visit > '2024-01-15'``, ``visit.between('…', '…')``,
``(visit - '2024-01-01').dt.days``. Python's own parser tells what belongs to what; only the days
themselves are replaced, the rest of the text stays as it was written. How far a day moves is
decided in ``date_shifts``.
"""

import ast
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import date

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
    """How it is written: where the four digits of the year, the month and the day stand."""
    time: str = ""
    """The time of day behind it."""

    def at(self, day: date, *, iso: bool) -> str:
        """Return another day in the same form; ``iso``: one that is written day-first as ISO.

        The same day is left as it was written.
        """
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
    """Return the day that a text names, or None if it names none.

    ISO, with a time behind it or not, with ``/`` or nothing for ``-``, a month (its first day),
    or day-first ``dd/mm/yyyy``.
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
    """What a day stands beside in an expression."""

    columns: frozenset[str]
    as_text: bool
    """Whether they are turned into text first, so that the day is compared letter by letter."""


Change = Callable[[Day, Compared], str]


def in_constraint(text: str, columns: Collection[str], change: Change) -> str:
    """Return a basic constraint, or the filter of a custom one, with each of its days replaced.

    ``change`` gets a day with those of the columns that it is compared with, and returns what to
    write. A day beside no column stays, and so does a text that Python cannot parse.
    """
    return _replaced(text, _IN_CONSTRAINT, _safe_constraint, columns, change)


def in_derivation(text: str, columns: Collection[str], change: Change) -> str:
    """Return the calculation of a derived column with each of its days replaced.

    As ``in_constraint``; names have their blanks here, and may stand in quotes (``df['visit']``).
    """
    return _replaced(text, _IN_DERIVATION, _safe_derivation, columns, change)


def _replaced(
    text: str,
    pattern: re.Pattern[str],
    safe: Callable[[str], str],
    columns: Collection[str],
    change: Change,
) -> str:
    quoted = [found for found in pattern.finditer(text) if found[0][0] != "~"]
    days = {place: day for place, one in enumerate(quoted) if (day := parse_day(one[0][1:-1]))}
    if not days:
        return text
    parsed = _Parsed(
        safe(_pieced(text, quoted, [f"'{_mark(place)}'" for place in range(len(quoted))])),
        [one[0][1:-1] for one in quoted] if pattern is _IN_DERIVATION else [],
        columns,
    )
    contents = [one[0] for one in quoted]
    for place, day in days.items():
        compared = parsed.beside(place)
        if compared:
            quote = contents[place][0]
            contents[place] = f"{quote}{change(day, compared)}{quote}"
    return _pieced(text, quoted, contents)


def _pieced(text: str, places: list[re.Match[str]], contents: list[str]) -> str:
    """Return a text with other contents in some places."""
    pieces, end = [], 0
    for place, content in zip(places, contents, strict=True):
        pieces += [text[end : place.start()], content]
        end = place.end()
    return "".join([*pieces, text[end:]])


def _mark(place: int) -> str:
    return f"_quoted_{place}_"


def _safe_constraint(text: str) -> str:
    return re.sub(r"~(.*?)~", lambda found: found[1].replace(" ", "__"), text)


def _safe_derivation(text: str) -> str:
    return re.sub(r"\b\s\b", "__", text)


class _Parsed:
    """An expression as Python reads it, with a mark for each text in quotes."""

    def __init__(self, text: str, quoted: list[str], columns: Collection[str]) -> None:
        names = {column.replace(" ", "__"): column for column in columns}
        marked = {_mark(place): content for place, content in enumerate(quoted)}
        self._names = names
        self._quoted = {mark: names.get(_safe_derivation(said)) for mark, said in marked.items()}
        self._parents: dict[ast.AST, ast.AST] = {}
        self._marks: dict[object, ast.AST] = {}
        # pandas gives & and | the rank of `and` and `or`, and @ marks what it is handed.
        plain = text.replace("`", "").replace("@", " ")
        plain = plain.replace("&", " and ").replace("|", " or ")
        try:
            tree = ast.parse(f"({plain.strip()})", mode="eval")
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return
        for node in ast.walk(tree):
            self._parents |= dict.fromkeys(ast.iter_child_nodes(node), node)
            if isinstance(node, ast.Constant):
                self._marks[node.value] = node

    def beside(self, place: int) -> Compared | None:
        """Return what the text in quotes at a place is compared with; None if with no column."""
        child = self._marks.get(_mark(place))
        while child in self._parents:
            parent = self._parents[child]
            for scope in _scopes(parent, child):
                columns = frozenset(self._columns(scope))
                if columns:
                    nodes = ast.walk(scope)
                    made = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
                    return Compared(columns, bool(made & _TEXT_MAKERS))
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
    """Yield where to look for columns, nearest first: whose method a text is handed to, or all."""
    if isinstance(node, ast.Call) and child is not node.func:
        yield node.func
    yield node
