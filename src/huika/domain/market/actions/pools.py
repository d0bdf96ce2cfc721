"""Neighbours share a visit: each basket is too little alone, together they cover it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F, QuerySet

from huika.domain.catalog import queries as catalog
from huika.domain.market import models, pooling, queries
from huika.domain.market.actions.alerts import tell
from huika.domain.market.actions.visits import allow_visit
from huika.domain.market.errors import (
    LessThanPooled,
    PooledAlready,
    PoolOver,
    PoolUsed,
    QuoteExpired,
    SharedWindow,
    TooLittleToShare,
    TooSoonToShare,
    VisitPaysAlone,
)
from huika.domain.market.pooling import Share
from huika.domain.market.types import POOLED, SHARED_NOTICE, SHARED_UNTIL
from huika.kit import clock, events, ids, locks
from huika.kit.change import action
from huika.kit.refusals import Malformed, NotFound

WAITS = timedelta(days=14)
STANDS = timedelta(hours=48)
LONGEST_WORD = 20


@action
def join_pool(seller: UUID, comparison: UUID, offer: str, word: str = "") -> UUID:
    """Put a comparison's basket into the open pool of its district; the pool's id. When the baskets together cover
    the visit every member is told and may book for 48 hours.

    Raises NotFound, QuoteExpired, Malformed, VisitPaysAlone, TooLittleToShare, PooledAlready.
    """
    at, word = clock.now(), " ".join(word.split())
    if len(word) > LONGEST_WORD:
        raise Malformed(field="word", why=f"at most {LONGEST_WORD} characters", why_zh=f"最多 {LONGEST_WORD} 个字")
    compared = models.Comparison.objects.filter(id=comparison).first()
    if compared is None or not any(o["id"] == offer for o in compared.offers):
        raise NotFound()
    if compared.expires_at <= at:
        raise QuoteExpired(expired_at=compared.expires_at)
    share = _share(compared, offer)
    _one_by_one(compared.city, compared.district)
    _end(models.Pool.objects.filter(city=compared.city, district=compared.district), at)
    place = {"city": compared.city, "district": compared.district}
    if models.PoolMember.objects.filter(seller_id=seller, left_at=None, **place).exists():
        raise PooledAlready()
    pool, _ = models.Pool.objects.get_or_create(
        covered_at=None, ended_at=None, **place, defaults={"at": at, "ends_at": at + WAITS}
    )
    models.PoolMember.objects.create(
        pool=pool,
        seller_id=seller,
        word=word,
        comparison=compared,
        face_fen=share.face_fen,
        margin_fen=share.margin_fen,
        visit_fen=share.visit_fen,
        zone_least_face_fen=share.zone_least_face_fen,
        at=at,
        **place,
    )
    events.record("market.pool.joined", pool.id, place)
    _cover(pool, at)
    return pool.id


def _one_by_one(city: str, district: str) -> None:
    """Who joins and who leaves a district's pools waits for each other: what covers a visit is a sum over all."""
    locks.transaction_lock(f"market.pool.{city}.{district}")


def _share(compared: models.Comparison, offer: str) -> Share:
    """What a basket would bring to a pool. Raises VisitPaysAlone, TooLittleToShare."""
    one = queries.visit_sums(compared.id).get(offer)
    if one is None or one.covered:
        raise VisitPaysAlone()
    share = Share(one.face_fen, one.margin_fen, one.visit_fen, one.zone_least_face_fen)
    if not pooling.helps(share):
        raise TooLittleToShare()
    return share


def _cover(pool: models.Pool, at: datetime) -> None:
    """Let everybody in it book, where their baskets cover the visit now."""
    members = list(models.PoolMember.objects.filter(pool=pool, left_at=None).order_by("id"))
    shares = [Share(m.face_fen, m.margin_fen, m.visit_fen, m.zone_least_face_fen) for m in members]
    if not pooling.covered(shares):
        return
    pool.covered_at, pool.ends_at = at, at + STANDS
    pool.save(update_fields=["covered_at", "ends_at"])
    place = {"city": pool.city, "district": pool.district}
    words = {"district": _district(pool), "until": clock.said(pool.ends_at)}
    for member in members:
        _allow(member, member.comparison_id)
        tell(member.seller_id, "pool", pool.id, {**place, "until": pool.ends_at.isoformat()}, words)
    events.record("market.pool.covered", pool.id, {**place, "members": len(members)})


def _district(pool: models.Pool) -> str:
    return next((d.name_zh for d in catalog.districts(pool.city) if d.slug == pool.district), "")


def _allow(member: models.PoolMember, comparison: UUID) -> None:
    """Offers of a comparison that bring at least what was pooled may be booked though their own visit is not covered.

    Raises LessThanPooled where none does.
    """
    rows = queries.visit_sums(comparison).items()
    enough = [offer for offer, one in rows if one.margin_fen >= member.margin_fen and one.face_fen >= member.face_fen]
    if not enough:
        raise LessThanPooled(yuan=f"{member.face_fen // 100:,}")
    for offer in enough:
        allow_visit(comparison, offer, member.pool_id, POOLED)
    member.used_id = comparison
    member.save(update_fields=["used_id"])


@action
def use_pool(seller: UUID, comparison: UUID) -> None:
    """Book from a new comparison by a pool that is full: what brings as much as was pooled at least, and once.

    Raises NotFound where no pool of this seller in this place stands, LessThanPooled, PoolUsed.
    """
    at = clock.now()
    compared = models.Comparison.objects.filter(id=comparison).first()
    if compared is None:
        raise NotFound()
    member = locks.locked(
        models.PoolMember.objects.all(),
        seller_id=seller,
        city=compared.city,
        district=compared.district,
        left_at=None,
        pool__covered_at__isnull=False,
        pool__ends_at__gt=at,
    )
    offers = [row.offer for row in _words(member).select_for_update()]
    # What was taken before the pool was full was taken on another word.
    taken = models.Taken.objects.filter(comparison=member.used, offer__in=offers, at__gte=member.pool.covered_at)
    if taken.filter(called_off_at=None).exists():
        raise PoolUsed()
    _take_back(member, POOLED)
    _allow(member, comparison)


