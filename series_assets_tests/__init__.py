"""Tests of series_assets; the tree mirrors the package's."""
