"""What all plots share: colours, one font, text that fits, and reproducible PNG bytes.

Matplotlib without pyplot: plots share no state, and a user's own settings do not affect them.
``dataset_plots`` and ``report_plots`` decide what is drawn.
"""

import io
import logging
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties

DPI = 100
INK, SOFT, FAINT, PAPER = "#1f2933", "#616e7c", "#d9dee3", "#ffffff"
NEW, EXISTING, WARNING = "#2f6db3", "#e8a33d", "#c0392b"
"""Colours that remain distinct for colour-blind readers, on screen and on paper."""

_FAMILY = "DejaVu Sans"  # ships with matplotlib, so plots are the same everywhere
_NO_GLYPH = "□"

Align = Literal["left", "center", "right"]


@contextmanager
def plain_style() -> Iterator[None]:
    """Draw with matplotlib's defaults and one font, and without parsing text as formulas."""
    import matplotlib

    # matplotlib reports that it builds its font cache at the first use on a machine.
    logger = logging.getLogger("matplotlib.font_manager")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with matplotlib.rc_context():
            matplotlib.rcdefaults()
            matplotlib.rcParams.update(
                {
                    "font.family": [_FAMILY],
                    "font.size": 9,
                    "text.parse_math": False,
                    "text.color": INK,
                    "axes.edgecolor": SOFT,
                    "axes.labelcolor": SOFT,
                    "axes.spines.top": False,
                    "axes.spines.right": False,
                    "xtick.color": SOFT,
                    "ytick.color": SOFT,
                    "figure.facecolor": PAPER,
                    "axes.facecolor": PAPER,
                }
            )
            yield
    finally:
        logger.setLevel(before)


def png_of(figure: "Figure") -> bytes:
    """Return a figure as a PNG. Its size in pixels is that in inches times ``DPI``."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return _packed(canvas, 256)


def data_uri(png: bytes) -> str:
    """Return a data URI with the image, for HTML or Markdown."""
    return f"data:image/png;base64,{b64encode(png).decode()}"


def _packed(canvas: Any, colors: int) -> bytes:
    """Return the drawing as a PNG with few colours, a fraction of the full size."""
    import numpy as np
    from PIL import Image

    drawn = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    few = drawn.quantize(colors, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    stream = io.BytesIO()
    few.save(stream, "PNG")
    return stream.getvalue()


@cache
def _font() -> Any:
    from matplotlib.font_manager import FontProperties, findfont
    from matplotlib.ft2font import FT2Font

    # A separate object: matplotlib changes the size of the fonts that it draws with.
    font = FT2Font(findfont(FontProperties(family=_FAMILY)))
    font.set_size(100, 72)
    return font


@cache
def _advance(character: str) -> float:
    """Return the width of a character relative to the font size."""
    from matplotlib.ft2font import LoadFlags

    glyph = _font().load_char(ord(character), flags=LoadFlags.NO_HINTING)
    return float(glyph.linearHoriAdvance) / 65536 / 100


@cache
def _drawable(character: str) -> str:
    if character.isspace():
        return " "
    there = character.isprintable() and _font().get_char_index(ord(character))
    return character if there else _NO_GLYPH


def cleaned(text: str) -> str:
    """Return a text on one line, with a box for each character that cannot be drawn."""
    return "".join(map(_drawable, text))


def width_of(text: str, size: float, bold: bool = False) -> float:
    """Return the width of a cleaned text in pixels. ``size`` in points."""
    return sum(map(_advance, text)) * size * DPI / 72 * (1.13 if bold else 1.0)


def shortened(text: str, room: float, size: float, bold: bool = False) -> str:
    """Return a cleaned text that fits into ``room`` pixels: if too wide, its middle is left out.

    The end is kept, because names often differ only there.
    """
    text = cleaned(text[:500])
    if width_of(text, size, bold) <= room:
        return text
    kept = len(text)
    while kept > 1:
        kept -= 1
        tail = kept // 3
        shorter = text[: kept - tail].rstrip() + "…" + text[len(text) - tail :].lstrip()
        if width_of(shorter, size, bold) <= room:
            return shorter
    return "…"


@dataclass(frozen=True)
class Label:
    """A text on a sheet and its bounding box, in pixels from the top left."""

    text: str
    left: float
    top: float
    right: float
    bottom: float


class Sheet:
    """A drawing surface with coordinates in pixels from the top left.

    Ten times as fast as matplotlib's own axes, of which there would be one for each column.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.labels: list[Label] = []
        self._rectangles: list[tuple[float, float, float, float]] = []
        self._fills: list[str] = []
        self._lines: list[list[tuple[float, float]]] = []
        self._strokes: list[tuple[str, float]] = []
        self._texts: list[tuple[float, float, str, FontProperties, str]] = []

    def rectangle(self, left: float, top: float, right: float, bottom: float, fill: str) -> None:
        """Fill a rectangle; an empty one is not drawn."""
        if right > left and bottom > top:
            self._rectangles.append((left, self.height - bottom, right, self.height - top))
            self._fills.append(fill)

    def line(
        self, points: Sequence[tuple[float, float]], color: str = INK, width: float = 1.2
    ) -> None:
        """Draw a line through points, above all rectangles. ``width`` is in pixels."""
        self._lines.append([(x, self.height - y) for x, y in points])
        self._strokes.append((color, width))

    def text(
        self,
        x: float,
        base: float,
        text: str,
        *,
        size: float = 8,
        color: str = INK,
        bold: bool = False,
        align: Align = "left",
    ) -> Label:
        """Draw a text with its baseline at ``base``; return its bounding box."""
        text = cleaned(text)
        width = width_of(text, size, bold)
        left = x - {"left": 0.0, "center": width / 2, "right": width}[align]
        height = size * DPI / 72
        label = Label(text, left, base - 0.78 * height, left + width, base + 0.22 * height)
        self.labels.append(label)
        properties = _properties(size, bold)
        self._texts.append((round(left), round(self.height - base), text, properties, color))
        return label

    def png(self) -> bytes:
        """Return the sheet as a PNG."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.collections import LineCollection, PolyCollection
        from matplotlib.figure import Figure
        from matplotlib.transforms import IdentityTransform

        figure = Figure(figsize=(self.width / DPI, self.height / DPI), dpi=DPI, facecolor=PAPER)
        corners = [
            [(left, low), (right, low), (right, high), (left, high)]
            for left, low, right, high in self._rectangles
        ]
        plain: dict[str, Any] = {"transform": IdentityTransform(), "linewidths": 0}
        figure.add_artist(
            PolyCollection(corners, facecolors=self._fills, antialiaseds=False, **plain)
        )
        colors = [color for color, _ in self._strokes]
        plain["linewidths"] = [width * 72 / DPI for _, width in self._strokes]
        figure.add_artist(LineCollection(self._lines, colors=colors, capstyle="butt", **plain))
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        renderer: Any = canvas.get_renderer()
        context = renderer.new_gc()
        for x, y, text, properties, color in self._texts:
            context.set_foreground(color)
            # Agg counts from the top here, whatever its origin is elsewhere.
            renderer.draw_text(context, x, self.height - y, text, properties, 0)
        return _packed(canvas, 128)


@cache
def _properties(size: float, bold: bool) -> "FontProperties":
    from matplotlib.font_manager import FontProperties

    return FontProperties(family=_FAMILY, size=size, weight="bold" if bold else "normal")
