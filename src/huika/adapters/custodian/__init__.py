"""Holders of other people's money."""
