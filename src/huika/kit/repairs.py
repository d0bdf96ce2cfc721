"""A person says that the cause is mended: parked subjects, stopped projections and failed jobs go on."""

from uuid import UUID

from huika.kit import followers, jobs
from huika.kit.events import Placed
from huika.kit.followers import reactor
from huika.kit.models import Parked, WorkItem


@reactor("kit.repairs", "kit.work_item.decided")
def mended(event: Placed) -> None:
    """On the word `clear` a parked subject's events run again, a projection reads on, a failed job is deferred anew."""
    if event.facts["decision"] != "clear":
        return
    about = UUID(event.facts["about"])
    if event.facts["kind"] == "kit.parked":
        for name in sorted(set(Parked.objects.filter(subject=about).values_list("follower", flat=True))):
            followers.unpark(name, about)
    elif event.facts["kind"] == "kit.job_failed":
        facts = WorkItem.objects.get(id=event.subject).facts
        jobs.defer(facts["name"], **facts["args"])
    elif event.facts["kind"] == "kit.stopped":
        followers.restart(WorkItem.objects.get(id=event.subject).facts["follower"])
