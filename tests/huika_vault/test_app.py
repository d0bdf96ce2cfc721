"""The vault over HTTP: sealing, seeing, marking, releasing, and every refusal on the way."""

import base64
import json
import logging
import secrets
from uuid import uuid4

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from starlette.testclient import TestClient

from huika_vault.core import canonical, normalise, release_info
from huika_vault.keys import SUITE


def code(response, status):
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert set(body) == {"type", "title", "status", "detail", "code", "zh"} and body["status"] == status
    return body["code"]


def release_claims(world, card, private, **changes):
    public = base64.b64encode(private.public_key().public_bytes_raw()).decode()
    return world.claims(card, "release", {"recipient_public_key": public, "recipient": "recycler-9"} | changes)


def opened(response, private, card):
    assert response.status_code == 200, response.text
    plain = SUITE.decrypt(base64.b64decode(response.json()["sealed"]), private, release_info(card.order, card.card))
    return json.loads(plain)


# What anyone may ask


def test_health_and_key(world):
    assert world.client.get("/health").json() == {"ok": True, "key_id": world.keys.key_id}
    assert world.client.get("/key").json() == {
        "key_id": world.keys.key_id,
        "public_key": base64.b64encode(world.keys.public_key).decode(),
        "suite": "DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM",
        "info_prefix": "huika-pin/1",
    }


def test_every_answer_carries_safe_headers(world):
    answers = [world.client.get(path) for path in ("/health", "/key", "/nothing", "/seal")]
    answers += [world.client.post("/seal"), world.seal(world.new_card())]
    assert [a.status_code for a in answers] == [200, 200, 404, 405, 401, 200]
    for answer in answers:
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "access-control-allow-origin" not in answer.headers
    assert code(answers[2], 404) == "request.not_found"
    assert code(answers[3], 405) == "request.method"
    assert answers[4].headers["www-authenticate"] == "Capability"


# Capabilities


@pytest.mark.parametrize("path", ["/seal", "/seen", "/mark", "/use", "/release"])
def test_nothing_moves_without_the_right_capability(world, path):
    card = world.sealed_card()
    before = world.dump()
    verb = {"/use": "use.bind"}.get(path, path[1:])
    other = "release" if verb != "release" else "seal"
    stranger = Ed25519PrivateKey.generate()
    payload = canonical(world.claims(card, verb))
    forged = world.signed(payload).rsplit(".", 1)[0] + "." + base64.urlsafe_b64encode(stranger.sign(payload)).decode()
    assert code(world.client.post(path, json={}), 401) == "capability.missing"
    assert code(world.client.post(path, json={}, headers={"Authorization": forged}), 401) == "capability.bad_signature"
    assert code(world.post(path, world.claims(card, verb, kid="nobody")), 401) == "capability.unknown_key"
    past, far = int(world.now.timestamp()) - 1, int(world.now.timestamp()) + 400
    assert code(world.post(path, world.claims(card, verb, exp=past)), 401) == "capability.expired"
    assert code(world.post(path, world.claims(card, verb, exp=far)), 401) == "capability.too_long"
    assert code(world.post(path, world.claims(card, other)), 403) == "capability.wrong_verb"
    assert code(world.post(path, world.claims(card, verb, {"surplus": "x"})), 403) == "capability.wrong_args"
    assert world.dump() == before


def test_a_capability_of_another_order_or_picture_is_refused(world):
    card, private = world.sealed_card(), X25519PrivateKey.generate()
    calls = {
        "/use": world.use_claims(card),
        "/mark": world.claims(card, "mark", {"state": "sold"}),
        "/release": release_claims(world, card, private),
    }
    before = world.dump()
    for path, claims in calls.items():
        assert code(world.post(path, claims | {"order": str(uuid4())}), 403) == "capability.wrong_card"
        assert code(world.post(path, claims | {"picture": "0" * 64}), 403) == "capability.wrong_picture"
        assert code(world.post(path, claims | {"picture": ""}), 403) == "capability.wrong_picture"
        assert code(world.post(path, claims | {"card": str(uuid4())}), 404) == "card.unknown"
    assert world.dump() == before
    assert world.issuer.requests == []


