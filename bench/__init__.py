"""Measurements. `make bench NAME=trade` prints a table, then one JSON line."""
