"""Hypothesis strategies for the two files of a series: ``files`` combines all of them.

Columns of every type, constraints of every kind, derived columns and user inputs are combined at
random; most results are valid series.
"""

from series_assets_tests.strategies.files import Files, files
from series_assets_tests.strategies.user_inputs import DATABASE

__all__ = ["DATABASE", "Files", "files"]
