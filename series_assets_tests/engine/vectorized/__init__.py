"""Tests of the vectorized replacements, against the loops of Exhibit that they replace."""
