"""The plain script that series_assets is measured against: stock Exhibit, called twice a period.

    python reference.py FOLDER_OF_THE_TWO_FILES FOLDER_FOR_THE_DATA

Works as the process is described in one page: new records from the specification with the next
seed and the next dates; existing ones from a changed specification, in which identifiers and
static columns are drawn from a reference table; new ones appended to that table with ``to_sql``;
both put together with ``sklearn.utils.shuffle`` and saved with ``to_csv``, beside the
specifications. It makes as many rows and the same files as series_assets does, reads nothing
twice, and imports what it uses and nothing else.

What it does not do, and series_assets does: check its two files; keep identifiers from coming
again (``pseudo_chi`` repeats) or link them; give every entity the same chance (Exhibit draws from
the oldest ones only) and draw none twice; keep the weights of static columns; compute derived
columns and apply constraints that were removed; give the same bytes again, for some of Exhibit is
unseeded; make one period by itself, or again; leave no half-written file when it is interrupted.
It is written for the bundled series, not for any specification.
"""

import os
import re
import shutil
import sqlite3
import sys
from contextlib import closing, redirect_stdout
from copy import deepcopy
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import exhibit
import pandas as pd
import yaml
from dateutil.relativedelta import relativedelta
from exhibit.core.exhibit import Exhibit
from sklearn.utils import shuffle


def main(source: Path, target: Path) -> None:
    """Make all periods of the series whose files lie in ``source``."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    original, said = (
        yaml.load((source / name).read_text(encoding="utf-8"), loader)
        for name in ("specification.yml", "user_input.yml")
    )
    (target / "new_records").mkdir(parents=True)
    database = target / "exhibit.db"
    shutil.copyfile(Path(exhibit.__path__[0]) / "db" / "exhibit.db", database)
    os.environ["EXHIBIT_DB_URL"] = f"sqlite:///{database}"
    rows = original["metadata"]["number_of_rows"]
    fraction = Fraction(said["fraction_of_new"])
    for k in range(said["num_datasets"]):
        new = int(rows * fraction) if k else rows
        changed = new_specification(original, said, k, new)
        records = generate(changed)
        save(target, k, "new", changed)
        records.to_csv(target / "new_records" / f"dataset_{k + 1}.csv", index=False)
        parts = [records]
        if k:
            changed = existing_specification(original, said, k, rows - new)
            parts.append(generate(changed))
            save(target, k, "existing", changed)
        with closing(sqlite3.connect(database)) as connection:
            records.to_sql("reference", connection, if_exists="append", index=False)
        whole = shuffle(pd.concat(parts, ignore_index=True), random_state=k)
        whole.to_csv(target / f"dataset_{k + 1}.csv", index=False)


def generate(specification: dict[str, Any]) -> pd.DataFrame:
    """Run stock Exhibit; it changes what it is given."""
    with redirect_stdout(sys.stderr):
        run = Exhibit(command="fromspec", source=deepcopy(specification), output="dataframe")
        made: pd.DataFrame = run.generate()
    return made


def save(target: Path, k: int, part: str, specification: dict[str, Any]) -> None:
    """Save the specification of a part of a period."""
    text = yaml.safe_dump(specification, sort_keys=False)
    (target / f"dataset_{k + 1}.{part}.yml").write_text(text, encoding="utf-8")


def new_specification(
    original: dict[str, Any], said: dict[str, Any], k: int, rows: int
) -> dict[str, Any]:
    """Return the specification of new records: the next seeds, the next dates, fewer rows."""
    changed = deepcopy(original)
    step = relativedelta(**{said["period"]: said["length_of_period"] * k})
    for name in said["date_columns"]:
        for end in ("from", "to"):
            day = date.fromisoformat(changed["columns"][name][end]) + step
            changed["columns"][name][end] = day.isoformat()
    changed["metadata"]["random_seed"] += k
    for column in changed["columns"].values():
        if "uuid_seed" in column:
            column["uuid_seed"] += k
        parameters = column.get("distribution_parameters") or {}
        if "target_sum" in parameters:
            share = Fraction(rows, changed["metadata"]["number_of_rows"])
            parameters["target_sum"] = int(parameters["target_sum"] * share)
    changed["metadata"]["number_of_rows"] = rows
    return changed


def existing_specification(
    original: dict[str, Any], said: dict[str, Any], k: int, rows: int
) -> dict[str, Any]:
    """Return the specification of existing records: identifiers and static columns are drawn.

    Exhibit takes a table as a set of values only where there are more than ``inline_limit``.
    """
    changed = new_specification(original, said, k, rows)
    metadata, constraints = changed["metadata"], changed["constraints"]
    metadata["random_seed"] += 1000
    first, *others = drawn = [*metadata["uuid_columns"], *said["static_columns"]]
    for name in drawn:
        changed["columns"][name] = {
            "type": "categorical",
            "paired_columns": others if name == first else [first],
            "uniques": max(rows, metadata["inline_limit"] + 1),
            "original_values": "random" if name == first else "See paired column",
            "cross_join_all_unique_values": False,
            "miss_probability": 0,
            "anonymising_set": "reference",
        }
    own = [name for name in metadata["categorical_columns"] if name not in drawn]
    metadata["categorical_columns"] = [*drawn, *own]
    metadata["date_columns"] = [name for name in metadata["date_columns"] if name not in drawn]
    metadata["uuid_columns"] = []

    forbidden = {*said["date_columns"], *said["static_columns"]}
    derived = changed["derived_columns"] or {}
    kept = {name: text for name, text in derived.items() if not words(text) & forbidden}
    changed["derived_columns"] = kept
    metadata["numerical_columns"] = [
        name for name in metadata["numerical_columns"] if name in kept or name not in derived
    ]
    constraints["allow_duplicates"] = True
    basic = constraints["basic_constraints"] or []
    constraints["basic_constraints"] = [text for text in basic if not words(text) & forbidden]
    custom = constraints["custom_constraints"] or {}
    constraints["custom_constraints"] = {
        name: constraint
        for name, constraint in custom.items()
        if not words(str(constraint)) & forbidden
    }
    return changed


def words(text: str) -> set[str]:
    """Return the words of an expression."""
    return set(re.findall(r"\w+", text))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
