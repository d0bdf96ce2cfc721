"""Transparency logs after the C2SP specifications: Merkle trees (RFC 6962), signed notes, tiles, proofs."""
