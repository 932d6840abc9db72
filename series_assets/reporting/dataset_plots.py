"""The plot of a dataset: its new and existing rows, and each column compared with period 1.

It shows a profile, see ``profiles``. The plots of a series are in ``report_plots``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import floor, log10

from series_assets.reporting.plotting import (
    EXISTING,
    FAINT,
    INK,
    NEW,
    SOFT,
    WARNING,
    Sheet,
    plain_style,
    shortened,
    width_of,
)
from series_assets.reporting.profiles import OFTEN, ColumnProfile, Profile, Scale

_WIDTH, _MARGIN, _HEAD = 1200, 20, 104
_PANEL, _GAP = 184, 24
"""Height of a panel, and the gap between two panels."""
_MAX_COLUMNS = 200
"""A plot of more columns would be too long to look at."""
_SMALL = 7.5
_OCCURRENCES = ("once", "twice", *(f"{n}×" for n in range(3, OFTEN)), f"≥ {OFTEN}×")


def plot_dataset(title: str, this: Profile, first: Profile | None = None) -> bytes:
    """Return a PNG of a period: new and existing rows, and a small plot of each column.

    ``title`` names the series and the period. ``first`` is the profile of period 1, whose scales
    ``this`` uses; without it (as for period 1 itself) nothing is compared.
    """
    with plain_style():
        return dataset_sheet(title, this, first).png()


def dataset_sheet(title: str, this: Profile, first: Profile | None = None) -> Sheet:
    """Return the sheet that ``plot_dataset`` saves as a PNG, with the positions of its labels."""
    names = [column.name for column in this.columns]
    if first is not None:
        names += [column.name for column in first.columns if column.name not in this.by_name]
    left_out, names = len(names[_MAX_COLUMNS:]), names[:_MAX_COLUMNS]
    across = 3 if len(names) <= 6 else 4
    down = -(-len(names) // across)
    sheet = Sheet(_WIDTH, _HEAD + down * _PANEL + _MARGIN + (20 if left_out else 0))
    _draw_head(sheet, title, this, first)
    width = (_WIDTH - 2 * _MARGIN - (across - 1) * _GAP) / across
    for place, name in enumerate(names):
        row, column = divmod(place, across)
        left = _MARGIN + column * (width + _GAP)
        _Panel(sheet, left, _HEAD + row * _PANEL, width, this, first).draw(name)
    if left_out:
        text = f"and {left_out} more columns"
        sheet.text(_MARGIN, sheet.height - 14, text, size=9, color=SOFT)
    return sheet


def _draw_head(sheet: Sheet, title: str, this: Profile, first: Profile | None) -> None:
    room = _WIDTH - 2 * _MARGIN
    sheet.text(_MARGIN, 28, shortened(title, room, 13, True), size=13, bold=True)
    top, bottom, left = 42, 64, float(_MARGIN)
    x = left
    for count, color, word, ink in (
        (this.new, NEW, "new", "#ffffff"),
        (this.existing, EXISTING, "existing", INK),
    ):
        right = left + room * count / max(this.rows, 1)
        sheet.rectangle(left, top, right, bottom, color)
        text = f"{count:,} {word} ({_percent(count / max(this.rows, 1))})"
        if width_of(text, 9) + 16 <= right - left:
            sheet.text(left + 8, 57, text, size=9, color=ink)
        left = right
        sheet.rectangle(x, 77, x + 11, 88, color)
        legend = f"{word} records: {count:,}"
        x = sheet.text(x + 16, 87, legend, size=8.5, color=SOFT).right + 22
    if first is not None:
        sheet.line([(x, 82.5), (x + 18, 82.5)], width=1.6)
        text = f"period 1 ({first.rows:,} records)"
        x = sheet.text(x + 23, 87, text, size=8.5, color=SOFT).right + 22
    sheet.text(x, 87, "bars: share of the period's rows", size=8.5, color=SOFT)


@dataclass(frozen=True)
class _Panel:
    """The panel of one column: a title, a line of facts, and its distribution."""

    sheet: Sheet
    left: float
    top: float
    width: float
    this: Profile
    first: Profile | None

    @property
    def right(self) -> float:
        return self.left + self.width

    def draw(self, name: str) -> None:
        title = shortened(name, self.width, 9, True)
        self.sheet.text(self.left, self.top + 14, title, size=9, bold=True)
        column = self.this.by_name.get(name)
        before = self.first.by_name.get(name) if self.first else None
        if column is None:
            self._message("this period lacks this column of period 1", WARNING)
            return
        facts, is_warning = self._facts(column, before)
        text = shortened(facts, self.width, _SMALL)
        color = WARNING if is_warning else SOFT
        self.sheet.text(self.left, self.top + 28, text, size=_SMALL, color=color)
        if column.scale.kind == "missing":
            found = sum(column.new) + sum(column.existing)
            if found:
                self._message(f"{found:,} values; period 1 had none", WARNING)
            else:
                self._message("no values", SOFT)
        elif column.scale.kind == "category":
            self._draw_horizontal_bars(column, before)
        else:
            self._draw_vertical_bars(column, before)

    def _message(self, text: str, color: str) -> None:
        middle = self.top + 95
        self.sheet.rectangle(self.left, middle - 40, self.right, middle + 30, "#f4f6f8")
        text = shortened(text, self.width - 8, 8.5)
        x = (self.left + self.right) / 2
        self.sheet.text(x, middle, text, size=8.5, color=color, align="center")

    def _facts(self, column: ColumnProfile, before: ColumnProfile | None) -> tuple[str, bool]:
        """Return the line of facts about a column, and whether it is a warning."""
        scale = column.scale
        kind = {
            "number": "number",
            "date": "day of the period" if scale.moves else "date",
            "category": "category",
            "text": "text",
            "missing": "empty",
        }[scale.kind]
        facts, warnings = [kind], list[str]()
        if scale.kind in ("category", "text"):
            facts.append(f"{column.distinct:,} value{'s' * (column.distinct != 1)}")
        missing = column.missing / max(self.this.rows, 1)
        if self.first is not None and before is not None:
            then = before.missing / max(self.first.rows, 1)
            if missing or then:
                facts.append(f"{_percent(missing)} missing (was {_percent(then)})")
        elif missing:
            facts.append(f"{_percent(missing)} missing")
        if self.first is not None and before is None:
            warnings.append("not in period 1")
        if column.unreadable:
            expected = "numbers" if scale.kind == "number" else "dates"
            warnings.append(f"{column.unreadable:,} are not {expected}")
        return ", ".join(warnings + facts), bool(warnings)

    def _shares(
        self, column: ColumnProfile, before: ColumnProfile | None
    ) -> list[tuple[float, float, float | None]]:
        """Return for each bin the shares of new rows, of existing rows, and of rows in period 1."""
        rows = max(self.this.rows, 1)
        then: list[float | None] = [None] * column.scale.bins
        if self.first is not None and before is not None:
            both = zip(before.new, before.existing, strict=True)
            then = [(new + existing) / max(self.first.rows, 1) for new, existing in both]
        here = zip(column.new, column.existing, then, strict=True)
        return [(new / rows, existing / rows, share) for new, existing, share in here]

    def _draw_vertical_bars(self, column: ColumnProfile, before: ColumnProfile | None) -> None:
        """Draw a bar for each bin of numbers or dates, or for how often values occur."""
        shares, scale = self._shares(column, before), column.scale
        low, high = _ends(scale)
        ends = [any(shares[place][i] for i in range(3)) for place in (0, -1)]
        if scale.kind == "text":
            shown = shares
            texts: Sequence[str] = _OCCURRENCES
        else:
            shown = shares[not ends[0] : len(shares) - (not ends[1])]
            texts = []
        greatest = _greatest(shown)
        left, right, top, bottom = self.left + 40, self.right, self.top + 40, self.top + 150
        mark = _round_below(greatest)
        y = bottom - (bottom - top) * mark / greatest
        self.sheet.rectangle(left, y, right, y + 1, FAINT)
        self.sheet.text(left - 5, y + 4, _percent(mark), size=_SMALL, color=SOFT, align="right")
        step = (right - left) / len(shown)
        room = 1 if step > 5 else 0
        outline: list[tuple[float, float]] = []
        for place, (new, existing, then) in enumerate(shown):
            x, end = left + place * step, left + (place + 1) * step
            heights = [(bottom - top) * share / greatest for share in (new, new + existing)]
            edges = (round(x), round(end) - room)
            self.sheet.rectangle(edges[0], bottom - heights[0], edges[1], bottom, NEW)
            self.sheet.rectangle(
                edges[0], bottom - heights[1], edges[1], bottom - heights[0], EXISTING
            )
            if then is not None:
                level = bottom - (bottom - top) * then / greatest
                outline += [(x, level), (end, level)]
        self.sheet.rectangle(left, bottom, right, bottom + 1, SOFT)
        if outline:
            self.sheet.line([(left, bottom), *outline, (right, bottom)], width=1.3)
        if texts:
            self._write_below(texts, left, right, bottom + 14)
            return
        first = f"< {low}" if ends[0] else low
        last = f"> {high}" if ends[1] else high
        self._write_ends(first, last, left, right, bottom + 14)

    def _write_below(self, texts: Sequence[str], left: float, right: float, base: float) -> None:
        step = (right - left) / len(texts)
        for place, text in enumerate(texts):
            x = left + (place + 0.5) * step
            self.sheet.text(x, base, text, size=_SMALL, color=SOFT, align="center")

    def _write_ends(self, first: str, last: str, left: float, right: float, base: float) -> None:
        if first == last:
            x = (left + right) / 2
            self.sheet.text(x, base, first, size=_SMALL, color=SOFT, align="center")
            return
        room = (right - left) / 2 - 6
        first, last = (shortened(text, room, _SMALL) for text in (first, last))
        self.sheet.text(left, base, first, size=_SMALL, color=SOFT)
        self.sheet.text(right, base, last, size=_SMALL, color=SOFT, align="right")

    def _draw_horizontal_bars(self, column: ColumnProfile, before: ColumnProfile | None) -> None:
        """Draw a bar for each category, with its name."""
        shares, scale = self._shares(column, before), column.scale
        rows = [
            (value, INK if value.strip() else SOFT, share)
            for value, share in zip(scale.values, shares, strict=False)
        ]
        if scale.others:
            rows.append(
                (f"{len(scale.others)} other{'s' * (len(scale.others) > 1)}", SOFT, shares[-2])
            )
        if any(shares[-1][:2]):
            rows.append(("not in period 1", WARNING, shares[-1]))
        greatest = _greatest([share for *_, share in rows])
        gutter = min(self.width * 0.36, 120)
        left, right, top = self.left + gutter, self.right - 4, self.top + 36
        height = min(16.0, 118 / len(rows))
        bottom = top + height * len(rows)
        mark = _round_below(greatest)
        x = left + (right - left) * mark / greatest
        self.sheet.rectangle(x, top, x + 1, bottom, FAINT)
        text = _percent(mark)
        x = min(x, self.right - width_of(text, _SMALL) / 2)
        self.sheet.text(x, bottom + 13, text, size=_SMALL, color=SOFT, align="center")
        for place, (name, color, (new, existing, then)) in enumerate(rows):
            high, low = round(top + place * height) + 1, round(top + (place + 1) * height) - 1
            ends = [left + (right - left) * share / greatest for share in (new, new + existing)]
            self.sheet.rectangle(left, high, ends[0], low, NEW)
            self.sheet.rectangle(ends[0], high, ends[1], low, EXISTING)
            if then is not None:
                x = left + (right - left) * then / greatest
                self.sheet.line([(x, high - 0.5), (x, low + 0.5)], width=2)
            text = shortened(name, gutter - 8, _SMALL)
            base = (high + low) / 2 + 4
            self.sheet.text(left - 6, base, text, size=_SMALL, color=color, align="right")
        self.sheet.rectangle(left - 1, top, left, bottom, SOFT)


def _greatest(shares: Sequence[tuple[float, float, float | None]]) -> float:
    return max((max(new + old, then or 0) for new, old, then in shares), default=0) or 1.0


def _round_below(share: float) -> float:
    """Return the greatest of 1, 2 or 5 times a power of ten that is no more than ``share``."""
    power = 10.0 ** floor(log10(share) + 1e-9)
    return next(times * power for times in (5, 2, 1) if times * power <= share * (1 + 1e-9))


def _percent(share: float) -> str:
    """Format a share as a percentage. Only an exact zero is shown as 0 %, only one as 100 %."""
    percent = 100 * share
    if percent == 0 or percent >= 9.95 or percent == round(percent):
        whole = round(percent)
        return f"{99 if whole == 100 and share < 1 else whole} %"
    return f"{percent:.1f} %" if percent >= 0.1 else f"{percent:.1g} %"


def _ends(scale: Scale) -> tuple[str, str]:
    """Return the labels of the first and the last edge of the bins."""
    if scale.kind not in ("number", "date"):
        return "", ""
    low, high = scale.edges[0], scale.edges[-1]
    if scale.integers:
        low, high = low + 0.5, high - 0.5
    return _mark(scale, low), _mark(scale, high)


def _mark(scale: Scale, value: float) -> str:
    if scale.kind == "number":
        text = f"{value:,.0f}" if scale.integers and abs(value) < 1e9 else f"{value:,.4g}"
        return text.replace("-", "−")
    if scale.moves:
        # There is no day 0: the period starts with day 1, and the day before it is day −1.
        return f"day {value + 1:.0f}" if value >= 0 else f"day −{-value:.0f}"
    return (date(1970, 1, 1) + timedelta(days=value)).isoformat()
