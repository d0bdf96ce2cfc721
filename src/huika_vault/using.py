"""/use: the vault itself calls the issuer, and an answer that was lost never leads to a second effect."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from huika_vault import core
from huika_vault.actions import Answer, Body, Cards, earlier_call, fields, held_card
from huika_vault.core import Capability
from huika_vault.issuers import UNKNOWN, WHOLE_TIMEOUT, Issuer, Operation, Outcome
from huika_vault.problems import Refusal
from huika_vault.store import Transaction

# One call may ask the issuer twice (what became of it, then the operation itself).
LEASE = timedelta(seconds=2 * WHOLE_TIMEOUT + 4)


@dataclass(frozen=True)
class _Turn:
    """The right to ask the issuer now: what to ask, until when, and whether it may have been asked before."""

    operation: Operation
    until: datetime
    asked_before: bool


class Using:
    """Operations at the issuer, each a row that is committed before the issuer is called."""

    def __init__(self, cards: Cards, issuer: Issuer | None) -> None:
        self._cards = cards
        self._issuer = issuer

    async def use(self, capability: Capability, body: Body) -> Answer:
        """Carry one operation out, or find out what became of it. 202 while that is unknown."""
        if self._issuer is None:
            raise Refusal("issuer.none")
        account_needed = capability.verb in {"use.bind", "use.redeem"}
        args = capability.arguments(*((("kind", "account"),) if account_needed else (("kind",), ("account",))))
        fields(body)
        turn = await self._begin(capability, args, core.request_digest(capability, body))
        if isinstance(turn, Outcome):
            return _answer(turn)
        # Only a definite "never came" permits sending again what may have been sent; a balance has no effect.
        outcome: Outcome | None = None
        if turn.asked_before and capability.verb != "use.balance":
            outcome = await self._issuer.recorded(turn.operation)
        if outcome is None:
            outcome = await self._issuer.send(turn.operation)
        return _answer(await self._finish(capability, turn, outcome))

    async def _begin(self, capability: Capability, args: dict[str, str], digest: bytes) -> _Turn | Outcome:
        """Commit the pending row or its lease. An Outcome when there is nothing to ask now."""
        cards, now = self._cards, self._cards.clock()
        until = now + LEASE
        async with cards.store.once(capability.jti, capability.card) as tx:
            call = await earlier_call(tx, capability, digest)
            row = await tx.use(capability.jti) if call else None
            if row and row.answer is not None:
                return Outcome("done", row.answer)
            if row and row.asked_until and row.asked_until > now:
                return UNKNOWN  # another call is asking at this moment
            card = await held_card(tx, capability)
            plain = await cards.plain(capability, card)
            next_pin = row.next_pin if row else None
            if row:
                await tx.lease_use(capability.jti, until)
            else:
                await self._check_free(tx, capability, card.standing)
                if capability.verb == "use.pin_change":
                    if not plain.pin:
                        raise Refusal("card.no_pin")
                    made = core.Plain(plain.number, core.new_pin(plain.pin))
                    next_pin = (await cards.wrapped(capability, made))[1]
                await tx.add_call(capability, digest, None, now)
                await tx.add_use(capability, next_pin, until, now)
            new_pin = await cards.unwrapped(capability, next_pin, "pin") if next_pin else ""
        operation = Operation(
            capability.verb, capability.jti, args["kind"], args["account"], plain.number, plain.pin, new_pin
        )
        return _Turn(operation, until, asked_before=row is not None)

    async def _check_free(self, tx: Transaction, capability: Capability, standing: str) -> None:
        if standing == "returned":
            raise Refusal("card.returned")
        if capability.verb != "use.balance" and await tx.unsettled(capability.card):
            raise Refusal("card.unsettled")

    async def _finish(self, capability: Capability, turn: _Turn, outcome: Outcome) -> Outcome:
        now = self._cards.clock()
        async with self._cards.store.once(capability.jti, capability.card) as tx:
            row = await tx.use(capability.jti)
            if row and row.answer is not None:
                return Outcome("done", row.answer)  # a call whose lease had run out came home first
            if outcome.state == "unknown":
                await tx.leave_use_open(capability.jti, turn.until)
                return outcome
            if row and outcome.state == "done" and capability.verb != "use.balance":
                card = await held_card(tx, capability)
                changed = capability.verb == "use.pin_change"
                state, pin = ("changed", row.next_pin) if changed else ("used", None)
                await tx.set_card(capability.card, state, card.standing, pin, now)
            await tx.settle_use(capability.jti, outcome.state, outcome.answer, now)
        return outcome


def _answer(outcome: Outcome) -> Answer:
    return 202 if outcome.state == "unknown" else 200, dict(outcome.answer)
