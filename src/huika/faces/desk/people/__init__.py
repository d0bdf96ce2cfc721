"""Couriers, shifts, telephone orders."""
