"""Tests of the vectorised parts, against the loops of Exhibit that they replace."""
