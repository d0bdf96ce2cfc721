"""Leaves and receipts. Pure.

A leaf names the verb and the time and holds one salted commitment for every part of an event:
SHA-256(HMAC-SHA-256(event salt, part name) ‖ canonical JSON of the part). A receipt is a C2SP tlog-proof whose extra
data is the leaf and the parts that are disclosed, each with its own salt; new kinds of parts need no new format.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Sequence
from typing import Any

from huika.domain.evidence.errors import ReceiptNotVerified
from huika.domain.evidence.types import VerifiedReceipt
from huika.kit import canonical
from huika.kit.events import Placed
from huika.kit.tlog.merkle import BadProof
from huika.kit.tlog.note import BadNote, Verifier
from huika.kit.tlog.proof import Proof

VERSION = 1


def part_salt(salt: bytes, name: str) -> bytes:
    """The salt of one part, 32 bytes."""
    return hmac.new(salt, name.encode(), hashlib.sha256).digest()


def commitment(salt: bytes, value: Any) -> str:
    """Hex commitment to a part under its own salt."""
    return hashlib.sha256(salt + canonical.dumps(value)).hexdigest()


def _parts(event: Placed) -> dict[str, Any]:
    return {"event": {"subject": str(event.subject), "facts": event.facts}, **event.parts}


def leaf(event: Placed) -> bytes:
    """The leaf's bytes."""
    return canonical.dumps(
        {
            "v": VERSION,
            "place": event.place,
            "verb": event.verb,
            "at": event.at.isoformat(),
            "parts": {name: commitment(part_salt(event.salt, name), v) for name, v in _parts(event).items()},
        }
    )


def disclose(event: Placed, names: Iterable[str]) -> bytes:
    """A receipt's extra data: the leaf and these parts of it."""
    every = _parts(event)
    return canonical.dumps(
        {
            "leaf": json.loads(leaf(event)),
            "parts": {n: {"salt": part_salt(event.salt, n).hex(), "value": every[n]} for n in names},
        }
    )


def verify(text: str, trusted: Sequence[Verifier]) -> VerifiedReceipt:
    """Check a receipt with keys from outside it; ReceiptNotVerified says which step failed.

    Needs no database and no network. Every byte of the file counts: it must be in the one form that `disclose` and
    `Proof.text` write, and bear no signature but those of trusted keys.
    """
    try:
        proof = Proof.from_text(text)
        extra = json.loads(proof.extra)
        if not isinstance(extra, dict) or canonical.dumps(extra) != proof.extra or set(extra) != {"leaf", "parts"}:
            raise BadProof("the extra data is not in its one form")
        body, parts = extra["leaf"], extra["parts"]
        origin = proof.checkpoint.split("\n", 1)[0]
        if not any(key.name == origin for key in trusted):
            raise BadNote(f"no trusted key for the log {origin[:80]!r}")
        checkpoint = proof.verify(canonical.dumps(body), origin, trusted)
        if proof.checkpoint.count("\n— ") != 1:
            raise BadNote("a signature of an unknown key")
        if body["v"] != VERSION or body["place"] != proof.index:
            raise BadProof("the leaf is of another place or version")
        shown = {}
        for name, part in parts.items():
            salt = bytes.fromhex(part["salt"])
            if set(part) != {"salt", "value"} or body["parts"].get(name) != commitment(salt, part["value"]):
                raise BadProof(f"the part {name!r} is not what the log holds")
            if salt.hex() != part["salt"]:
                raise BadProof("a salt is not in its one form")
            shown[name] = part["value"]
        return VerifiedReceipt(origin, proof.index, checkpoint.size, body["verb"], body["at"], shown)
    except (BadProof, BadNote) as error:
        raise ReceiptNotVerified(why=str(error)) from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ReceiptNotVerified(why="the file cannot be read") from error
