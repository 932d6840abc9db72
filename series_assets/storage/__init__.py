"""What is kept on disk: the files of a series and the database with its reference table."""
