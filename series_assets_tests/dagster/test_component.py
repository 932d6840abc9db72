"""A series in a ``defs.yaml`` of a project that has series, assets and resources of its own."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from textwrap import dedent
from traceback import format_exception
from typing import Any

import click
import dagster as dg
import pytest
import yaml
from dagster.components.testing import DefsFolderSandbox, create_defs_folder_sandbox

from series_assets import SeriesComponent
from series_assets.core.errors import InputError
from series_assets.dagster import component
from series_assets.interface import generate
from series_assets.storage import loading, sqlite
from series_assets.storage.loading import load_series
from series_assets_tests.builders import a_specification, a_user_input, files_in, write_series
from series_assets_tests.materialize import materialize
from series_assets_tests.thorough import mostly_thorough, thorough

ASSETS = ("new_records", "reference_table", "dataset", "report")
KEYS = ("2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01")
TYPE = "series_assets.SeriesComponent"
_FAULT = (
    "period 'fortnights' is not known; use days, weeks, months or quarters "
    "(here: period: weeks, length_of_period: 2)"
)

OWN = """
import dagster as dg

class Kept(dg.IOManager):
    seen = []

    def handle_output(self, context, obj):
        self.seen.append((context.asset_key.to_user_string(), obj))

    def load_input(self, context):
        return dict(self.seen)[context.asset_key.to_user_string()]

@dg.asset
def own() -> int:
    return 7

@dg.asset
def next_to_own(own: int) -> int:
    return own + 1

@dg.definitions
def defs():
    return dg.Definitions(
        assets=[own, next_to_own],
        resources={"io_manager": Kept(), "workspace": "the host's", "progress": 0.5},
        executor=dg.multiprocess_executor.configured({"max_concurrent": 2}),
    )
"""


class Host:
    """A project with a ``defs`` folder, loaded as Dagster loads it."""

    def __init__(self, sandbox: DefsFolderSandbox) -> None:
        self._sandbox = sandbox
        self.root = sandbox.project_root
        self.defs_folder = sandbox.defs_folder_path
        (self.defs_folder / "own.py").write_text(OWN)

    def holds(self, folder: str, attributes: Mapping[str, Any] | str | None = None) -> Path:
        """Write a ``defs.yaml`` into a folder of the project, and return the folder."""
        place = self.defs_folder / folder
        place.mkdir(exist_ok=True)
        if not isinstance(attributes, str):
            given = {} if attributes is None else {"attributes": dict(attributes)}
            attributes = yaml.safe_dump({"type": TYPE, **given}, sort_keys=False)
        (place / "defs.yaml").write_text(attributes)
        return place

    def holds_files(self, name: str, **attributes: Any) -> Path:
        """Hold a small series in two files beside the ``defs.yaml``."""
        place = self.holds(name, attributes or None)
        return write_series(place.parent, name=place.name)

    def loaded(self) -> AbstractContextManager[dg.Definitions]:
        """Return what the whole project defines, checked as Dagster checks it."""

        @contextmanager
        def load() -> Iterator[dg.Definitions]:
            with self._sandbox.build_all_defs() as definitions:
                dg.Definitions.validate_loadable(definitions)
                yield definitions

        return load()

    def files(self, data_dir: str = "data") -> dict[str, bytes]:
        """Return the files of periods in a data folder of the project: no databases, no reports."""
        made = files_in(self.root / data_dir)
        return {path: data for path, data in made.items() if Path(path).name != "report.html"}


@pytest.fixture
def host() -> Iterator[Host]:
    """A project that has two assets, an IO manager, resources and an executor of its own."""
    with create_defs_folder_sandbox() as sandbox:
        yield Host(sandbox)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """An instance that remembers what was made as long as the test lasts."""
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of the small series as the command line makes them, without the series' name."""
    folder = tmp_path_factory.mktemp("expected")
    series = load_series(write_series(folder / "series"))
    generate(series=series, data_dir=folder / "data")
    return files_in(folder / "data" / "demo")


def all_of(*names: str) -> list[str]:
    """Return the asset keys of sound series."""
    return [f"{name}/{asset}" for name in names for asset in ASSETS]


def keys_of(definitions: dg.Definitions) -> set[str]:
    """Return the keys of all assets, as the UI writes them."""
    keys = definitions.resolve_asset_graph().materializable_asset_keys
    return {key.to_user_string() for key in keys} - {"own", "next_to_own"}


