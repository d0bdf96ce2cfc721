"""tlog-proof files: they read back, verify offline, and have one form only."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from huika.kit.tlog import merkle
from huika.kit.tlog.merkle import BadProof
from huika.kit.tlog.note import BadNote, Checkpoint, Signer
from huika.kit.tlog.proof import HEADER, Proof

SIGNER = Signer("localhost/huika/log", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
ENTRIES = [f"entry {n}".encode() for n in range(21)]
SUBTREE = merkle.subtrees([merkle.leaf_hash(e) for e in ENTRIES])


def made(index: int = 5, size: int = 21, extra: bytes = b"shown") -> Proof:
    note = SIGNER.sign(Checkpoint(SIGNER.name, size, merkle.root(size, SUBTREE)).text)
    return Proof(extra, index, tuple(merkle.inclusion_proof(index, size, SUBTREE)), note)


def verify(proof: Proof, leaf: bytes) -> Checkpoint:
    return proof.verify(leaf, SIGNER.name, [SIGNER.verifier])


@given(st.integers(1, 21), st.data(), st.binary(max_size=50))
def test_a_proof_reads_back_and_verifies(size: int, data: st.DataObject, extra: bytes) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = made(index, size, extra)
    assert Proof.from_text(proof.text()) == proof
    assert verify(proof, ENTRIES[index]).size == size


def test_the_form_of_the_file() -> None:
    lines = made(0, 2).text().split("\n")
    assert lines[:3] == ["c2sp.org/tlog-proof@v1", "extra c2hvd24=", "index 0"]
    assert len(lines[3]) == 44 and lines[4] == "" and lines[5] == SIGNER.name
    assert "extra" not in made(0, 2, b"").text()


def test_another_leaf_index_log_or_key_is_refused() -> None:
    proof = made()
    with pytest.raises(BadProof):
        verify(proof, ENTRIES[6])
    with pytest.raises(BadProof):
        verify(Proof(proof.extra, 6, proof.hashes, proof.checkpoint), ENTRIES[5])
    with pytest.raises(BadNote):
        proof.verify(ENTRIES[5], "other", [SIGNER.verifier])
    with pytest.raises(BadNote):
        proof.verify(ENTRIES[5], SIGNER.name, [])


TEXT = made().text()


@pytest.mark.parametrize(
    "text",
    [
        "",
        HEADER,
        HEADER + "\n\n",
        TEXT.replace("@v1", "@v2"),
        TEXT.replace("\n", "\r\n"),
        "\n" + TEXT,
        TEXT.replace("extra c2hvd24=\n", "extra \n"),
        TEXT.replace("extra c2hvd24=", "extra c2hvd24"),
        TEXT.replace("extra c2hvd24=", "extra  c2hvd24="),
        TEXT.replace("extra c2hvd24=", "extra c2hvd25="),
        TEXT.replace("extra c2hvd24=\n", "extra c2hvd24=\nextra c2hvd24=\n"),
        TEXT.replace("index 5\n", ""),
        TEXT.replace("index 5", "index 05"),
        TEXT.replace("index 5", "index +5"),
        TEXT.replace("index 5", "index -5"),
        TEXT.replace("index 5", "index 5 "),
        TEXT.replace("index 5", "index ５"),
        TEXT.replace("index 5", "index " + "9" * 5000),
        TEXT.replace("index 5\n", "index 5\nindex 5\n"),
        TEXT.replace("=\n\n", "=\n \n\n", 1),
        TEXT.replace("\n\n", "\n", 1),
    ],
)
def test_any_other_form_is_refused(text: str) -> None:
    assert text != TEXT
    with pytest.raises(BadProof):
        Proof.from_text(text)


@given(st.integers(0, 10**6), st.integers(1, 255))
def test_whatever_byte_is_altered_it_is_another_proof_or_none(at: int, change: int) -> None:
    """The extra data is not authenticated by itself: receipts bind it to the leaf."""
    raw = bytearray(TEXT.encode())
    raw[at % len(raw)] ^= change
    try:
        proof = Proof.from_text(raw.decode())
        verify(proof, ENTRIES[5])
    except (BadProof, BadNote, UnicodeDecodeError):
        return
    assert proof.extra != b"shown"
