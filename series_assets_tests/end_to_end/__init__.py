"""Tests that drive a whole ``dagster dev``, as somebody does in a browser."""
