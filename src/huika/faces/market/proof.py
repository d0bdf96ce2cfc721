"""The public log for people, and the verifier: here, and as one file that works without us."""

import base64
import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Final

from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from huika.domain.evidence import queries as evidence
from huika.faces.market.steps import STEPS
from huika.faces.market.verbs import sentence
from huika.kit import clock
from huika.kit.refusals import NotFound
from huika.kit.tlog.merkle import leaf_hash
from huika.kit.tlog.note import Checkpoint, Verifier, open_checkpoint
from huika.kit.tlog.tiles import Tiles

NEWEST: Final = 12
STYLES: Final = ("pages/huika.css", "pages/pages.css", "market/market.css", "market/verify.css")
SCRIPT: Final = "market/verify.js"


@dataclass(frozen=True)
class Leaf:
    """A leaf as anybody may see it: no name, no number, no amount. `fingerprint` is its hash, 64 hex digits."""

    place: int
    verb: str
    said: str
    at: datetime
    fingerprint: str


def checkpoint() -> tuple[Checkpoint | None, Path | None]:
    """The newest published tree head and the folder of the log; None before the first."""
    try:
        place = evidence.log_file("checkpoint")
    except NotFound:
        return None, None
    key = Verifier.from_vkey(evidence.log_key())
    return open_checkpoint(place.read_bytes().decode(), key.name, [key]), place.parent


def newest(most: int) -> tuple[Checkpoint | None, list[Leaf]]:
    """The tree head and its newest leaves, newest first."""
    head, folder = checkpoint()
    if head is None or folder is None:
        return None, []
    tiles = Tiles(folder)
    return head, [_leaf(tiles.entry(n, head.size)) for n in range(head.size - 1, max(head.size - 1 - most, -1), -1)]


def _leaf(entry: bytes) -> Leaf:
    body = json.loads(entry)
    at = datetime.fromisoformat(body["at"])
    return Leaf(body["place"], body["verb"], sentence(body["verb"]), at, leaf_hash(entry).hex())


@require_safe
def proof(request: HttpRequest) -> HttpResponse:
    """The page."""
    head, leaves = newest(NEWEST)
    values = {
        "size": head.size if head else 0,
        "root": head.root.hex() if head else "",
        "leaves": leaves,
        "log_key": evidence.log_key(),
        "steps": STEPS,
        "here": "proof",
    }
    return render(request, "market/proof.html", values)


@cache
def _static(name: str) -> str:
    return Path(str(finders.find(name))).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@require_safe
def verifier_file(request: HttpRequest) -> HttpResponse:
    """The verifier as one file: script, style and the log's key of this moment inside, and nothing it could fetch."""
    script, style = _static(SCRIPT), "\n".join(_static(name) for name in STYLES)
    policy = f"default-src 'none'; script-src '{_digest(script)}'; style-src '{_digest(style)}'; base-uri 'none'"
    values = {
        "script": script,
        "style": style,
        "policy": policy,
        "log_key": evidence.log_key(),
        "steps": STEPS,
        "saved_at": clock.now(),
        "saved": True,
    }
    return HttpResponse(
        render_to_string("market/verify_file.html", values, request),
        content_type="text/html; charset=utf-8",
        headers={
            "Content-Disposition": 'attachment; filename="huika-verify.html"',
            "Content-Security-Policy": f"{policy}; sandbox",
        },
    )
