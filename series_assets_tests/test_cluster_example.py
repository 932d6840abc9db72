"""The example of a cluster: its series is valid, and its command compares two ways to generate."""

import subprocess
import sys
from pathlib import Path

import pytest

from series_assets.storage.loading import load_series

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "cluster"


def test_its_series_is_sharded_and_valid() -> None:
    """Workers can share its parts; its page names the command."""
    series = load_series(EXAMPLE / "series" / "accounts")
    assert series.is_sharded
    assert "python examples/cluster/run.py" in (EXAMPLE / "README.md").read_text(encoding="utf-8")


@pytest.mark.thorough
def test_dagster_dask_and_s3_make_what_one_process_makes() -> None:
    """Byte for byte; takes most of a minute."""
    done = subprocess.run(
        [sys.executable, str(EXAMPLE / "run.py")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith(
        "59 objects in the bucket are the files of the local run, byte for byte\n"
    )
