"""From a table of real data to what the two files of a series say of its columns."""
