"""Series on object storage have the bytes of a local run, and clear messages for failures."""

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from series_assets.core.errors import GenerationError, InputError
from series_assets.core.plan.series import Series
from series_assets.interface import check, generate, iter_datasets, truth, verify
from series_assets.pipeline.workspace import Workspace
from series_assets.reporting.read_history import read_history
from series_assets.settings import from_environment
from series_assets.storage import remote
from series_assets.storage.cleaning import removable_files, remove_files
from series_assets.storage.tables import all_reference_tables, all_states_of
from series_assets_tests.builders import a_series, a_user_input, files_in, write_series
from series_assets_tests.cli.commands import succeed
from series_assets_tests.storage.object_storage import (
    BUCKET,
    ObjectStorage,
    storage_of_this_process,
)
from series_assets_tests.thorough import thorough

SHARDS = [1, 2]


def series_in(shards: int, **keys: Any) -> Series:
    """Return a series of two periods with a history."""
    own = {"truth": {"write": ["scd2"]}, "num_datasets": 2, "manifest": True}
    return a_series(None, a_user_input(shards=shards, **own, **keys))


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStorage]:
    """Start a server with a bucket, which clients in this process find by the environment."""
    with storage_of_this_process(tmp_path_factory.mktemp("server")) as started:
        yield started


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> dict[int, dict[str, bytes]]:
    """Return the files that a run on a disk leaves, by the number of shards."""
    found = {}
    for shards in SHARDS:
        folder = tmp_path_factory.mktemp("local")
        generate(series_in(shards), folder, executor="none")
        found[shards] = files_in(folder)
    return found


def _without_tables(files: dict[str, bytes]) -> dict[str, bytes]:
    tables = "demo/reference/", "demo/states/"
    return {name: content for name, content in files.items() if not name.startswith(tables)}


@pytest.mark.parametrize("shards", [*thorough(1), 2])
def test_the_objects_are_the_files_of_a_local_run(
    storage: ObjectStorage, local: dict[int, dict[str, bytes]], shards: int
) -> None:
    """Byte for byte, except the entities and states of an unsharded series."""
    place = f"same{shards}"
    paths = generate(series_in(shards), f"s3://{BUCKET}/{place}", executor="none")
    suffix = ".csv" if shards == 1 else ""
    assert list(map(str, paths)) == [
        f"s3://{BUCKET}/{place}/demo/dataset_{n}{suffix}" for n in (1, 2)
    ]
    found = storage.objects(place)
    assert _without_tables(found) == _without_tables(local[shards])
    tables = sorted(set(found) - set(_without_tables(found)))
    assert tables == [
        f"demo/{table}/period_{n}/part-{part:04}.parquet"
        for table in ("reference", "states")
        for n in (1, 2)
        for part in range(1, shards + 1)
    ]


@pytest.mark.thorough
def test_processes_and_later_runs_put_the_same_objects(
    storage: ObjectStorage, local: dict[int, dict[str, bytes]]
) -> None:
    """A forked worker has its own connection."""
    series, place = series_in(2), f"s3://{BUCKET}/parallel"
    generate(series, place, "2024-01-01", executor="processes:2")
    generate(series, place, "2024-02-01", executor="none")
    assert storage.objects("parallel") == local[2]
    table = truth(series, place)
    assert table["opened_in"].max() == 2
    assert verify(table, series, place).holds
    assert [result.complaints() for result in check(series, place)] == [[]] * 2
    history = read_history(series, Workspace(place).layout(series))
    assert [one.delivered.rows for one in history.periods if one.delivered] == [60] * 2
    assert [len(frame) for _, frame in iter_datasets(series)] == [60] * 2


