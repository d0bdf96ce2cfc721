"""The queue at the right of every page of the desk's orders, and the day's sum beneath it."""

from typing import Any

from huika.domain.parties.types import Actor
from huika.domain.settlement import queries as money
from huika.faces.desk.orders import days, waiting
from huika.faces.desk.orders import standing as st
from huika.faces.desk.orders.kinds import kind_of
from huika.kit import work_items


def aside(actor: Actor, chosen: str = "") -> dict[str, Any]:
    """What the queue shows to `actor`, who looks at the item `chosen` (hex, or empty)."""
    queue = waiting.queue(actor.party)
    paid = money.arrived(*days.bounds(days.today()))
    sum_fen, count = sum(a.amount_fen for a in paid), len(paid)
    return {
        "etag": f'"{waiting.version(queue, sum_fen, count, chosen)}"',
        "queue": queue,
        "next_item": next((w for w in queue if w.item.claimed_by is None), None),
        "paid_today_fen": sum_fen,
        "paid_today": count,
        "chosen_item": chosen,
        "last_done": _last_done() if not queue else None,
    }


def _last_done() -> dict[str, Any] | None:
    """The last thing that somebody decided: what, when, who."""
    item = work_items.decided_items().exclude(decided_by=None).first()
    if item is None or item.decided_by is None:
        return None
    kind = kind_of(item.kind, item.title_zh, item.title_en)
    return {"kind": kind, "at": item.decided_at, "by": st.colleague(item.decided_by)}
