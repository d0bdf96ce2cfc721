"""What a person needs to see to decide a work item: pictures, findings, facts, and the decisions there are."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from huika.domain.catalog import queries as catalog
from huika.domain.evidence import queries as evidence
from huika.domain.evidence.types import PictureRef
from huika.domain.inspection import queries as inspection
from huika.domain.inspection.types import FindingRef
from huika.domain.risk import queries as risk
from huika.domain.settlement import queries as money
from huika.domain.trade.types import CardRef, OrderRef
from huika.faces.desk.orders import standing as st
from huika.faces.desk.orders.places import place_of
from huika.faces.desk.orders.waiting import POOL, Waiting
from huika.faces.pages import kept, rails, words
from huika.faces.pages.templatetags.hk import moment
from huika.kit import money as figures
from huika.kit.refusals import NotFound

PAYOUT_STATES: dict[str, tuple[str, str, str]] = {
    "created": ("idle", "还没发出", "Not sent yet"),
    "sent": ("go", "发出了，等回音", "Sent, waiting"),
    "unknown": ("warn", "对方还没回音", "No answer yet"),
    "waiting": ("idle", "等卖家收款", "Waiting for the seller to accept"),
    "paid": ("done", "到账", "Arrived"),
    "failed": ("warn", "没付成，还欠着", "Failed, still owed"),
    "returned": ("warn", "到账又退回，还欠着", "Came back, still owed"),
}
WHYS: dict[str, tuple[str, str]] = {
    "seen_before": ("这张卡号以前在这里卖过", "This card number was sold here before"),
    "not_sealed": ("密码没有封存到保险箱", "The PIN was not sealed to the vault"),
}
RESULTS: dict[str, tuple[str, str]] = {
    "bound": ("已绑定", "Bound"),
    "redeemed": ("已兑付", "Redeemed"),
    "changed": ("已改密", "PIN changed"),
}
SAID_YES: dict[str, tuple[str, str]] = {
    "refund": ("有人让买卡退款", "Told to buy cards for a refund"),
    "task": ("做任务、投资要用卡", "For a task or an investment"),
    "coached": ("有人在旁边教怎么说", "Somebody beside them says what to answer"),
    "bought_today": ("卡是今天才买的", "The cards were bought only today"),
}
LABELS: dict[str, tuple[str, str]] = {
    "reason": ("理由", "Reason"),
    "error": ("出错的话", "Error"),
    "place": ("停在第几条", "Stopped at"),
    "follower": ("哪一条", "Follower"),
    "name": ("任务", "Job"),
    "job": ("任务号", "Job number"),
    "attempts": ("试过几次", "Attempts"),
    "why": ("原因", "Why"),
}


@dataclass(frozen=True)
class Shown:
    """A kept picture: its address, when it was taken, which side."""

    href: str
    at: datetime
    side: str
    note_zh: str = ""
    note_en: str = ""


@dataclass(frozen=True)
class Fact:
    """One fact of a case; `form` is a status's form, or empty. `quoted`: a name, or what somebody else wrote."""

    zh: str
    en: str
    value: str
    form: str = ""
    quoted: bool = False


@dataclass(frozen=True)
class Case:
    """A work item with everything that is looked at before deciding."""

    waits: Waiting
    pairs: tuple[tuple[Shown, Shown], ...]
    findings: tuple[FindingRef, ...]
    facts: tuple[Fact, ...]
    taken_by: str
    decided_by: str
    decided: str


def case(waits: Waiting) -> Case:
    """Gather what belongs to one item."""
    item, card = waits.item, waits.card
    picture = str(item.facts.get("picture", ""))
    verdict = inspection.verdict_on(card.id, picture) if card is not None and picture else None
    return Case(
        waits,
        pairs(card) if card is not None else (),
        tuple({f.zh: f for f in verdict.findings}.values()) if verdict else (),  # front and back may say the same
        tuple(_facts(waits)),
        st.colleague(item.claimed_by) if item.claimed_by else "",
        st.colleague(item.decided_by) if item.decided_by else "",
        waits.decision,
    )


def pairs(card: CardRef) -> tuple[tuple[Shown, Shown], ...]:
    """Pictures side by side: front and back of one capture; of several, the first against the newest, side by side."""
    every = sorted(evidence.pictures(card.id), key=lambda p: p.id)
    fronts, backs = ([p for p in every if p.side == side] for side in ("front", "back"))
    if not fronts or not backs:
        return ()
    if len(fronts) == 1:
        return ((_shown(fronts[0]), _shown(backs[0])),)
    return tuple(
        (_shown(side[0], "第一次拍", "first time"), _shown(side[-1], "最近一次", "latest")) for side in (fronts, backs)
    )


def _shown(picture: PictureRef, zh: str = "", en: str = "") -> Shown:
    return Shown(kept.link(picture.clean_sha256), picture.at, picture.side, zh, en)


