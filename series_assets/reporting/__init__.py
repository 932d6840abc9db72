"""Profiles, plots, figures and the HTML page: what people look at."""
