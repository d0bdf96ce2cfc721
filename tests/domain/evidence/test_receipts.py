"""Leaves and receipts: what is hidden stays hidden, and every byte of a receipt counts."""

import base64
import dataclasses
import hashlib
import itertools
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from huika.domain.evidence import receipts
from huika.domain.evidence.errors import ReceiptNotVerified
from huika.kit import canonical
from huika.kit.events import Placed
from huika.kit.tlog import merkle
from huika.kit.tlog.note import Checkpoint, Signer, Verifier
from huika.kit.tlog.proof import Proof

SIGNER = Signer("localhost/huika/log", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
SALT = bytes(range(100, 132))
PARTS = {"money": {"paid_fen": 93_600, "rail": "wallet"}, "cards": [{"kind": "重百", "net_fen": 93_600}]}


def event(place: int = 3, **changes: Any) -> Placed:
    at = datetime(2026, 5, 20, 6, 30, tzinfo=UTC)
    made = Placed(place, 9, at, "trade.order.settled", UUID(int=7), {"paid_fen": 93_600}, PARTS, SALT)
    return dataclasses.replace(made, **changes)


EVENT = event()
LEAVES = [receipts.leaf(event(n)) for n in range(11)]
SUBTREE = merkle.subtrees([merkle.leaf_hash(leaf) for leaf in LEAVES])
NOTE = SIGNER.sign(Checkpoint(SIGNER.name, 11, merkle.root(11, SUBTREE)).text)
HASHES = tuple(merkle.inclusion_proof(3, 11, SUBTREE))


def receipt(extra: bytes | None = None, names: Sequence[str] = ("money", "cards"), note: str = NOTE) -> str:
    return Proof(receipts.disclose(EVENT, names) if extra is None else extra, 3, HASHES, note).text()


def refused(text: str, trusted: Sequence[Verifier] = (SIGNER.verifier,)) -> str:
    """Why a receipt is refused; fails when it is not."""
    with pytest.raises(ReceiptNotVerified) as caught:
        receipts.verify(text, trusted)
    assert caught.value.status == 422
    return str(caught.value.data["why"])


def extra_of(text: str) -> dict[str, Any]:
    return json.loads(Proof.from_text(text).extra)


# Leaves.


def test_a_leaf_names_verb_time_and_place_and_nothing_else_in_clear() -> None:
    leaf = json.loads(receipts.leaf(EVENT))
    assert {k: v for k, v in leaf.items() if k != "parts"} == {
        "v": 1,
        "place": 3,
        "verb": "trade.order.settled",
        "at": "2026-05-20T06:30:00+00:00",
    }
    assert set(leaf["parts"]) == {"event", "money", "cards"}
    assert all(len(bytes.fromhex(c)) == 32 for c in leaf["parts"].values())
    text = receipts.leaf(EVENT).decode()
    for secret in ("93600", "wallet", "重百", str(UUID(int=7)), SALT.hex()):
        assert secret not in text


def test_a_commitment_is_what_the_format_says() -> None:
    """Written out once more here, so that a stranger's verifier can be written from it."""
    import hmac

    salt = hmac.digest(SALT, b"money", "sha256")
    raw = b'{"paid_fen":93600,"rail":"wallet"}'
    assert json.loads(receipts.leaf(EVENT))["parts"]["money"] == hashlib.sha256(salt + raw).hexdigest()


def test_a_part_cannot_be_guessed_without_its_salt() -> None:
    """The amounts are few: without the salt, or with another part's, trying them all finds nothing."""
    held = json.loads(receipts.leaf(EVENT))["parts"]["money"]
    guesses = [{"paid_fen": fen, "rail": rail} for fen in range(93_500, 93_700) for rail in ("wallet", "cash")]
    salts = [b"", bytes(32), SALT, *(receipts.part_salt(SALT, name) for name in ("event", "cards", "Money"))]
    assert PARTS["money"] in guesses
    assert not [1 for salt, g in itertools.product(salts, guesses) if receipts.commitment(salt, g) == held]
    assert receipts.commitment(receipts.part_salt(SALT, "money"), PARTS["money"]) == held


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_equal_facts_of_two_events_do_not_look_equal(one: bytes, other: bytes) -> None:
    first, second = (json.loads(receipts.leaf(event(salt=salt)))["parts"] for salt in (one, other))
    assert (first == second) == (one == other)
    assert len(set(first.values())) == len(first)


@pytest.mark.parametrize(
    "change",
    [
        {"place": 4},
        {"verb": "trade.order.closed"},
        {"at": datetime(2026, 5, 20, 6, 30, 1, tzinfo=UTC)},
        {"subject": UUID(int=8)},
        {"facts": {"paid_fen": 93_601}},
        {"parts": {**PARTS, "money": {"paid_fen": 93_601, "rail": "wallet"}}},
        {"parts": {"money": PARTS["money"]}},
        {"salt": bytes(32)},
    ],
)
def test_whatever_differs_in_an_event_makes_another_leaf(change: dict[str, Any]) -> None:
    assert receipts.leaf(event(**change)) != receipts.leaf(EVENT)


# Receipts.


def test_what_is_disclosed_verifies_and_is_shown() -> None:
    found = receipts.verify(receipt(), [SIGNER.verifier])
    assert found.parts == PARTS
    assert (found.origin, found.index, found.log_size, found.verb, found.at) == (
        SIGNER.name,
        3,
        11,
        "trade.order.settled",
        "2026-05-20T06:30:00+00:00",
    )


@pytest.mark.parametrize("names", [(), ("money",), ("cards",), ("event",), ("event", "money", "cards")])
def test_only_what_is_disclosed_is_shown_and_the_rest_stays_hidden(names: tuple[str, ...]) -> None:
    text = receipt(names=names)
    found = receipts.verify(text, [SIGNER.verifier])
    assert set(found.parts) == set(names)
    shown = Proof.from_text(text).extra.decode()
    assert SALT.hex() not in shown
    for name, secret in (("cards", "重百"), ("money", "wallet"), ("event", str(UUID(int=7)))):
        assert (secret in shown) == (name in names)
        assert (receipts.part_salt(SALT, name).hex() in shown) == (name in names)


def test_no_altered_byte_verifies() -> None:
    """Every position of the file, several values each."""
    raw = receipt().encode()
    for at, change in itertools.product(range(len(raw)), (0x01, 0x04, 0x20, 0x07, 0x80, 0xFF)):
        altered = raw[:at] + bytes([raw[at] ^ change]) + raw[at + 1 :]
        try:
            text = altered.decode()
        except UnicodeDecodeError:
            continue
        refused(text)


def test_no_byte_may_be_left_out_or_added() -> None:
    raw = receipt()
    for at in range(len(raw)):
        refused(raw[:at] + raw[at + 1 :])
        refused(raw[:at] + raw[at] + raw[at:])
    for at in (0, len(raw) // 2, len(raw)):
        for more in ("\n", " ", "\r", "\ufeff", "\x00"):
            refused(raw[:at] + more + raw[at:])
    refused(raw.replace("\n", "\r\n"))
    refused(raw[: len(raw) // 2])
    refused(raw + raw)


@given(st.binary(max_size=200))
def test_rubbish_is_refused(rubbish: bytes) -> None:
    refused(rubbish.decode("latin-1"))


def test_only_a_key_from_outside_counts() -> None:
    impostor = Signer(SIGNER.name, Ed25519PrivateKey.generate())
    elsewhere = Signer("localhost/huika/other", SIGNER.private)
    forged = receipt(note=impostor.sign(Checkpoint(SIGNER.name, 11, merkle.root(11, SUBTREE)).text))
    assert refused(forged) == "no trusted key signed this note"
    assert refused(receipt(), [impostor.verifier]) == "no trusted key signed this note"
    assert refused(receipt(), [elsewhere.verifier]).startswith("no trusted key for the log")
    assert refused(receipt(), []).startswith("no trusted key for the log")
    assert receipts.verify(receipt(), [elsewhere.verifier, impostor.verifier, SIGNER.verifier]).index == 3


def test_a_signature_of_an_unknown_key_is_not_carried_along() -> None:
    witness = Signer("example.com/witness", Ed25519PrivateKey.generate())
    text = Checkpoint(SIGNER.name, 11, merkle.root(11, SUBTREE)).text
    both = SIGNER.sign(text) + witness.sign(text).split("\n\n")[1]
    assert refused(receipt(note=both)) == "a signature of an unknown key"


def extra_with(**changes: Any) -> bytes:
    """The extra data with some of it replaced, in canonical form again."""
    return canonical.dumps({**extra_of(receipt()), **changes})


def test_an_unknown_part_is_refused() -> None:
    parts = extra_of(receipt())["parts"]
    for name, part in (
        ("bonus", {"salt": "00" * 32, "value": {"paid_fen": 1}}),
        ("bonus", parts["money"]),
        ("event", parts["money"]),
        ("", {"salt": "", "value": None}),
    ):
        assert "is not what the log holds" in refused(receipt(extra_with(parts={**parts, name: part})))


@pytest.mark.parametrize(
    "part",
    [
        {"value": {"paid_fen": 93_601, "rail": "wallet"}},
        {"salt": "00" * 32},
        {"salt": receipts.part_salt(SALT, "money").hex().upper()},
        {"salt": " " + receipts.part_salt(SALT, "money").hex()},
        {"salt": None},
        {"salt": 5},
        {"more": 1},
    ],
)
def test_a_part_that_differs_from_what_the_log_holds_is_refused(part: dict[str, Any]) -> None:
    parts = extra_of(receipt())["parts"]
    assert refused(receipt(extra_with(parts={**parts, "money": {**parts["money"], **part}})))


@pytest.mark.parametrize("key", ["v", "place", "verb", "at", "parts"])
def test_the_leaf_in_the_receipt_is_the_one_in_the_log(key: str) -> None:
    leaf = extra_of(receipt())["leaf"]
    assert refused(receipt(extra_with(leaf={**leaf, key: {} if key == "parts" else "x"}))) == "the root does not match"
    assert refused(receipt(extra_with(leaf={k: v for k, v in leaf.items() if k != key})))


@pytest.mark.parametrize(
    "extra",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"leaf":{},"parts":{}}',
        b'{"leaf":{},"parts":[]}',
        b'{"leaf":[],"parts":{}}',
        extra_with(more=1),
        extra_with(parts=[]),
        extra_with(parts={"money": 5}),
        extra_with(parts={"money": []}),
        extra_with().replace(b":", b": ", 1),
        extra_with() + b"\n",
        extra_with().replace(b'"v":1', b'"v":1,"v":1'),
        extra_with().replace(b'"v":1', b'"v":1.0'),
        extra_with().replace(b'"v":1', b'"v":NaN'),
        extra_with().replace(b'"v":1', b'"v":' + b"9" * 5000),
        extra_with().replace(b'"place":3', b'"place":"3"'),
        extra_with().replace(b"trade", b"\\ud800"),
        extra_with().replace(b"trade", b"\xff"),
        b"[" * 100_000,
        b'{"leaf":' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b',"parts":{}}',
    ],
)
def test_extra_data_of_any_other_form_is_refused(extra: bytes) -> None:
    assert extra != extra_with()
    assert refused(receipt(extra))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"v": 2}, "another place or version"),
        ({"place": 4}, "another place or version"),
        ({"verb": None}, ""),
        ({"at": None}, ""),
        ({"parts": None}, ""),
    ],
)
def test_even_a_log_that_signs_odd_leaves_gets_no_odd_answer(changes: dict[str, Any], why: str) -> None:
    """None takes the key away: a leaf of one entry, signed by the right key."""
    leaf = {k: v for k, v in {**json.loads(receipts.leaf(EVENT)), **changes}.items() if v is not None}
    extra = canonical.dumps({"leaf": leaf, "parts": {"money": extra_of(receipt())["parts"]["money"]}})
    root = merkle.leaf_hash(canonical.dumps(leaf))
    note = SIGNER.sign(Checkpoint(SIGNER.name, 1, root).text)
    assert why in refused(Proof(extra, 0, (), note).text())


def test_a_receipt_of_another_place_of_the_same_event_is_refused() -> None:
    """The extra data of place 3 with a valid proof of place 4."""
    other = Proof(receipts.disclose(EVENT, ["money"]), 4, tuple(merkle.inclusion_proof(4, 11, SUBTREE)), NOTE)
    assert refused(other.text()) == "the root does not match"


def test_the_file_is_plain_text_of_the_public_format() -> None:
    lines = receipt().split("\n")
    assert lines[0] == "c2sp.org/tlog-proof@v1" and lines[1].startswith("extra ") and lines[2] == "index 3"
    assert all(len(base64.b64decode(line)) == 32 for line in lines[3 : lines.index("")])
