"""One mechanism for everything that needs two people: somebody asks, somebody else approves, it is used once."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from huika.kit import canonical, clock, events, locks
from huika.kit.change import action
from huika.kit.models import Approval
from huika.kit.refusals import Refusal

VALID_SECONDS = 3600


class SamePerson(Refusal):
    code, status = "approval_same_person", 409
    zh, en = "要由另一个人批准", "Another person must approve this."


class NotApproved(Refusal):
    code, status = "not_approved", 409
    zh, en = "还没有第二个人批准", "A second person has not approved this."


@action
def ask(kind: str, subject: UUID, by: UUID, facts: dict[str, Any]) -> UUID:
    """Ask for exactly these facts to be approved; the approval's id."""
    at = clock.now()
    approval = Approval.objects.create(
        kind=kind,
        subject=subject,
        facts=facts,
        facts_hash=canonical.digest(facts),
        asked_by=by,
        asked_at=at,
        expires_at=at + timedelta(seconds=VALID_SECONDS),
    )
    events.record("kit.approval.asked", approval.id, {"kind": kind, "about": str(subject), "by": str(by)})
    return approval.id


@action
def decide(approval_id: UUID, by: UUID, *, approve: bool) -> None:
    """A second person approves or refuses. The database refuses the same person too."""
    approval = locks.locked(Approval.objects.all(), id=approval_id)
    if approval.asked_by == by:
        raise SamePerson()
    if approval.decided_at or approval.expires_at < clock.now():
        raise NotApproved()
    approval.decided_by, approval.decided_at, approval.approved = by, clock.now(), approve
    approval.save(update_fields=["decided_by", "decided_at", "approved"])
    events.record("kit.approval.decided", approval.id, {"approved": approve, "by": str(by)})


def use(approval_id: UUID, kind: str, subject: UUID, facts: dict[str, Any]) -> None:
    """Spend an approval inside the action it was asked for; NotApproved unless kind, subject and facts are the same."""
    approval = locks.locked(Approval.objects.all(), id=approval_id)
    same = (approval.kind, approval.subject, bytes(approval.facts_hash)) == (kind, subject, canonical.digest(facts))
    if not same or not approval.approved or approval.used_at or approval.expires_at < clock.now():
        raise NotApproved()
    approval.used_at = clock.now()
    approval.save(update_fields=["used_at"])
