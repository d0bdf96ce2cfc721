"""Forms that are done once, and refusals beside what was typed."""

import hashlib
import hmac
from collections.abc import Callable
from typing import TypeVar

from django.http import HttpRequest

from huika.domain.parties.types import Actor
from huika.kit import ids
from huika.kit.change import Claim, claimed
from huika.kit.derived import secret_key

T = TypeVar("T")
_LEFT_OUT = ("csrfmiddlewaretoken", "once")


def fresh_number() -> str:
    """A number for one rendered form."""
    return ids.uuid7().hex


def once(request: HttpRequest, actor: Actor | None, act: Callable[[], T], *, device: str = "") -> T:
    """Run one action for this form: sent twice with the same content, by a double tap or a lost answer, it acts once.

    The content is part of the key, so that a form that was changed after going back is a new one. Somebody whom nobody
    knows is told apart by `device`, the browser's own secret: an answer is never given to another browser.
    """
    asked = hmac.new(secret_key("asked"), f"{request.method} {request.path}\n{device}\n".encode(), hashlib.sha256)
    for name in sorted(set(request.POST) - set(_LEFT_OUT)):
        for value in request.POST.getlist(name):
            asked.update(f"{len(name)}:{name}={len(value)}:{value}\n".encode())
    for name in sorted(request.FILES):
        for upload in request.FILES.getlist(name):
            upload.seek(0)
            asked.update(f"{name}:".encode() + hashlib.sha256(upload.read()).digest())
            upload.seek(0)
    digest = asked.digest()
    scope = f"{actor.role}:{actor.party}" if actor else "anyone"
    number = request.POST.get("once", "")[:40] or "none"
    with claimed(Claim(scope, f"{number}.{digest.hex()[:24]}", digest)):
        return act()
