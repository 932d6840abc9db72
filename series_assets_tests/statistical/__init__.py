"""A statistical suite: over many periods, series have the distributions that they specify.

``python -m series_assets_tests.statistical`` generates the series and prints the statistics.
"""
