"""Double entry in integer fen: accounts, postings, holds.

Promises: every posting sums to zero, nothing is changed or deleted, a key is posted once, no account goes below its
floor (zero for parties) even while part of it is held. Never: reads a balance and then writes it, knows what a posting
is for, calls anybody.

Signs: a leg's amount is added to its account. Parties' accounts are what is owed to them (floor 0); the accounts of
money outside (at the custodian, in a courier's purse) are its mirror and stand below zero (ceiling 0); all accounts
together always sum to zero.
"""
