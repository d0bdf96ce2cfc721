"""Using sealed PINs through the vault; sweeps of the trade."""

import time
from uuid import UUID

from huika.domain.market import actions as market
from huika.domain.trade import actions, models
from huika.domain.vault import actions as vault
from huika.domain.vault.errors import VaultRefused
from huika.kit import clock
from huika.kit.jobs import TryAgain, job
from huika.kit.ports import provider
from huika.kit.safe_http import NoAnswer, NotSent

WAIT_FOR_LOG_SECONDS = 2.0


@job("trade.lock", attempts=60)
def lock(card_id: str) -> None:
    """Ask the vault whether the number is new here, then have it used at the issuer; a bagged card is only asked about.

    Both calls carry capabilities whose numbers follow from the card and its attempt, so this job may run again.
    """
    card = models.Card.objects.select_related("order").get(id=card_id)
    if card.state not in ("locking", "bagged") or card.lock_event is None:
        return
    _wait_for_log(card.lock_event)
    port, once = provider("vault"), str(card.uses)
    try:
        status = port.status(
            vault.capability(card.order_id, card.id, "status", card.lock_event, picture=card.picture, once=once)
        )
        if not actions.vault_knows(card.id, status):
            return
        if card.state == "bagged":
            actions.bagged_is_safe(card.id)
            return
        used = port.use(_use(card, "balance"))
        if used.result != "unknown":
            if not actions.balance_found(card.id, used):
                return
            used = port.use(_use(card, card.lock))
    except VaultRefused as refused:
        if refused.data["vault_code"] == "card.unsettled":  # an earlier use is still open at the issuer
            raise TryAgain from refused
        actions.vault_refused(card.id, refused.data["vault_code"])
        return
    except (NoAnswer, NotSent) as error:
        raise TryAgain from error
    actions.issuer_answered(card.id, used)
    if used.result == "unknown":
        raise TryAgain


@job("trade.give_room_back")
def give_room_back(lot: str) -> None:
    """A lot came to nothing: its recycler may buy as much again that day."""
    market.give_room_back(UUID(lot))


def _use(card: models.Card, method: str) -> str:
    """The capability for one use of this attempt; `balance` needs no account."""
    args = {"kind": card.kind} | ({} if method == "balance" else {"account": str(card.lot_id)})
    return vault.capability(
        card.order_id,
        card.id,
        f"use.{method}",
        card.lock_event or 0,
        picture=card.picture,
        once=str(card.uses),
        args=args,
    )


def _wait_for_log(event: int) -> None:
    """The use is in the log before it happens."""
    deadline = time.monotonic() + WAIT_FOR_LOG_SECONDS
    while not vault.in_the_log(event):
        if time.monotonic() > deadline:
            raise TryAgain
        time.sleep(0.01)


@job("trade.mark")
def mark(card_id: str, event: str, state: str) -> None:
    """Tell the vault that a card is sold (its number is known if it comes again) or returned (its PIN is wiped)."""
    card, port = models.Card.objects.get(id=card_id), provider("vault")

    def ticket(verb: str, **args: str) -> str:
        once = f"{state}/{event}"
        return vault.capability(
            card.order_id, card.id, verb, int(event), picture=card.picture, args=dict(args), once=once
        )

    try:
        if state == "sold" or port.status(ticket("status")).stored:
            port.mark(ticket("mark", state=state))
    except (VaultRefused, NoAnswer, NotSent) as error:
        raise TryAgain from error


@job("trade.follow_shared")
def follow_shared(order: str) -> None:
    """An order of a full pool goes or waits with the others."""
    actions.follow_shared(UUID(order))


@job("trade.call_off_shared")
def call_off_shared(order: str) -> None:
    """A shared visit does not take place."""
    actions.call_off_shared(UUID(order))


@job("trade.sweep", every_seconds=10)
def sweep() -> None:
    """Every few seconds: quotes that have expired, orders whose complaint window has passed."""
    actions.expire(clock.now())
    actions.end_missed(clock.now())
    actions.end_undecided(clock.now())
    actions.secure_visits(clock.now())
    actions.close_due()
