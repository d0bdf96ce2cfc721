"""The first rules: limits and structuring, with thresholds from `catalog` (fen, basis points)."""

from collections.abc import Mapping

from huika.domain.risk.types import Facts, History, Reason, Verdict
from huika.kit.money import BASIS, yuan

LIMITS = ("no_cash_day_fen", "warn_day_fen", "review_day_fen", "structuring_within_bp", "structuring_orders")


def decide(facts: Facts, history: History, limits: Mapping[str, int]) -> Verdict:
    """Every rule that fires, and the hardest outcome among them."""
    fired: list[tuple[str, Reason]] = []
    cash = history.day_cash_fen + (facts.amount_fen if facts.cash else 0)
    day = history.day_fen + facts.amount_fen
    if facts.cash and cash >= limits["no_cash_day_fen"]:
        top = yuan(limits["no_cash_day_fen"])
        fired.append(
            (
                "refuse",
                Reason(
                    "cash_day",
                    f"一天现金不到 {top}，请改用转账",
                    f"Cash stays below {top} a day; please choose a transfer.",
                ),
            )
        )
    if day >= limits["review_day_fen"]:
        fired.append(("review", Reason("day_review", "金额较大，先请人看一眼", "A large day: a person looks first.")))
    elif day >= limits["warn_day_fen"]:
        fired.append(("allow", Reason("day_warn", "当天累计较多", "Much in one day; noted.")))
    threshold = structured(facts, history, limits)
    if threshold:
        fired.append(
            (
                "review",
                Reason(
                    "structuring",
                    "短时间多单接近限额，请人看一眼",
                    f"Several orders just under {yuan(threshold)} within a day: a person looks.",
                ),
            )
        )
    hardest = next((o for o in ("refuse", "review") if any(outcome == o for outcome, _ in fired)), "allow")
    return Verdict(hardest, tuple(reason for _, reason in fired))


def structured(facts: Facts, history: History, limits: Mapping[str, int]) -> int:
    """The threshold (fen) that several of the day's orders stay just under, or 0.

    Structuring: `structuring_orders` or more within `structuring_within_bp` under a threshold in 24 hours (inferred).
    """
    amounts = (*history.amounts_fen, facts.amount_fen)
    for threshold in (limits["warn_day_fen"], limits["review_day_fen"]):
        low = threshold * (BASIS - limits["structuring_within_bp"]) // BASIS
        if sum(low <= a < threshold for a in amounts) >= limits["structuring_orders"]:
            return threshold
    return 0
