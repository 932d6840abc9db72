"""Files are written completely or not at all, and read back unchanged."""

import csv
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from series_assets.core.errors import GenerationError
from series_assets.storage import files, provenance, yaml_writing
from series_assets.storage.layout import Layout

_MARK = "0123456789abcdef"
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


def a_table(**columns: list[str | None]) -> pd.DataFrame:
    """Return a data frame of text."""
    return pd.DataFrame(columns, dtype=object)


def write(path: Path, texts: pd.DataFrame) -> None:
    """Write a frame of text as CSV."""
    columns = [pa.array(texts[name], pa.string()) for name in texts.columns]
    files.write_table(path, pa.table(columns, [*texts.columns]))


def test_a_csv_has_a_header_line_feeds_and_quotes_only_where_needed(tmp_path: Path) -> None:
    """The bytes are those of section 8 of the contract."""
    table = a_table(**{"a, b": ["plain", 'say "x"', "one\ntwo"], "ü": ["1,5", None, "Zoë"]})
    path = tmp_path / "table.csv"
    write(path, table)
    assert path.read_bytes() == (
        b'"a, b",\xc3\xbc\nplain,"1,5"\n"say ""x""",\n"one\ntwo",Zo\xc3\xab\n'
    )


@pytest.mark.parametrize(
    "value",
    [
        'a "quoted" word',
        "one, two",
        "one\ntwo",
        "one\r\ntwo",
        "one\rtwo",
        " blanks around ",
        "007",
        "nan",
        "NULL",
        "None",
        "1e5",
        "Zoë, 東京, 🙂",
        "'",
        "\t",
    ],
)
def test_text_comes_back_from_a_csv_as_it_was(tmp_path: Path, value: str) -> None:
    """No character is lost, and nothing is read as a number or as missing."""
    table = a_table(before=["x", None], text=[value, value], after=[None, "y"])
    path = tmp_path / "table.csv"
    write(path, table)
    pd.testing.assert_frame_equal(files.read_records(path), table)


@given(st.data())
def test_any_table_of_text_comes_back_from_a_csv(data: st.DataObject) -> None:
    """Whatever the names and values are; an empty text is a missing value."""
    names = data.draw(st.lists(_TEXT.filter(bool), min_size=1, max_size=4, unique=True))
    rows = data.draw(st.integers(0, 5))
    values = st.lists(st.none() | _TEXT.filter(bool), min_size=rows, max_size=rows)
    table = pd.DataFrame({name: data.draw(values) for name in names}, columns=names, dtype=object)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        write(path, table)
        read = files.read_records(path)
    pd.testing.assert_frame_equal(read, table, check_index_type=False)


class _LinesEndInLf:
    """A stream for Python's CSV writer, which then quotes only LF as a line break."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, line: str) -> None:
        self.text += line.removesuffix("\r\n") + "\n"


_TRICKY = st.text(st.sampled_from(",\"\r\n a;'\t|\x00\u2028\ufeffé🙂"), max_size=5)


@given(st.data())
def test_a_csv_has_the_bytes_that_python_s_writer_gives(data: st.DataObject) -> None:
    """Quotes stand just where they have to, whatever the names and values are."""
    texts = _TEXT | _TRICKY
    names = data.draw(st.lists(texts, min_size=1, max_size=4, unique=True))
    rows = data.draw(st.integers(0, 5))
    values = st.lists(st.none() | texts, min_size=rows, max_size=rows)
    table = pd.DataFrame({name: data.draw(values) for name in names}, columns=names, dtype=object)
    expected = _LinesEndInLf()
    writer = csv.writer(expected)
    writer.writerow(names)
    writer.writerows(table.itertuples(index=False, name=None))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        write(path, table)
        assert path.read_bytes() == expected.text.encode()


def test_a_long_csv_is_written_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pieces join without a seam, with or without quotes."""
    monkeypatch.setattr(files, "_ROWS_AT_ONCE", 2)
    path = tmp_path / "table.csv"
    write(path, a_table(a=["1", "2,", "3", None, "5"], b=["x", None, "\r", "y", "z"]))
    assert path.read_bytes() == b'a,b\n1,x\n"2,",\n3,"\r"\n,y\n5,z\n'


