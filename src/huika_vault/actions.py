"""What the vault does with a capability: seal, seen, status, mark, release. Each takes effect once; /use: `using`."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from huika_vault import core
from huika_vault.core import Capability, Plain
from huika_vault.keys import KeyStore, Unopened, key_id_of, seal_to
from huika_vault.problems import Refusal
from huika_vault.store import Call, Card, Store, Transaction

MAX_SEALS = 5

Answer = tuple[int, dict[str, Any]]  # HTTP status, JSON body
Body = Mapping[str, Any]
Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The clock of a running vault, timezone-aware UTC."""
    return datetime.now(UTC)


def fields(body: Body, *names: str) -> list[Any]:
    """Exactly these fields of a body. Raises Refusal request.malformed."""
    if body.keys() != set(names):
        raise Refusal("request.malformed", f"The body takes exactly these fields: {', '.join(names) or 'none'}.")
    return [body[name] for name in names]


async def earlier_call(tx: Transaction, capability: Capability, digest: bytes) -> Call | None:
    """The earlier identical call with this capability, if any. Raises Refusal capability.reused for another."""
    call = await tx.call(capability.jti)
    if call is not None and not core.same(call.digest, digest):
        raise Refusal("capability.reused")
    return call


async def held_card(tx: Transaction, capability: Capability) -> Card:
    """The card a capability names, as it names it.

    Raises Refusal card.unknown, capability.wrong_card, capability.wrong_picture.
    """
    card = await tx.card(capability.card)
    if card is None:
        raise Refusal("card.unknown")
    if card.order_id != capability.order:
        raise Refusal("capability.wrong_card")
    if not core.same(card.picture.encode(), capability.picture.encode()):
        raise Refusal("capability.wrong_picture")
    return card


