"""Generates a period, from its plan to its files, in plain functions. Imports no Dagster.

``new_records``, ``reference`` and ``dataset`` are the phases of one period, ``run`` processes a
range of periods, ``executors`` provides the processes.
"""
