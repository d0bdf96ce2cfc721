"""The key file, what it encrypts, and HPKE against a sender written from RFC 9180 alone."""

import asyncio
import hashlib
import hmac
import json
import stat

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from huika_vault.keys import SUITE, FileKeys, KeyProblem, Unopened, key_id_of, key_store, seal_to


@pytest.fixture
def path(tmp_path):
    FileKeys.create(tmp_path / "keys.json")
    return tmp_path / "keys.json"


def run(awaitable):
    return asyncio.run(awaitable)


def test_a_key_file_is_private_and_made_once(path):
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    assert FileKeys.create(path) is False
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["keys.json"]


def test_key_id_names_the_public_key(path):
    keys = FileKeys.load(path)
    assert keys.key_id == hashlib.sha256(keys.public_key).hexdigest()[:8] == key_id_of(keys.public_key)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"seal":"AA==","wrap":"AA==","index":"AA=="}', "\x00"])
def test_what_is_no_key_set_is_refused(path, content):
    path.write_text(content)
    with pytest.raises(KeyProblem):
        FileKeys.load(path)


def test_one_key_for_two_uses_is_refused(path):
    data = json.loads(path.read_text())
    path.write_text(json.dumps(data | {"wrap": data["index"]}))
    with pytest.raises(KeyProblem, match="different"):
        FileKeys.load(path)


def test_a_key_file_that_others_may_read_is_refused(path):
    path.chmod(0o640)
    with pytest.raises(KeyProblem, match="others"):
        FileKeys.load(path)


def test_a_missing_file_or_folder_is_refused(tmp_path):
    with pytest.raises(KeyProblem):
        FileKeys.load(tmp_path / "none.json")
    with pytest.raises(KeyProblem):
        FileKeys.create(tmp_path / "no" / "keys.json")


def test_file_keys_are_for_a_demo_and_providers_must_exist(path):
    assert key_store(str(path), demo=True).key_id == FileKeys.load(path).key_id
    with pytest.raises(KeyProblem, match="demo"):
        key_store(str(path), demo=False)
    for demo in (True, False):
        with pytest.raises(KeyProblem, match="no such key provider: kms"):
            key_store("kms:projects/1/keys/2", demo=demo)


def test_wrapping_is_fresh_bound_and_authentic(path):
    keys = FileKeys.load(path)
    one, two = run(keys.wrap(b"493817", b"aad")), run(keys.wrap(b"493817", b"aad"))
    assert one != two and b"493817" not in one
    assert run(keys.unwrap(one, b"aad")) == b"493817"
    for bad, aad in (
        (one, b"other"),
        (one[:-1], b"aad"),
        (b"\x02" + one[1:], b"aad"),
        (b"", b"aad"),
        (one[:5], b"aad"),
    ):
        with pytest.raises(Unopened):
            run(keys.unwrap(bad, aad))


def test_blind_index_is_keyed(path, tmp_path):
    FileKeys.create(tmp_path / "other.json")
    keys, other = FileKeys.load(path), FileKeys.load(tmp_path / "other.json")
    assert run(keys.blind("2326")) == run(keys.blind("2326")) != run(other.blind("2326"))
    assert len(run(keys.blind("2326"))) == 32


def test_opening_refuses_another_info_key_or_byte(path, tmp_path):
    FileKeys.create(tmp_path / "other.json")
    keys, other = FileKeys.load(path), FileKeys.load(tmp_path / "other.json")
    sealed = seal_to(keys.public_key, b"secret", b"info")
    assert run(keys.open(sealed, b"info")) == b"secret"
    broken = bytes([sealed[0] ^ 1]) + sealed[1:]
    for store, blob, info in (
        (keys, sealed, b"other"),
        (other, sealed, b"info"),
        (keys, broken, b"info"),
        (keys, sealed[:40], b"info"),
        (keys, b"", b"info"),
        (keys, bytes(32) + sealed[32:], b"info"),
    ):
        with pytest.raises(Unopened):
            run(store.open(blob, info))


@pytest.mark.parametrize("public", [b"", bytes(31), bytes(32), b"\x01" + bytes(31)])
def test_a_recipient_key_that_is_none_is_refused(public):
    with pytest.raises(ValueError):
        seal_to(public, b"x", b"y")


# A second implementation of RFC 9180 base mode for this suite, from the RFC's text.
_SUITE_ID = b"HPKE" + (0x0020).to_bytes(2, "big") + (0x0001).to_bytes(2, "big") + (0x0001).to_bytes(2, "big")
_KEM_ID = b"KEM" + (0x0020).to_bytes(2, "big")


def _extract(suite, salt, label, ikm):
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + ikm, "sha256")


def _expand(suite, prk, label, info, length):
    labelled = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    return hmac.digest(prk, labelled + b"\x01", "sha256")[:length]


def _sender(ephemeral, recipient, info):
    enc = ephemeral.public_key().public_bytes_raw()
    shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(recipient))
    prk = _extract(_KEM_ID, b"", b"eae_prk", shared)
    secret = _expand(_KEM_ID, prk, b"shared_secret", enc + recipient, 32)
    hashes = (_extract(_SUITE_ID, b"", b"psk_id_hash", b""), _extract(_SUITE_ID, b"", b"info_hash", info))
    context = b"\x00" + b"".join(hashes)
    schedule = _extract(_SUITE_ID, secret, b"secret", b"")
    key = _expand(_SUITE_ID, schedule, b"key", context, 16)
    return enc, key, _expand(_SUITE_ID, schedule, b"base_nonce", context, 12)


def test_the_second_implementation_meets_the_vector_of_rfc_9180_a_1_1():
    ephemeral = X25519PrivateKey.from_private_bytes(
        bytes.fromhex("52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736")
    )
    recipient = bytes.fromhex("3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d")
    enc, key, nonce = _sender(ephemeral, recipient, bytes.fromhex("4f6465206f6e2061204772656369616e2055726e"))
    assert enc.hex() == "37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431"
    assert key.hex() == "4531685d41d65f03dc48f6b8302c05b0"
    assert nonce.hex() == "56d890e5accaaf011cff4b7d"


def test_what_another_implementation_seals_opens_here(path):
    keys = FileKeys.load(path)
    enc, key, nonce = _sender(X25519PrivateKey.generate(), keys.public_key, b"huika-pin/1|a|b|")
    sealed = enc + AESGCM(key).encrypt(nonce, b"card and pin", b"")
    assert run(keys.open(sealed, b"huika-pin/1|a|b|")) == b"card and pin"


def test_what_is_sealed_here_opens_for_its_recipient():
    private = X25519PrivateKey.generate()
    sealed = seal_to(private.public_key().public_bytes_raw(), b"card and pin", b"info")
    assert SUITE.decrypt(sealed, private, info=b"info") == b"card and pin"
