"""The core imports neither Dagster, nor Exhibit, nor other parts of the package."""

import subprocess
import sys

PROGRAM = """
import importlib, pkgutil, sys
import series_assets.core
names = [found.name for found in pkgutil.walk_packages(
    series_assets.core.__path__, "series_assets.core.")]
for name in names:
    importlib.import_module(name)
assert len(names) >= 10, names
foreign = [name for name in sys.modules if name.split(".")[0] in
           ("dagster", "exhibit", "click", "sqlalchemy", "sqlite3")]
own = [name for name in sys.modules if name.startswith("series_assets")
       and name != "series_assets" and not name.startswith("series_assets.core")]
print(sorted(foreign), sorted(own))
"""


def test_the_core_imports_no_framework() -> None:
    """Every module of the core loads without Dagster, Exhibit, SQLite and the other packages."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.stdout.strip() == "[] []"
