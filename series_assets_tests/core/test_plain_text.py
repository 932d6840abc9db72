"""Text from files is shown literally: control characters are visible, Markdown is escaped."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from series_assets.core.plain_text import code_block, escape_invisible, escape_markdown, one_line

_RENDERER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
_RENDERER.validateLink = lambda url: True  # type: ignore[method-assign]  # not even its own care
_LINKED = re.compile(r"https?://[-.\w]|www\.[-.\w]|[-.\w+]@[-\w]+\.[-\w]", re.IGNORECASE)
"""Text that GitHub's dialect of Markdown turns into links."""
_BITS = (
    *"<[]()!`*_~|-#\n =:+\t&>'\"x1\\\u202e\x1b.",
    *("http://a.example", "www.a.example", "a@b.example"),
    *("1.", "&lt;", "&#60;", "```", "<img src=x>"),
)
_PAYLOADS = (
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "<!-- gone -->",
    "[x](javascript:alert(1))",
    "![x](http://evil.example/a.png)",
    "[a]: http://evil.example\n[a]",
    "http://evil.example/?q=_x_",
    "see www.evil.example, or write to me@evil.example",
    "<http://evil.example>",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "a | b\n:-: | :-:",
    "`code` and ```\nfence\n```",
    "# head\n* item\n1. one\n2) two\n> quote\n- [ ] task",
    "head\n---\nhead\n===",
    "_it_ *b* ~~s~~ __x__ **y**",
    "&lt;b&gt; &copy; &#60;",
    "\\*x\\* \\\nnext",
    "    indented",
    "[^1]\n\n[^1]: note",
    "```http://a.example```",
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", r"\x1b[2J"),
        ("\x1b]8;;http://evil.example\x07x", r"\x1b]8;;http://evil.example\x07x"),
        ("over\rwritten", r"over\rwritten"),
        ("a\tb\x00\x7f\x9b31m", r"a\tb\x00\x7f\x9b31m"),
        ("\u202egnp.exe\u2066", r"\u202egnp.exe\u2066"),
        ("a\u2028b\u2029c\x85d", r"a\u2028b\u2029c\x85d"),
        ("a\u200bb\ufeffc\xadd", r"a\u200bb\ufeffc\xadd"),
        ("\U000e0041", r"\U000e0041"),
        ("\udcff", r"\udcff"),
    ],
)
def test_characters_that_act_are_shown_as_escapes(text: str, shown: str) -> None:
    """Escape sequences, direction overrides, invisible characters and lone surrogates."""
    assert escape_invisible(text) == shown
    assert escape_invisible(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "clinic/user_input.yml: period 'hours' is not known; use days, weeks, months or quarters",
        "two\nlines\n  and an indented one",
        "Grüße, Ελληνικά, עברית, العربية, हिन्दी, 日本語, 👩\u200d🔬, می\u200cخواهم, 10\xa0€",
        r"C:\x1b and [red]",
    ],
)
def test_ordinary_text_comes_back_as_it_is(text: str) -> None:
    """Messages keep their line breaks, and every script its letters."""
    assert escape_invisible(text) == text


def test_a_name_stays_on_its_line() -> None:
    """A line break in a name is shown as an escape."""
    assert one_line("a\nb\r\nc") == r"a\nb\r\nc"


@given(st.text())
def test_no_control_character_is_left(text: str) -> None:
    """Only line breaks and joiners remain of all control characters and separators."""
    shown = escape_invisible(text)
    left = {one for one in shown if unicodedata.category(one) in ("Cc", "Cf", "Cs", "Zl", "Zp")}
    assert left <= {"\n", "\u200c", "\u200d"}
    assert escape_invisible(shown) == shown
    shown.encode()


def _leaves(tokens: list[Token]) -> list[Token]:
    found = []
    for token in tokens:
        found += _leaves(token.children) if token.children is not None else [token]
    return found


def _is_text(source: str, text: str) -> None:
    """Assert that Markdown renders as this text, without any element."""
    leaves = _leaves(_RENDERER.parse(source))
    kinds = {token.type for token in leaves}
    assert kinds <= {
        "paragraph_open",
        "paragraph_close",
        "text",
        "text_special",
        "code_inline",
        "softbreak",
        "hardbreak",
    }, source
    shown = "".join(token.content for token in leaves)
    assert "".join(shown.split()) == "".join(escape_invisible(text).split()), source
    free = "".join("\n" if token.type == "code_inline" else token.content for token in leaves)
    assert not _LINKED.search(free), source


@pytest.mark.parametrize("text", _PAYLOADS)
def test_markdown_of_a_payload_shows_the_payload(text: str) -> None:
    """HTML, links, images, tables, code and all other markup are shown literally."""
    _is_text(escape_markdown(text), text)


@pytest.mark.parametrize("text", _PAYLOADS[:6])
def test_each_payload_is_markup(text: str) -> None:
    """Without escapes, the renderer of these tests turns each into an element."""
    with pytest.raises(AssertionError):
        _is_text(text, text)


@given(st.lists(st.sampled_from(_BITS), max_size=14).map("".join))
def test_markdown_of_anything_shows_it(text: str) -> None:
    """Any sequence of markup and line breaks is shown literally."""
    _is_text(escape_markdown(text), text)


@pytest.mark.parametrize(
    "text",
    [
        "12 rows, none wrong",
        "3 of 60 rows wrong, such as 0e8b: blood_group is 'A', should be 'O'",
        "my_series/user_input.yml: period 'fortnights' is not known; use days, weeks, months or "
        "quarters (here: period: weeks, length_of_period: 2)",
        "columns.sex: its row 'F | 0.5' has 2 values where its header has 3",
    ],
)
def test_markdown_leaves_ordinary_messages_alone(text: str) -> None:
    """Text without markup is unchanged, so it also reads well as plain text."""
    assert escape_markdown(text) == text


def test_line_breaks_are_kept_in_markdown() -> None:
    """One line per fault, and separate paragraphs."""
    assert escape_markdown("a\nb\n\nc") == "a\\\nb\n\nc"


@given(st.lists(st.sampled_from((*_BITS, "\n```\n", "````")), max_size=14).map("".join))
def test_a_block_of_code_is_never_left(text: str) -> None:
    """Any text is rendered as one block of code."""
    [block] = _RENDERER.parse(code_block(text, "diff"))
    assert (block.type, block.info, block.content) == (
        "fence",
        "diff",
        escape_invisible(text) + "\n",
    )
