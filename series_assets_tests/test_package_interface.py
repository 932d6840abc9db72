"""What ``import series_assets`` offers, and that importing it is cheap."""

import subprocess
import sys

import pytest


def test_importing_the_package_is_cheap() -> None:
    """Dagster and pandas are imported only when an exported name needs them."""
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
    """An unknown name raises Python's usual AttributeError."""
    import series_assets

    with pytest.raises(AttributeError, match="module 'series_assets' has no attribute 'Serie'"):
        _ = series_assets.Serie  # type: ignore[attr-defined]
