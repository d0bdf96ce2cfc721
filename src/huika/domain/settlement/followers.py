"""What settlement does when others have news."""

from uuid import UUID

from huika.domain.settlement import actions
from huika.kit.events import Placed
from huika.kit.followers import reactor
from huika.kit.models import WorkItem


@reactor("settlement.approvals", "kit.approval.decided")
def approval_decided(event: Placed) -> None:
    """Two people have agreed on stopping or resuming payouts: it takes effect."""
    if event.facts["approved"]:
        actions.stop_or_resume(event.subject)


@reactor("settlement.desk", "kit.work_item.decided")
def person_decided(event: Placed) -> None:
    """A person has found out what a difference to the custodian's statement is."""
    if str(event.facts["kind"]).startswith("settlement.recon_"):
        item = WorkItem.objects.get(id=event.subject)
        if item.decided_by:
            actions.explain(UUID(event.facts["about"]), item.decided_by, f"{item.decision}: {item.reason}")
