"""Counterparties of the platform as processes of their own, for trying out, demonstrations and tests.

A wallet, a custodian, a card issuer and an SMS gateway. Each speaks over HTTP, keeps its own SQLite file, and
misbehaves as one shared faults file says. Nothing of the platform is imported here: only HTTP ties them together.
"""
