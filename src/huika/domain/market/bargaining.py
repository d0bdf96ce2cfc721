"""Bargaining on a basket's attributes: who may say what next, and whether a record's raised prices follow. Pure.

A step is a number of basis points of face value on top of the recycler's book, the same for every card of the basket,
so that nothing but the basket decides. The seller asks for less each time, the recycler offers more each time; whoever
names the other's last number agrees. Three rounds and ten minutes at most.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from huika.domain.market import live
from huika.domain.market.errors import BargainOver
from huika.domain.market.types import BARGAIN_ROUNDS, MOST_BONUS_BP, Book, Line
from huika.kit import canonical

VERSION: Final = 1
STANDS_SECONDS: Final = 600
_MOST_RATIO_BP: Final = 12_000


def may_ask(steps: Sequence[int], bonus_bp: int) -> bool:
    """Whether a seller may ask for this after these steps (asked, answered, asked …): less than last time, more than
    was offered."""
    if not 0 < bonus_bp <= MOST_BONUS_BP or len(steps) % 2 or len(steps) >= 2 * BARGAIN_ROUNDS:
        return False
    return not steps or steps[-1] < bonus_bp < steps[-2]


def may_answer(steps: Sequence[int], bonus_bp: int) -> bool:
    """Whether a recycler may answer this: nothing (0), what was asked, or between its last offer and that."""
    if len(steps) % 2 == 0 or bonus_bp < 0:
        return False
    offered = steps[-2] if len(steps) > 1 else 0
    return bonus_bp == 0 or offered < bonus_bp <= steps[-1]


def raised(book: Book, bonus_bp: int) -> Book:
    """The book with what was agreed on top of every ratio."""
    prices = tuple(replace(p, ratio_bp=min(p.ratio_bp + bonus_bp, _MOST_RATIO_BP)) for p in book.prices)
    return replace(book, source="bargain", prices=prices)


def terms(bargain: UUID, until: datetime, book: Book, city: str, channel: str, lines: Sequence[Line]) -> dict[str, Any]:
    """What an answer is about, but for the steps so far: basket, book and until when. Nothing of who sells."""
    return {
        "v": VERSION,
        "bargain": str(bargain),
        "until": until.isoformat(),
        "recycler": str(book.recycler),
        "city": city,
        "channel": channel,
        "cards": live.cards(lines),
        "book": str(book.book),
        "prices": sorted((canonical.asdict(p) for p in book.prices), key=canonical.dumps),
        "fees": [canonical.asdict(f) for f in book.fees],
    }


def text(of: Mapping[str, Any], said: Sequence[int]) -> bytes:
    """Such terms with every step so far, as canonical JSON; a recycler signs its SHA-256 as `about`."""
    return canonical.dumps({**of, "steps": list(said)})


class Agreed:
    """What one recycler has agreed to, on its way into a comparison, which is the same asker's: under its `secret`.

    `evidence`: what the record keeps of it, with the ratios it began from and every step, answers with what was signed.
    """

    def __init__(
        self,
        bargain: UUID,
        recycler: UUID,
        book: UUID,
        until: datetime,
        bonus_bp: int,
        steps: Sequence[Mapping[str, Any]],
        secret: str,
    ) -> None:
        self.recycler, self.book, self.bonus_bp, self.secret = recycler, book, bonus_bp, secret
        self.evidence: dict[str, Any] = {
            "bargain": str(bargain),
            "until": until.isoformat(),
            "bonus_bp": bonus_bp,
            "steps": list(steps),
        }

    def raise_in(self, books: Sequence[Book]) -> list[Book]:
        """The books with what was agreed on top of the one it was agreed about. Raises BargainOver where that one does
        not count any more."""
        if not any((b.recycler, b.book, b.paused) == (self.recycler, self.book, False) for b in books):
            raise BargainOver()
        return [self._raised(book) if book.recycler == self.recycler else book for book in books]

    def _raised(self, book: Book) -> Book:
        self.evidence["ratios_bp"] = [p.ratio_bp for p in book.prices]
        return raised(book, self.bonus_bp)


def follows(kept: Mapping[str, Any], book: Book, at: datetime, city: str, channel: str, lines: Sequence[Line]) -> str:
    """Why the raised prices of a record made at `at` do not follow from its steps; empty where they do.

    Raises KeyError, ValueError.
    """
    until = datetime.fromisoformat(kept["until"])
    if at > until:
        return "it was over by then"
    said = [step["bonus_bp"] for step in kept["steps"]]
    for n in range(len(said)):
        allowed = may_answer if n % 2 else may_ask
        if not allowed(said[:n], said[n]):
            return f"step {n + 1} was not open"
    before = unraised(book, kept["ratios_bp"])
    for n, step in enumerate(kept["steps"], start=1):
        of = terms(UUID(kept["bargain"]), until, before, city, channel, lines)
        if n % 2 == 0 and not signed(text(of, said[: n - 1]), n, step["bonus_bp"], step):
            return f"step {n} is not what the recycler signed"
    if kept["bonus_bp"] not in said or kept["bonus_bp"] != min(said[-2:], default=0) or len(said) < 2:
        return "what was agreed was not said by both"
    return "" if raised(before, kept["bonus_bp"]).prices == book.prices else "the prices are not the raised ones"


def unraised(book: Book, ratios_bp: Sequence[int]) -> Book:
    """The book as it was before. Raises ValueError where it has another number of prices."""
    return replace(book, prices=tuple(replace(p, ratio_bp=bp) for p, bp in zip(book.prices, ratios_bp, strict=True)))


def signed(of: bytes, n: int, bonus_bp: int, step: Mapping[str, Any]) -> bool:
    """Whether the recycler's message says this step of these terms (their `text`), and its signature holds."""
    try:
        message = bytes.fromhex(step["message"])
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(step["public_key"])).verify(
            bytes.fromhex(step["signature"]), message
        )
        # METHOD, PATH, TIMESTAMP, NONCE, then the body: see the API's signed requests.
        said = json.loads(message.split(b"\n", 4)[4])
        return canonical.dumps([said[name] for name in ("n", "bonus_bp", "about")]) == canonical.dumps(
            [n, bonus_bp, hashlib.sha256(of).hexdigest()]
        )
    except (InvalidSignature, ValueError, KeyError, TypeError, IndexError):
        return False
