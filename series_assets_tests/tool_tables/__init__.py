"""Tables that real tools built from the shipped series, and how they were built."""
