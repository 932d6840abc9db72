"""``series-assets generate`` with two files outside the series folder."""

import shutil
from pathlib import Path

import pytest

from series_assets.storage.sqlite import installed_database
from series_assets_tests.builders import a_specification, a_user_input, files_in, write_series
from series_assets_tests.cli.commands import (
    KEYS,
    datasets,
    edit,
    files_of_dataset,
    loose,
    refuse,
    succeed,
    tables,
)


def test_two_loose_series_do_not_share_a_folder(tmp_path: Path) -> None:
    """Their datasets would have the same names; those of the first one stay."""
    for name in ("one", "two"):
        specification = a_specification()
        specification["metadata"]["id"] = name
        write_series(tmp_path, specification, name=name)
    commands = {
        name: [
            *("generate", "--quiet", "--output", tmp_path / "out"),
            *("--specification", tmp_path / name / "specification.yml"),
            *("--user-input", tmp_path / name / "user_input.yml"),
        ]
        for name in ("one", "two")
    }
    succeed(*commands["one"])
    before = files_in(tmp_path / "out")
    assert refuse(*commands["two"]) == (
        f"{tmp_path / 'out'}: holds the files of the series 'one'; choose another folder for this "
        "series, or remove those files and the database first"
    )
    assert files_in(tmp_path / "out") == before
    succeed(*commands["one"])


def test_two_loose_files_are_made_into_the_output_folder(tmp_path: Path) -> None:
    """Directly in it, with the database; the bytes are those of a named series."""
    place = write_series(tmp_path / "series")
    out = tmp_path / "somewhere" / "out"
    assert succeed(*loose(place, out)) == datasets(out, 1, 2, 3, 4)
    assert set(files_in(out)) == set().union(*map(files_of_dataset, (1, 2, 3, 4)))
    assert "demo_reference" in tables(out / "exhibit.db")
    assert not (tmp_path / "data").exists()
    succeed("generate", "demo")
    assert files_in(tmp_path / "data" / "demo") == files_in(out)


def test_a_relative_output_is_printed_whole(tmp_path: Path) -> None:
    """Readers of the paths may be in another directory."""
    place = write_series(tmp_path / "loose")
    printed = succeed(*loose(place, Path("out"), "--periods", KEYS[0]))
    assert printed == datasets(tmp_path / "out", 1)


def test_faults_of_loose_files_are_reported_with_their_paths(tmp_path: Path) -> None:
    """They have no name of a series."""
    place = write_series(tmp_path / "loose", user_input=a_user_input(period="hours"))
    assert refuse(*loose(place, tmp_path / "out")) == (
        f"{place / 'user_input.yml'}: period 'hours' is not known; "
        "use days, weeks, months or quarters"
    )
    assert not (tmp_path / "out").exists()


def test_missing_loose_files_are_reported(tmp_path: Path) -> None:
    """Both at once."""
    nowhere = tmp_path / "nowhere"
    assert refuse(*loose(nowhere, tmp_path / "out")).splitlines() == [
        f"{nowhere / 'specification.yml'}: there is no such file; correct the path",
        f"{nowhere / 'user_input.yml'}: there is no such file; correct the path",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            (),
            "name a series, or give --specification, --user-input and --output together",
        ),
        (
            ("--specification", "a.yml", "--output", "out"),
            "name a series, or give --specification, --user-input and --output together",
        ),
        (
            ("demo", "--output", "out"),
            "a named series takes no --specification, --user-input or --output; its data goes to "
            "SERIES_ASSETS_DATA_DIR",
        ),
    ],
)
def test_arguments_that_do_not_go_together_are_refused(
    tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    """With a valid combination."""
    write_series(tmp_path / "series")
    assert refuse("generate", *arguments).endswith(f"Error: {message}")


def test_an_output_that_cannot_be_a_folder_is_refused(tmp_path: Path) -> None:
    """Before anything runs."""
    place = write_series(tmp_path / "loose")
    (tmp_path / "taken").write_text("a file")
    message = refuse(*loose(place, tmp_path / "taken" / "out"))
    assert message == (
        f"{tmp_path / 'taken' / 'out'}: cannot be written: Not a directory; name another folder as "
        "--output, or as SERIES_ASSETS_DATA_DIR"
    )


def test_two_loose_series_of_one_name_cannot_share_a_database(tmp_path: Path) -> None:
    """The second fails with the owner of the table, and each proposed remedy works."""
    shutil.copyfile(installed_database(), tmp_path / "shared.db")
    named = a_user_input(exhibit_db_path=str(tmp_path / "shared.db"))
    first = write_series(tmp_path / "first", user_input=named)
    second = write_series(tmp_path / "second", a_specification(random_seed=3), named)
    succeed(*loose(first, tmp_path / "out_1"))
    generated = files_in(tmp_path / "out_1")
    assert refuse(*loose(second, tmp_path / "out_2")) == (
        f"{tmp_path / 'shared.db'}: its table demo_reference belongs to the series whose files are "
        f"in {tmp_path / 'out_1'}; name another database as exhibit_db_path, or give this series "
        "another name"
    )
    assert not (tmp_path / "out_2").exists()
    edit(second, id="another")
    succeed(*loose(second, tmp_path / "out_2"))
    own = a_user_input(exhibit_db_path=None)
    third = write_series(tmp_path / "third", a_specification(random_seed=3), own)
    succeed(*loose(third, tmp_path / "out_3"))
    assert files_in(tmp_path / "out_1") == generated
    found = [name for name in tables(tmp_path / "shared.db") if name.endswith("_reference")]
    assert found == ["another_reference", "demo_reference"]
