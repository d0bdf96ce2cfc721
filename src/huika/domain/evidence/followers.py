"""The public log follows the stream."""

from collections.abc import Sequence

from django.db.models import Max

from huika.domain.evidence import log, receipts
from huika.domain.evidence.errors import LogForked, LogTooLong
from huika.kit.events import Placed
from huika.kit.followers import projection
from huika.kit.models import EventPlace


@projection("evidence.log")
def write_leaves(events: Sequence[Placed]) -> None:
    """Writes every event's leaf at its place and signs the new checkpoint."""
    tiles, signer = log.tiles(), log.signer()
    published = tiles.published(signer)
    if published is not None:
        last = EventPlace.objects.aggregate(last=Max("place"))["last"]
        known = -1 if last is None else last
        # A database restored from an older copy would sign another history under the same name.
        if published.size > known + 1:
            raise LogTooLong(published=published.size, known=known + 1)
    leaves = [receipts.leaf(e) for e in events]
    if published is not None:
        # What is published is never written over: not by a restored history that has grown past it, not by a rebuild.
        for event, entry in zip(events, leaves, strict=True):
            if event.place < published.size and tiles.entry(event.place, published.size) != entry:
                raise LogForked(place=event.place)
    size = tiles.append(events[0].place, leaves)
    if published is not None:
        if published.size > size:
            return
        if tiles.root(published.size) != published.root:
            raise LogForked(place=published.size)
    tiles.publish(signer, size)
