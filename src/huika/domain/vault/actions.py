"""Signing capabilities, each for an event that is recorded."""

import base64
import json
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from huika.kit import canonical, clock, events, ids
from huika.kit.change import action

LIVES_SECONDS = 240


@cache
def _key() -> tuple[str, Ed25519PrivateKey]:
    raw = json.loads((Path(settings.KEYS) / "capability.json").read_text())
    return raw["kid"], Ed25519PrivateKey.from_private_bytes(base64.b64decode(raw["private"]))


def capability(
    order: UUID,
    card: UUID,
    verb: str,
    event: int,
    *,
    picture: str = "",
    args: dict[str, Any] | None = None,
    once: str = "",
) -> str:
    """A signed capability for one call, good for `LIVES_SECONDS`.

    `event` is the recorded event of this use. `once` makes the call's number follow from it, so that a job that runs
    twice asks the vault for the same thing twice and the vault acts once.
    """
    kid, private = _key()
    payload = canonical.dumps(
        {
            "v": 1,
            "kid": kid,
            "order": order,
            "card": card,
            "verb": verb,
            "picture": picture,
            "event": event,
            "exp": int(clock.now().timestamp()) + LIVES_SECONDS,
            "jti": uuid5(card, f"{verb}/{once}") if once else ids.uuid7(),
            "args": args or {},
        }
    )
    return f"{_b64url(payload)}.{_b64url(private.sign(payload))}"


def in_the_log(event: int) -> bool:
    """Whether the event has its place in the stream: the log entry stands before the use."""
    return events.has_place(event)


def _b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@action
def allow_release(order: UUID, card: UUID, recipient: UUID) -> int:
    """Record that a paid card is released to its recycler; the event's id, from which the capability is signed."""
    return events.record("vault.release.allowed", order, {"card": str(card), "recipient": str(recipient)})


def release_capability(order: UUID, card: UUID, picture: str, event: int, recipient: UUID, public_key: bytes) -> str:
    """The capability for a release that was recorded; signed when it is needed and never stored."""
    args = {"recipient_public_key": base64.b64encode(public_key).decode(), "recipient": str(recipient)}
    return capability(order, card, "release", event, picture=picture, args=args, once=str(event))
