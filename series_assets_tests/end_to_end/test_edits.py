"""Files of series that are edited while Dagster runs, and reloaded definitions."""

import pytest

from series_assets.dagster.assets import NAMES
from series_assets_tests.builders import a_specification, a_user_input, write_series
from series_assets_tests.end_to_end.client import Server
from series_assets_tests.end_to_end.served_series import KEYS, SERIES, ByCommandLine


@pytest.mark.thorough
def test_a_series_that_breaks_does_not_affect_others(
    server: Server, by_command_line: ByCommandLine
) -> None:
    """It shows its fault and the others can run; once fixed, it is back."""
    whole = a_specification(number_of_rows=30)
    faulty = a_user_input(num_datasets=1, fraction_of_new="7/3")

    write_series(server.series_dir, whole, faulty, name="spoiled")
    server.reload()
    shown = server.assets()
    assert "spoiled/user_input.yml: fraction_of_new" in shown["spoiled/broken"]["description"]
    server.wait_for_success(server.launch("edited", first=KEYS[0], last=KEYS[1]))
    assert server.files("edited") == by_command_line("edited")

    write_series(server.series_dir, whole, a_user_input(**SERIES["spoiled"]), name="spoiled")
    server.reload()
    assert {"spoiled/broken", "spoiled/dataset"} & set(server.assets()) == {"spoiled/dataset"}
    server.wait_for_success(server.launch("spoiled", first=KEYS[0]))
    assert server.files("spoiled") == by_command_line("spoiled")


@pytest.mark.thorough
def test_an_edit_shows_as_stale_until_the_partitions_are_made_again(
    server: Server, by_command_line: ByCommandLine
) -> None:
    """All partitions of all assets, right after the definitions are reloaded."""
    keys = KEYS[:2]

    def staleness() -> set[str]:
        return {status for asset in NAMES for status in server.staleness("edited", asset, keys)}

    server.wait_for_success(server.launch("edited", first=keys[0], last=keys[1]))
    assert staleness() == {"FRESH"}
    before = server.files("edited")

    edited = a_user_input(**SERIES["edited"], fraction_of_new="1/2")
    write_series(server.series_dir, a_specification(number_of_rows=30), edited, name="edited")
    server.reload()
    assert staleness() == {"STALE"}

    server.wait_for_success(server.launch("edited", first=keys[0], last=keys[1]))
    assert staleness() == {"FRESH"}
    assert server.files("edited") == by_command_line("edited") != before