def as_of(name: str, files: Mapping[str, bytes], only: int | None = None) -> dict[str, bytes]:
    """Return the expected files under a series' name, all of them or those of one dataset."""
    return {
        f"{name}/{path}": content
        for path, content in files.items()
        if only is None or Path(path).name.startswith(f"dataset_{only}.")
    }


def test_without_attributes_the_files_beside_it_make_the_series(
    host: Host, instance: dg.DagsterInstance, expected: dict[str, bytes]
) -> None:
    """It is called after the folder, and its data goes to ``data`` in the project's root."""
    host.holds_files("demo")
    with host.loaded() as definitions:
        assert materialize(
            definitions, instance, *all_of("demo"), first=KEYS[0], last=KEYS[-1]
        ).success
    assert host.files() == as_of("demo", expected)


def inline(host: Host) -> dict[str, Any]:
    """Both parts written into the ``defs.yaml``."""
    return {"specification": a_specification(), "user_input": a_user_input()}


def two_paths(host: Host) -> dict[str, Any]:
    """Two files somewhere else, one of them named as a whole path."""
    place = write_series(host.root, name="elsewhere")
    return {
        "specification": str(place / "specification.yml"),
        "user_input": "../../../../elsewhere/user_input.yml",
    }


def another_folder(host: Host) -> dict[str, Any]:
    """A folder that is not that of the ``defs.yaml``, and not called as the series."""
    write_series(host.root, name="elsewhere")
    return {"folder": "../../../../elsewhere"}


def mixed(host: Host) -> dict[str, Any]:
    """The specification in the folder, the user input written out."""
    place = write_series(host.defs_folder)
    (place / "user_input.yml").unlink()
    return {"user_input": a_user_input()}


@pytest.mark.parametrize("given", [two_paths, mixed, *thorough(inline, another_folder)])
def test_however_its_parts_are_given_the_same_bytes_come_out(
    host: Host,
    instance: dg.DagsterInstance,
    expected: dict[str, bytes],
    given: Callable[[Host], dict[str, Any]],
) -> None:
    """But for the fingerprint and the name of the reference table nothing depends on it."""
    host.holds("demo", {**given(host), "name": "demo"})
    with host.loaded() as definitions:
        assert materialize(
            definitions, instance, *all_of("demo"), first=KEYS[0], last=KEYS[1]
        ).success
    assert host.files() == as_of("demo", expected, 1) | as_of("demo", expected, 2)


def test_what_is_written_out_is_taken_as_it_stands(host: Host) -> None:
    """No template is rendered in it, no number made of a text; days may stand without quotes."""
    specification = a_specification()
    rows = specification["columns"]["region"]["original_values"]
    rows[1] = rows[1].replace("North", "{{ no_such }}")
    host.holds(
        "demo",
        {"specification": specification, "user_input": a_user_input(start_date="2024-01-10")},
    )
    file = host.defs_folder / "demo" / "defs.yaml"
    text = file.read_text()
    assert "start_date: '2024-01-10'" in text
    file.write_text(text.replace("'2024-01-10'", "2024-01-10"))
    with host.loaded() as definitions, dg.DagsterInstance.ephemeral() as instance:
        assert keys_of(definitions) == set(all_of("demo"))
        assert materialize(definitions, instance, "demo/new_records", first="2024-01-10").success
    assert b"{{ no_such }}" in host.files()["demo/new_records/dataset_1.csv"]


def test_two_series_live_beside_a_hosts_own_assets_and_resources(
    host: Host, instance: dg.DagsterInstance, expected: dict[str, bytes]
) -> None:
    """Each with a data folder of its own; the host's assets keep the host's IO manager."""
    host.holds_files("one")
    host.holds_files("two", data_dir="other")
    with host.loaded() as definitions:
        assert keys_of(definitions) == set(all_of("one", "two"))
        assert set(definitions.resources or {}) == {"io_manager", "workspace", "progress"}
        sensors = {sensor.name for sensor in definitions.sensors or []}
        assert sensors == {"one_next_period", "two_next_period"}
        assert materialize(definitions, instance, *all_of("one", "two"), first=KEYS[0]).success
        assert materialize(definitions, instance, "own", "next_to_own").success
        [kept] = [definitions.resources["io_manager"]] if definitions.resources else []
        assert kept.seen == [("own", 7), ("next_to_own", 8)]
    names = (
        {path.split("/")[0] for path in host.files()},
        {path.split("/")[0] for path in host.files("other")},
    )
    assert names == ({"one"}, {"two"})
    dataset = expected["dataset_1.csv"]
    assert host.files()["one/dataset_1.csv"] == host.files("other")["two/dataset_1.csv"] == dataset
    for folder in ("data", "other"):
        assert not (host.root / folder / ".runs").exists()


