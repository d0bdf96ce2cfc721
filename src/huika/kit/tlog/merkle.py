"""RFC 6962 / RFC 9162 Merkle trees: hashes, inclusion and consistency. SHA-256, 32-byte hashes. Pure."""

import hashlib
from collections.abc import Callable, Sequence

SIZE = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
Subtree = Callable[[int, int], bytes]
"""`subtree(level, index)`: hash of the full subtree of 2**level leaves that starts at leaf index * 2**level."""


class BadProof(Exception):
    """The proof does not show what it claims; the text says why."""


def leaf_hash(data: bytes) -> bytes:
    """Hash of a leaf's bytes."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def range_root(start: int, end: int, subtree: Subtree) -> bytes:
    """Root over leaves start..end-1; start must be a multiple of the largest power of two below the width."""
    width = end - start
    if width == 1 or width & (width - 1) == 0:
        level = width.bit_length() - 1
        return subtree(level, start >> level)
    split = 1 << ((width - 1).bit_length() - 1)
    return node_hash(range_root(start, start + split, subtree), range_root(start + split, end, subtree))


def root(size: int, subtree: Subtree) -> bytes:
    """Root of the tree of `size` leaves."""
    return EMPTY_ROOT if size == 0 else range_root(0, size, subtree)


def inclusion_proof(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """Sibling hashes from the leaf's up to the root's child (RFC 6962 section 2.1.1)."""
    if not 0 <= index < size:
        raise ValueError("index outside the tree")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        split = start + (1 << ((end - start - 1).bit_length() - 1))
        if index < split:
            path.append(range_root(split, end, subtree))
            end = split
        else:
            path.append(range_root(start, split, subtree))
            start = split
    return path[::-1]


def consistency_proof(old: int, new: int, subtree: Subtree) -> list[bytes]:
    """Hashes that show the tree of `old` leaves to be the beginning of the one of `new` (RFC 6962 section 2.1.2)."""
    if not 0 < old <= new:
        raise ValueError("sizes must be 0 < old <= new")
    path: list[bytes] = []
    start, end, whole = 0, new, True
    while end != old:
        split = start + (1 << ((end - start - 1).bit_length() - 1))
        if old <= split:
            path.append(range_root(split, end, subtree))
            end = split
        else:
            path.append(range_root(start, split, subtree))
            start, whole = split, False
    if not whole:
        path.append(range_root(start, end, subtree))
    return path[::-1]


def subtrees(leaves: Sequence[bytes]) -> Subtree:
    """The full subtrees over these leaf hashes, for trees that are held in memory."""
    levels = [list(leaves)]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([node_hash(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)])
    return lambda level, index: levels[level][index]


def _check_hashes(hashes: Sequence[bytes]) -> None:
    # Without this, bytes may move between neighbours (a longer root, a shorter leaf) and still hash to the same node.
    if any(len(h) != SIZE for h in hashes):
        raise BadProof("a hash is not 32 bytes long")


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], tree_root: bytes) -> None:
    """BadProof unless `leaf` (a leaf hash) is number `index` of the tree with this size and root (RFC 9162 2.1.3.2)."""
    _check_hashes([leaf, tree_root, *proof])
    if not 0 <= index < size:
        raise BadProof("the index is outside the tree")
    fn, sn, r = index, size - 1, leaf
    for p in proof:
        if sn == 0:
            raise BadProof("the proof is too long")
        if fn & 1 or fn == sn:
            r = node_hash(p, r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node_hash(r, p)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0:
        raise BadProof("the proof is too short")
    if r != tree_root:
        raise BadProof("the root does not match")


def verify_consistency(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    """BadProof unless the tree of `new` leaves begins with the one of `old` (RFC 9162 2.1.4.2).

    Nothing is shown by a consistency with the empty tree, so `old` = 0 holds only for two empty trees.
    """
    if not 0 <= old <= new:
        raise BadProof("the sizes are out of order")
    if old == new:
        if proof or old_root != new_root:
            raise BadProof("equal sizes need equal roots and an empty proof")
        if old == 0 and old_root != EMPTY_ROOT:
            raise BadProof("that is not the root of an empty tree")
        return
    _check_hashes([old_root, new_root, *proof])
    if old == 0 or not proof:
        raise BadProof("the proof is empty or starts from an empty tree")
    path = list(proof)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for c in path[1:]:
        if sn == 0:
            raise BadProof("the proof is too long")
        if fn & 1 or fn == sn:
            fr, sr = node_hash(c, fr), node_hash(c, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node_hash(sr, c)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0:
        raise BadProof("the proof is too short")
    if fr != old_root or sr != new_root:
        raise BadProof("a root does not match")