def test_some_columns_of_a_csv_can_be_read_by_themselves(tmp_path: Path) -> None:
    """In the requested order; one that is missing, or named twice, is a KeyError."""
    table = a_table(a=["1", None], b=["x\ny", "z"], c=[None, "3"])
    path = tmp_path / "table.csv"
    write(path, table)
    pd.testing.assert_frame_equal(files.read_table(path, ["c", "b"]).to_pandas(), table[["c", "b"]])
    path.write_text("a,a,b\n1,2,3\n")
    for name in ("a", "d"):
        with pytest.raises(KeyError):
            files.read_table(path, [name])


def test_an_empty_text_comes_back_as_missing(tmp_path: Path) -> None:
    """In a CSV, an empty text and a missing value are the same."""
    path = tmp_path / "table.csv"
    write(path, a_table(text=["", None, "x"]))
    assert files.read_records(path)["text"].tolist() == [None, None, "x"]


def test_yaml_comes_back_as_it_was_in_its_order(tmp_path: Path) -> None:
    """Text stays text, whatever it looks like, and keys keep their order."""
    content = {
        "zebra": ["yes", "007", "2024-01-01", "1e5", "", None, True, 1.5],
        "aardvark": {"text": "a: b # c", "quotes": "'\"", "lines": "one\ntwo", "東京": "Zoë"},
        "long": "word " * 300,
    }
    path = tmp_path / "content.yml"
    provenance.write_specification(path, content, _MARK)
    read = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert read == content
    assert list(read) == ["zebra", "aardvark", "long"]


_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=150),
    st.sampled_from(
        ["yes", "~", "null", "- a", "a: b", "#", "'", "\n", "1e5", "01", "0x1", "😀", "\x85"]
    ),
)
_KEYS = st.text(max_size=8) | st.sampled_from(
    ["yes", "0", "", "x" * 127, "x" * 128, "東" * 45, "a: b", "😀"]
)
_CONTENT = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(content=st.dictionaries(_KEYS, _CONTENT, max_size=4), twice=st.booleans())
def test_yaml_is_what_pyyaml_writes(content: dict[str, Any], twice: bool) -> None:
    """Byte for byte, although the faster dumper of libyaml does most of the work."""
    if twice and content:
        content = {**content, "again": next(iter(content.values()))}
    expected = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=2**16)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "content.yml"
        provenance.write_specification(path, content, _MARK)
        _, _, written = path.read_bytes().partition(b"\n")
    assert written.decode() == expected