def test_single_assets_of_single_partitions_can_be_made_in_a_host(
    host: Host, instance: dg.DagsterInstance, expected: dict[str, bytes]
) -> None:
    """One asset a run, as somebody clicks through the UI; then a range of one asset."""
    host.holds_files("demo")
    host.holds_files("other")
    with host.loaded() as definitions:
        for key in KEYS[:2]:
            for asset in all_of("demo"):
                assert materialize(definitions, instance, asset, first=key).success
        for asset in all_of("demo"):
            assert materialize(definitions, instance, asset, first=KEYS[2], last=KEYS[3]).success
    assert host.files() == as_of("demo", expected)


def test_each_series_has_a_job_of_its_own_if_the_host_wants_one(
    host: Host, instance: dg.DagsterInstance, expected: dict[str, bytes]
) -> None:
    """A job over one asset, and one over all, resolve with what the assets bring along."""
    host.holds_files("demo")
    (host.defs_folder / "jobs.py").write_text(
        "import dagster as dg\n"
        "one = dg.define_asset_job('one', dg.AssetSelection.assets(['demo', 'new_records']))\n"
        "every = dg.define_asset_job('every', dg.AssetSelection.groups('demo'))\n"
    )
    with host.loaded() as definitions:
        for name in ("one", "every"):
            job = definitions.resolve_job_def(name)
            assert job.execute_in_process(instance=instance, partition_key=KEYS[0]).success
    assert host.files() == as_of("demo", expected, 1)


def test_attributes_of_the_assets_can_be_set_in_the_defs_yaml(host: Host) -> None:
    """Dagster's own ``post_processing`` reaches them, and they stay able to run."""
    host.holds_files("demo")
    file = host.defs_folder / "demo" / "defs.yaml"
    file.write_text(
        file.read_text()
        + dedent("""
        post_processing:
          assets:
          - target: "*"
            attributes:
              group_name: fed
              owners: [team:data]
        """)
    )
    with host.loaded() as definitions, dg.DagsterInstance.ephemeral() as instance:
        node = definitions.resolve_asset_graph().get(dg.AssetKey(["demo", "dataset"]))
        assert (node.group_name, node.owners) == ("fed", ["team:data"])
        assert materialize(definitions, instance, *all_of("demo"), first=KEYS[0]).success


ATTACHED = """
type: series_assets.SeriesComponent
attributes:
  key_prefix: [lake, raw]
  group_name: fed
  owners: [team:data, somebody@example.com]
  tags: {tier: test, level: 2}
  pool: exhibit
  retry_policy: {max_retries: 3, delay: 0.5, backoff: exponential}
  freshness_policy: "{{ dg.FreshnessPolicy.time_window(fail_window=datetime.timedelta(days=35)) }}"
  automation_condition: "{{ dg.AutomationCondition.eager() }}"
"""


def test_attributes_reach_every_asset_of_the_series(
    host: Host, instance: dg.DagsterInstance
) -> None:
    """The policies reach those that have partitions; checks, job and sensor follow the keys."""
    host.holds("demo", ATTACHED)
    write_series(host.defs_folder)
    made = [f"lake/raw/{key}" for key in all_of("demo")]
    with host.loaded() as definitions:
        assert keys_of(definitions) == set(made)
        graph = definitions.resolve_asset_graph()
        for name in made:
            node = graph.get(dg.AssetKey(name.split("/")))
            assert (node.group_name, node.owners, node.pools) == (
                "fed",
                ["team:data", "somebody@example.com"],
                {"exhibit"},
            )
            assert node.tags.items() >= {"tier": "test", "level": "2"}.items()
            with_policies = node.partitions_def is not None
            assert (node.freshness_policy is not None) == with_policies
            assert (node.automation_condition is not None) == with_policies
            for op in node.assets_def.node_def.iterate_op_defs():
                assert op.retry_policy == dg.RetryPolicy(3, 0.5, dg.Backoff.EXPONENTIAL)
        checked = {key.asset_key.to_user_string() for key in graph.asset_check_keys}
        assert checked == {"lake/raw/demo/dataset"}
        job = definitions.resolve_job_def("demo")
        assert job.execute_in_process(instance=instance, partition_key=KEYS[0]).success
        assert materialize(definitions, instance, *made, first=KEYS[0], last=KEYS[1]).success
        [sensor] = definitions.sensors or []
        with dg.build_sensor_context(instance=instance, definitions=definitions) as context:
            evaluated = sensor.evaluate_tick(context)
        [request] = evaluated.run_requests or []
        assert request.partition_key == KEYS[2]
    assert "demo/dataset_2.csv" in host.files()


