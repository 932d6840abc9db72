"""A statistical suite over long series: what was asked for is what many periods show.

``python -m series_assets_tests.statistical`` makes the series and prints the table of statistics.
"""
