"""Tables that real tools built from the series that ship, and how they were built."""