@pytest.mark.parametrize(
    ("attributes", "told"),
    [
        ({"owners": ["Data Team"]}, "Invalid owner 'Data Team'"),
        ({"group_name": "a group"}, "is not a valid asset group name"),
        ({"tags": {"a b": "c"}}, "Found invalid tag keys"),
    ],
)
def test_an_attribute_that_dagster_refuses_takes_nothing_else_down(
    host: Host, attributes: dict[str, Any], told: str
) -> None:
    """The series shows as broken, with Dagster's words."""
    host.holds_files("bad", **attributes)
    host.holds_files("good")
    with pytest.warns(UserWarning, match="is broken") as caught, host.loaded() as definitions:
        assert keys_of(definitions) == {*all_of("good"), "bad/broken"}
    [message] = [str(one.message) for one in caught if "is broken" in str(one.message)]
    assert told in message
    assert message.endswith("; correct this option of the assets")


def test_an_attribute_of_another_kind_is_refused_with_an_example(host: Host) -> None:
    """As Dagster refuses attributes that it does not know."""
    host.holds_files("demo", automation_condition="eager")
    with pytest.raises(Exception) as caught, host.loaded():
        pass
    text = "".join(format_exception(caught.value))
    assert "'eager' is no AutomationCondition; use a template that gives one" in text


def test_two_components_of_one_name_are_told_to_use_the_attribute(host: Host) -> None:
    """The first one works; the second shows what to do, whether or not the first is broken."""
    for place in ("eu", "us"):
        (host.defs_folder / place).mkdir()
        host.holds_files(f"{place}/orders")
    with pytest.warns(UserWarning, match="is broken"), host.loaded() as definitions:
        [broken] = keys_of(definitions) - set(all_of("orders"))
        node = definitions.resolve_asset_graph().get(dg.AssetKey(broken.split("/")))
    assert (
        "us/orders/defs.yaml: the name 'orders' is taken by the series of eu/orders/defs.yaml; "
        in (node.description or "").replace("\\", "")
    )
    assert "set the attribute 'name' of one of the two" in (node.description or "")
    host.holds("us/orders", {"name": "us_orders"})
    with host.loaded() as definitions:
        assert keys_of(definitions) == set(all_of("orders", "us_orders"))


def test_two_broken_components_of_one_name_take_nothing_down(host: Host) -> None:
    """Each is an asset of its own."""
    for place in ("eu", "us"):
        (host.defs_folder / place).mkdir()
        host.holds(f"{place}/orders", BROKEN["a fault of the user input"][0])
    with pytest.warns(UserWarning, match="is broken"), host.loaded() as definitions:
        assert len(keys_of(definitions)) == 2


@pytest.mark.parametrize("absolute", [False, True])
def test_the_data_folder_is_relative_to_the_root_of_the_project(
    host: Host, instance: dg.DagsterInstance, tmp_path: Path, absolute: bool
) -> None:
    """Not to the folder of the code, which may be read-only; a whole path is taken as it is."""
    folder = tmp_path / "whole" if absolute else host.root / "made" / "here"
    host.holds_files("demo", data_dir=str(folder) if absolute else "made/here")
    with host.loaded() as definitions:
        assert materialize(definitions, instance, "demo/new_records", first=KEYS[0]).success
    assert (folder / "demo" / "new_records" / "dataset_1.csv").exists()
    assert (folder / "exhibit.db").exists()


