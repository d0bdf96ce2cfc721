"""Samples and the figures made of them. They are counted anew at most once a minute."""

import time
from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache
from uuid import UUID

from huika.domain.insight import rules
from huika.domain.insight.types import Measured, Sample
from huika.domain.parties import queries as parties
from huika.domain.parties.types import RecyclerKind
from huika.domain.trade import queries as trade
from huika.domain.trade.types import OrderRef
from huika.kit import clock, events

DAYS = 90
MOST = 1000
COUNTED_SECONDS = 60
_ENDS = ("trade.order.settled", "trade.order.declined_free")


def samples() -> tuple[Sample, ...]:
    """The newest visits of the last `DAYS` days that have ended, at most `MOST` of them, newest first."""
    return _counted(int(time.monotonic() // COUNTED_SECONDS))


def measured() -> tuple[Measured, ...]:
    """Every kind of platform with its figures, also those without a sample."""
    found = samples()
    return tuple(rules.measure(kind.value, found) for kind in RecyclerKind)


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
        sold = [c for c in cards if c.state == "paid"]
        face, net = sum(c.face_value_fen for c in sold), sum(c.net_fen for c in sold)
        made.append(
            Sample(
                kind,
                end.place,
                end.at,
                rules.share_bp(net, face) if sold else None,
                int((paid_at - arrival).total_seconds()) if sold and paid_at else None,
                any(str(c.id) in requoted for c in cards),
            )
        )
    return made
