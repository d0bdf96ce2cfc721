"""Price books, comparison, ranking.

Promises: the best net offer that was to be had is shown first; every recycler asked is stored with its book version
and, where its offer is lower or absent, the reason. Never: prices by who the seller is, moves money, books visits.
"""
