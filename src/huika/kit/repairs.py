"""What happens when a person says that the cause of a stop is mended: parked subjects and stopped projections go on."""

from uuid import UUID

from huika.kit import followers
from huika.kit.events import Placed
from huika.kit.followers import reactor
from huika.kit.models import Parked, WorkItem


@reactor("kit.repairs", "kit.work_item.decided")
def mended(event: Placed) -> None:
    """A parked subject's events run again, a stopped projection reads on, once somebody has decided `clear`."""
    if event.facts["decision"] != "clear":
        return
    about = UUID(event.facts["about"])
    if event.facts["kind"] == "kit.parked":
        for name in sorted(set(Parked.objects.filter(subject=about).values_list("follower", flat=True))):
            followers.unpark(name, about)
    elif event.facts["kind"] == "kit.stopped":
        followers.restart(WorkItem.objects.get(id=event.subject).facts["follower"])
