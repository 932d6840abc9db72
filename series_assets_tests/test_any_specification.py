"""Any two files result in a series that keeps every rule, or in a message about them."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, event, given, settings

from series_assets.core.errors import InputError
from series_assets.core.plan.series import Series
from series_assets.interface import generate
from series_assets.pipeline.small_run import faults_of_trial
from series_assets.storage.loading import load_series
from series_assets.storage.lookup_tables import missing_lookups
from series_assets.storage.sqlite import installed_database
from series_assets_tests.builders import write_series
from series_assets_tests.checker import Finished, check
from series_assets_tests.hexagon_database import database_with_hexagons
from series_assets_tests.package_checks import failed_findings
from series_assets_tests.strategies import DATABASE, Files, files

_EXAMPLES = 500 if settings.get_current_profile_name() == "long" else 8


def refusals_of_validation(series: Series) -> list[str]:
    """Return the messages of ``series-assets validate`` about readable files."""
    source = series.database or installed_database()
    missing = list(missing_lookups(series.specification, source))
    return [fault.message for fault in missing or faults_of_trial(series, source)]


def refusals(place: Path) -> list[str]:
    """Return the messages about the files in a folder; none if they are valid."""
    try:
        return refusals_of_validation(load_series(place))
    except InputError as error:
        return [fault.message for fault in error.faults]


@settings(
    max_examples=_EXAMPLES,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(drawn=files())
def test_any_specification_makes_a_series_or_is_refused_with_a_message(drawn: Files) -> None:
    """What validation accepts generates, and keeps every promise; the rest is told in words.

    Nor do our own checks find anything wrong with it.
    """
    with TemporaryDirectory() as folder:
        place = write_series(Path(folder) / "series", drawn.specification, drawn.user_input)
        if drawn.user_input.get("exhibit_db_path"):
            (place / DATABASE).write_bytes(database_with_hexagons())
        told = refusals(place)
        event("refused" if told else "made")
        if told:
            assert all(text.strip() and "Traceback" not in text for text in told)
            return
        series, data = load_series(place), Path(folder) / "data"
        generate(series, data)
        check(Finished.of(place, data))
        assert failed_findings(series, data) == []
