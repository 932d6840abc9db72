"""Exhibit's features, each in its own series, which is generated and checked, or refused."""
