"""Capabilities, canonical JSON, number form, plaintext, PINs: the rules without I/O."""

import base64
import json
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from huika_vault import core
from huika_vault.problems import Refusal

NOW = 1_800_000_000
KEY = Ed25519PrivateKey.generate()
SIGNERS = {"k1": KEY.public_key()}


def claims(**changes):
    base = {"v": 1, "kid": "k1", "order": str(uuid4()), "card": str(uuid4()), "verb": "seal", "picture": "ab" * 32}
    return base | {"event": 3, "exp": NOW + 60, "jti": str(uuid4()), "args": {}} | changes


def header(payload, key=KEY):
    payload = payload if isinstance(payload, bytes) else core.canonical(payload)
    return "Capability " + ".".join(base64.urlsafe_b64encode(p).decode() for p in (payload, key.sign(payload)))


def refused(value, verbs=("seal",), signers=SIGNERS):
    with pytest.raises(Refusal) as caught:
        core.verify(value, signers, verbs, NOW)
    return caught.value.code


def test_a_good_capability_is_read():
    given_claims = claims(args={"recipient": "甲公司"})
    read = core.verify(header(given_claims), SIGNERS, {"seal"}, NOW)
    assert (str(read.order), str(read.card), read.event) == (given_claims["order"], given_claims["card"], 3)
    assert read.args == {"recipient": "甲公司"}


def test_padding_of_base64url_does_not_matter():
    value = header(claims())
    parts = value.removeprefix("Capability ").split(".")
    bare = "Capability " + ".".join(part.rstrip("=") for part in parts)
    assert core.verify(bare, SIGNERS, {"seal"}, NOW) == core.verify(value, SIGNERS, {"seal"}, NOW)


def test_each_flaw_has_its_code():
    good = header(claims())
    assert refused("") == "capability.missing"
    assert refused("Bearer abc") == "capability.malformed"
    assert refused(good.replace("Capability ", "capability ")) == "capability.malformed"
    assert refused(good.split(".")[0]) == "capability.malformed"
    assert refused(good + "!") == "capability.malformed"
    assert refused("Capability " + "A" * 5000 + ".AAAA") == "capability.malformed"
    assert refused(header(claims(kid="k2"))) == "capability.unknown_key"
    assert refused(header(claims(), Ed25519PrivateKey.generate())) == "capability.bad_signature"
    assert refused(header(claims(exp=NOW))) == "capability.expired"
    assert refused(header(claims(exp=NOW + 301))) == "capability.too_long"
    assert core.verify(header(claims(exp=NOW + 300)), SIGNERS, {"seal"}, NOW).exp == NOW + 300
    assert refused(good, verbs=("release",)) == "capability.wrong_verb"


def test_a_flipped_bit_anywhere_is_refused():
    value = header(claims())
    for place in range(len("Capability "), len(value), 7):
        flipped = value[:place] + ("A" if value[place] != "A" else "B") + value[place + 1 :]
        assert refused(flipped) in {"capability.malformed", "capability.bad_signature", "capability.unknown_key"}


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"v": True},
        {"event": -1},
        {"event": True},
        {"event": 2**63},
        {"event": "3"},
        {"exp": float(NOW + 10)},
        {"order": "not-a-uuid"},
        {"card": str(uuid4()).upper()},
        {"jti": uuid4().hex},
        {"jti": 5},
        {"picture": "AB" * 32},
        {"picture": "ab"},
        {"picture": "ab" * 32 + "\n"},
        {"args": []},
        {"verb": None},
        {"kid": 1},
        {"extra": 1},
    ],
)
def test_a_signed_payload_of_another_shape_is_refused(change):
    assert refused(header(claims(**change))) == "capability.malformed"


def test_only_canonical_json_is_taken():
    content = claims()
    assert refused(header(json.dumps(content).encode())) == "capability.malformed"
    doubled = core.canonical(content)[:-1] + b',"verb":"seal"}'
    assert refused(header(doubled)) == "capability.malformed"
    assert refused(header(b"[" * 2500)) == "capability.malformed"
    assert refused(header(b"\xff")) == "capability.malformed"
    assert refused(header(b'{"kid":"\\ud800"}')) == "capability.malformed"


