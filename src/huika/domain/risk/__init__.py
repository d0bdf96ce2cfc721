"""Decisions about whether a trade may go on.

Promises: every decision is stored with its reasons and the limits it used. Never: sets a price, knows a name; orders
and sellers are UUIDs here.
"""
