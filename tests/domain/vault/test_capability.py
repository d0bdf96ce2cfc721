"""The platform's half of the vault: capabilities that the vault takes, each for a recorded event."""

import base64
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.db import transaction

from huika.domain.vault import actions
from huika.kit import clock, events, ids, sequencer
from huika.kit.models import Event
from huika_vault import core
from huika_vault.problems import Refusal

NOW = datetime(2026, 5, 20, 6, 30, 0, 999_999, tzinfo=UTC)
ORDER, CARD = UUID(int=1), UUID(int=2)
PICTURE = "ab" * 32
VERBS = frozenset({"use.bind", "use.redeem", "status", "release", "seal"})


@pytest.fixture(autouse=True)
def signers(settings: Any) -> Iterator[Mapping[str, Ed25519PublicKey]]:
    """A key for the platform, and what the vault knows of it."""
    private = Ed25519PrivateKey.generate()
    folder = Path(settings.KEYS)
    folder.mkdir(parents=True)
    raw = {"kid": "platform-1", "private": base64.b64encode(private.private_bytes_raw()).decode()}
    (folder / "capability.json").write_text(json.dumps(raw))
    actions._key.cache_clear()
    yield {"platform-1": private.public_key()}
    actions._key.cache_clear()


def sign(verb: str = "use.bind", event: int = 5, **more: Any) -> str:
    with clock.frozen(NOW):
        return actions.capability(ORDER, CARD, verb, event, picture=PICTURE, **more)


def taken(
    capability: str, signers: Mapping[str, Ed25519PublicKey], *, later: float = 0, verbs: frozenset[str] = VERBS
) -> core.Capability:
    return core.verify(f"Capability {capability}", signers, verbs, NOW.timestamp() + later)


def test_the_vault_takes_it_with_everything_that_was_bound(signers: Mapping[str, Ed25519PublicKey]) -> None:
    found = taken(sign(args={"kind": "chongbai", "account": "a/b"}), signers)
    assert (found.order, found.card, found.verb, found.picture, found.event) == (ORDER, CARD, "use.bind", PICTURE, 5)
    assert found.args == {"kind": "chongbai", "account": "a/b"} and found.kid == "platform-1"
    assert found.exp == int(NOW.timestamp()) + actions.LIVES_SECONDS


def test_it_lives_for_minutes_and_never_longer_than_the_vault_allows(signers: Mapping[str, Ed25519PublicKey]) -> None:
    assert 0 < actions.LIVES_SECONDS <= core.MAX_LIFE
    made = sign()
    taken(made, signers, later=actions.LIVES_SECONDS - 1)
    with pytest.raises(Refusal, match="expired"):
        taken(made, signers, later=actions.LIVES_SECONDS)


def test_no_altered_character_is_taken(signers: Mapping[str, Ed25519PublicKey]) -> None:
    made = sign()
    for at, old in enumerate(made):
        for new in ("A" if old != "A" else "B", "." if old != "." else "A", "="):
            altered = made[:at] + new + made[at + 1 :]
            try:
                found = taken(altered, signers)
            except Refusal:
                continue
            # The last base64 character of the signature has bits that mean nothing: the same bytes, the same call.
            assert at in (len(made) - 1, made.index(".") - 1) and found == taken(made, signers)


def test_another_key_or_verb_is_refused(signers: Mapping[str, Ed25519PublicKey]) -> None:
    with pytest.raises(Refusal, match="bad_signature"):
        taken(sign(), {"platform-1": Ed25519PrivateKey.generate().public_key()})
    with pytest.raises(Refusal, match="unknown_key"):
        taken(sign(), {"platform-2": next(iter(signers.values()))})
    with pytest.raises(Refusal, match="wrong_verb"):
        taken(sign("use.pin_change"), signers)


def test_a_job_that_runs_twice_asks_for_the_same_thing_twice(signers: Mapping[str, Ed25519PublicKey]) -> None:
    first = taken(sign(once="1"), signers)
    with clock.frozen(NOW + timedelta(seconds=30)):
        again = taken(actions.capability(ORDER, CARD, "use.bind", 5, picture=PICTURE, once="1"), signers)
    assert again.jti == first.jti
    assert core.request_digest(again, {}) == core.request_digest(first, {})
    others = [sign(once="2"), sign("use.redeem", once="1"), sign(), sign()]
    assert len({taken(one, signers).jti for one in others} | {first.jti}) == 5
    with clock.frozen(NOW):
        other_card = actions.capability(ORDER, UUID(int=3), "use.bind", 5, picture=PICTURE, once="1")
    assert taken(other_card, signers).jti != first.jti


def test_a_seed_repeats_the_number(signers: Mapping[str, Ed25519PublicKey]) -> None:
    with ids.seeded(4):
        first = sign()
    with ids.seeded(4):
        assert sign() == first


@pytest.mark.django_db(transaction=True)
def test_a_use_is_in_the_log_only_once_its_event_has_a_place() -> None:
    with transaction.atomic():
        event = events.record("trade.card.locking", uuid4())
    assert not actions.in_the_log(event)
    assert not actions.in_the_log(event + 1)
    while sequencer.sequence():
        pass
    assert actions.in_the_log(event) and not actions.in_the_log(event + 1)


@pytest.mark.django_db
def test_a_release_records_its_event_and_names_exactly_its_recipient(
    signers: Mapping[str, Ed25519PublicKey],
) -> None:
    recipient, public = uuid4(), bytes(range(32))
    with clock.frozen(NOW):
        number = actions.allow_release(ORDER, CARD, recipient)
        made = actions.release_capability(ORDER, CARD, PICTURE, number, recipient, public)
    found = taken(made, signers)
    event = Event.objects.get(verb="vault.release.allowed", subject=ORDER)
    assert (found.verb, found.event, found.card, found.picture) == ("release", event.id, CARD, PICTURE)
    assert found.args == {
        "recipient": str(recipient),
        "recipient_public_key": base64.b64encode(public).decode(),
    }
    assert event.facts == {"card": str(CARD), "recipient": str(recipient)}


def test_a_capability_holds_no_secret_and_fits_into_a_header() -> None:
    made = sign(args={"kind": "k" * 40, "account": str(uuid4())})
    payload = base64.urlsafe_b64decode(made.split(".")[0] + "==")
    assert set(json.loads(payload)) == {
        "v", "kid", "order", "card", "verb", "picture", "event", "exp", "jti", "args",
    }  # fmt: skip
    assert len(made) < core.MAX_HEADER and made.isascii()