def test_a_capability_is_good_for_one_request(world):
    card = world.new_card()
    claims, body = world.claims(card, "seal"), world.sealed_body(card)
    first = world.post("/seal", claims, body)
    again = world.post("/seal", claims, body)
    assert first.json() == again.json() == {"stored": True, "seen_before": False}
    assert world.query("SELECT seals FROM vault.card WHERE card_id = %s", [card.card]) == [(1,)]
    assert code(world.post("/seal", claims, world.sealed_body(card)), 409) == "capability.reused"
    assert code(world.post("/mark", claims | {"verb": "mark", "args": {"state": "sold"}}), 409) == "capability.reused"
    assert code(world.post("/seal", claims | {"event": 8}, body), 409) == "capability.reused"


def test_the_platform_may_sign_the_same_request_again(world):
    card = world.new_card()
    claims, body = world.claims(card, "seal"), world.sealed_body(card)
    assert world.post("/seal", claims, body).status_code == 200
    world.later(3600)
    assert code(world.post("/seal", claims, body), 401) == "capability.expired"
    renewed = claims | {"exp": int(world.now.timestamp()) + 60}
    assert world.post("/seal", renewed, body).json() == {"stored": True, "seen_before": False}
    assert world.query("SELECT count(*) FROM vault.call WHERE card_id = %s", [card.card]) == [(1,)]


def test_a_refused_call_does_not_spend_its_capability(world):
    card = world.new_card()
    claims = world.claims(card, "seal")
    assert code(world.post("/seal", claims, {"sealed": "AAAA", "key_id": world.keys.key_id}), 422)
    assert world.post("/seal", claims, world.sealed_body(card)).status_code == 200


# Bodies


def test_bodies_that_lie(world):
    card = world.new_card()
    good = world.sealed_body(card)

    def send(body):
        return code(world.post("/seal", world.claims(card, "seal"), body), 422)

    assert send({"sealed": good["sealed"]}) == "request.malformed"
    assert send(good | {"card": "x"}) == "request.malformed"
    assert send(good | {"sealed": 5}) == "request.malformed"
    assert send(good | {"sealed": good["sealed"] + "!"}) == "request.malformed"
    assert send(good | {"sealed": "A" * 4000}) == "request.malformed"
    assert send(good | {"sealed": ""}) == "seal.does_not_open"
    assert send(good | {"sealed": base64.b64encode(b"x" * 90).decode()}) == "seal.does_not_open"
    header = {"Authorization": world.signed(canonical(world.claims(card, "seal")))}
    for raw in (b"{", b"[]", b"\xff", b"[" * 9000, b'{"sealed":"\\ud800","key_id":"x"}', b'{"sealed":NaN,"key_id":""}'):
        assert code(world.client.post("/seal", content=raw, headers=header), 422) == "request.malformed"
    assert code(world.client.post("/seal", content=b" " * 16385, headers=header), 413) == "request.too_large"
    assert world.query("SELECT count(*) FROM vault.card WHERE card_id = %s", [card.card]) == [(0,)]


def test_a_key_id_of_another_key_is_refused(world):
    card = world.new_card()
    for key_id in ("00000000", "", None, 7):
        body = world.sealed_body(card) | {"key_id": key_id}
        assert code(world.post("/seal", world.claims(card, "seal"), body), 409) == "seal.other_key"


@pytest.mark.parametrize(
    "plain", [{"number": ""}, {"pin": 1}, {"extra": "x"}, {"number": "1" * 500}, {"pin": "a\u0000"}, {"number": "- -"}]
)
def test_a_plaintext_that_is_no_card_is_refused(world, plain):
    card = world.new_card()
    answer = world.post("/seal", world.claims(card, "seal"), world.sealed_body(card, **plain))
    assert code(answer, 422) == "seal.bad_plaintext"


