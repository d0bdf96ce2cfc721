"""Live quotes: what a recycler is asked, and whether what came back may be believed. Pure.

The question names the basket's attributes and no card's number, no person and no address finer than the city. The
answer is believed when its signature (Ed25519, over the bytes as they came, by the key it names) holds, it answers this
question within its time, and its own parts add up.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from huika.domain.market.types import MOST_QUOTE_BYTES, Fee, Line, Price, Question, Reply
from huika.kit import canonical
from huika.kit.money import share_fen

VERSION: Final = 1
ANSWER_SECONDS: Final = 0.5
CLOCK_SECONDS: Final = 300
MOST_FEES: Final = 5
_MOST_RATIO_BP, _MOST_FEE_BP, _MOST_FEN = 12_000, 5_000, 10**12

# Reason → Chinese, English, and whether it is the recycler's fault.
REASONS: Final[dict[str, tuple[str, str, bool]]] = {
    "late": ("报价超过半秒没到", "Its quote took longer than half a second.", True),
    "unreachable": ("联系不上报价接口", "Its quoting service could not be reached.", True),
    "address": ("报价接口的网址不能连", "Its quoting address may not be called.", True),
    "redirected": ("报价接口跳转到别处", "Its quoting service redirected elsewhere.", True),
    "status": ("报价接口报错", "Its quoting service answered with an error.", True),
    "too_large": ("报价内容太大", "Its quote is too large.", True),
    "unreadable": ("报价读不出来", "Its quote cannot be read.", True),
    "signature": ("报价签名不对", "The signature of its quote is wrong.", True),
    "not_ours": ("答的不是这一问", "Its quote answers another question.", True),
    "replayed": ("报价用过一次了", "Its quote was used before.", True),
    "clock": ("报价的时间差了五分钟以上", "Its clock is more than five minutes off.", True),
    "expired": ("报价撑不到比价的有效期", "Its quote expires before the comparison does.", True),
    "not_fen": ("金额不是整分", "An amount is not in whole fen.", True),
    "ratio": ("折扣率超出范围", "A ratio is out of range.", True),
    "twice": ("同一种卡报了两次", "It priced one card twice.", True),
    "not_asked": ("报了没有问的卡", "It priced a card that was not asked for.", True),
    "sums": ("各项加起来不等于合计", "Its parts do not add up.", True),
}


@dataclass(frozen=True)
class LiveQuote:
    """A quote that may be believed until `expires_at`."""

    prices: tuple[Price, ...]
    fees: tuple[Fee, ...]
    nonce: str
    at: datetime
    expires_at: datetime


class Refused(Exception):
    """A quote that is not believed; `reason` is a key of REASONS."""

    def __init__(self, reason: str, why: str = "") -> None:
        super().__init__(f"{reason}: {why}" if why else reason)
        self.reason = reason


def question(
    rfq: UUID,
    platform: str,
    recycler: UUID,
    kid: str,
    city: str,
    channel: str,
    lines: Sequence[Line],
    at: datetime,
    until: datetime,
) -> Question:
    """A request for a quote that stands until `until`, to be answered under the recycler's key `kid`."""
    asked_cards = cards(lines)
    basket = canonical.digest({"city": city, "channel": channel, "cards": asked_cards}).hex()
    asked = {
        "v": VERSION,
        "platform": platform,
        "recycler": recycler,
        "rfq": rfq,
        "basket": basket,
        "city": city,
        "channel": channel,
        "cards": asked_cards,
        "key": kid,
        "at": at,
        "until": until,
    }
    return Question(rfq, recycler, kid, basket, until, canonical.dumps(asked))


