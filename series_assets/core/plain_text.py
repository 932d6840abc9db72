"""Make text from files and data safe to display; the data itself is never changed.

``escape_invisible`` is for terminals, logs and pages; ``escape_markdown`` and ``code_block`` are
for text that Dagster renders.
"""

import re
import unicodedata

_KEPT = "\n\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"
"""What ends a line, and what several scripts cannot be written without."""
_ACTING = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Categories of characters that have no glyph: controls, formats, lone halves, separators."""
_SHORT = {"\t": r"\t", "\r": r"\r"}
_NOT_ASCII = re.compile(r"[^\n\x20-\x7e]")
_ALWAYS = re.compile(r"[`*\[<~]|&(?=[#A-Za-z])|\\(?=[!-/:-@\[-`{-~]|$)")
"""What may begin something in a line of Markdown, wherever it stands."""
_UNDERSCORES = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
"""Those that are emphasis where there are two of them; within a word they never are."""
_MARKS = re.compile(f"{_ALWAYS.pattern}|{_UNDERSCORES.pattern}")
_NUMBER = re.compile(r"\d{1,9}(?=[.)](?:\s|$))")
_LINKED = re.compile(r"https?://|www\.|[-.\w+]@[-\w]+\.", re.IGNORECASE)
"""What Dagster makes a link of without any brackets."""


def escape_invisible(text: str) -> str:
    r"""Return text with an escape such as ``\x1b`` for each character that would act unseen.

    These are controls, overrides of the direction of writing, invisible formats, separators of
    lines and lone surrogates. Line breaks stay. Text without any of them comes back as it is, and
    so does what this function has returned.
    """
    return _NOT_ASCII.sub(_shown, text)


def one_line(text: str) -> str:
    r"""Return text made visible on a single line, with ``\n`` for each line break."""
    return escape_invisible(text).replace("\n", r"\n")


def escape_markdown(text: str) -> str:
    """Return Markdown that shows the text as it is, made visible, with its line breaks.

    No part of it becomes HTML, a link, a picture, emphasis, code, a heading, a list or a table;
    words that would become links by themselves are set as code. Blanks at the beginning of a line
    are not kept, as Markdown shows none.
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
    """Return a block of code in Markdown that holds the text, made visible, and cannot be left."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{escape_invisible(text)}\n{fence}"


def _shown(match: re.Match[str]) -> str:
    character = match.group()
    if character in _KEPT or unicodedata.category(character) not in _ACTING:
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
    """Return a line of Markdown that begins no block."""
    if number := _NUMBER.match(line):
        return f"{number.group()}\\{line[number.end() :]}"
    return f"\\{line}" if re.match(r"[-#+>=:|]", line) else line
