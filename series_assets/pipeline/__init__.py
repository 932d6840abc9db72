"""One period from its plan to its files, in plain functions. Imports no Dagster.

``new_records``, ``reference`` and ``dataset`` hold the phases of one period, ``run`` goes through
a range of periods, ``executors`` says in which processes.
"""
