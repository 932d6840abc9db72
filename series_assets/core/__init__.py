"""The pure part: what a series is, and what each of its periods has to be made from.

Nothing here imports dagster or exhibit, reads a file, a clock or the environment.
"""
