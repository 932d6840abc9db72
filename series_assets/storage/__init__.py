"""The files of a series, and the database with its reference table."""
