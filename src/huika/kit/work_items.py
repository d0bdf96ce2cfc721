"""One queue of work items for everything a person must look at."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from huika.kit import clock, events, locks
from huika.kit.change import action
from huika.kit.models import WorkItem
from huika.kit.refusals import Malformed, NotFound, Refusal

SETTLED = "settled"
"""The decision of an item that ended elsewhere; no person decides so."""
SETTLED_BY: dict[str, tuple[str, str]] = {}
"""Why items end by themselves, in Chinese and English; each capability adds its own."""


class AlreadyClaimed(Refusal):
    code, status = "work_item_claimed", 409
    zh, en = "同事已经在看这一条", "A colleague is already looking at this item."


class AlreadyDecided(Refusal):
    code, status = "work_item_decided", 409
    zh, en = "这一条已经有结论", "This item is already decided."


def open_item(
    kind: str,
    subject: UUID,
    *,
    zh: str,
    en: str,
    facts: dict[str, Any] | None = None,
    within_seconds: int = 3600,
    newest: bool = False,
) -> UUID:
    """Open an item, or find the one that is open for this kind and subject. Part of the caller's transaction.

    With `newest` the open one then shows these facts: what is to be looked at is the present state.
    """
    at = clock.now()
    try:
        with transaction.atomic():
            item = WorkItem.objects.create(
                kind=kind,
                subject=subject,
                title_zh=zh,
                title_en=en,
                facts=facts or {},
                opened_at=at,
                due_at=at + timedelta(seconds=within_seconds),
            )
    except IntegrityError:
        known = WorkItem.objects.get(kind=kind, subject=subject, decided_at=None)
        if newest:
            known.facts = facts or {}
            known.save(update_fields=["facts"])
        return known.id
    events.record("kit.work_item.opened", item.id, {"kind": kind, "about": str(subject)})
    return item.id


def settle(kind: str, subject: UUID, reason: str, by: UUID | None = None) -> None:
    """Close the item that is open for this kind and subject, if any: what it asked about has ended elsewhere.

    `reason` is a key of SETTLED_BY, or the words of the person who ended it (`by`). Part of the caller's transaction.
    """
    row = WorkItem.objects.filter(kind=kind, subject=subject, decided_at=None).select_for_update().first()
    if row is None:
        return
    row.decided_at, row.decided_by, row.decision, row.reason = clock.now(), by, SETTLED, reason
    row.save(update_fields=["decided_at", "decided_by", "decision", "reason"])
    events.record("kit.work_item.settled", row.id, {"kind": kind, "about": str(subject)})


def was_decided(kind: str, subject: UUID, decision: str, about: dict[str, Any]) -> bool:
    """Whether a person has already decided so about this subject with these facts."""
    return WorkItem.objects.filter(kind=kind, subject=subject, decision=decision, facts__contains=about).exists()


def item(item_id: UUID) -> WorkItem:
    """One item, decided or not."""
    found = WorkItem.objects.filter(id=item_id).first()
    if found is None:
        raise NotFound()
    return found


def open_items() -> QuerySet[WorkItem]:
    """What a person must look at, by due time."""
    return WorkItem.objects.filter(decided_at=None).order_by("due_at", "id")


def decided_items() -> QuerySet[WorkItem]:
    """What is decided or has ended by itself, newest first."""
    return WorkItem.objects.filter(decided_at__isnull=False).order_by("-decided_at", "-id")


@action
def claim(item_id: UUID, by: UUID) -> None:
    """A person takes an open item."""
    item = locks.locked(WorkItem.objects.all(), id=item_id)
    if item.decided_at:
        raise AlreadyDecided()
    if item.claimed_by not in (None, by):
        raise AlreadyClaimed()
    item.claimed_by, item.claimed_at = by, clock.now()
    item.save(update_fields=["claimed_by", "claimed_at"])


@action
def decide(item_id: UUID, by: UUID, decision: str, reason: str) -> None:
    """A person decides, with a reason; what follows from it is done by followers of `kit.work_item.decided`."""
    item = locks.locked(WorkItem.objects.all(), id=item_id)
    if item.decided_at:
        raise AlreadyDecided()
    if item.claimed_by not in (None, by):
        raise AlreadyClaimed()
    if not reason.strip() or decision.strip() in ("", SETTLED):
        raise Malformed(field="reason", why="a decision needs a reason", why_zh="请写明理由")
    item.claimed_by, item.decided_by, item.decided_at = by, by, clock.now()
    item.decision, item.reason = decision.strip(), reason.strip()
    item.save(update_fields=["claimed_by", "decided_by", "decided_at", "decision", "reason"])
    events.record(
        "kit.work_item.decided", item.id, {"kind": item.kind, "about": str(item.subject), "decision": item.decision}
    )
