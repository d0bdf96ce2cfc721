"""Recyclers and their price books."""