def test_arguments_are_exactly_those_of_the_verb():
    def read(args):
        return core.verify(header(claims(args=args)), SIGNERS, {"seal"}, NOW)

    assert read({"kind": "w"}).arguments(("kind",), ("account",)) == {"kind": "w", "account": ""}
    for args in ({}, {"kind": ""}, {"kind": 1}, {"kind": "w", "x": "y"}, {"kind": "w" * 129}, {"kind": "a\u0000"}):
        with pytest.raises(Refusal, match=r"capability\.wrong_args"):
            read(args).arguments(("kind",))


def test_the_digest_knows_everything_but_expiry_and_key():
    base = claims()

    def digest(change, body=None):
        capability = core.verify(header(base | change), {"k1": KEY.public_key(), "k2": KEY.public_key()}, {"seal"}, NOW)
        return core.request_digest(capability, body or {})

    assert digest({}) == digest({"exp": NOW + 200, "kid": "k2"})
    for change in (
        {"event": 4},
        {"picture": ""},
        {"args": {"a": "b"}},
        {"order": str(uuid4())},
        {"card": str(uuid4())},
    ):
        assert digest(change) != digest({})
    assert digest({}, {"sealed": "x"}) != digest({})


def test_info_and_aad_are_the_agreed_bytes():
    order, card = UUID(int=1), UUID(int=2)
    text = f"{order}|{card}".encode()
    assert core.seal_info(order, card, "ab") == b"huika-pin/1|" + text + b"|ab"
    assert core.release_info(order, card) == b"huika-release/1|" + text
    assert core.wrap_aad(order, card, "pin") == b"huika-wrap/1|" + text + b"|pin"


@pytest.mark.parametrize(
    "spelling",
    ["2326-1234 abCD", "２３２６１２３４ＡＢＣＤ", "2326\u20131234\u200b\u3000abcd", "2326\u22121234\u00adABCD"],
)
def test_spellings_of_one_number_are_one(spelling):
    assert core.normalise(spelling) == "23261234ABCD"


@given(st.text())
def test_normalising_twice_changes_nothing_for_ascii_results(text):
    once = core.normalise(text)
    if once.isascii():
        assert core.normalise(once) == once
    assert " " not in once and "-" not in once


def test_plaintext_is_a_number_and_a_pin():
    plain = core.parse_plaintext(b'{"number":"2326 1","pin":"493817"}')
    assert (plain.number, plain.pin) == ("2326 1", "493817")
    assert "493817" not in repr(plain) and "2326" not in repr(plain)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"\xff\xfe",
        b'{"number":"1"}',
        b'{"number":"1","pin":"2","more":"3"}',
        b'{"number":1,"pin":"2"}',
        b'{"number":"1","pin":null}',
        b'{"number":" - ","pin":"2"}',
        b'{"number":"1\\u0000","pin":"2"}',
        b'{"number":"1","pin":"\\ud800"}',
        b'{"number":"' + b"1" * 129 + b'","pin":"2"}',
        b'{"number":"1","pin":"' + b"2" * 65 + b'"}',
        b'{"number":"1","pin":"2"}' + b" " * 500,
        b"[" * 512,
    ],
)
def test_any_other_plaintext_is_refused_without_quoting_it(raw):
    with pytest.raises(Refusal) as caught:
        core.parse_plaintext(raw)
    assert caught.value.code == "seal.bad_plaintext"
    assert caught.value.detail == caught.value.title


def test_a_new_pin_keeps_shape_and_differs():
    for old in ("000000", "7", "A1b2C3", "密码12"):
        made = core.new_pin(old)
        assert made != old and len(made) == len(old)
    assert core.new_pin("123456").isdigit()
    assert len({core.new_pin("123456") for _ in range(50)}) > 40
    with pytest.raises(ValueError, match="no PIN"):
        core.new_pin("")
