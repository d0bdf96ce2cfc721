"""Stopping payouts, and letting them go again: each by two people."""

from datetime import datetime
from uuid import UUID, uuid5

from huika.domain.settlement import models
from huika.domain.settlement.errors import AlreadyStopped, ReasonNeeded, StopAsked
from huika.domain.settlement.types import RESUME_KIND as RESUME
from huika.domain.settlement.types import STOP_KIND as STOP
from huika.kit import approvals, clock, events, ids, locks
from huika.kit.change import action
from huika.kit.refusals import NotFound

SCOPES = ("all", "cash", *models.RAILS)
_SPACE = UUID(int=0x5E77)


def stopped(rail: str) -> bool:
    """Whether payouts by this rail are stopped now."""
    return models.Stop.objects.filter(scope__in=["all", rail], lifted_at=None).exists()


def subject(scope: str) -> UUID:
    """What an approval to stop or resume a scope is about."""
    return uuid5(_SPACE, scope)


@action
def ask_to_stop(scope: str, by: UUID, reason: str) -> UUID:
    """Somebody asks for payouts (`all`, or one rail) to be stopped; the approval's id.

    One's own open request for exactly this is found again. Raises NotFound, ReasonNeeded, AlreadyStopped, StopAsked
    (another request for this scope waits for its second person).
    """
    if scope not in SCOPES:
        raise NotFound()
    if not reason.strip():
        raise ReasonNeeded()
    if models.Stop.objects.filter(scope=scope, lifted_at=None).exists():
        raise AlreadyStopped()
    return _ask(STOP, by, {"scope": scope, "reason": reason.strip()[:200]})


@action
def ask_to_resume(scope: str, by: UUID) -> UUID:
    """Somebody asks for stopped payouts to go on; the approval's id. Raises NotFound when they are not stopped,
    StopAsked.
    """
    if not models.Stop.objects.filter(scope=scope, lifted_at=None).exists():
        raise NotFound()
    return _ask(RESUME, by, {"scope": scope})


def _ask(kind: str, by: UUID, facts: dict[str, str]) -> UUID:
    """One open request a scope; the lock makes two who ask at once wait for each other."""
    about = subject(facts["scope"])
    locks.transaction_lock(f"{kind}:{about}")
    known = next((a for a in approvals.open_ones() if (a.kind, a.subject) == (kind, about)), None)
    if known is None:
        return approvals.ask(kind, about, by, facts)
    if known.asked_by == by and approvals.facts_of(known.id).facts == facts:
        return known.id
    raise StopAsked()


@action
def stop_or_resume(approval_id: UUID) -> None:
    """A second person has signed: what was asked takes effect, once. Approvals of other kinds are left alone."""
    asked = approvals.facts_of(approval_id)
    at = clock.now()
    if asked.used:
        return
    if asked.kind == STOP:
        _stop(approval_id, asked.facts, at)
    elif asked.kind == RESUME:
        approvals.use(approval_id, RESUME, subject(asked.facts["scope"]), asked.facts)
        models.Stop.objects.filter(scope=asked.facts["scope"], lifted_at=None).update(
            lifted_at=at, lifted_by_approval=approval_id
        )
        events.record("settlement.payouts.resumed", subject(asked.facts["scope"]), {"scope": asked.facts["scope"]})


def _stop(approval_id: UUID, facts: dict[str, str], at: datetime) -> None:
    approvals.use(approval_id, STOP, subject(facts["scope"]), facts)
    if models.Stop.objects.filter(scope=facts["scope"], lifted_at=None).exists():
        return
    models.Stop.objects.create(
        id=ids.uuid7(), scope=facts["scope"], reason=facts["reason"], approval_id=approval_id, at=at
    )
    events.record(
        "settlement.payouts.stopped", subject(facts["scope"]), {"scope": facts["scope"], "reason": facts["reason"]}
    )
