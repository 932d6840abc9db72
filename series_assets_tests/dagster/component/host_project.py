"""A project with a ``defs`` folder, two assets, an IO manager, resources and an executor."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import yaml
from dagster.components.testing import DefsFolderSandbox

from series_assets_tests.builders import files_in, write_series

ASSETS = ("new_records", "reference_table", "dataset", "report")


KEYS = ("2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01")


TYPE = "series_assets.SeriesComponent"


OWN_DEFINITIONS = """
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


class HostProject:
    """A project with a ``defs`` folder, loaded as Dagster loads it."""

    def __init__(self, sandbox: DefsFolderSandbox) -> None:
        self._sandbox = sandbox
        self.root = sandbox.project_root
        self.defs_folder = sandbox.defs_folder_path
        (self.defs_folder / "own.py").write_text(OWN_DEFINITIONS)

    def write_component(
        self, folder: str, attributes: Mapping[str, Any] | str | None = None
    ) -> Path:
        """Write a ``defs.yaml`` into a folder of the project, and return the folder."""
        place = self.defs_folder / folder
        place.mkdir(exist_ok=True)
        if not isinstance(attributes, str):
            given = {} if attributes is None else {"attributes": dict(attributes)}
            attributes = yaml.safe_dump({"type": TYPE, **given}, sort_keys=False)
        (place / "defs.yaml").write_text(attributes)
        return place

    def write_series(self, name: str, **attributes: Any) -> Path:
        """Write a small series in two files beside a ``defs.yaml``."""
        place = self.write_component(name, attributes or None)
        return write_series(place.parent, name=place.name)

    def load(self) -> AbstractContextManager[dg.Definitions]:
        """Return a context with everything that the project defines, validated by Dagster."""

        @contextmanager
        def load() -> Iterator[dg.Definitions]:
            with self._sandbox.build_all_defs() as definitions:
                dg.Definitions.validate_loadable(definitions)
                yield definitions

        return load()

    def files(self, data_dir: str = "data") -> dict[str, bytes]:
        """Return the files in a data folder of the project, without databases and reports."""
        generated = files_in(self.root / data_dir)
        return {path: data for path, data in generated.items() if Path(path).name != "report.html"}


def asset_keys_of(*names: str) -> list[str]:
    """Return the asset keys of valid series."""
    return [f"{name}/{asset}" for name in names for asset in ASSETS]


def keys_of(definitions: dg.Definitions) -> set[str]:
    """Return the keys of all assets except the project's own, as the UI shows them."""
    keys = definitions.resolve_asset_graph().materializable_asset_keys
    return {key.to_user_string() for key in keys} - {"own", "next_to_own"}


def files_of(name: str, files: Mapping[str, bytes], only: int | None = None) -> dict[str, bytes]:
    """Return the expected files below a series' name, all or those of one dataset."""
    return {
        f"{name}/{path}": content
        for path, content in files.items()
        if only is None or Path(path).name.startswith(f"dataset_{only}.")
    }
