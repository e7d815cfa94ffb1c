"""Benchmarks: each module prints a table when run with `python -m`."""
