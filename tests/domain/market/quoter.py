"""A recycler that answers requests for quotes, honestly or with one thing wrong."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from huika.domain.market import live, types
from huika.domain.market.types import Line
from huika.kit.money import share_fen

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
PLATFORM = "huika.test/log"
AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
UNTIL = AT + timedelta(minutes=15)
LINES = [
    Line(1, "walmart", 1000_00, "electronic"),
    Line(2, "walmart", 1000_00, "electronic"),
    Line(3, "hema", 500_00, "electronic"),
]
FIXED_FEN, FEE_BP = 2_00, 30
FEE = {"code": "handling", "zh": "手续费", "en": "Handling", "fixed_fen": FIXED_FEN, "bp": FEE_BP}
Change = Callable[[dict[str, Any]], object]


def question(recycler: UUID | None = None, kid: str = "k1", lines: list[Line] = LINES) -> types.Question:
    return live.question(uuid4(), PLATFORM, recycler or UUID(int=5), kid, "shanghai", "visit", lines, AT, UNTIL)


def said(asked: dict[str, Any], ratio_bp: int, nonce: str = "") -> dict[str, Any]:
    """An honest quote for what was asked, at one ratio."""
    prices, gross, by_ratio = [], 0, 0
    for card in asked["cards"]:
        one = share_fen(card["face_value_fen"], ratio_bp)
        own = {name: card[name] for name in ("kind", "face_value_fen", "form", "condition")}
        prices.append({**own, "ratio_bp": ratio_bp, "gross_fen": one})
        gross += one * card["count"]
        by_ratio += share_fen(one, FEE_BP) * card["count"]
    fees = by_ratio + FIXED_FEN
    same = {name: asked[name] for name in ("v", "platform", "recycler", "rfq", "basket", "key")}
    return {
        **same,
        "nonce": nonce or uuid4().hex,
        "at": asked["at"],
        "expires_at": asked["until"],
        "prices": prices,
        "fees": [dict(FEE)],
        "gross_fen": gross,
        "fees_fen": fees,
        "net_fen": gross - fees,
    }


def reply(
    to: types.Question,
    ratio_bp: int = 9500,
    change: Change | None = None,
    key: Ed25519PrivateKey = KEY,
    nonce: str = "",
) -> types.Reply:
    """Its reply, with something changed before it is signed."""
    quote = said(json.loads(to.body), ratio_bp, nonce)
    if change:
        change(quote)
    body = json.dumps(quote, ensure_ascii=False).encode()
    return types.Reply(to, "answered", 12, body, key.sign(body))