def test_the_data_folder_can_come_from_the_environment(
    host: Host, instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through Dagster's templates."""
    monkeypatch.setenv("DATA_OF_THE_HOST", str(tmp_path / "data"))
    host.holds_files("demo", data_dir="{{ env.DATA_OF_THE_HOST }}")
    with host.loaded() as definitions:
        assert materialize(definitions, instance, "demo/new_records", first=KEYS[0]).success
    assert (tmp_path / "data" / "demo" / "new_records" / "dataset_1.csv").exists()


def test_a_database_named_in_a_written_out_user_input_is_relative_to_the_defs_yaml(
    host: Host, instance: dg.DagsterInstance
) -> None:
    """As it is relative to the file where there is one."""
    place = host.holds(
        "demo",
        {
            "specification": a_specification(),
            "user_input": a_user_input(exhibit_db_path="own.db"),
        },
    )
    sqlite.create_if_missing(place / "own.db")
    with host.loaded() as definitions:
        assert materialize(definitions, instance, *all_of("demo"), first=KEYS[0]).success
    with closing(sqlite3.connect(place / "own.db")) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master").fetchall()
    assert ("demo_reference",) in tables
    assert not (host.root / "data" / "exhibit.db").exists()


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "a fault of the user input": (
        {"specification": a_specification(), "user_input": a_user_input(period="fortnights")},
        f"bad/defs.yaml (user_input): {_FAULT}",
    ),
    "no files": (
        {},
        "bad/specification.yml: there is no such file; a series needs specification.yml and "
        "user_input.yml\nbad/user_input.yml: there is no such file; a series needs "
        "specification.yml and user_input.yml",
    ),
    "no such path": (
        {"specification": "none.yml", "user_input": a_user_input()},
        "none.yml: there is no such file; a series needs specification.yml and user_input.yml",
    ),
    "a name that cannot be": (
        {"specification": a_specification(), "user_input": a_user_input(), "name": "No Name"},
        "bad/defs.yaml (specification): the name 'No Name' cannot name a series; use small "
        "letters, digits and _, a letter first",
    ),
    "a name that is a number": (
        {"specification": a_specification(), "user_input": a_user_input(), "name": "2024"},
        "bad/defs.yaml (specification): the name '2024' cannot name a series; use small "
        "letters, digits and _, a letter first",
    ),
}


@pytest.mark.parametrize("what", mostly_thorough(BROKEN, "a fault of the user input", "no files"))
def test_a_broken_series_takes_nothing_else_down(
    host: Host, instance: dg.DagsterInstance, what: str
) -> None:
    """An asset says what is wrong, in its description and as its failure; the others are made."""
    attributes, told = BROKEN[what]
    host.holds("bad", attributes)
    host.holds_files("good")
    with pytest.warns(UserWarning, match="is broken"), host.loaded() as definitions:
        [broken] = keys_of(definitions) - set(all_of("good"))
        node = definitions.resolve_asset_graph().get(dg.AssetKey(broken.split("/")))
        shown = told.replace("\n", "\\\n")  # a line of Markdown for each fault
        assert node.description == f"This series cannot be loaded:\n\n{shown}"
        result = materialize(definitions, instance, broken)
        [failed] = [event for event in result.all_events if event.is_step_failure]
        assert failed.step_failure_data.user_failure_data is not None
        assert failed.step_failure_data.user_failure_data.description == told
        assert materialize(definitions, instance, *all_of("good"), first=KEYS[0]).success
        assert materialize(definitions, instance, "own").success