def cards(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """Kinds of card in a basket and how many of each: attributes alone."""
    counts: dict[tuple[str, int, str, str], int] = {}
    for line in lines:
        key = (line.kind, line.face_value_fen, line.form, line.condition)
        counts[key] = counts.get(key, 0) + 1
    names = ("kind", "face_value_fen", "form", "condition")
    return [{**dict(zip(names, key, strict=True)), "count": n} for key, n in sorted(counts.items())]


def read(reply: Reply, public_key: bytes, platform: str, lines: Sequence[Line], at: datetime) -> LiveQuote:
    """The quote in a reply, taken at `at`. Raises Refused.

    That its nonce was never used before is for the database to say.
    """
    if reply.outcome != "answered":
        raise Refused(reply.outcome)
    if len(reply.body) > MOST_QUOTE_BYTES:
        raise Refused("too_large")
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(reply.signature, reply.body)
    except (InvalidSignature, ValueError) as error:
        raise Refused("signature") from error
    said = _document(reply.body)
    asked = reply.question
    ours = {
        "v": VERSION,
        "platform": platform,
        "recycler": str(asked.recycler),
        "rfq": str(asked.id),
        "basket": asked.basket,
        "key": asked.kid,
    }
    if any(said.get(name) != value for name, value in ours.items()):
        raise Refused("not_ours", ", ".join(n for n, v in ours.items() if said.get(n) != v))
    made_at, expires_at = _moment(said.get("at")), _moment(said.get("expires_at"))
    if abs(made_at - at) > timedelta(seconds=CLOCK_SECONDS):
        raise Refused("clock")
    if expires_at < asked.until:
        raise Refused("expired")
    nonce = said.get("nonce")
    if not isinstance(nonce, str) or not 8 <= len(nonce) <= 80 or not (nonce.isascii() and nonce.isprintable()):
        raise Refused("unreadable")
    fees = _fees(said.get("fees"))
    return LiveQuote(_prices(said, lines, fees), fees, nonce, made_at, expires_at)


def _document(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise Refused("unreadable") from error
    if not isinstance(said, dict):
        raise Refused("unreadable")
    return said


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A name that stands twice would mean one thing here and another to the next reader."""
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a name stands twice")
    return dict(pairs)


def _moment(text: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise Refused("unreadable") from error
    if moment.tzinfo is None:
        raise Refused("unreadable")
    return moment


def _fen(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MOST_FEN:
        raise Refused("not_fen")
    return value


def _fees(raw: Any) -> tuple[Fee, ...]:
    if not isinstance(raw, list) or len(raw) > MOST_FEES or not all(isinstance(f, dict) for f in raw):
        raise Refused("unreadable")
    found = []
    for fee in raw:
        code, zh, en = (fee.get(name) for name in ("code", "zh", "en"))
        if not all(isinstance(t, str) and 0 < len(t) <= 40 and t.isprintable() for t in (code, zh, en)):
            raise Refused("unreadable")
        bp = _fen(fee.get("bp"))
        if bp > _MOST_FEE_BP:
            raise Refused("ratio")
        found.append(Fee(code, zh, en, _fen(fee.get("fixed_fen")), bp))
    if len({f.code for f in found}) != len(found):
        raise Refused("twice")
    return tuple(found)


def _prices(said: dict[str, Any], lines: Sequence[Line], fees: Sequence[Fee]) -> tuple[Price, ...]:
    """One price a kind of card; `gross_fen` of each and of all, `fees_fen` and `net_fen` must follow from them."""
    raw = said.get("prices")
    if not isinstance(raw, list) or not raw or not all(isinstance(p, dict) for p in raw):
        raise Refused("unreadable")
    counts = {tuple(c[n] for n in ("kind", "face_value_fen", "form", "condition")): c["count"] for c in cards(lines)}
    found: dict[tuple[Any, ...], Price] = {}
    gross_fen = 0
    by_ratio = 0
    for price in raw:
        key = (price.get("kind"), price.get("face_value_fen"), price.get("form"), price.get("condition"))
        if not all(isinstance(part, str) for part in (key[0], *key[2:])) or not isinstance(key[1], int):
            raise Refused("unreadable")
        if key not in counts:
            raise Refused("not_asked")
        if key in found:
            raise Refused("twice")
        ratio_bp = price.get("ratio_bp")
        if not isinstance(ratio_bp, int) or isinstance(ratio_bp, bool) or not 0 < ratio_bp <= _MOST_RATIO_BP:
            raise Refused("ratio")
        gross = share_fen(key[1], ratio_bp)
        if _fen(price.get("gross_fen")) != gross:
            raise Refused("sums", "gross of a card")
        gross_fen += gross * counts[key]
        by_ratio += sum(share_fen(gross, f.bp) for f in fees) * counts[key]
        found[key] = Price(*key, ratio_bp)
    fees_fen = by_ratio + sum(f.fixed_fen for f in fees)
    sums = {"gross_fen": gross_fen, "fees_fen": fees_fen, "net_fen": gross_fen - fees_fen}
    if any(type(said.get(name)) is not int for name in sums):
        raise Refused("not_fen")
    if any(said[name] != value for name, value in sums.items()):
        raise Refused("sums")
    return tuple(found.values())


def evidence_of(reply: Reply, public_key: bytes, outcome: str) -> dict[str, Any]:
    """What a record keeps of a reply: enough to check it again. `outcome`: "answered", or why it is not believed."""
    asked = reply.question
    return {
        "rfq": str(asked.id),
        "key": asked.kid,
        "asked": asked.body.decode(),
        "outcome": outcome,
        "took_ms": reply.took_ms,
        "body": reply.body[:MOST_QUOTE_BYTES].hex(),
        "signature": reply.signature.hex(),
        "public_key": public_key.hex(),
    }


UNHEARD: Final = frozenset({"late", "unreachable", "address", "redirected", "status", "too_large"})
"""Of these nothing is kept that could be read again."""


def read_again(
    kept: dict[str, Any], recycler: UUID, city: str, channel: str, lines: Sequence[Line], at: datetime
) -> LiveQuote:
    """Read a kept reply again, as it was read at `at`, to the question that these cards make.

    Raises Refused, and KeyError or ValueError for what is none.
    """
    asked = json.loads(kept["asked"])
    times = [datetime.fromisoformat(asked[name]) for name in ("at", "until")]
    was = question(UUID(kept["rfq"]), asked["platform"], recycler, kept["key"], city, channel, lines, *times)
    if was.body.decode() != kept["asked"]:
        raise Refused("not_ours", "another question was asked")
    signed, key = bytes.fromhex(kept["signature"]), bytes.fromhex(kept["public_key"])
    reply = Reply(was, "answered", kept["took_ms"], bytes.fromhex(kept["body"]), signed)
    return read(reply, key, asked["platform"], lines, at)
