"""Pictures, receipts, the state of the log."""

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from huika.domain.evidence import actions, log, models, receipts
from huika.domain.evidence.errors import ReceiptNotReady
from huika.domain.evidence.types import LeafRef, PictureRef, VerifiedReceipt
from huika.kit import events
from huika.kit.refusals import NotFound
from huika.kit.tlog import merkle
from huika.kit.tlog.note import Verifier
from huika.kit.tlog.proof import Proof


def pictures(subject: UUID) -> Sequence[PictureRef]:
    """A card's pictures, newest first."""
    rows = models.Picture.objects.filter(subject_id=subject).order_by("-id")
    return [
        PictureRef(
            r.id, r.subject_id, r.side, bytes(r.sha256).hex(), bytes(r.clean_sha256).hex(), r.width, r.height, r.at
        )
        for r in rows
    ]


def picture_bytes(clean_sha256: str) -> bytes:
    """The cleaned JPEG."""
    place = actions.file_of(bytes.fromhex(clean_sha256))
    if not place.exists():
        raise NotFound()
    return place.read_bytes()


def receipt(subject: UUID, verb: str, *, only: Sequence[str] | None = None, **facts: str) -> str:
    """The receipt of the newest event of this verb, of these facts where any are named, with every part disclosed or
    `only` these.

    Raises NotFound when there is no such event, ReceiptNotReady while it is on its way into the log.
    """
    if not events.recorded(subject, verb):
        raise NotFound()
    event, tiles, signer = _newest(subject, verb, facts), log.tiles(), log.signer()
    published = tiles.published(signer)
    if event is None or published is None or published.size <= event.place:
        raise ReceiptNotReady()
    hashes = tiles.inclusion(event.place, published.size)
    note = (tiles.folder / "checkpoint").read_bytes().decode()
    if note.split("\n")[1] != str(published.size):  # the log grew between the two reads
        return receipt(subject, verb, only=only, **facts)
    return Proof(
        receipts.disclose(event, event.parts if only is None else only), event.place, tuple(hashes), note
    ).text()


def _newest(subject: UUID, verb: str, facts: dict[str, str]) -> events.Placed | None:
    if not facts:
        return events.last_about(subject, verb)
    like = [e for e in events.about([subject]) if e.verb == verb and facts.items() <= e.facts.items()]
    return like[-1] if like else None


def verify_receipt(text: str, vkeys: Sequence[str]) -> VerifiedReceipt:
    """Check a receipt offline with keys from outside the file. Raises ReceiptNotVerified."""
    return receipts.verify(text, [Verifier.from_vkey(k) for k in vkeys])


def log_key() -> str:
    """The log's public key as a vkey."""
    return log.verifier().vkey


def log_size() -> int:
    """Leaves in the newest published checkpoint."""
    published = log.tiles().published(log.signer())
    return published.size if published else 0


def newest_leaf(subjects: Sequence[UUID]) -> LeafRef | None:
    """Where the newest event about these subjects stands in the log, and whether it is published by now."""
    placed = events.about(subjects)
    return LeafRef(placed[-1].place, placed[-1].at, placed[-1].place < log_size()) if placed else None


def log_file(path: str) -> Path:
    """A published file of the log; NotFound outside it."""
    folder = log.tiles().folder.resolve()
    place = (folder / path).resolve()
    if not place.is_relative_to(folder) or not place.is_file() or place.suffix == ".new":
        raise NotFound()
    return place


def check_log() -> str:
    """Whether every published leaf is what the database says, they make the root, and so do the tiles; empty if so."""
    tiles, signer = log.tiles(), log.signer()
    published = tiles.published(signer)
    if published is None:
        return ""
    hashes: list[bytes] = []
    while len(hashes) < published.size:
        batch = events.read(len(hashes), min(500, published.size - len(hashes)))
        if not batch:
            return f"the database lacks the event of leaf {len(hashes)}"
        for event in batch:
            if event.place != len(hashes):
                return f"the database lacks the event of leaf {len(hashes)}"
            entry = receipts.leaf(event)
            if tiles.entry(event.place, published.size) != entry:
                return f"leaf {event.place} differs"
            hashes.append(merkle.leaf_hash(entry))
    subtree = merkle.subtrees(hashes)
    if merkle.root(published.size, subtree) != published.root:
        return "the leaves do not make the root"
    differing = tiles.differing(published.size, subtree)
    return f"{differing} differs" if differing else ""
