"""The test files that take long: they start first, and ``pytest -m fast`` leaves them out.

Every other file takes less than three seconds.
"""

from pathlib import Path

_TESTS = Path(__file__).parent

GROUPS = (
    "checker",
    "checks",
    "dagster/assets",
    "dagster/component",
    "end_to_end",
    "faulty_inputs",
    "interference",
)
"""Folders whose tests share fixtures that take time: one process runs all files of such a folder,
except for files that are listed below."""

SECONDS = {
    "end_to_end": 180,
    "test_dbt_example.py": 60,
    "test_production.py": 60,
    "interference": 40,
    "dagster/assets": 38,
    "test_crashes.py": 35,
    "dagster/component": 30,
    "statistical/test_mutations.py": 26,
    "engine/infer/test_odd_tables.py": 25,
    "pipeline/test_truth.py": 25,
    "dagster/test_dg.py": 24,
    "reporting/test_data_comparison.py": 24,
    "dagster/test_asset_checks.py": 22,
    "engine/test_stock_exhibit.py": 21,
    "statistical/test_suite.py": 20,
    "dagster/test_report_asset.py": 20,
    "scaffolding/test_infer_series.py": 20,
    "pipeline/test_tool_tables.py": 20,
    "cli/test_generate.py": 20,
    "faulty_inputs": 17,
    "test_reproducible.py": 16,
    "test_benchmarks.py": 15,
    "test_consumer_view.py": 15,
    "exhibit_features/test_static_columns.py": 15,
    "exhibit_features/test_unmet_constraints.py": 15,
    "exhibit_features/test_names.py": 15,
    "reporting/test_dataset_plots.py": 15,
    "dagster/test_history_assets.py": 15,
    "pipeline/test_verify.py": 15,
    "test_site.py": 15,
    "test_walkthroughs.py": 15,
    "test_pipeline_docs.py": 14,
    "test_shipped_series.py": 14,
    "test_definitions.py": 14,
    "dagster/test_simulated_half_year.py": 14,
    "test_independent_runs.py": 14,
    "pipeline/test_object_storage.py": 12,
    "pipeline/test_dask.py": 12,
    "engine/vectorized/test_generated_series.py": 12,
    "test_failed_periods.py": 12,
    "dagster/test_recording.py": 12,
    "dagster/test_automation_docs.py": 12,
    "test_packaging.py": 12,
    "exhibit_features/test_constraints.py": 11,
    "dagster/test_input_loading.py": 11,
    "storage/test_mutated_files.py": 10,
    "exhibit_features/test_numbers.py": 10,
    "test_settings.py": 10,
    "pipeline/test_verify_causes.py": 9,
    "pipeline/test_truth_of_shards.py": 9,
    "pipeline/test_verify_histories.py": 9,
    "test_any_specification.py": 9,
    "exhibit_features/test_sql_sets.py": 9,
    "test_crashes_of_shards.py": 8,
    "exhibit_features/test_identifiers_over_time.py": 8,
    "test_lazy_imports.py": 8,
    "test_readme.py": 8,
    "dagster/test_table_check.py": 8,
    "contract_rules/test_static_columns.py": 8,
    "contract_rules/test_periods.py": 8,
    "dagster/test_metadata.py": 8,
    "exhibit_features/test_month_ends.py": 8,
    "dagster/test_automation.py": 7,
    "engine/test_any_constraint.py": 7,
    "test_python_docs.py": 7,
    "test_pytest_plugin.py": 7,
    "dagster/test_release.py": 7,
    "dagster/test_host.py": 7,
    "core/plan/test_identifiers.py": 7,
    "pipeline/test_shards.py": 6,
    "pipeline/test_formats.py": 6,
    "dagster/test_sharded_assets.py": 6,
    "dagster/test_partitions.py": 6,
    "pipeline/test_run.py": 6,
    "exhibit_features/test_exhibit_messages.py": 6,
    "test_untrusted_text.py": 6,
    "cli/test_clean.py": 6,
    "cli/test_new.py": 6,
    "contract_rules/test_identifiers.py": 6,
    "contract_rules/test_constraints.py": 6,
    "pipeline/test_manifest.py": 6,
    "checker": 6,
    "dagster/test_remote_assets.py": 5,
    "contract_rules/test_numbers.py": 5,
    "test_contract.py": 5,
    "core/truth/test_fold.py": 5,
    "dagster/test_sensors.py": 5,
    "exhibit_features/test_user_database.py": 4,
    "test_code_injection.py": 4,
    "storage/test_unexpected_errors.py": 4,
    "test_exit_codes.py": 4,
    "test_period_units.py": 4,
    "cli/test_loose_files.py": 4,
    "contract_rules/test_any_series.py": 4,
    "cli/test_verify_command.py": 4,
    "storage/test_sqlite.py": 4,
    "exhibit_features/test_cross_joins.py": 3,
    "exhibit_features/test_dates.py": 3,
    "checks/test_truth_rule.py": 3,
    "cli/test_validate.py": 3,
    "cli/test_all_commands.py": 3,
    "cli/test_list.py": 3,
    "test_package_interface.py": 3,
    "contract_rules/test_exhibit_samples.py": 3,
    "exhibit_features/test_models.py": 3,
    "exhibit_features/test_regex_columns.py": 3,
    "cli/test_truth_command.py": 3,
    "pipeline/test_preview.py": 3,
    "test_layout_of_tests.py": 3,
    "core/test_purity.py": 3,
    "core/test_errors.py": 3,
    "core/spec/test_column_types.py": 3,
    "test_ground_truth_docs.py": 3,
}
"""Files and groups, with about how many seconds they take."""


def place_of(path: Path) -> str:
    """Return the path of a test file below this folder, or its group.

    Tests of one place run in one process.
    """
    try:
        place = path.relative_to(_TESTS)
    except ValueError:  # a file that a test has written
        return path.as_posix()
    if place.as_posix() in SECONDS:
        return place.as_posix()
    folders = (folder.as_posix() for folder in place.parents)
    return next((folder for folder in folders if folder in GROUPS), place.as_posix())
