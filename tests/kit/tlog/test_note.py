"""Signed notes: keys round trip, wrong keys and altered texts are refused, one form only."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from huika.kit.tlog import note
from huika.kit.tlog.note import BadNote, Checkpoint, Signer, Verifier

NAME = "localhost/huika/log"
OURS = Signer(NAME, Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
THEIRS = Signer("example.com/witness", Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))))
IMPOSTOR = Signer(NAME, Ed25519PrivateKey.from_private_bytes(bytes(range(2, 34))))
TEXT = "localhost/huika/log\n5\nTju7H3tHjc/nH7YxYxUZo7yhLJrvyhYSv85ME6hiZNQ=\n"


def test_a_vkey_reads_back() -> None:
    for signer in (OURS, THEIRS):
        assert Verifier.from_vkey(signer.verifier.vkey) == signer.verifier
        assert Verifier.from_vkey(f" {signer.verifier.vkey}\n") == signer.verifier


def test_a_vkey_of_the_go_tools_is_read() -> None:
    """The key of golang.org/x/mod/sumdb/note's documentation."""
    known = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    assert Verifier.from_vkey(known).vkey == known
    signed = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n"
        "\n"
        "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    )
    assert note.open_note(signed, [Verifier.from_vkey(known)]).startswith("If you think")


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "name",
        "name+00000000",
        "name+00000000+AAAA",
        OURS.verifier.vkey.replace("+", "+0", 1),
        OURS.verifier.vkey[:-4],
        OURS.verifier.vkey.replace(NAME, "another"),
        OURS.verifier.vkey.replace(NAME, "a b"),
        OURS.verifier.vkey.replace(NAME, ""),
        OURS.verifier.vkey + "=",
        OURS.verifier.vkey[:-1] + "卡",
        OURS.verifier.vkey.upper(),
    ],
)
def test_a_vkey_whose_parts_do_not_belong_together_is_refused(vkey: str) -> None:
    with pytest.raises(BadNote):
        Verifier.from_vkey(vkey)


def test_a_note_opens_with_its_key_only() -> None:
    signed = OURS.sign(TEXT)
    assert note.open_note(signed, [OURS.verifier]) == TEXT
    assert note.open_note(signed, [THEIRS.verifier, OURS.verifier]) == TEXT
    for wrong in ([], [THEIRS.verifier], [IMPOSTOR.verifier], [Verifier("other", OURS.verifier.public)]):
        with pytest.raises(BadNote, match="no trusted key"):
            note.open_note(signed, wrong)


def test_other_people_s_signatures_are_passed_over_but_a_bad_one_of_a_trusted_key_is_not() -> None:
    both = OURS.sign(TEXT) + THEIRS.sign(TEXT).split("\n\n")[1]
    assert note.open_note(both, [OURS.verifier]) == note.open_note(both, [THEIRS.verifier]) == TEXT
    forged = OURS.sign(TEXT) + THEIRS.sign(TEXT + "more\n").split("\n\n")[1]
    assert note.open_note(forged, [OURS.verifier]) == TEXT
    with pytest.raises(BadNote, match="does not verify"):
        note.open_note(forged, [OURS.verifier, THEIRS.verifier])


@given(st.integers(0, 10**6), st.integers(1, 255))
def test_no_altered_byte_passes(at: int, change: int) -> None:
    signed = bytearray(OURS.sign(TEXT).encode())
    signed[at % len(signed)] ^= change
    with pytest.raises((BadNote, UnicodeDecodeError)):
        note.open_note(signed.decode(), [OURS.verifier])


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "text",
        TEXT,
        TEXT + "\n",
        OURS.sign(TEXT)[:-1],
        OURS.sign(TEXT) + "\n",
        OURS.sign(TEXT).replace("— ", "- "),
        OURS.sign(TEXT).replace("— ", "—  "),
        OURS.sign(TEXT).replace("\n", "\r\n"),
        OURS.sign(TEXT).rstrip("\n") + " \n",
        TEXT + "\n— " + NAME + " AAAA\n",
        TEXT + "\n— " + NAME + " !!\n",
    ],
)
def test_what_is_no_note_is_refused(broken: str) -> None:
    with pytest.raises(BadNote):
        note.open_note(broken, [OURS.verifier])


def test_base64_has_one_form() -> None:
    assert note.unb64(note.b64(b"\x00\xff\xfe")) == b"\x00\xff\xfe"
    for text in ("AA=", "AA", "AB==", "A A=", "AA==\n", "__8=", "卡"):
        with pytest.raises(BadNote):
            note.unb64(text)


@given(st.integers(0, 2**62), st.binary(min_size=32, max_size=32))
def test_a_checkpoint_reads_back(size: int, root: bytes) -> None:
    made = Checkpoint(NAME, size, root)
    assert Checkpoint.from_text(made.text) == made
    assert note.open_checkpoint(OURS.sign(made.text), NAME, [OURS.verifier]) == made


ROOT = base64.b64encode(bytes(32)).decode()


def test_extension_lines_are_allowed() -> None:
    assert Checkpoint.from_text(f"{NAME}\n5\n{ROOT}\nmore\n") == Checkpoint(NAME, 5, bytes(32))


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"{NAME}\n5\n",
        f"{NAME}\n5\n{ROOT}",
        f"\n5\n{ROOT}\n",
        f"{NAME}\n05\n{ROOT}\n",
        f"{NAME}\n-5\n{ROOT}\n",
        f"{NAME}\n+5\n{ROOT}\n",
        f"{NAME}\n ５\n{ROOT}\n",
        f"{NAME}\n{'9' * 5000}\n{ROOT}\n",
        f"{NAME}\n5\n{ROOT[:-4]}\n",
        f"{NAME}\n5\n{ROOT}\n\n",
        f"{NAME}\n5\n{ROOT} \n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(BadNote):
        Checkpoint.from_text(text)


def test_a_checkpoint_of_another_log_is_refused_even_under_a_trusted_key() -> None:
    signed = THEIRS.sign(Checkpoint(NAME, 5, bytes(32)).text)
    with pytest.raises(BadNote, match="no trusted key"):
        note.open_checkpoint(signed, NAME, [THEIRS.verifier, OURS.verifier])
    with pytest.raises(BadNote, match="another log"):
        note.open_checkpoint(signed, THEIRS.name, [THEIRS.verifier])
