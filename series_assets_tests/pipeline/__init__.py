"""Tests of generating periods in plain functions, with real Exhibit, files and SQLite."""
