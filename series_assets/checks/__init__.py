"""The rules that a consumer of a dataset relies on, and evaluating them on delivered files."""