def test_a_body_is_not_taken_where_there_is_none(world):
    card = world.sealed_card()
    assert code(world.post("/use", world.use_claims(card), {"account": "mine"}), 422) == "request.malformed"
    claims = world.claims(card, "mark", {"state": "sold"})
    assert code(world.post("/mark", claims, {"state": "returned"}), 422) == "request.malformed"
    private = X25519PrivateKey.generate()
    assert code(world.post("/release", release_claims(world, card, private), {"x": 1}), 422) == "request.malformed"


def test_pages_of_other_origins_are_refused(world):
    card = world.new_card()

    def send(origin):
        header = {"Authorization": world.signed(canonical(world.claims(card, "seal"))), "Origin": origin}
        return world.client.post("/seal", json=world.sealed_body(card), headers=header)

    for origin in ("http://localhost:8000", "null", "http://vault.localhost:8001.evil.example"):
        assert code(send(origin), 403) == "request.origin"
    assert send("http://vault.localhost:8001").status_code == 200


# Sealing


def test_a_seal_opens_for_its_own_order_card_and_picture_alone(world):
    card, other = world.new_card(), world.new_card()
    body = world.sealed_body(card)
    for change in ({"order": str(other.order)}, {"card": str(other.card)}, {"picture": other.picture}, {"picture": ""}):
        assert code(world.post("/seal", world.claims(card, "seal") | change, body), 422) == "seal.does_not_open"
    assert world.post("/seal", world.claims(card, "seal"), body).status_code == 200


def test_a_card_may_be_sealed_without_picture_or_pin(world):
    card = world.new_card(pin="")
    card.picture = ""
    assert world.seal(card).json() == {"stored": True, "seen_before": False}


def test_a_card_is_sealed_at_most_five_times(world):
    card = world.new_card()
    for seals in range(1, 6):
        assert world.seal(card).status_code == 200
        assert world.query("SELECT seals FROM vault.card WHERE card_id = %s", [card.card]) == [(seals,)]
    assert code(world.seal(card), 409) == "seal.too_often"


def test_sealing_again_replaces_number_pin_and_picture(world):
    card = world.sealed_card(pin="111111")
    card.pin, card.picture = "222222", secrets.token_hex(32)
    world.issuer.pins[card.number] = "222222"
    assert world.seal(card).status_code == 200
    assert world.post("/use", world.use_claims(card)).json()["result"] == "bound"


def test_another_order_cannot_seal_over_a_card(world):
    card = world.sealed_card()
    card.order = uuid4()
    assert code(world.seal(card), 403) == "capability.wrong_card"


def test_a_card_that_moved_on_is_not_sealed_again(world):
    sold, used, released, changed, returned = (world.sealed_card() for _ in range(5))
    world.post("/mark", world.claims(sold, "mark", {"state": "sold"}))
    world.post("/use", world.use_claims(used))
    world.post("/release", release_claims(world, released, X25519PrivateKey.generate()))
    world.post("/use", world.use_claims(changed, "use.pin_change"))
    world.post("/mark", world.claims(returned, "mark", {"state": "returned"}))
    cards = (sold, used, released, changed, returned)
    assert [code(world.seal(card), 409) for card in cards] == [
        "card.sold",
        "card.used",
        "card.released",
        "card.changed",
        "card.wiped",
    ]


# Seen before


def test_a_number_is_seen_before_on_another_card_alone(world):
    first = world.sealed_card(number="2326-5550 " + secrets.token_hex(6))
    assert world.seal(first).json()["seen_before"] is False
    twin = world.new_card(number=normalise(first.number).lower())
    body = world.sealed_body(twin, pin="")
    assert world.post("/seen", world.claims(twin, "seen"), {"sealed": body["sealed"]}).json() == {"seen_before": True}
    assert world.query("SELECT count(*) FROM vault.card WHERE card_id = %s", [twin.card]) == [(0,)]
    assert world.seal(twin).json() == {"stored": True, "seen_before": True}
    assert world.post("/mark", world.claims(first, "mark", {"state": "returned"})).json() == {"state": "returned"}
    assert world.seal(twin).json()["seen_before"] is False


