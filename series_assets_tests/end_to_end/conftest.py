"""One ``dagster dev`` for all tests of this folder, and the slow tasks that they look at.

Slow tasks need many ticks of the daemon (see ``fast_daemon``). They are all started before the
first test, and their tests run last.
"""

import shutil
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from series_assets.cli import main
from series_assets.dagster.assets import HISTORY, MANIFEST, NAMES
from series_assets.settings import SHIPPED
from series_assets_tests.builders import a_specification, a_user_input, files_in, write_series
from series_assets_tests.end_to_end.client import Server, until
from series_assets_tests.end_to_end.dev_server import dagster_dev
from series_assets_tests.end_to_end.served_series import KEYS, SERIES, ByCommandLine

_SLOW_TASKS = (
    "failing",
    "sensed",
    "whole_clinic",
    "interrupted_backfill",
    "traced_backfill",
    "whole_backfill",
    "middle_backfill",
)
"""The fixtures that start slow tasks, the slowest first; the last one waits a bit."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Move tests of slow tasks behind the others, and the final check to the end."""

    def rank(item: pytest.Item) -> int:
        names = set(getattr(item, "fixturenames", ()))
        return 2 if "at_rest" in names else int(not names.isdisjoint(_SLOW_TASKS))

    items.sort(key=rank)


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A ``dagster dev`` with small series, the shipped clinic, and a broken series.

    The instance retries failed runs whose tags request it.
    """
    base = tmp_path_factory.mktemp("dagster_dev")
    for name, keys in SERIES.items():
        own = a_user_input(**keys)
        write_series(base / "series", a_specification(number_of_rows=30), own, name=name)
    write_series(base / "series", user_input=a_user_input(period="fortnights"), name="broken")
    shutil.copytree(SHIPPED / "clinic", base / "series" / "clinic")
    with dagster_dev(base, "run_retries: {enabled: true, max_retries: 0}\n") as running:
        yield running


@pytest.fixture(autouse=True)
def start_slow_tasks(request: pytest.FixtureRequest) -> None:
    """Start the slow tasks with the first test that uses this ``dagster dev``."""
    if "server" in request.fixturenames:
        request.getfixturevalue("slow_tasks")


@pytest.fixture(scope="package")
def slow_tasks(request: pytest.FixtureRequest, server: Server) -> None:
    """Start those slow tasks that a test of this session looks at."""
    wanted = {name for item in request.session.items for name in getattr(item, "fixturenames", ())}
    for name in _SLOW_TASKS:
        if name in wanted:
            request.getfixturevalue(name)


@pytest.fixture(scope="package")
def by_command_line(server: Server, tmp_path_factory: pytest.TempPathFactory) -> ByCommandLine:
    """Return the files that ``series-assets generate`` writes for a series."""

    def generate(name: str) -> dict[str, bytes]:
        data_dir = tmp_path_factory.mktemp("by_command_line")
        environment = {
            "DAGSTER_HOME": None,
            "SERIES_ASSETS_SERIES_DIR": str(server.series_dir),
            "SERIES_ASSETS_DATA_DIR": str(data_dir),
        }
        result = CliRunner().invoke(main, ["generate", name, "--quiet"], env=environment)
        assert result.exit_code == 0, result.output
        return files_in(data_dir / name)

    return generate


@pytest.fixture(scope="package")
def ranged(server: Server) -> str:
    """A series whose periods were all generated in one run."""
    server.wait_for_success(server.launch("ranged", first=KEYS[0], last=KEYS[-1]))
    return "ranged"


@pytest.fixture(scope="package")
def whole_backfill(server: Server) -> str:
    """A backfill of all periods."""
    return server.backfill("backfilled", KEYS)


@pytest.fixture(scope="package")
def traced_backfill(server: Server) -> str:
    """A backfill of all periods of a series with a history and manifests."""
    return server.backfill("traced", KEYS, (*NAMES, *HISTORY, *MANIFEST))


@pytest.fixture(scope="package")
def whole_clinic(server: Server) -> str:
    """A backfill of all periods of the shipped clinic."""
    keys = server.assets()["clinic/dataset"]["partitionKeys"]
    assert len(keys) == 10
    return server.backfill("clinic", keys)


@pytest.fixture(scope="package")
def middle_backfill(server: Server) -> str:
    """A backfill of the second and third of four periods, after the first one."""
    server.wait_for_success(server.launch("middle", first=KEYS[0]))
    return server.backfill("middle", KEYS[1:3])


@pytest.fixture(scope="package")
def interrupted_backfill(server: Server) -> str:
    """A backfill of all periods; a folder is in the place of the third dataset."""
    (server.data_dir / "interrupted" / "dataset_3.csv").mkdir(parents=True)
    return server.backfill("interrupted", KEYS)


@pytest.fixture(scope="package")
def sensed(server: Server) -> str:
    """A series whose sensor is on; its periods do not depend on the date."""
    server.start_sensor("sensed")
    return "sensed"


@pytest.fixture(scope="package")
def failing(server: Server) -> str:
    """A series whose sensor is on; a folder is in the place of its first dataset."""
    (server.data_dir / "failing" / "dataset_1.csv").mkdir(parents=True)
    server.start_sensor("failing")
    return "failing"


@pytest.fixture
def at_rest(server: Server) -> None:
    """Wait until no run is in progress."""
    active = {"statuses": ["QUEUED", "NOT_STARTED", "STARTING", "STARTED", "CANCELING"]}
    query = """query ($filter: RunsFilter!) { runsOrError(filter: $filter) {
      ... on Runs { results { runId } }
    } }"""

    def none() -> bool:
        return not server.ask(query, filter=active)["runsOrError"]["results"]

    until(none, 300, "coming to rest")
