"""Make text from files and data safe to display; the data itself is never changed.

``escape_invisible`` is for terminals, logs and pages; ``escape_markdown`` and ``code_block`` are
for text that Dagster renders.
"""

import re
import unicodedata

_KEPT = "\n\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"
"""Line breaks, and the joiners that some scripts require."""
_INVISIBLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Unicode categories without a glyph: controls, formats, surrogates, separators."""
_SHORT = {"\t": r"\t", "\r": r"\r"}
_NOT_ASCII = re.compile(r"[^\n\x20-\x7e]")
_ALWAYS = re.compile(r"[`*\[<~]|&(?=[#A-Za-z])|\\(?=[!-/:-@\[-`{-~]|$)")
"""Characters with a meaning anywhere in a line of Markdown."""
_UNDERSCORES = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
"""Underscores outside of words, which mean emphasis where there are two."""
_MARKS = re.compile(f"{_ALWAYS.pattern}|{_UNDERSCORES.pattern}")
_NUMBER = re.compile(r"\d{1,9}(?=[.)](?:\s|$))")
_LINKED = re.compile(r"https?://|www\.|[-.\w+]@[-\w]+\.", re.IGNORECASE)
"""What Dagster turns into a link by itself."""


def escape_invisible(text: str) -> str:
    r"""Return text with escapes such as ``\x1b`` for control characters and other invisible ones.

    Among these are bidirectional overrides, line separators and lone surrogates. Line breaks stay.
    The function is idempotent.
    """
    return _NOT_ASCII.sub(_escaped, text)


def one_line(text: str) -> str:
    r"""Return escaped text on a single line, with ``\n`` for each line break."""
    return escape_invisible(text).replace("\n", r"\n")


def escape_markdown(text: str) -> str:
    """Return Markdown that renders as the plain text, with its line breaks.

    No part of it becomes HTML, a link, an image, emphasis, a heading, a list or a table; words that
    would become links by themselves are formatted as code. Indentation is dropped.
    """
    shown = escape_invisible(text)
    marks = _ALWAYS if len(_UNDERSCORES.findall(shown)) < 2 else _MARKS
    lines = [" ".join(_word(word, marks) for word in line.split(" ")) for line in shown.split("\n")]
    lines = [_begun(line.strip(" ")) for line in lines]
    found = []
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        found.append(f"{line}\\" if line and after else line)
    return "\n".join(found)


def code_block(text: str, language: str = "") -> str:
    """Return a fenced code block in Markdown that the text cannot close."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{escape_invisible(text)}\n{fence}"


def _escaped(match: re.Match[str]) -> str:
    character = match.group()
    if character in _KEPT or unicodedata.category(character) not in _INVISIBLE:
        return character
    number = ord(character)
    if number > 0xFFFF:
        return f"\\U{number:08x}"
    return _SHORT.get(character) or (f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}")


def _word(word: str, marks: re.Pattern[str]) -> str:
    if not _LINKED.search(word):
        return marks.sub(r"\\\g<0>", word)
    longest = max(map(len, re.findall("`+", word)), default=0)
    fence, room = "`" * (longest + 1), " " if "`" in (word[0], word[-1]) else ""
    return f"{fence}{room}{word}{room}{fence}"


def _begun(line: str) -> str:
    """Return a line of Markdown escaped so that it does not begin a block."""
    if number := _NUMBER.match(line):
        return f"{number.group()}\\{line[number.end() :]}"
    return f"\\{line}" if re.match(r"[-#+>=:|]", line) else line
