"""Service areas, shifts, routes, visits.

Promises: a window is offered only if some courier's route can still take it, and promised only after the same check
under that courier's lock. Never: knows what is sold or paid; a visit that is not secured sends nobody out.
"""
