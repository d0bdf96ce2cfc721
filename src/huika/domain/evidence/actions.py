"""Keeping a picture."""

from pathlib import Path
from uuid import UUID

from django.conf import settings

from huika.domain.evidence import models
from huika.kit import clock, events
from huika.kit.change import action


@action
def keep_picture(
    subject: UUID, side: str, by: UUID, *, jpeg: bytes, sha256: bytes, clean_sha256: bytes, width: int, height: int
) -> UUID:
    """Keep a cleaned picture; the event holds the hash of what the device sent. The file is written first: a picture
    without a row is litter, a row without a picture would be a lie."""
    place = file_of(clean_sha256)
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        part = place.with_suffix(f".{subject.hex[-8:]}.new")
        part.write_bytes(jpeg)
        part.replace(place)
    row = models.Picture.objects.create(
        subject_id=subject,
        side=side,
        by=by,
        sha256=sha256,
        clean_sha256=clean_sha256,
        width=width,
        height=height,
        at=clock.now(),
    )
    events.record("evidence.picture.kept", subject, {"picture": str(row.id), "side": side, "sha256": sha256.hex()})
    return row.id


def file_of(clean_sha256: bytes) -> Path:
    """Where a cleaned picture is kept."""
    name = clean_sha256.hex()
    return Path(settings.FILES) / name[:2] / f"{name}.jpg"
