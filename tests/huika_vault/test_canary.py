"""No number, PIN or ciphertext of a client is at rest in any form that the search below would find."""

import base64
import json
import secrets

import psycopg
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey


def forms(raw):
    """How bytes may stand in a dump: as text, hex, or base64 at any of its three offsets (standard and URL-safe)."""
    shapes = {raw.hex(), raw.hex().upper()}
    if raw.isascii():
        shapes.add(raw.decode())
    for lead in range(3):
        # The characters at both ends depend on the neighbours, so they are left out.
        middle = base64.b64encode(b"\0" * lead + raw)[4 if lead else 0 : -4].decode()
        shapes |= {middle, middle.replace("+", "-").replace("/", "_")}
    return shapes


def found(dump, raw):
    return any(shape in dump for shape in forms(raw))


def test_nothing_secret_is_at_rest(world):
    number, pin = "2326" + secrets.token_hex(10), "canary" + secrets.token_hex(10)
    card = world.new_card(number=number, pin=pin)
    secret = [number.encode(), number.upper().encode(), pin.encode()]

    assert world.post("/seen", world.claims(card, "seen"), {"sealed": world.sealed_body(card, pin="")["sealed"]})
    secret.append(world.last_sealed)
    world.seal(card)
    secret.append(world.last_sealed)
    world.post("/use", world.use_claims(card, "use.balance"))
    private = X25519PrivateKey.generate()
    public = base64.b64encode(private.public_key().public_bytes_raw()).decode()
    release = world.claims(card, "release", {"recipient_public_key": public, "recipient": "r"})
    secret.append(base64.b64decode(world.post("/release", release).json()["sealed"]))
    world.issuer.mode = ["lost"]
    change = world.use_claims(card, "use.pin_change")
    world.post("/use", change)
    secret.append(world.issuer.pins[number].encode())
    assert str(card.card) in world.dump()
    assert [raw for raw in secret if found(world.dump(), raw)] == []
    world.post("/use", change)
    assert world.post("/use", world.use_claims(card)).json()["result"] == "bound"
    dump = world.dump()
    # Not even a part of a ciphertext: its key share (32 bytes) and its tail apart.
    parts = [raw[:32] for raw in secret if len(raw) > 60] + [raw[32:] for raw in secret if len(raw) > 60]
    assert len(secret) == 7 and len(parts) == 6
    assert [raw for raw in [*secret, *parts] if found(dump, raw)] == []

    # The control: planted in each of these places and forms, the search finds it.
    planted = {
        "answer": json.dumps({"reason": f"pin {pin}!"}),
        "base64": json.dumps({"reason": base64.b64encode(b"x" + pin.encode() + b"y").decode()}),
        "ciphertext": json.dumps({"sealed": base64.b64encode(world.last_sealed).decode()}),
    }
    for name, answer in planted.items():
        raw = world.last_sealed if name == "ciphertext" else pin.encode()
        with psycopg.connect(world.database.superuser) as connection:
            connection.execute("UPDATE vault.call SET answer = %s WHERE jti = %s", [answer, release["jti"]])
        assert found(world.dump(), raw), name
        with psycopg.connect(world.database.superuser) as connection:
            connection.execute("UPDATE vault.call SET answer = NULL WHERE jti = %s", [release["jti"]])
        assert not found(world.dump(), raw), name
    with psycopg.connect(world.database.superuser) as connection:
        connection.execute("UPDATE vault.card SET wrapped_number = %s WHERE card_id = %s", [pin.encode(), card.card])
    assert found(world.dump(), pin.encode())
