"""Unusual tables of data result in a valid series, or in one sentence that refuses them."""

import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from series_assets_tests.exhibit_samples import run
from series_assets_tests.thorough import mostly_thorough, thorough

_ROWS = 40


def new(folder: Path, content: str | bytes) -> tuple[int, str]:
    """Write a series from a CSV; return the exit code and the message."""
    data = folder / "data.csv"
    data.write_bytes(content if isinstance(content, bytes) else content.encode())
    done = run(folder, "new", "mine", "--from-data", str(data), "--id", "id")
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
    return done.exit_code, done.stderr


def assert_valid(folder: Path) -> None:
    """Validate, generate and check the series that was written."""
    for command in ("validate", "generate", "check"):
        done = run(folder, command, "mine")
        assert done.exit_code == 0, (command, done.stderr)


def specification(folder: Path) -> dict[str, Any]:
    """Return the specification that was written."""
    text = (folder / "series/mine/specification.yml").read_text(encoding="utf-8")
    content: dict[str, Any] = yaml.safe_load(text)
    return content


def csv_of(**columns: Any) -> str:
    """Return a CSV of columns by their names, with an identifier."""
    text: str = pd.DataFrame({"id": range(_ROWS), **columns}).to_csv(index=False)
    return text


def numbers(step: int = 7) -> list[float]:
    """Return distinct numbers."""
    return [n * step % 41 + n / 97 for n in range(_ROWS)]


def words(*some: str) -> list[str]:
    """Return words that repeat."""
    return [some[n % len(some)] for n in range(_ROWS)]


_NAMES = ["a b", "%x", "c[1]", "d.e", "select", "größe", "名前", "order by", "x" * 200, "class"]
_NAMES += ["a(b)", "#", "a'b", 'q"r', "e__f", "@y", "-", "table", "a:b", "a;b", "q?", "index"]
_NAMES += ["{{z}}", "5"]

_TAKEN: dict[str, str] = {
    "one row": "id,a,b,d\n1,x,5,2024-01-01\n",
    "two rows": "id,a,b,d\n1,x,5,2024-01-01\n2,y,6,2024-01-05\n",
    "identifiers alone": "id\n1\n2\n3\n",
    "a byte order mark": "\ufeffid,a\n1,x\n2,y\n",
    "nothing in a column": csv_of(e=[None] * _ROWS, c=["c"] * _ROWS, z=[0] * _ROWS, x=numbers()),
    "truth values": csv_of(b=words("True", "False"), c=words("true", "", "false")),
    "a bit of everything": csv_of(m=words("1", "x", "2024-01-01", "", "3.5")),
    "small, great and negative numbers": csv_of(
        a=[n / 1e12 for n in numbers()],
        b=[n * 1e10 for n in numbers()],
        c=[-n for n in numbers()],
        d=[n * 1e300 for n in numbers()],
        e=[n * 1e-300 for n in numbers()],
        f=[10**30 + n for n in range(_ROWS)],
    ),
    "endless numbers": csv_of(a=["inf", "-inf", *numbers()[2:]]),
    "odd names of numbers": csv_of(**{name: numbers(n + 2) for n, name in enumerate(_NAMES)}),
    "odd names of many values": csv_of(
        **{name: [f"v{n * 7 % _ROWS}" for n in range(_ROWS)] for name in _NAMES}
    ),
    "odd names of few values": csv_of(**{name: words("a", "b", "c") for name in _NAMES}),
    "no name": "id,,b\n" + "".join(f"{n},{n * 7 % 31},{n % 5}\n" for n in range(_ROWS)),
    "odd texts": csv_of(
        a=words("a|b", 'c"d', "e'f", "g\nh", " i ", "j,k", "{{ x }}", "=1+1", "#c", "-", "[x](y)"),
        b=words("😀", "é", "日本", "\u202e", "ﬁ"),
        c=[f"some | text\nnumber {n}" for n in range(_ROWS)],
    ),
    "no identifier in most rows": csv_of().replace("id\n", "id,x\n").replace("\n1", "\n,1"),
    "one entity": "id,x,c\n" + "".join(f"e,{n / 3},{n % 3}\n" for n in range(_ROWS)),
    "rare values": csv_of(
        x=[None] * (_ROWS - 3) + [1.5, 2.5, 3.5], d=[None] * (_ROWS - 1) + ["2024-01-01"]
    ),
    "dates in many forms": csv_of(
        a=[f"{n % 28 + 1:02}/03/2024" for n in range(_ROWS)],
        b=[f"2024-03-{n % 28 + 1:02}T10:{n:02}:00" for n in range(_ROWS)],
        c=[f"{n % 28 + 1}.3.2024" for n in range(_ROWS)],
        d=[f"03/{n % 28 + 1:02}/2024" for n in range(_ROWS)],
        e=[f"{n % 28 + 1:02} Mar 2024" for n in range(_ROWS)],
        f=["9999-12-31"] * _ROWS,
    ),
    "week days": csv_of(d=[str(d.date()) for d in pd.bdate_range("2024-01-01", periods=20)] * 2),
    "long values": csv_of(v=words("a" * 5000, "b" * 3000)),
}


