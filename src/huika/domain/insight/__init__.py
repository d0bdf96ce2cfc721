"""What was measured here: visits that have ended, by kind of platform, each figure with its interval.

Promises: every figure can be counted again from samples that each name their leaf in the public log; few samples are
said to be few. Never: writes anything, names a party, publishes an amount.
"""