def test_seen_takes_no_pin_and_no_stranger(world):
    card, other = world.new_card(), world.new_card()
    sealed = {"sealed": world.sealed_body(card)["sealed"]}
    assert code(world.post("/seen", world.claims(card, "seen"), sealed), 422) == "seal.holds_pin"
    bare = {"sealed": world.sealed_body(card, pin="")["sealed"]}
    assert code(world.post("/seen", world.claims(other, "seen"), bare), 422) == "seal.does_not_open"
    assert code(world.post("/seen", world.claims(card, "seen"), bare | {"key_id": "x"}), 422) == "request.malformed"
    claims = world.claims(card, "seen")
    assert world.post("/seen", claims, bare).json() == world.post("/seen", claims, bare).json()


def test_a_recorded_answer_stays_what_it_was(world):
    card = world.new_card()
    claims, body = world.claims(card, "seen"), {"sealed": world.sealed_body(card, pin="")["sealed"]}
    assert world.post("/seen", claims, body).json() == {"seen_before": False}
    world.sealed_card(number=card.number)
    assert world.post("/seen", claims, body).json() == {"seen_before": False}
    assert world.post("/seen", world.claims(card, "seen"), body).json() == {"seen_before": True}


# Marking


def test_a_card_that_goes_back_loses_its_pin(world):
    card = world.sealed_card()
    claims = world.claims(card, "mark", {"state": "returned"})
    assert world.post("/mark", claims).json() == world.post("/mark", claims).json() == {"state": "returned"}
    row = world.query("SELECT state, standing, wrapped_pin FROM vault.card WHERE card_id = %s", [card.card])
    assert row == [("wiped", "returned", None)]
    assert code(world.post("/use", world.use_claims(card)), 409) == "card.wiped"
    assert code(world.post("/mark", world.claims(card, "mark", {"state": "sold"})), 409) == "card.wiped"
    assert code(world.post("/release", release_claims(world, card, X25519PrivateKey.generate())), 409) == "card.wiped"


def test_a_changed_pin_survives_the_way_back(world):
    card, private = world.sealed_card(), X25519PrivateKey.generate()
    assert world.post("/use", world.use_claims(card, "use.pin_change")).json()["result"] == "changed"
    assert world.post("/mark", world.claims(card, "mark", {"state": "returned"})).status_code == 200
    assert code(world.post("/use", world.use_claims(card)), 409) == "card.returned"
    released = opened(world.post("/release", release_claims(world, card, private)), private, card)
    assert released["pin"] == world.issuer.pins[card.number] != card.pin


def test_a_mark_has_two_values(world):
    card = world.sealed_card()
    for args in ({}, {"state": "held"}, {"state": 1}):
        assert code(world.post("/mark", world.claims(card, "mark", args)), 403) == "capability.wrong_args"


# Release


def test_release_is_to_the_recipient_alone_and_fresh_each_time(world):
    card, private = world.sealed_card(), X25519PrivateKey.generate()
    claims = release_claims(world, card, private)
    first, again = world.post("/release", claims), world.post("/release", claims)
    assert first.json()["sealed"] != again.json()["sealed"]
    assert first.json()["key_id"] == again.json()["key_id"] != world.keys.key_id
    for answer in (first, again):
        assert opened(answer, private, card) == {"number": card.number, "pin": card.pin}
    with pytest.raises(InvalidTag):
        SUITE.decrypt(
            base64.b64decode(first.json()["sealed"]), X25519PrivateKey.generate(), release_info(card.order, card.card)
        )
    rows = world.query("SELECT recipient, recipient_key_id FROM vault.release WHERE card_id = %s", [card.card])
    assert rows == [("recycler-9", first.json()["key_id"])]


