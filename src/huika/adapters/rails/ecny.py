"""Payments into e-CNY wallets. The wire is the sandbox operator's: no operator's interface for it is public.

A wallet has one of four tiers, and each tier its limits; they stand in ecny_tiers.json with their sources (or in the
file that HUIKA_ECNY_TIERS names), never here. A payment is final when it is made
(https://en.wikisource.org/wiki/Page:Progress_R%26D_E-CNY.pdf/8, 3.2.4): it is never withdrawn.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from huika.adapters.rails import parts
from huika.adapters.rails.signed import SignedRail
from huika.domain.settlement.types import RailLimits, RailQuote, RailState
from huika.kit import money
from huika.kit.safe_http import NoAnswer

OWN_TIERS = Path(__file__).with_name("ecny_tiers.json")
STALE_SECONDS = 300
USUAL_SECONDS = 5

# Explicit: a state that is not here is unknown to us, and unknown stays pending.
STATES = {"PROCESSING": RailState.PENDING, "SUCCESS": RailState.PAID, "FAILED": RailState.FAILED}

# The refusals of `create` by which the operator says that it took nothing.
REFUSALS = frozenset(
    {
        (400, "PARAM_ERROR"),
        (404, "UNKNOWN_WALLET"),
        (409, "INSUFFICIENT"),
        (409, "NOT_RECEIVING"),
        (409, "LIMIT_SINGLE"),
        (409, "LIMIT_DAY"),
        (409, "LIMIT_BALANCE"),
    }
)


@dataclass(frozen=True)
class Tier:
    """What wallets of a tier may take in one payment, in a day, and hold, in fen; None: no limit. With its source."""

    tier: int
    single_fen: int | None
    day_fen: int | None
    balance_fen: int | None
    source: str
    trust: str


@dataclass(frozen=True)
class Tiers:
    """The whole table, and the most we pay at once, in fen."""

    single_fen: int
    tiers: Mapping[int, Tier]


def load(path: Path) -> Tiers:
    """Read a table of tiers. Raises OSError, ValueError for a file of another shape, which says where."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        tiers = [Tier(**row) for row in document["tiers"]]
        single_fen = document["rail"]["single_fen"]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: {type(error).__name__} {error}") from error
    amounts = [amount for t in tiers for amount in (t.single_fen, t.day_fen, t.balance_fen)]
    if any(amount is not None and not _is_fen(amount) for amount in amounts) or not _is_fen(single_fen):
        raise ValueError(f"{path}: limits are whole numbers of fen above zero, or null")
    if len({t.tier for t in tiers}) != len(tiers):
        raise ValueError(f"{path}: a tier stands twice")
    return Tiers(single_fen, {t.tier: t for t in tiers})


class EcnyTransfer(SignedRail):
    """The rail to e-CNY wallets. An account is a wallet's number.

    `limits` is what we pay at once whatever the wallet; the wallet's own limits are found by `quote`. The table of
    tiers is that of `settings.ECNY_TIERS`, else the one beside this file.
    """

    party = "ecny"
    states = STATES
    refusals = REFUSALS

    def __init__(self) -> None:
        self.tiers = load(Path(getattr(settings, "ECNY_TIERS", "") or OWN_TIERS))
        self.limits = RailLimits(
            single_fen=self.tiers.single_fen,
            name_from_fen=0,
            stale_seconds=STALE_SECONDS,
            usual_seconds=USUAL_SECONDS,
        )

    def quote(self, account: str, amount_fen: int) -> RailQuote:
        """Ask the wallet's tier and what it may still take: the fewest even parts, or which limit is in the way.

        It is split only where day and balance hold the whole. Between quote and payment the wallet may be paid by
        others: then `create` is REFUSED with the limit's name. Raises NotSent, NoAnswer.
        """
        if amount_fen < 1:
            return RailQuote((), "金额要大于零", "The amount must be above zero.")
        status, found = self._wire.call("POST", "/ecny/wallets/query", {"wallet": account})
        if (status, found.get("code")) in ((404, "UNKNOWN_WALLET"), (400, "PARAM_ERROR")):
            return RailQuote(
                (), "没有找到这个数字人民币钱包，请核对钱包编号", "No such e-CNY wallet: check its number."
            )
        if status != 200 or found.get("wallet") != account:
            raise NoAnswer(f"status {status} {found.get('code')}")
        number = found.get("tier")
        tier = self.tiers.tiers.get(number) if isinstance(number, int) else None
        if found.get("may_receive") is not True:
            return RailQuote((), "这个数字人民币钱包现在不能收款", "This e-CNY wallet cannot receive now.")
        if tier is None:
            return RailQuote(
                (), "不认识这个数字人民币钱包的类别，不能用它收款", "The tier of this e-CNY wallet is not known here."
            )
        return self._fitted(tier, found, amount_fen)

    def _fitted(self, tier: Tier, found: dict[str, Any], amount_fen: int) -> RailQuote:
        day = _least(_left(tier.day_fen, found, "day_used_fen"), _told(found, "day_left_fen"))
        balance = _least(_left(tier.balance_fen, found, "balance_fen"), _told(found, "balance_left_fen"))
        single = _least(tier.single_fen, _told(found, "single_left_fen"), self.limits.single_fen)
        if day is not None and amount_fen > day:
            return _refused(tier, amount_fen, "今天还能收", "it can take", day, " more today")
        if balance is not None and amount_fen > balance:
            return _refused(tier, amount_fen, "余额上限内还能收", "its balance has room for", balance, "")
        if not single:
            return _refused(tier, amount_fen, "单笔能收", "one payment may be", 0, "")
        return parts.even(amount_fen, single)


def _is_fen(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _told(found: dict[str, Any], name: str) -> int | None:
    """What the operator says is left; null where nothing limits. Raises NoAnswer for anything else."""
    value = found.get(name, "")
    if value is None or (type(value) is int and value >= 0):
        return value
    raise NoAnswer(f"the answer's {name} is no amount")


def _left(limit_fen: int | None, found: dict[str, Any], used: str) -> int | None:
    """What our own table leaves of a limit."""
    taken = _told(found, used)
    if taken is None:
        raise NoAnswer(f"the answer's {used} is no amount")
    return None if limit_fen is None else max(0, limit_fen - taken)


def _least(*amounts: int | None) -> int | None:
    known = [amount for amount in amounts if amount is not None]
    return min(known) if known else None


def _refused(tier: Tier, amount_fen: int, zh: str, en: str, left_fen: int, more: str) -> RailQuote:
    left, asked = money.yuan(left_fen), money.yuan(amount_fen)
    kind = "一二三四"[tier.tier - 1] if 1 <= tier.tier <= 4 else str(tier.tier)
    return RailQuote(
        (),
        f"收款的是{kind}类数字人民币钱包，{zh} {left}，这笔是 {asked}",
        f"This e-CNY wallet is of tier {tier.tier}: {en} {left}{more}; this payment is {asked}.",
    )
