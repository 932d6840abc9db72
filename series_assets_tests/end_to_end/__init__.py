"""Tests that drive a complete ``dagster dev``, as a user does in a browser."""
