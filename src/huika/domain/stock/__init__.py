"""Where a bought card is.

Promises: each card is in exactly one custody; a bag number is used once. Never: knows prices or sellers.
"""
