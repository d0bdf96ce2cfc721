"""Pictures, and the public log in which every event has its leaf.

Promises: what happened can be proved to a stranger, offline; the log holds salted commitments, never facts. Never:
signs a log that is longer than what the database knows.
"""