@pytest.mark.parametrize(
    "what",
    mostly_thorough(
        _TAKEN,
        *("a bit of everything", "dates in many forms"),
    ),
)
def test_an_odd_table_makes_a_series_that_holds(tmp_path: Path, what: str) -> None:
    """The series validates, can be generated, and passes its checks unchanged."""
    code, message = new(tmp_path, _TAKEN[what])
    assert code == 0, message
    assert_valid(tmp_path)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (csv_of(a=numbers(), A=numbers()), "its columns 'a' and 'A' cannot be told apart by "),
        (csv_of(**{"a b": numbers(), "a__b": numbers()}), "its columns 'a b' and 'a__b' cannot "),
        (csv_of(key=numbers()), "its column 'key' has a name that is used for something else; "),
        (csv_of(**{"a~b": numbers()}), "its column 'a~b' has a name that Exhibit would misread;"),
        (
            csv_of(**{"a\nb": numbers()}),
            "its column 'a\\nb' has a name that Exhibit would misread;",
        ),
        ("id;a\n1;x\n", "has cells separated by semicolons; save it with commas"),
        ("id,a\n1,\xe4\n".encode("latin-1"), "is not text in UTF-8; save it as CSV in UTF-8"),
        ("id,a\n1,2\n1,2,3,4\n", "cannot be read as CSV: "),
        ("", "has no rows; name a table with data"),
        (csv_of(d=words("2262-04-01", "2262-04-05")), "makes no series: num_datasets 3 with "),
    ],
)
def test_a_table_that_makes_no_series_is_refused(
    tmp_path: Path, content: str | bytes, fault: str
) -> None:
    """In one line that names the file, and without leaving files behind."""
    code, message = new(tmp_path, content)
    assert (code, message.count("\n")) == (2, 1)
    assert message.startswith(f"{tmp_path / 'data.csv'}: {fault}")
    assert not any((tmp_path / "series").iterdir())


