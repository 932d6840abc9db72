"""The derived columns of a dataset that look at all of its rows, as text (section 4.8)."""

import pandas as pd

from series_assets.core.plan.series import Plan, Series
from series_assets.core.records import as_text, frame_of_columns, typed
from series_assets.engine.derived_columns import over_whole_dataset


def with_columns_over_all_rows(
    series: Series, plan: Plan, texts: pd.DataFrame, *, stock_exhibit: bool = False
) -> pd.DataFrame:
    """Return a dataset, a frame of text, with those columns computed over all of its rows.

    ``stock_exhibit`` runs Exhibit's own loops. Raises GenerationError.
    """
    wanted = series.cross_row_columns
    records = typed(texts, series.kinds)
    computed = over_whole_dataset(
        plan,
        records,
        series.specification,
        wanted,
        series.roles.static,
        stock_exhibit=stock_exhibit,
    )
    columns = {name: texts[name] for name in texts.columns} | dict(as_text(computed).items())
    return frame_of_columns(columns, texts.columns)
