"""Samples and the figures made of them. They are counted anew at most once a minute."""

import time
from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache
from uuid import UUID

from huika.domain.insight import rules
from huika.domain.insight.types import Choices, KindShare, Measured, Sample
from huika.domain.parties import queries as parties
from huika.domain.parties.types import RecyclerKind
from huika.domain.trade import queries as trade
from huika.domain.trade.types import CardRef, OrderRef
from huika.kit import clock, events

DAYS = 90
MOST = 1000
COUNTED_SECONDS = 60
_ENDS = ("trade.order.settled", "trade.order.declined_free")


def surely_bp(hits: int, n: int) -> int:
    """How often it is surely so: the lower bound of the rate's 95 % interval, in basis points; 0 of nothing."""
    return rules.wilson(hits, n)[0] if n else 0


def samples(city: str = "", kind: str = "") -> tuple[Sample, ...]:
    """The newest visits of the last `DAYS` days that have ended, at most `MOST` of them, newest first.

    With `city` those there, with `kind` what they were for that kind of card alone.
    """
    return rules.only(_counted(int(time.monotonic() // COUNTED_SECONDS)), city, kind)


def choices() -> Choices:
    """The cities and kinds of card that there are samples of."""
    return rules.choices(samples())


def measured(city: str = "", kind: str = "") -> tuple[Measured, ...]:
    """Every kind of platform with its figures, also those without a sample."""
    found = samples(city, kind)
    return tuple(rules.measure(platform.value, found) for platform in RecyclerKind)


def forget() -> None:
    """Count anew at the next question."""
    _counted.cache_clear()


@lru_cache(maxsize=1)
def _counted(_window: int) -> tuple[Sample, ...]:
    ended = trade.ended_visits(clock.now() - timedelta(days=DAYS), MOST)
    agreed = parties.agreed({o.seller for o in ended}, "statistics")  # who did not say yes is not counted
    orders = [o for o in ended if o.seller in agreed]
    kinds = {r.id: r.kind.value for r in parties.recyclers(active=False)}
    told: dict[UUID, list[events.Placed]] = {}
    for event in events.about([o.id for o in orders]):
        told.setdefault(event.subject, []).append(event)
    return tuple(s for order in orders for s in _of(order, told.get(order.id, []), kinds))


def _of(order: OrderRef, told: Sequence[events.Placed], kinds: dict[UUID, str]) -> list[Sample]:
    """One sample for each kind of platform that had a share in the order."""
    end = next((e for e in told if e.verb in _ENDS), None)
    arrival = next((e.at for e in told if e.verb == "trade.order.in_progress"), None)
    if end is None or arrival is None:  # on its way into the stream
        return []
    paid_at = max((e.at for e in told if e.verb == "settlement.payout.paid"), default=None)
    requoted = {str(e.facts.get("card")) for e in told if e.verb == "trade.card.requoted"}
    kind_of = {lot.id: kinds[lot.recycler] for lot in order.lots}
    made = []
    for kind in sorted(set(kind_of.values())):
        cards = [c for c in order.cards if kind_of[c.lot] == kind]
        whole = _part("", cards, requoted)
        made.append(
            Sample(
                kind,
                end.place,
                end.at,
                whole.share_bp,
                int((paid_at - arrival).total_seconds()) if whole.share_bp is not None and paid_at else None,
                whole.requoted,
                order.city,
                tuple(_part(k, [c for c in cards if c.kind == k], requoted) for k in sorted({c.kind for c in cards})),
            )
        )
    return made


def _part(kind: str, cards: Sequence[CardRef], requoted: set[str]) -> KindShare:
    """What was paid of the face value of those of these cards that were sold."""
    sold = [c for c in cards if c.state == "paid"]
    face, net = sum(c.face_value_fen for c in sold), sum(c.net_fen for c in sold)
    return KindShare(kind, rules.share_bp(net, face) if sold else None, any(str(c.id) in requoted for c in cards))
