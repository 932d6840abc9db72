"""``series-assets preview``: a small period on the terminal."""

from pathlib import Path

from series_assets_tests.builders import a_user_input, write_series
from series_assets_tests.cli.commands import call, refuse, succeed


def test_preview_shows_rows_dates_and_constraints(tmp_path: Path) -> None:
    """One column of the data per line, and nothing is written."""
    write_series(tmp_path / "series", user_input=a_user_input(static_columns=["sex"]))
    printed = succeed("preview", "demo").splitlines()
    assert printed[0] == "demo, period 2024-02-01: 20 new and 40 existing rows"
    table = [line.split() for line in printed]
    assert table[3][:8] == ["column", "type", "existing", "records", "new", "1", "new", "2"]
    rows = {words[0]: words for words in table if words}
    assert rows["sex"][1:3] == ["text", "kept"]
    assert rows["amount"][1:4] == ["real", "generated", "afresh"]
    assert "2024-01-01 to 2024-01-31  2024-02-01 to 2024-02-29" in "\n".join(printed)
    assert not (tmp_path / "data").exists()


def test_preview_of_another_period(tmp_path: Path) -> None:
    """By its first day; the first one has only new records, and other days are refused."""
    write_series(tmp_path / "series")
    first = call("preview", "demo", "--period", "2024-01-01")
    assert first.stdout.startswith("demo, period 2024-01-01: 60 new and 0 existing rows\n")
    assert "Constraints" not in first.stdout
    assert refuse("preview", "demo", "--period", "2024-01-02").startswith(
        "'2024-01-02' is not the first day of a period of demo; did you mean '2024-01-01'?"
    )
