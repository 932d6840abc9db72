"""Everything that imports Exhibit: running it, and what has to differ from it.

Exhibit is imported here once, without libraries that few series need.
"""

from series_assets.engine.libraries import import_exhibit

import_exhibit()
