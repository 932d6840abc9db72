"""Tests of making periods in plain functions, with real Exhibit, files and SQLite."""