def test_a_fault_that_nobody_foresaw_takes_nothing_else_down(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The series whose loading raises anything at all is shown as broken, by its message."""
    parts = component.load_parts

    def failing(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "bad":
            raise RuntimeError("odd")
        return parts(name, *args, **kwargs)

    monkeypatch.setattr(component, "load_parts", failing)
    host.holds_files("bad")
    host.holds_files("good")
    with pytest.warns(UserWarning, match="is broken"), host.loaded() as definitions:
        assert set(keys_of(definitions)) - set(all_of("good")) == {"bad/broken"}


def test_a_strict_component_keeps_a_broken_series_from_loading(host: Host) -> None:
    """For those who would rather not deploy at all."""
    host.holds("bad", {**BROKEN["a fault of the user input"][0], "strict": True})
    with pytest.raises(Exception, match="building definitions for bad") as caught, host.loaded():
        pass
    error: BaseException | None = caught.value
    while error is not None and not isinstance(error, InputError):
        error = error.__cause__ or error.__context__
    assert str(error) == f"bad/defs.yaml (user_input): {_FAULT}"


def test_the_component_can_be_made_in_python(host: Host) -> None:
    """In a ``component.py``, with the attributes as arguments."""
    place = write_series(host.defs_folder)
    (place / "component.py").write_text(
        "import dagster as dg\n"
        "from series_assets import SeriesComponent\n\n"
        "@dg.component_instance\n"
        "def load(context: dg.ComponentLoadContext) -> SeriesComponent:\n"
        "    return SeriesComponent(name='called')\n"
    )
    with host.loaded() as definitions:
        assert keys_of(definitions) == set(all_of("called"))


def test_scaffolding_writes_a_series_that_works(host: Host, instance: dg.DagsterInstance) -> None:
    """The commented template of both files beside the ``defs.yaml``."""
    host._sandbox.scaffold_component(component_cls=SeriesComponent, defs_path="fresh")
    place = host.defs_folder / "fresh"
    assert {path.name for path in place.iterdir()} == {
        ".schemas",
        "defs.yaml",
        "specification.yml",
        "user_input.yml",
    }
    with host.loaded() as definitions:
        assert keys_of(definitions) == set(all_of("fresh"))
        key = load_series(place).calendar.keys[0]
        assert materialize(definitions, instance, *all_of("fresh"), first=key).success


def test_scaffolding_refuses_a_name_that_no_series_can_have(host: Host) -> None:
    """With a message and no traceback; nothing is left behind."""
    with pytest.raises(click.ClickException, match="'No-Name' cannot name a series"):
        host._sandbox.scaffold_component(component_cls=SeriesComponent, defs_path="No-Name")
    assert not (host.defs_folder / "No-Name").exists()


def test_importing_the_package_is_cheap() -> None:
    """It loads neither Dagster nor pandas until somebody asks for what it exports."""
    program = (
        "import sys, series_assets; print(sorted({'dagster', 'pandas'} & set(sys.modules)));"
        "print(series_assets.SeriesComponent.__module__, 'dagster' in sys.modules,"
        " {'pandas', 'exhibit', 'sklearn'} & set(sys.modules));"
        "print(sorted(n for n in dir(series_assets) if n in series_assets.__all__))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [
        "[]",
        "series_assets.dagster.component True set()",
        "['AssetOptions', 'Progress', 'RecordsFile', 'ReferenceTableSnapshot', 'Series', "
        "'SeriesComponent', 'StateSnapshot', 'check', 'generate', 'iter_datasets', 'load_series', "
        "'partitions_of', 'preview', 'scd2_check', 'series_definitions', 'series_partitions', "
        "'truth', 'verify']",
    ]


def test_what_the_package_does_not_export_is_not_there() -> None:
    """With the error that Python users know."""
    import series_assets

    with pytest.raises(AttributeError, match="module 'series_assets' has no attribute 'Serie'"):
        _ = series_assets.Serie  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"folder": "~nobody_of_that_name/x"}, "folder '~nobody_of_that_name/x' names the home"),
        ({"specification": "x" * 5000}, "is longer than the system allows; use a shorter one"),
        ({"data_dir": "~nobody_of_that_name"}, "data_dir '~nobody_of_that_name' names the home"),
        ({"folder": "loop"}, "folder 'loop' is a link that leads back to itself; correct the link"),
        ({"user_input": {"num_datasets": 10**120}}, "holds a number of more than 100 digits"),
        *thorough(({"user_input": {"a": [[[]] * 400] * 400}}, "holds more than 100,000 values")),
    ],
)
def test_paths_and_values_that_cannot_be_take_no_other_series_down(
    host: Host, attributes: dict[str, Any], expected: str
) -> None:
    """The component shows as broken with the key and the remedy; the rest of the project loads."""
    host.holds_files("good")
    place = host.holds("bad", attributes)
    (place / "loop").symlink_to("loop")
    with pytest.warns(UserWarning, match="is broken") as caught, host.loaded() as definitions:
        keys = {key.to_user_string() for key in definitions.resolve_all_asset_keys()}
    assert {f"good/{asset}" for asset in ASSETS} <= keys
    assert len([key for key in keys if key.endswith("/broken")]) == 1
    assert any(expected in str(warning.message) for warning in caught)


@pytest.mark.parametrize("error", [RecursionError(), MemoryError(), AttributeError("x"), OSError()])
def test_whatever_loading_raises_the_project_loads(
    host: Host, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """What nobody foresaw is shown by the one series that it came up in."""

    def fail(*_: Any, **__: Any) -> Any:
        raise error

    monkeypatch.setattr(loading, "build_series", fail)
    host.holds_files("bad")
    with pytest.warns(UserWarning, match="series bad is broken"), host.loaded() as definitions:
        keys = {key.to_user_string() for key in definitions.resolve_all_asset_keys()}
    assert keys >= {"bad/broken", "own", "next_to_own"}
