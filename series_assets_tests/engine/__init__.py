"""Tests of what imports Exhibit, against Exhibit itself."""