def test_yaml_is_the_same_without_libyaml(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyYAML without its C extension writes the same text."""
    content = {"zebra": ["Zoë", "😀", None, 1.5], "": {"東" * 45: "a: b"}}
    fast = yaml_writing.as_yaml(content)
    monkeypatch.setattr(yaml_writing, "_FAST", yaml.SafeDumper)
    assert yaml_writing.as_yaml(content) == fast


def test_yaml_can_be_read_by_people(tmp_path: Path) -> None:
    """Letters are not escaped and long rows are not folded."""
    path = tmp_path / "content.yml"
    row = "| Zoë | " + "0.123 | " * 40
    provenance.write_specification(path, {"rows": [row.strip()]}, _MARK)
    assert row.strip() in path.read_text(encoding="utf-8")


def test_a_saved_specification_has_its_fingerprint(tmp_path: Path) -> None:
    """In a comment, which is not part of its content."""
    path = tmp_path / "content.yml"
    provenance.write_specification(path, {"a": 1}, _MARK)
    assert provenance.read_fingerprint(path) == _MARK
    assert yaml.safe_load(path.read_bytes()) == {"a": 1}


@pytest.mark.parametrize("content", [b"a: 1\n", b"# some comment\na: 1\n", b"", b"\xff\xfe"])
def test_a_file_without_the_comment_has_no_fingerprint(tmp_path: Path, content: bytes) -> None:
    """Neither has a missing file."""
    path = tmp_path / "content.yml"
    path.write_bytes(content)
    assert provenance.read_fingerprint(path) is None
    assert provenance.read_fingerprint(tmp_path / "nowhere.yml") is None


def breaks_off() -> Iterator[pa.Table]:
    """Yield a table of text, then raise ZeroDivisionError."""
    yield pa.table({"text": ["fine"]})
    yield pa.table({"text": [1 // 0]})


def test_a_csv_that_cannot_be_finished_leaves_no_trace(tmp_path: Path) -> None:
    """Tables that end in an error leave no file, not even a temporary one."""
    with pytest.raises(ZeroDivisionError):
        files.write_tables(tmp_path / "table.csv", breaks_off())
    assert list(tmp_path.iterdir()) == []


def test_a_csv_that_cannot_be_finished_leaves_the_earlier_one(tmp_path: Path) -> None:
    """Readers see the complete earlier file, meanwhile and afterwards."""
    path = tmp_path / "table.csv"
    write(path, a_table(text=["earlier"]))
    with pytest.raises(ZeroDivisionError):
        files.write_tables(path, breaks_off())
    assert path.read_bytes() == b"text\nearlier\n"
    assert list(tmp_path.iterdir()) == [path]


def test_yaml_that_cannot_be_written_leaves_the_earlier_one(tmp_path: Path) -> None:
    """Content that is not plain is refused before the file is touched."""
    path = tmp_path / "content.yml"
    provenance.write_specification(path, {"a": 1}, _MARK)
    with pytest.raises(yaml.YAMLError):
        provenance.write_specification(path, {"a": object()}, _MARK)
    assert yaml.safe_load(path.read_bytes()) == {"a": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_written_files_leave_nothing_beside_them(tmp_path: Path) -> None:
    """No temporary file remains, and missing folders are created."""
    write(tmp_path / "new" / "table.csv", a_table(text=["x"]))
    provenance.write_specification(tmp_path / "new" / "content.yml", {"a": 1}, _MARK)
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [
        "content.yml",
        "table.csv",
    ]


def test_a_file_that_cannot_be_written_is_reported_with_the_remedy(tmp_path: Path) -> None:
    """The error has the system's reason, the path and the remedy, instead of an OSError."""
    (tmp_path / "taken").write_text("a file, not a folder")
    path = tmp_path / "taken" / "table.csv"
    with pytest.raises(GenerationError) as caught:
        write(path, a_table(text=["x"]))
    assert str(caught.value) == (
        f"{path}: cannot be written: Not a directory; "
        "make room or make the folder writable, or choose another one, then run it again"
    ) or str(caught.value) == (
        f"{path}: cannot be written: File exists; "
        "make room or make the folder writable, or choose another one, then run it again"
    )


def test_a_finished_file_takes_the_place_of_the_earlier_one(tmp_path: Path) -> None:
    """In one step, from the scratch folder to its final path."""
    source, target = tmp_path / "scratch.csv", tmp_path / "demo" / "dataset_1.csv"
    for text in ("first", "second"):
        source.write_text(text)
        files.replace(source, target)
    assert target.read_text() == "second"
    assert not source.exists()


def test_the_files_of_a_series_are_told_from_those_of_others(tmp_path: Path) -> None:
    """``clean`` removes the files of section 8, and none with merely similar names."""
    layout = Layout(folder=tmp_path / "demo", database=tmp_path / "exhibit.db")
    own = [
        layout.dataset(1),
        layout.dataset(12),
        layout.new_specification(1),
        layout.existing_specification(12),
        layout.new_records(1),
        layout.report,
    ]
    foreign = [
        tmp_path / "demo" / name
        for name in (
            "notes.txt",
            "dataset_1.xlsx",
            "dataset_final.csv",
            "dataset_1_checked.csv",
            "report.htm",
        )
    ]
    foreign.append(tmp_path / "demo" / "new_records" / "dataset_of_mine.csv")
    for path in (*own, *foreign):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    assert layout.existing_files() == sorted(own)