def thumbnails(order: OrderRef) -> list[tuple[CardRef, Shown]]:
    """The newest front of every card that was photographed."""
    found = []
    for card in order.cards:
        front = next((p for p in evidence.pictures(card.id) if p.side == "front"), None)
        if front is not None:
            found.append((card, _shown(front)))
    return found


def _facts(waits: Waiting) -> list[Fact]:
    item, order = waits.item, waits.order
    if item.kind.startswith("settlement.payout") or item.kind.endswith("_mismatch"):
        return _about_payout(item.subject)
    if item.kind == "trade.risk_review" and order is not None:
        return _about_risk(order)
    if item.kind == "trade.locked_short" and waits.card is not None:
        said = words.pick(*RESULTS.get(str(item.facts.get("result")), (str(item.facts.get("result")),) * 2))
        got = item.facts.get("amount_fen")
        return [
            Fact("面值", "Face value", figures.yuan(waits.card.face_value_fen)),
            Fact("发卡方说", "The issuer says", said),
            Fact("锁到", "Locked sum", figures.yuan(got) if isinstance(got, int) else "—", "warn"),
            Fact("约好的到手", "Agreed net", figures.yuan(waits.card.net_fen)),
        ]
    if item.kind == "trade.call_stopped":
        yes = [SAID_YES.get(str(code), (str(code),) * 2) for code in item.facts.get("answered_yes", [])]
        asked = [Fact("他说有", "Said yes", words.pick(*pair), "warn") for pair in yes]
        return [Fact("谁打来", "Caller", st.alias_of(item.subject), quoted=True), *asked]
    if item.kind == POOL:
        return _about_pool(waits)
    if item.kind == "inspection.doubt":
        return []
    return _plain(item.facts)


def _about_pool(waits: Waiting) -> list[Fact]:
    """A shared visit that too few have booked: where and when, whose orders, what is left of it."""
    facts = waits.item.facts
    where = place_of(str(facts.get("city", "")), str(facts.get("district", "")))
    opens, margin = facts.get("opens"), facts.get("margin_fen")
    return [
        Fact("哪个区", "District", where, quoted=True),
        Fact("什么时候", "When", moment(datetime.fromisoformat(opens)) if opens else "—"),
        Fact("约了的", "Booked", ", ".join(str(code) for code in facts.get("orders", [])), quoted=True),
        Fact("这一趟算下来", "The visit comes to", figures.yuan(margin) if isinstance(margin, int) else "—", "warn"),
        Fact("小区", "Estates", waits.estates or words.pick("没人写", "nobody said"), quoted=bool(waits.estates)),
    ]


def _about_payout(payout: UUID) -> list[Fact]:
    try:
        case = money.payout_case(payout)
    except NotFound:
        return []
    p = case.payout
    form, zh, en = PAYOUT_STATES[p.state]
    said = rails.reason_for_desk(case.reason) or words.pick("没有说什么", "Nothing")
    return [
        Fact("金额", "Amount", figures.yuan(p.amount_fen)),
        Fact("现在", "Now", words.pick(zh, en), form),
        Fact("怎么付", "By", rails.named(p.rail)),
        Fact("对方说", "The rail says", said),
        Fact("对方流水号", "Their reference", case.reference or "—", quoted=True),
        Fact("付款号", "Payout number", p.number, quoted=True),
        Fact("开始付", "Started", moment(p.created_at)),
        Fact("上次问", "Last asked", moment(case.asked_at) or "—"),
    ]


def _about_risk(order: OrderRef) -> list[Fact]:
    """Why a person looks: what risk decided, and what the catalogue says of these cards."""
    decision = risk.decision(order.id)
    reasons = [words.said(r) for r in decision.reasons] if decision and decision.outcome == "review" else []
    for c in order.cards:
        checked = catalog.check_card(c.kind, "electronic" if c.form == "electronic" else "physical", c.face_value_fen)
        reasons += [words.said(n) for n in checked.notices if n.weight == "person"]
    facts = [Fact("为什么", "Why", reason, "warn") for reason in dict.fromkeys(reasons)]
    return [
        *facts,
        Fact("到手", "Net", figures.yuan(order.quoted_net_fen)),
        Fact("面值合计", "Face value", figures.yuan(sum(c.face_value_fen for c in order.cards))),
        Fact("付款方式", "Paid by", rails.named(order.rail)),
    ]


def _plain(facts: dict[str, Any]) -> list[Fact]:
    """Facts of an item that has no page of its own: what is known by a word is said in it."""
    found = []
    for name, value in facts.items():
        if isinstance(value, dict | list) or name in ("order", "picture", "seals"):
            continue
        text = words.pick(*WHYS[value]) if name == "why" and value in WHYS else str(value)
        if name.endswith("_fen") and isinstance(value, int):
            text = figures.yuan(value)
        found.append(Fact(*LABELS.get(name, (name, name)), text, quoted=value not in WHYS))
    return found