@pytest.mark.thorough
def test_the_command_line_takes_a_url(
    storage: ObjectStorage,
    local: dict[int, dict[str, bytes]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As the data folder of named series, and as the output of loose files."""
    own = {"truth": {"write": ["scd2"]}, "num_datasets": 2, "manifest": True}
    folder = write_series(tmp_path / "series", None, a_user_input(shards=2, **own))
    monkeypatch.setenv("SERIES_ASSETS_SERIES_DIR", str(tmp_path / "series"))
    monkeypatch.setenv("SERIES_ASSETS_DATA_DIR", f"s3://{BUCKET}/line")
    assert "0 of 2" in succeed("list")
    loose = ("--specification", folder / "specification.yml", "--user-input")
    printed = succeed(
        *("generate", *loose, folder / "user_input.yml", "--output", f"s3://{BUCKET}/line/demo")
    )
    assert printed == "".join(f"s3://{BUCKET}/line/demo/dataset_{n}\n" for n in (1, 2))
    assert storage.objects("line") == local[2]
    assert "2 of 2, 2 with truth" in " ".join(succeed("list").split())
    succeed("check", "demo")
    printed = succeed("truth", "demo", "--as", "changes").splitlines()
    assert printed[0].startswith("dataset,part,row,id,op,")
    assert (len(printed), printed.count(printed[0])) == (121, 1)
    cleaned = succeed("clean", "demo", "--yes")
    assert cleaned.endswith(" files, the reference table and the table of states\n")
    assert storage.objects("line") == {}


class _Died(BaseException):
    """Represents the end of a process."""


@pytest.mark.parametrize("draw", [0, *thorough(*range(1, 20))])
def test_a_run_that_ends_at_any_put_is_completed_by_the_next(
    storage: ObjectStorage,
    local: dict[int, dict[str, bytes]],
    draw: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Before or after the put; every object is that of an undisturbed run."""
    place, put = f"died{draw}", remote.put
    puts = len(local[2])
    deadly, after = divmod(random.Random(4).sample(range(2 * puts), 20)[draw], 2)
    count = 0

    def dying(source: Path, target: Path) -> None:
        nonlocal count
        if count == deadly and not after:
            raise _Died
        put(source, target)
        if count == deadly:
            raise _Died
        count += 1

    from series_assets.storage import files

    with monkeypatch.context() as patch:
        patch.setattr(files, "put", dying)
        with pytest.raises(_Died):
            generate(series_in(2), f"s3://{BUCKET}/{place}", executor="none")
    found = storage.objects(place)
    assert found.items() <= local[2].items()
    generate(series_in(2), f"s3://{BUCKET}/{place}", executor="none")
    assert storage.objects(place) == local[2]


def test_a_put_that_fails_is_a_message(
    storage: ObjectStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the object, the storage's reason and the remedy; no object is incomplete."""
    import s3fs

    call = s3fs.S3FileSystem._call_s3

    async def failing(self: Any, method: str, *more: Any, **keys: Any) -> Any:
        key = keys.get("Key", "")
        if method == "put_object" and key.endswith("demo/dataset_2/part-0001.csv"):
            raise OSError(28, "the connection was closed half way")
        return await call(self, method, *more, **keys)

    monkeypatch.setattr(s3fs.S3FileSystem, "_call_s3", failing)
    with pytest.raises(GenerationError) as caught:
        generate(series_in(2), f"s3://{BUCKET}/failing", executor="none")
    assert str(caught.value) == (
        "demo, period 2024-02-01, shard 1 of 2: "
        f"s3://{BUCKET}/failing/demo/dataset_2/part-0001.csv: cannot be written: [Errno 28] the "
        "connection was closed half way; make sure that the storage can be reached, then run it "
        "again"
    )
    assert "demo/dataset_2/part-0001.csv" not in storage.objects("failing")


def test_a_bucket_that_is_missing_is_a_message(storage: ObjectStorage) -> None:
    """Before anything is generated."""
    with pytest.raises(GenerationError) as caught:
        generate(series_in(2), "s3://nowhere/x", executor="none")
    assert str(caught.value) == (
        "s3://nowhere/x/demo: cannot be written: The specified bucket does not exist; create the "
        "bucket or container first, or name another one"
    )


def test_credentials_that_are_missing_are_a_message(storage: ObjectStorage, tmp_path: Path) -> None:
    """In a process without credentials; nothing of the environment is printed."""
    write_series(tmp_path / "series", None, a_user_input(shards=2))
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    }
    environment["SERIES_ASSETS_SERIES_DIR"] = str(tmp_path / "series")
    environment["SERIES_ASSETS_DATA_DIR"] = f"s3://{BUCKET}/secret"
    for words, problem in ((["generate", "demo"], "written"), (["list"], "read")):
        done = subprocess.run(
            [sys.executable, "-m", "series_assets", *words],
            capture_output=True,
            text=True,
            check=False,
            env=environment,
        )
        assert done.returncode in (1, 2)
        assert done.stderr == (
            f"s3://{BUCKET}/secret/demo: cannot be {problem}: Unable to locate credentials; make "
            "sure that the credentials in use may read and write there\n"
        )


def test_a_driver_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the extra that installs it."""
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    with pytest.raises(InputError) as caught:
        from_environment({"SERIES_ASSETS_DATA_DIR": "gs://bucket/prefix"})
    assert str(caught.value) == (
        "SERIES_ASSETS_DATA_DIR: 'gs://bucket/prefix' needs a driver for gs://; install "
        "series_assets[gcs]"
    )


@pytest.mark.parametrize("place", ["s3://", "s3:///prefix"])
def test_a_url_without_a_bucket_is_refused(place: str) -> None:
    """As it comes of a variable that is empty; it is not taken for a folder."""
    with pytest.raises(InputError, match=f"'{place}' names no bucket; use s3://BUCKET/PREFIX"):
        from_environment({"SERIES_ASSETS_DATA_DIR": place})


def test_a_file_url_is_a_folder(tmp_path: Path, local: dict[int, dict[str, bytes]]) -> None:
    """With everything that a folder supports."""
    generate(series_in(1), tmp_path.as_uri(), executor="none")
    assert files_in(tmp_path) == local[1]
    shutil.rmtree(tmp_path)


@pytest.mark.thorough
def test_what_was_put_can_be_removed(storage: ObjectStorage) -> None:
    """Only the objects of the series."""
    series, place = series_in(1), f"s3://{BUCKET}/removed"
    generate(series, place, executor="none")
    layout = Workspace(place).layout(series)
    other: Any = layout.folder / "note.txt"
    other.write_text("mine")
    remove_files(layout, removable_files(layout))
    tables = (*all_reference_tables(series, layout), *all_states_of(series, layout))
    assert [table.drop() for table in tables] == [True, True]
    assert storage.objects("removed") == {"demo/note.txt": b"mine"}
