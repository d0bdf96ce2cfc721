"""Merkle trees against RFC 6962 written out naively: what is made verifies, what is altered does not."""

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from tests.kit.tlog.naive import Tree

from huika.kit.tlog import merkle
from huika.kit.tlog.merkle import BadProof

LARGEST = 600
ENTRIES = [f"entry {n}".encode() for n in range(LARGEST)]
LEAVES = [merkle.leaf_hash(e) for e in ENTRIES]
NAIVE = Tree(ENTRIES)
SUBTREE = merkle.subtrees(LEAVES)
ROOTS = [merkle.root(size, SUBTREE) for size in range(LARGEST + 1)]

sizes = st.integers(1, LARGEST)


@st.composite
def index_and_size(draw: st.DrawFn) -> tuple[int, int]:
    size = draw(sizes)
    return draw(st.integers(0, size - 1)), size


@st.composite
def two_sizes(draw: st.DrawFn) -> tuple[int, int]:
    new = draw(sizes)
    return draw(st.integers(1, new)), new


def test_known_roots() -> None:
    assert merkle.EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert merkle.leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    # RFC 6962's reference tree of eight leaves, as certificate-transparency implementations test it.
    inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    leaves = [merkle.leaf_hash(bytes.fromhex(i)) for i in inputs]
    assert (
        merkle.root(8, merkle.subtrees(leaves)).hex()
        == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
    )


def test_every_root_is_the_naive_one() -> None:
    assert [NAIVE.root(size) for size in range(LARGEST + 1)] == ROOTS


@given(index_and_size())
@example((0, 1))
@example((255, 256))
@example((256, 257))
@example((599, 600))
def test_an_inclusion_proof_is_the_naive_one_and_verifies(at: tuple[int, int]) -> None:
    index, size = at
    proof = merkle.inclusion_proof(index, size, SUBTREE)
    assert proof == NAIVE.path(index, 0, size)
    merkle.verify_inclusion(index, size, LEAVES[index], proof, ROOTS[size])


@given(two_sizes())
@example((1, 1))
@example((256, 600))
@example((6, 7))
def test_a_consistency_proof_is_the_naive_one_and_verifies(at: tuple[int, int]) -> None:
    old, new = at
    proof = merkle.consistency_proof(old, new, SUBTREE)
    assert proof == NAIVE.proof(old, new)
    merkle.verify_consistency(old, new, proof, ROOTS[old], ROOTS[new])


def test_small_trees_completely() -> None:
    for size in range(1, 34):
        for index in range(size):
            proof = merkle.inclusion_proof(index, size, SUBTREE)
            for claimed in range(size):
                right = claimed == index
                try:
                    merkle.verify_inclusion(claimed, size, LEAVES[index], proof, ROOTS[size])
                    assert right
                except BadProof:
                    assert not right
        for old in range(1, size + 1):
            proof = merkle.consistency_proof(old, size, SUBTREE)
            for claimed in range(1, size + 1):
                try:
                    merkle.verify_consistency(claimed, size, proof, ROOTS[old], ROOTS[size])
                    assert claimed == old
                except BadProof:
                    assert claimed != old


def flipped(data: bytes, bit: int) -> bytes:
    at, n = divmod(bit % (len(data) * 8), 8)
    return data[:at] + bytes([data[at] ^ 1 << n]) + data[at + 1 :]


@given(index_and_size(), st.data())
def test_no_altered_inclusion_verifies(at: tuple[int, int], data: st.DataObject) -> None:
    index, size = at
    proof = merkle.inclusion_proof(index, size, SUBTREE)
    parts = [LEAVES[index], ROOTS[size], *proof]
    n, bit = data.draw(st.integers(0, len(parts) - 1)), data.draw(st.integers(0, 255))
    parts[n] = flipped(parts[n], bit)
    with pytest.raises(BadProof):
        merkle.verify_inclusion(index, size, parts[0], parts[2:], parts[1])


@given(two_sizes(), st.data())
def test_no_altered_consistency_verifies(at: tuple[int, int], data: st.DataObject) -> None:
    old, new = at
    proof = merkle.consistency_proof(old, new, SUBTREE)
    parts = [ROOTS[old], ROOTS[new], *proof]
    n, bit = data.draw(st.integers(0, len(parts) - 1)), data.draw(st.integers(0, 255))
    parts[n] = flipped(parts[n], bit)
    with pytest.raises(BadProof):
        merkle.verify_consistency(old, new, parts[2:], parts[0], parts[1])


@given(index_and_size(), st.data())
def test_a_proof_too_long_too_short_or_out_of_order_is_refused(at: tuple[int, int], data: st.DataObject) -> None:
    index, size = at
    proof = merkle.inclusion_proof(index, size, SUBTREE)
    other = data.draw(
        st.sampled_from([[*proof, LEAVES[0]], [LEAVES[0], *proof], [*proof, b""]])
        | (st.sampled_from([proof[1:], proof[:-1]]) if proof else st.nothing())
        | st.permutations(proof)
    )
    assume(other != proof)
    with pytest.raises(BadProof):
        merkle.verify_inclusion(index, size, LEAVES[index], other, ROOTS[size])


@pytest.mark.parametrize("cut", [31, 33, 0])
def test_hashes_of_another_length_are_refused(cut: int) -> None:
    """Bytes moved between neighbours would hash to the same node: the textbook verifier's hole."""
    proof = merkle.inclusion_proof(2, 5, SUBTREE)
    joined = LEAVES[2] + proof[0]
    with pytest.raises(BadProof, match="32 bytes"):
        merkle.verify_inclusion(2, 5, joined[:cut], [joined[cut:], *proof[1:]], ROOTS[5])
    with pytest.raises(BadProof, match="32 bytes"):
        merkle.verify_consistency(2, 5, merkle.consistency_proof(2, 5, SUBTREE), ROOTS[2][:cut] + b"", ROOTS[5] + b"x")


@pytest.mark.parametrize(("index", "size"), [(-1, 5), (5, 5), (6, 5), (0, 0), (0, -1)])
def test_an_index_outside_the_tree_is_refused(index: int, size: int) -> None:
    with pytest.raises(BadProof, match="outside"):
        merkle.verify_inclusion(index, size, LEAVES[0], [], ROOTS[1])
    with pytest.raises(ValueError, match="outside"):
        merkle.inclusion_proof(index, size, SUBTREE)


@pytest.mark.parametrize(("old", "new"), [(0, 5), (6, 5), (-1, 5)])
def test_sizes_out_of_order_are_refused(old: int, new: int) -> None:
    with pytest.raises(BadProof):
        merkle.verify_consistency(old, new, [], ROOTS[max(old, 0)], ROOTS[new])
    with pytest.raises(ValueError, match="sizes"):
        merkle.consistency_proof(old, new, SUBTREE)


def test_two_empty_trees_are_consistent_and_nothing_else_of_size_zero() -> None:
    merkle.verify_consistency(0, 0, [], merkle.EMPTY_ROOT, merkle.EMPTY_ROOT)
    for wrong in (([], ROOTS[1], ROOTS[1]), ([ROOTS[1]], merkle.EMPTY_ROOT, merkle.EMPTY_ROOT)):
        with pytest.raises(BadProof):
            merkle.verify_consistency(0, 0, *wrong)


def test_a_leaf_is_never_a_node() -> None:
    assert merkle.leaf_hash(LEAVES[0] + LEAVES[1]) != merkle.node_hash(LEAVES[0], LEAVES[1])
    with pytest.raises(BadProof):
        merkle.verify_inclusion(0, 1, LEAVES[0], [], merkle.node_hash(LEAVES[0], LEAVES[1]))
