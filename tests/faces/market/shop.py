"""A small market for the public pages: three recyclers of three kinds with books, and a log with a receipt."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

from django.db import transaction
from tests.domain.trade import ground

from huika.domain.evidence import queries as evidence
from huika.domain.insight.types import KindShare, Sample
from huika.domain.parties import actions as parties
from huika.kit import events, followers, sequencer

MARKUP = "<img src=x onerror=alert(1)>"
BOOK = ground.book(
    ("walmart", "*", "electronic", "0.925"),
    ("walmart", "1000", "electronic", "0.931"),
    ("walmart", "*", "physical", "0.905"),
    ("jd-ecard", "*", "electronic", "0.962"),
    ("apple", "*", "electronic", "0.86"),
)
SMALL = ground.book(("walmart", "*", "electronic", "0.936"), ("wangfujing", "*", "physical", "0.91"))


@dataclass(frozen=True)
class Shop:
    """What was made: the order whose receipt is in the log, and that receipt."""

    order: UUID
    receipt: str


def recycler(name_zh: str, name_en: str, kind: str, text: str) -> UUID:
    """A recycler with a book."""
    party = parties.ensure_recycler(name_zh, name_en, kind, f"L-{uuid4().hex[:8]}", date(2099, 1, 1), None)
    ground.publish(party, text)
    return party


def write(verb: str, parts: dict[str, object] | None = None, n: int = 1) -> UUID:
    """Record `n` events of a verb, each about somebody else; the last one's subject."""
    with transaction.atomic():
        for _ in range(n):
            subject = uuid4()
            events.record(verb, subject, {"n": 1}, parts=parts)
    return subject


def publish_log() -> None:
    """Everything that was recorded stands in the public log."""
    while sequencer.sequence():
        pass
    while followers.run(followers.REGISTRY["evidence.log"]):
        pass


def settled(code: str = "HK-4826", net_fen: int = 468_000) -> UUID:
    """An order's end in the log, with the parts that a receipt discloses."""
    cards = [{"n": n, "kind": "walmart", "face_value_fen": 100_000, "net_fen": 93_600} for n in range(1, 6)]
    money = {"due_fen": net_fen, "paid_fen": net_fen, "note": '沃尔玛 "\\ <b>\u2028é🙂'}
    return write("trade.order.settled", {"order": {"code": code, "city": "shanghai"}, "cards": cards, "money": money})


def build() -> Shop:
    """Recyclers, fees, books, a log of a few dozen leaves."""
    ground.operator()
    recycler("青禾（演示）", "Qinghe (demo)", "vertical", BOOK)
    recycler(MARKUP, MARKUP, "local", SMALL)
    recycler("潮汐（演示）", "Chaoxi (demo)", "ecommerce", BOOK)
    write("parties.session.opened", n=9)
    order = settled()
    for verb in ("evidence.picture.kept", "trade.card.credited", "settlement.payout.paid", "trade.order.quoted"):
        write(verb, {"money": {"paid_fen": 5}}, n=3)
    publish_log()
    return Shop(order, evidence.receipt(order, "trade.order.settled"))


def samples(
    counts: Sequence[tuple[str, int, int]] = (("ecommerce", 212, 8810), ("vertical", 96, 9040), ("local", 17, 9120)),
) -> tuple[Sample, ...]:
    """So many visits of a kind around a share, spread without chance."""
    at, made = datetime(2026, 5, 20, 6, tzinfo=UTC), []
    for kind, count, middle in counts:
        for n in range(count):
            sold = n % 23 != 7
            share, wait = (middle + (n * 37) % 301 - 150, 900 + (n * 613) % 2400) if sold else (None, None)
            again = n % 14 == 3
            card = KindShare("jd-ecard" if n % 5 == 4 else "walmart", share, again)
            city = "suzhou" if n % 3 == 2 else "shanghai"
            made.append(Sample(kind, 100 + len(made), at + timedelta(hours=n), share, wait, again, city, (card,)))
    return tuple(made)
