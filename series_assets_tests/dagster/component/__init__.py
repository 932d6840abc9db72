"""The component ``SeriesComponent`` in projects that have definitions of their own."""