def _words(member: models.PoolMember) -> QuerySet[models.VisitSum]:
    """Offers that may be booked by a member's pool."""
    return models.VisitSum.objects.filter(comparison=member.used, allowed_by=member.pool_id)


def _take_back(member: models.PoolMember, because: str) -> None:
    """The pool's word no more; what was taken, on this word or an earlier one, keeps its own."""
    _words(member).filter(taken_at=None).update(allowed_by=None, allowed_because=because)
    _words(member).exclude(taken_at=None).update(words=F("words") - 1)


@action
def join_visit(pool_id: UUID, opens: datetime, beside: datetime | None) -> None:
    """Part of an acceptance by a full pool: in which window its one visit is. The first chooses, the others are told
    and come in the window of the visit `beside` which they are.

    Raises PoolOver, TooSoonToShare, SharedWindow.
    """
    at, pool = clock.now(), locks.locked(models.Pool.objects.all(), id=pool_id)
    if pool.ended_at is not None or pool.ends_at <= at:
        raise PoolOver()
    if beside is not None:
        if beside != opens:
            raise SharedWindow(opens=beside, when=clock.said(beside))
        return
    if opens < at + SHARED_NOTICE:
        raise TooSoonToShare()
    pool.opens, pool.ends_at = opens, opens - SHARED_UNTIL
    pool.save(update_fields=["opens", "ends_at"])
    _tell(pool, "pool_time", {"when": clock.said(opens), "until": clock.said(pool.ends_at)})
    events.record("market.pool.timed", pool.id, {"opens": opens.isoformat()})


def _tell(pool: models.Pool, kind: str, words: dict[str, str]) -> None:
    """News of a full pool for those of it who have not booked."""
    facts: dict[str, object] = {"city": pool.city, "district": pool.district, "pool": str(pool.id)}
    facts |= {"until": pool.ends_at.isoformat()} | ({"opens": pool.opens.isoformat()} if pool.opens else {})
    booked = models.Taken.objects.filter(pool_id=pool.id, called_off_at=None).values("comparison")
    for member in models.PoolMember.objects.filter(pool=pool, left_at=None).exclude(used__in=booked).order_by("id"):
        tell(member.seller_id, kind, ids.uuid7(), facts, words)


@action
def call_off(order: UUID) -> None:
    """Part of an order's end before its visit: the word it was booked by is free again, and where nobody is left of a
    full pool its window is open again, for the 48 hours that were said at least. Nothing for what was never taken."""
    row = models.Taken.objects.filter(order=order, called_off_at=None).first()
    if row is None:
        return
    models.Taken.objects.filter(order=order).update(called_off_at=clock.now())
    if row.pool_id is None or not models.Pool.objects.filter(id=row.pool_id, ended_at=None).exists():
        return
    pool = locks.locked(models.Pool.objects.all(), id=row.pool_id)
    left = models.Taken.objects.filter(pool_id=pool.id, called_off_at=None)
    if pool.ended_at is not None or pool.opens is None or pool.covered_at is None or left.exists():
        return
    pool.opens, pool.ends_at = None, max(pool.ends_at, pool.covered_at + STANDS)
    pool.save(update_fields=["opens", "ends_at"])
    _tell(pool, "pool", {"district": _district(pool), "until": clock.said(pool.ends_at)})


@action
def send_anyway(pool_id: UUID, by: UUID, because: str) -> None:
    """A person sends somebody to those who booked, though together they do not cover the visit: for as much as it loses
    now, and no more. Raises Malformed."""
    if not because.strip():
        raise Malformed(field="because", why="say why", why_zh="写明原因")
    pool = locks.locked(models.Pool.objects.all(), id=pool_id)
    pool.sent_by, pool.sent_because = by, because.strip()[:200]
    pool.sent_margin_fen = queries.shared_visit(pool_id).margin_fen
    pool.save(update_fields=["sent_by", "sent_because", "sent_margin_fen"])
    events.record("market.pool.sent", pool.id, {"by": str(by), "because": pool.sent_because})


@action
def leave_pool(seller: UUID, pool: UUID) -> None:
    """Out of it by one tap; what the others were told stands. Raises NotFound."""
    place = models.Pool.objects.filter(id=pool).values_list("city", "district").first()
    if place is None:
        raise NotFound()
    _one_by_one(*place)
    member = locks.locked(models.PoolMember.objects.all(), seller_id=seller, pool_id=pool, left_at=None)
    member.left_at = clock.now()
    member.save(update_fields=["left_at"])
    if member.used_id:
        _take_back(member, "")
    events.record("market.pool.left", pool, {"district": member.district})


@action
def end_pools(at: datetime) -> int:
    """Pools whose time is over; how many."""
    return _end(models.Pool.objects.all(), at)


def _end(pools: QuerySet[models.Pool], at: datetime) -> int:
    due: Sequence[UUID] = list(pools.filter(ended_at=None, ends_at__lte=at).values_list("id", flat=True))
    rows = locks.locked_all(models.Pool.objects.filter(ended_at=None), due)
    for pool in rows:
        pool.ended_at = at
        pool.save(update_fields=["ended_at"])
        models.PoolMember.objects.filter(pool=pool, left_at=None).update(left_at=at)
        events.record("market.pool.ended", pool.id, {"district": pool.district})
    return len(rows)
