"""All that imports exhibit: running it, and what has to differ from it.

Exhibit is imported here, once, without the statistics that hardly a series needs.
"""

from series_assets.engine.libraries import import_exhibit

import_exhibit()
