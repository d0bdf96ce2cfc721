"""Issuers, card kinds, number formats, lock methods, legal limits and places: data with sources, no rule in code.

Promises that every figure names its source and how far it can be trusted, and that an unknown format is never a reason
to turn a card away. Never prices a card, never sees a PIN, never talks to an issuer.
"""
