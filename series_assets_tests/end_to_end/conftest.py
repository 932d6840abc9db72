"""One ``dagster dev`` for all tests of this folder, and a client that speaks GraphQL to it."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from series_assets_tests.builders import a_specification, a_user_input, files_in, write_series

KEYS = ("2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01")
ASSETS = ("new_records", "reference_table", "dataset")
SERIES = ("alone", "backfilled", "clicked", "ranged", "refused")
"""One for each way of making it, so that no test stands in another's way."""

_HOME = """
telemetry: {enabled: false}
nux: {enabled: false}
run_coordinator: {module: dagster._core.run_coordinator, class: DefaultRunCoordinator}
"""
_ENDED = ("SUCCESS", "FAILURE", "CANCELED")

T = TypeVar("T")


def until(found: Callable[[], T | None], seconds: float, what: str) -> T:
    """Return what ``found`` returns as soon as it is something, or fail."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = found()
        if value:
            return value
        time.sleep(0.3)
    pytest.fail(f"{what} took more than {seconds} s")


@dataclass(frozen=True)
class Server:
    """A running ``dagster dev`` and the folders that it works in."""

    url: str
    series_dir: Path
    data_dir: Path

    def ask(self, query: str, **variables: Any) -> Any:
        """Return the data that answers a query."""
        request = urllib.request.Request(
            f"{self.url}/graphql",
            data=json.dumps({"query": query, "variables": variables}).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            answer = json.load(response)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    def location(self) -> Mapping[str, Any] | None:
        """Return the only code location once it has loaded."""
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            workspace = self.ask("""{
              workspaceOrError { ... on Workspace { locationEntries {
                name loadStatus
                locationOrLoadError {
                  ... on RepositoryLocation { repositories { name } }
                  ... on PythonError { message }
                }
              } } }
            }""")["workspaceOrError"]
            [entry] = workspace.get("locationEntries") or [None]
            if entry and entry["loadStatus"] == "LOADED":
                return entry
        return None

    def _parameters(
        self, series: str, assets: Sequence[str], tags: Mapping[str, str]
    ) -> dict[str, Any]:
        location = self.location()
        assert location is not None
        return {
            "mode": "default",
            "runConfigData": {},
            "selector": {
                "repositoryLocationName": location["name"],
                "repositoryName": location["locationOrLoadError"]["repositories"][0]["name"],
                "jobName": "__ASSET_JOB",
                "assetSelection": [{"path": [series, asset]} for asset in assets],
                "assetCheckSelection": [],
            },
            "executionMetadata": {
                "tags": [{"key": key, "value": value} for key, value in tags.items()]
            },
        }

    def launch(self, series: str, assets: Sequence[str], **tags: str) -> str:
        """Launch one run as the UI does, and return its id."""
        parameters = self._parameters(series, assets, tags_of(**tags))
        answer = self.ask(
            """mutation ($parameters: ExecutionParams!) {
              launchPipelineExecution(executionParams: $parameters) {
                __typename
                ... on LaunchRunSuccess { run { runId } }
                ... on PythonError { message }
              }
            }""",
            parameters=parameters,
        )["launchPipelineExecution"]
        assert answer["__typename"] == "LaunchRunSuccess", answer
        return str(answer["run"]["runId"])

    def launch_each(self, series: str, assets: Sequence[str], keys: Sequence[str]) -> list[str]:
        """Launch a run for each partition at once, and return their ids."""
        parameters = [self._parameters(series, assets, tags_of(key)) for key in keys]
        answer = self.ask(
            """mutation ($parameters: [ExecutionParams!]!) {
              launchMultipleRuns(executionParamsList: $parameters) {
                ... on LaunchMultipleRunsResult { launchMultipleRunsResult {
                  __typename
                  ... on LaunchRunSuccess { run { runId } }
                  ... on PythonError { message }
                } }
                ... on PythonError { message }
              }
            }""",
            parameters=parameters,
        )["launchMultipleRuns"]
        launched = answer["launchMultipleRunsResult"]
        assert {one["__typename"] for one in launched} == {"LaunchRunSuccess"}, launched
        return [one["run"]["runId"] for one in launched]

    def end_of(self, run_id: str) -> str:
        """Wait for a run to end, and return how it did."""

        def status() -> str | None:
            run = self.ask(
                "query ($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }", id=run_id
            )["runOrError"]
            return run["status"] if run["status"] in _ENDED else None

        return until(status, 90, f"run {run_id}")

    def complaints(self, run_id: str) -> list[str]:
        """Return what the UI shows as the reasons of a failure."""
        events = self.ask(
            """query ($id: ID!) { logsForRun(runId: $id) { ... on EventConnection { events {
              ... on ExecutionStepFailureEvent {
                error { message causes { message } } failureMetadata { description }
              }
              ... on RunFailureEvent { error { message causes { message } } }
            } } } }""",
            id=run_id,
        )["logsForRun"]["events"]
        told = [event["failureMetadata"] for event in events if event.get("failureMetadata")]
        if told:
            return [failure["description"] for failure in told]
        errors = [event["error"] for event in events if event.get("error")]
        return [
            " ".join([error["message"], *(cause["message"] for cause in error["causes"])])
            for error in errors
        ]

    def made(self, run_id: str) -> None:
        """Wait for a run to end, which it has to do well."""
        ended = self.end_of(run_id)
        assert ended == "SUCCESS", self.complaints(run_id)

    def backfill(self, series: str, keys: Sequence[str]) -> str:
        """Launch a backfill of all assets of a series, and return its id."""
        answer = self.ask(
            """mutation ($parameters: LaunchBackfillParams!) {
              launchPartitionBackfill(backfillParams: $parameters) {
                __typename
                ... on LaunchBackfillSuccess { backfillId }
                ... on PythonError { message }
              }
            }""",
            parameters={
                "assetSelection": [{"path": [series, asset]} for asset in ASSETS],
                "partitionNames": list(keys),
                "tags": [],
            },
        )["launchPartitionBackfill"]
        assert answer["__typename"] == "LaunchBackfillSuccess", answer
        return str(answer["backfillId"])

    def end_of_backfill(self, backfill_id: str, seconds: float = 150) -> str:
        """Wait for a backfill to end, and return how it did."""

        def status() -> str | None:
            found = self.ask(
                """query ($id: String!) { partitionBackfillOrError(backfillId: $id) {
                  ... on PartitionBackfill { status error { message } }
                } }""",
                id=backfill_id,
            )["partitionBackfillOrError"]
            going_on = ("REQUESTED", "CANCELING", "FAILING")
            return None if found["status"] in going_on else found["status"]

        return until(status, seconds, f"backfill {backfill_id}")

    def runs_of_backfill(self, backfill_id: str) -> int:
        """Return how many runs a backfill has launched."""
        found = self.ask(
            """query ($filter: RunsFilter!) { runsOrError(filter: $filter) {
              ... on Runs { results { runId } }
            } }""",
            filter={"tags": [{"key": "dagster/backfill", "value": backfill_id}]},
        )["runsOrError"]
        return len(found["results"])

    def files(self, series: str) -> dict[str, bytes]:
        """Return the files that have been made of a series."""
        return files_in(self.data_dir / series)


def tags_of(first: str, last: str | None = None) -> dict[str, str]:
    """Return the tags by which a run knows its partition, or its range of them."""
    if last is None:
        return {"dagster/partition": first}
    return {
        "dagster/asset_partition_range_start": first,
        "dagster/asset_partition_range_end": last,
    }


def _environment(**ours: Path) -> dict[str, str]:
    foreign = ("SERIES_ASSETS", "DAGSTER")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(foreign)}
    return kept | {key: str(value) for key, value in ours.items()}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A ``dagster dev`` on this machine only, with small series and one that is broken."""
    base = tmp_path_factory.mktemp("dagster_dev")
    home, series_dir, data_dir = (base / name for name in ("home", "series", "data"))
    home.mkdir()
    (home / "dagster.yaml").write_text(_HOME)
    for name in SERIES:
        write_series(series_dir, a_specification(number_of_rows=30), name=name)
    write_series(series_dir, user_input=a_user_input(period="fortnights"), name="broken")
    port = _free_port()
    command = [
        *(str(Path(sys.executable).with_name("dagster")), "dev"),
        *("-m", "series_assets.definitions", "-h", "127.0.0.1", "-p", str(port)),
    ]
    environment = _environment(
        DAGSTER_HOME=home, SERIES_ASSETS_SERIES_DIR=series_dir, SERIES_ASSETS_DATA_DIR=data_dir
    )
    with (base / "log").open("w+b") as log:
        process = subprocess.Popen(
            command,
            env=environment,
            cwd=home,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a process group of its own, to be ended as a whole
        )
        try:
            running = Server(f"http://127.0.0.1:{port}", series_dir, data_dir)

            def loaded() -> bool:
                if process.poll() is not None:
                    pytest.fail(f"dagster dev ended: {(base / 'log').read_text()}")
                return running.location() is not None

            until(loaded, 90, "starting dagster dev")
            yield running
        finally:
            _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the process and what it started: by asking, then by force."""
    process.send_signal(signal.SIGINT)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(20)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(20)


@pytest.fixture(scope="session")
def by_command_line(
    server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], dict[str, bytes]]:
    """Return the files that ``series-assets generate`` makes of a series."""

    def made(name: str) -> dict[str, bytes]:
        data_dir = tmp_path_factory.mktemp("by_command_line")
        subprocess.run(
            [str(Path(sys.executable).with_name("series-assets")), "generate", name, "--quiet"],
            env=_environment(
                SERIES_ASSETS_SERIES_DIR=server.series_dir, SERIES_ASSETS_DATA_DIR=data_dir
            ),
            check=True,
            timeout=120,
        )
        return files_in(data_dir / name)

    return made
