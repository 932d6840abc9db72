"""The words with which Exhibit marks, in ``original_values``, where values come from."""

PAIRED = "See paired column"
REGEX = "regex"
MISSING = "Missing data"