class Cards:
    """The vault's cards: a key store, a database and a clock."""

    def __init__(self, keys: KeyStore, store: Store, clock: Clock = utc_now) -> None:
        self.keys = keys
        self.store = store
        self.clock = clock

    async def seal(self, capability: Capability, body: Body) -> Answer:
        """Open what was sealed and keep it wrapped. Answers stored and whether the number was seen before.

        Where the platform has read a number from the card's picture, the sealed one must be the same.
        """
        seen = capability.arguments((), ("number_salt", "number_sha256"))
        sealed, key_id = fields(body, "sealed", "key_id")
        digest = core.request_digest(capability, body)
        async with self.store.once(capability.jti, capability.card) as tx:
            if call := await earlier_call(tx, capability, digest):
                return 200, dict(call.answer or {})
            seals = await self._next_seal(tx, capability)
            if not isinstance(key_id, str) or not core.same(key_id.encode(), self.keys.key_id.encode()):
                raise Refusal("seal.other_key")
            plain = await self._opened(capability, sealed)
            if seen["number_sha256"] and not core.is_number(plain.number, seen["number_salt"], seen["number_sha256"]):
                raise Refusal("seal.other_number")
            blind = await self.keys.blind(core.normalise(plain.number))
            number, pin = await self.wrapped(capability, plain)
            now = self.clock()
            await tx.put_card(capability, number=number, pin=pin, blind=blind, seals=seals, now=now)
            answer = {"stored": True, "seen_before": await tx.seen_before(blind, capability.card)}
            await tx.add_call(capability, digest, answer, now)
        return 200, answer

    async def seen(self, capability: Capability, body: Body) -> Answer:
        """Whether a number, sealed without its PIN, was seen on another card. Stores no card."""
        capability.arguments(())
        (sealed,) = fields(body, "sealed")
        digest = core.request_digest(capability, body)
        async with self.store.once(capability.jti, capability.card) as tx:
            if call := await earlier_call(tx, capability, digest):
                return 200, dict(call.answer or {})
            plain = await self._opened(capability, sealed)
            if plain.pin:
                raise Refusal("seal.holds_pin")
            blind = await self.keys.blind(core.normalise(plain.number))
            answer = {"seen_before": await tx.seen_before(blind, capability.card)}
            await tx.add_call(capability, digest, answer, self.clock())
        return 200, answer

    async def status(self, capability: Capability, body: Body) -> Answer:
        """Whether the card is sealed here, and whether its number was seen on another card. Changes nothing."""
        capability.arguments(())
        fields(body)
        async with self.store.once(capability.jti, capability.card) as tx:
            if await tx.card(capability.card) is None:
                return 200, {"stored": False, "seen_before": False, "state": "none", "seals": 0}
            card = await held_card(tx, capability)
            seen = await tx.seen_before(card.blind, capability.card)
            return 200, {"stored": True, "seen_before": seen, "state": card.state, "seals": card.seals}

    async def mark(self, capability: Capability, body: Body) -> Answer:
        """Say that a card was sold, or went back. A card that goes back unused has its PIN wiped."""
        standing = capability.arguments(("state",))["state"]
        if standing not in {"sold", "returned"}:
            raise Refusal("capability.wrong_args", "The state is sold or returned.")
        fields(body)
        digest = core.request_digest(capability, body)
        async with self.store.once(capability.jti, capability.card) as tx:
            if call := await earlier_call(tx, capability, digest):
                return 200, dict(call.answer or {})
            card = await held_card(tx, capability)
            if card.state == "wiped" and standing == "sold":
                raise Refusal("card.wiped")
            if await tx.unsettled(capability.card):
                # It may be bound already: nobody may be told that it is free.
                raise Refusal("card.unsettled")
            now, answer = self.clock(), {"state": standing}
            wipe = standing == "returned" and card.state == "sealed"
            state, pin = ("wiped", None) if wipe else (card.state, card.wrapped_pin)
            await tx.set_card(capability.card, state, standing, pin, now)
            await tx.add_call(capability, digest, answer, now)
        return 200, answer

    async def release(self, capability: Capability, body: Body) -> Answer:
        """Seal number and PIN to the recipient's key. Repeated, it is sealed afresh: no ciphertext is kept."""
        args = capability.arguments(("recipient_public_key", "recipient"))
        fields(body)
        digest = core.request_digest(capability, body)
        async with self.store.once(capability.jti, capability.card) as tx:
            call = await earlier_call(tx, capability, digest)
            card = await held_card(tx, capability)
            if card.wrapped_pin is None:
                raise Refusal(f"card.{card.state}")
            if await tx.unsettled(capability.card):
                raise Refusal("card.unsettled")
            plain = await self.plain(capability, card)
            try:
                public = core.from_base64(args["recipient_public_key"])
                sealed = seal_to(public, plain.encoded(), core.release_info(capability.order, capability.card))
            except ValueError:
                raise Refusal("release.bad_key") from None
            if call is None:
                now = self.clock()
                await tx.add_call(capability, digest, None, now)
                await tx.add_release(capability, args["recipient"], key_id_of(public), now)
        return 200, {"sealed": core.to_base64(sealed), "key_id": key_id_of(public)}

    async def wrapped(self, capability: Capability, plain: Plain) -> tuple[bytes, bytes]:
        """Number and PIN encrypted for rest, each bound to its order, card and field."""
        order, card = capability.order, capability.card
        number = await self.keys.wrap(plain.number.encode(), core.wrap_aad(order, card, "number"))
        return number, await self.keys.wrap(plain.pin.encode(), core.wrap_aad(order, card, "pin"))

    async def plain(self, capability: Capability, card: Card) -> Plain:
        """Number and PIN in memory. Raises Refusal for a card without a PIN, Unopened for a row tampered with."""
        if card.wrapped_pin is None:
            raise Refusal(f"card.{card.state}")
        number = await self.unwrapped(capability, card.wrapped_number, "number")
        return Plain(number, await self.unwrapped(capability, card.wrapped_pin, "pin"))

    async def unwrapped(self, capability: Capability, wrapped: bytes, name: str) -> str:
        """One field in memory. Raises Unopened for a row tampered with."""
        return (await self.keys.unwrap(wrapped, core.wrap_aad(capability.order, capability.card, name))).decode()

    async def _opened(self, capability: Capability, sealed: object) -> Plain:
        info = core.seal_info(capability.order, capability.card, capability.picture)
        try:
            raw = core.from_base64(sealed)
        except ValueError:
            raise Refusal("request.malformed", "The field sealed is not standard base64.") from None
        try:
            return core.parse_plaintext(await self.keys.open(raw, info))
        except Unopened:
            raise Refusal("seal.does_not_open") from None

    async def _next_seal(self, tx: Transaction, capability: Capability) -> int:
        """The number of this seal. Raises Refusal when the card may not be sealed (again).

        A PIN that was paid for, handed on or made here is never replaced by what somebody types.
        """
        card = await tx.card(capability.card)
        if card is None:
            return 1
        if card.order_id != capability.order:
            raise Refusal("capability.wrong_card")
        if card.state != "sealed":
            raise Refusal(f"card.{card.state}")
        if card.standing != "held":
            raise Refusal(f"card.{card.standing}")
        if await tx.unsettled(capability.card):
            raise Refusal("card.unsettled")
        if await tx.released(capability.card):
            raise Refusal("card.released")
        if card.seals >= MAX_SEALS:
            raise Refusal("seal.too_often")
        return card.seals + 1
