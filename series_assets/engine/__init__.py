"""All that imports exhibit: running it, and what has to differ from it.

Exhibit stays stock and pinned. While a run lasts, stand-ins take the place of some names in its
modules; nothing else of it is changed, and nothing stays changed.
"""
