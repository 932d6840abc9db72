"""Reading the two files: what a specification and a user input may hold, and their faults."""
