"""Tests of planning a series and its periods."""