@pytest.mark.parametrize("raw", [b"", bytes(32), b"x" * 31, b"x" * 33])
def test_release_to_no_key_is_refused_and_not_recorded(world, raw):
    card = world.sealed_card()
    public = base64.b64encode(raw).decode() or "="
    claims = release_claims(world, card, X25519PrivateKey.generate(), recipient_public_key=public)
    assert code(world.post("/release", claims), 422) == "release.bad_key"
    assert world.query("SELECT count(*) FROM vault.release WHERE card_id = %s", [card.card]) == [(0,)]


def test_a_used_card_is_not_released(world):
    card, private = world.sealed_card(), X25519PrivateKey.generate()
    claims = release_claims(world, card, private)
    assert world.post("/release", claims).status_code == 200
    assert world.post("/use", world.use_claims(card)).json()["result"] == "bound"
    assert code(world.post("/release", release_claims(world, card, private)), 409) == "card.used"
    assert code(world.post("/release", claims), 409) == "card.used"


# When things break


def test_a_row_tampered_with_does_not_open(world):
    one, two = world.sealed_card(pin="111111"), world.sealed_card(pin="222222")
    world.query(
        "UPDATE vault.card SET wrapped_pin = (SELECT wrapped_pin FROM vault.card WHERE card_id = %s)"
        " WHERE card_id = %s RETURNING 1",
        [two.card, one.card],
    )
    private = X25519PrivateKey.generate()
    assert code(world.post("/release", release_claims(world, one, private)), 500) == "card.tampered"
    assert code(world.post("/use", world.use_claims(one)), 500) == "card.tampered"
    world.query(
        "UPDATE vault.card SET wrapped_number = wrapped_pin WHERE card_id = %s RETURNING 1",
        [two.card],
    )
    assert code(world.post("/use", world.use_claims(two)), 500) == "card.tampered"
    assert world.issuer.requests == []


def test_without_a_database_the_vault_says_so(world, monkeypatch):
    monkeypatch.setattr("huika_vault.store.WAIT", 0.2)
    good, claims = world.database, world.claims(world.new_card(), "seal")
    world.database = type(good)(**(good.__dict__ | {"vault": "postgresql://nobody@127.0.0.1:1/none?connect_timeout=1"}))
    with TestClient(world.make_app(None), base_url="http://127.0.0.1") as client:
        assert code(client.get("/health"), 503) == "vault.unavailable"
        header = {"Authorization": world.signed(canonical(claims))}
        assert code(client.post("/seal", json={"sealed": "", "key_id": ""}, headers=header), 503) == "vault.unavailable"
        assert client.get("/key").status_code == 200


def test_logs_name_verb_card_and_outcome_alone(world, caplog):
    caplog.set_level(logging.DEBUG)
    card = world.sealed_card(number="2326" + secrets.token_hex(8), pin="canary-" + secrets.token_hex(8))
    sealed = base64.b64encode(world.last_sealed).decode()
    world.post("/use", world.use_claims(card, "use.balance"))
    world.post("/seal", world.claims(card, "seal"), {"sealed": sealed[:-4] + "AAAA", "key_id": world.keys.key_id})
    ours = [record.getMessage() for record in caplog.records if record.name == "huika_vault"]
    assert ours == [
        f"seal card={card.card} done",
        f"use.balance card={card.card} balance",
        f"/seal card={card.card} seal.does_not_open",
    ]
    everything = "\n".join(str(vars(record)) for record in caplog.records)
    assert card.pin not in everything and card.number not in everything and sealed[:40] not in everything


def test_an_unforeseen_error_tells_its_type_alone(world, caplog, monkeypatch):
    caplog.set_level(logging.INFO)

    def burst(*_):
        raise RuntimeError("the PIN is 493817")

    monkeypatch.setattr("huika_vault.core.parse_plaintext", burst)
    answer = world.seal(world.new_card())
    assert code(answer, 500) == "vault.failed"
    assert "493817" not in answer.text + caplog.text
    assert "unforeseen RuntimeError" in caplog.text