def test_nothing_in_a_received_table_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names that are expressions never become constraints, and the omission is reported."""
    monkeypatch.chdir(tmp_path)
    names = ["@pd.io.common.os.mkdir('x')", "@df.to_csv('y')", "plain"]
    header = ",".join(["id", *names])
    rows = [f"{n},{n * 7 % 41 + n / 97},{n * 7 % 41 + n / 97 + 1 + n % 3},{n * 11 % 41 + n / 9}"
            for n in range(_ROWS)]  # fmt: skip
    before = {path.name for path in tmp_path.iterdir()}
    code, message = new(tmp_path, "\n".join([header, *rows]) + "\n")
    assert code == 0, message
    assert_valid(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} - before == {"data.csv", "series", "data"}
    assert (
        "note: \"@pd.io.common.os.mkdir('x')\" < \"@df.to_csv('y')\" holds in the data, but is no "
        "constraint of the series: "
    ) in message
    constraints = specification(tmp_path)["constraints"]["basic_constraints"]
    assert all(text.startswith("plain ") for text in constraints)
    assert set(names) <= set(specification(tmp_path)["columns"])


@pytest.mark.parametrize(
    "name", ["a  b", *thorough("a__b", "index", "sin", "a.b", "a[0]", "50%", "class")]
)
def test_a_constraint_of_a_name_that_is_no_plain_column_is_left_out(
    tmp_path: Path, name: str
) -> None:
    """It is true in the data, but omitted and reported; those of plain names are kept."""
    low = numbers()
    columns = {name: low, "high": [n + 1 + k % 3 for k, n in enumerate(low)]}
    columns["higher"] = [n + 1 + k % 5 for k, n in enumerate(columns["high"])]
    code, message = new(tmp_path, csv_of(**columns))
    assert code == 0, message
    assert f"note: {name!r} < 'high' holds in the data, but is no constraint" in message
    constraints = specification(tmp_path)["constraints"]["basic_constraints"]
    assert not any(name in text.split()[::2] for text in constraints)


def test_a_name_with_a_space_is_in_constraints(tmp_path: Path) -> None:
    """Between tildes, as users write it."""
    low = [place * 7919 % 500 / 10 for place in range(400)]
    high = [one + 1 + place * 104729 % 400 / 10 for place, one in enumerate(low)]
    table = pd.DataFrame({"id": range(400), "low end": low, "high end": high})
    code, message = new(tmp_path, table.to_csv(index=False))
    assert code == 0, message
    constraints = specification(tmp_path)["constraints"]["basic_constraints"]
    assert "~low end~ < ~high end~" in constraints, message
    assert any(text.startswith("~low end~ >= ") for text in constraints)
    assert_valid(tmp_path)


@pytest.mark.parametrize("with_gaps", ["many", "too many"])
def test_numbers_beside_gaps_of_several_columns(tmp_path: Path, with_gaps: str) -> None:
    """Values of such a column are listed, or a note says what happens to numbers."""
    count = 600 if with_gaps == "many" else 2_100
    codes = [f"code {place}" if place % 2 else "" for place in range(2 * count)]
    some = [("x", "y", "")[place % 3] for place in range(2 * count)]
    price = [(place * 7919) % 1000 / 10 for place in range(2 * count)]
    table = pd.DataFrame({"id": range(2 * count), "code": codes, "some": some, "price": price})
    code, message = new(tmp_path, table.to_csv(index=False))
    assert code == 0, message
    column = specification(tmp_path)["columns"]["code"]
    assert isinstance(column["original_values"], list) == (with_gaps == "many")
    assert ("too many to list them: where it or" in message) == (with_gaps == "too many")
    assert "note: code is different in each row" in message


@pytest.mark.thorough
def test_headers_that_occur_twice_are_kept_apart(tmp_path: Path) -> None:
    """The second one gets a number, and is never used in a constraint."""
    rows = [f"{n},{n * 7 % 41 + n / 97},{n * 7 % 41 + n / 97 + n % 3}" for n in range(_ROWS)]
    code, message = new(tmp_path, "\n".join(["id,a,a", *rows]) + "\n")
    assert code == 0, message
    assert "'a' <= 'a.1' holds in the data, but is no constraint of the series" in message
    assert set(specification(tmp_path)["columns"]) == {"id", "a", "a.1"}


def test_an_order_that_chance_explains_is_no_constraint(tmp_path: Path) -> None:
    """Three rows prove nothing, and neither do numbers whose ranges do not overlap."""
    code, message = new(tmp_path, "id,a,b\n1,1.5,2.5\n2,2.7,3.1\n3,0.4,9.9\n4,3.5,3.7\n")
    assert code == 0, message
    texts = specification(tmp_path)["constraints"]["basic_constraints"]
    assert not any({"a", "b"} <= set(text.split()) for text in texts)


@pytest.mark.thorough
def test_codes_are_texts(tmp_path: Path) -> None:
    """Leading zeros, the country code NA, and numbers named as codes are unchanged."""
    content = csv_of(
        plz=words("01067", "04103", "80331"),
        land=words("NA", "NB", "DE"),
        shop_id=[1000 + n * 37 % 400 for n in range(_ROWS)],
        stars=words("1", "2", "3", "4", "5"),
        flag=words("0", "1"),
    )
    code, message = new(tmp_path, content)
    assert code == 0, message
    kinds = {name: column["type"] for name, column in specification(tmp_path)["columns"].items()}
    assert set(kinds.values()) == {"uuid", "categorical"}
    assert_valid(tmp_path)
    generated = pd.read_csv(tmp_path / "data/mine/dataset_1.csv", dtype=str, keep_default_na=False)
    assert set(generated["plz"]) == {"01067", "04103", "80331"}
    assert set(generated["land"]) == {"NA", "NB", "DE"}
    assert set(generated["flag"]) == {"0", "1"}


_EXAMPLES = 300 if settings.get_current_profile_name() == "long" else 6
_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_names = st.one_of(st.sampled_from([*_NAMES, "a", "b", "when", "Missing data"]), _texts)
_cells = st.one_of(
    st.lists(_texts, min_size=1, max_size=4),
    st.lists(st.integers(-(2**70), 2**70).map(str), min_size=1, max_size=30),
    st.lists(st.floats(allow_nan=True).map(repr), min_size=1, max_size=30),
    st.lists(st.floats(-1000, 1000).map(str), min_size=3, max_size=30),
    st.lists(st.dates().map(str), min_size=1, max_size=30),
    st.lists(st.sampled_from(["", "NA", "x", "1", "2024-02-30", "0x1", "1e5"]), min_size=1),
)


@settings(
    max_examples=_EXAMPLES,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.dictionaries(_names, _cells, min_size=1, max_size=4), st.integers(1, 50))
def test_any_table_makes_a_series_in_order_or_is_refused(
    columns: dict[str, list[str]], rows: int
) -> None:
    """No traceback, no half of a series, and nothing that does not validate."""
    content = {
        name: [cells[n % len(cells)] for n in range(rows)] for name, cells in columns.items()
    }
    text = pd.DataFrame({"id": [n // 2 for n in range(rows)], **content}).to_csv(index=False)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        code, message = new(folder, text)
        assert code in (0, 2), message
        if code == 0:
            assert_valid(folder)
        else:
            assert message.startswith(f"{folder / 'data.csv'}: ")
            assert not any((folder / "series").iterdir())
