"""What happened to an order, newest first: the sentences of its events, with their codes put into words."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from huika.domain.trade import queries as trade
from huika.domain.trade.types import OrderRef, Step
from huika.faces.pages import rails, words
from huika.kit import money
from huika.kit.events import WORDS

CODES: dict[str, tuple[str, str]] = {
    "allow": ("放行", "goes on"),
    "review": ("要人看", "a person looks"),
    "refuse": ("不收", "refused"),
    "pos": ("收银台", "at the till"),
    "hotline": ("客服电话", "by hotline"),
    "web": ("官网", "on the website"),
    "app": ("应用", "in the app"),
    "mini-program": ("小程序", "in the mini program"),
}
WHYS: dict[str, tuple[str, str]] = {
    "declined": ("卖家留着", "the seller keeps it"),
    "not_as_declared": ("和说的不一样", "not as it was declared"),
    "issuer_refused": ("发卡方没办", "the issuer refused"),
    "suspected": ("核实没通过", "did not pass the check"),
    "freeze_refused": ("备款没冻结", "the money was not frozen"),
    "risk_review": ("审核没通过", "the review said no"),
    "pool_short": ("拼的上门没约满", "too few booked the shared visit"),
    "no_show": ("到门口没人应", "nobody at the door"),
    "visit_missed": ("没去成", "the visit never took place"),
    "seen_before": ("卡号以前卖过", "sold here before"),
    "not_sealed": ("密码没封存", "the PIN was not sealed"),
}
HELD = frozenset(
    {"trade.card.doubtful", "trade.card.suspected", "settlement.payout.unknown", "settlement.payout.failed",
     "settlement.freeze.refused", "trade.card.short"}
)  # fmt: skip


@dataclass(frozen=True)
class Told:
    """One line: when, what, about which card (0: the whole order), why; `held` where something waits."""

    at: datetime
    text: str
    card: int
    why: str
    held: bool


def told(order: OrderRef) -> list[Told]:
    """The order's story, newest first."""
    numbers = {str(c.id): c.n for c in order.cards}
    return [_told(step, numbers) for step in reversed(trade.timeline(order))]


def _told(step: Step, numbers: dict[str, int]) -> Told:
    why = WHYS.get(str(step.facts.get("why", "")), ("", ""))
    return Told(
        step.at,
        _sentence(step),
        numbers.get(str(step.facts.get("card", "")), 0),
        words.pick(*why),
        step.verb in HELD,
    )


def _sentence(step: Step) -> str:
    """The event's own words, its codes said in the page's language."""
    template = words.pick(*WORDS.get(step.verb, (step.verb, step.verb)))
    facts = {name: _value(name, value) for name, value in step.facts.items()}
    if step.verb == "settlement.payout.failed":
        facts["reason"] = rails.reason_for_desk(str(facts.get("reason", ""))) or words.pick("没说为什么", "no reason")
    try:
        return template.format_map(facts)
    except (KeyError, ValueError):
        return words.said(step)


def _value(name: str, value: Any) -> Any:
    if name.endswith("_fen") and isinstance(value, int):
        return money.yuan(value)
    return words.pick(*CODES[value]) if isinstance(value, str) and value in CODES else value
