"""Writes the JSON Schemas of both files of a series, which editors check and complete them with.

``python -m series_assets.scaffolding.schemas FOLDER`` writes them into a folder: those that ship
with the package (``make schemas``), or those of a series after an upgrade.
"""

import json
import sys
from pathlib import Path

from series_assets.core.spec.json_schema import SCHEMAS, json_schema

FOLDER = ".schemas"
"""Beside the two files of a series, which name the schemas by this relative path."""
_SHIPPED = Path(__file__).parents[1] / "schemas"


def modeline(file: str) -> str:
    """Return the comment in the first line of a file that names its schema to an editor."""
    return f"# yaml-language-server: $schema={FOLDER}/{_schema_name(file)}\n"


def copy_schemas(place: Path) -> None:
    """Copy the schemas that ship with the package to the folder of a series. Raises OSError."""
    folder = place / FOLDER
    folder.mkdir(exist_ok=True)
    for source in _SHIPPED.glob("*.json"):
        (folder / source.name).write_bytes(source.read_bytes())


def write_schemas(folder: Path) -> None:
    """Write the schemas of the models into a folder, which is created. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for stem in SCHEMAS:
        text = json.dumps(json_schema(stem), indent=2, ensure_ascii=False)
        (folder / _schema_name(stem)).write_text(text + "\n", encoding="utf-8")


def _schema_name(file: str) -> str:
    return f"{Path(file).stem}.json"


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        write_schemas(Path(argument))
