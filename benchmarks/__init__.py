"""How fast series are made, and in how much memory: ``python -m benchmarks`` in the checkout.

Measures only; what is right is the business of the tests. Every measured run is a process of its
own. ``inputs`` writes what the runs are made from, ``reference``, ``phases`` and ``single_run`` are
programs that are run, ``children`` runs and times them, ``jobs`` says what is compared, ``report``
shows it.
"""
