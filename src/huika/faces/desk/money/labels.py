"""Words of the money pages: rails, states, scopes, lines, and what was just done."""

from huika.domain.settlement.types import CashLine
from huika.faces.pages import rails, words

Pair = tuple[str, str]

RAILS: dict[str, Pair] = {rail.code: (rail.zh, rail.en) for rail in rails.RAILS}
SCOPES: dict[str, Pair] = rails.SCOPES
# The state's form: go (dot), warn (diamond), idle (ring), done (tick), bad (red diamond).
STATES: dict[str, tuple[str, str, str]] = {
    "unknown": ("bad", "没回音", "No answer"),
    "created": ("idle", "还没发出", "Not sent yet"),
    "sent": ("go", "发出了，等回音", "Sent, waiting"),
    "waiting": ("idle", "等卖家收款", "Waiting for the seller to accept"),
    "failed": ("warn", "没付成，还欠着", "Failed, still owed"),
    "returned": ("warn", "退回来了，还欠着", "Came back, still owed"),
    "paid": ("done", "到账", "Arrived"),
}
DEAD = ("failed", "returned")
UNDER_WAY = ("unknown", "created", "sent", "waiting")
CASH_LINES: dict[str, Pair] = {
    "issue": ("领出", "Issued"),
    "top_up": ("补领", "Topped up"),
    "return": ("交回", "Returned"),
    "paid": ("付给卖家", "Paid to a seller"),
    "shortage": ("短缺", "Missing"),
    "overage": ("多出", "Too much"),
    "counterfeit": ("假币", "Counterfeit"),
}
REFERENCES: dict[str, Pair] = {  # how a line's key begins
    "first": ("第一次发放", "First float"),
    "desk-": ("值班台记的", "Booked by the desk"),
    "top-up-": ("补领批了", "Top-up granted"),
    "close-": ("交班时记的", "At the close of the shift"),
    "HK": ("付款", "Payout"),
}
BY_DESK: dict[str, Pair] = {
    "issue": ("值班台发放", "Handed out by the desk"),
    "return": ("值班台收回", "Taken back by the desk"),
}
DIFFERENCES = ("shortage", "overage", "counterfeit")
PIECES: dict[str, Pair] = {
    "visit": ("一次上门", "A visit"),
    "card": ("一张卡", "A card"),
    "no_show": ("一次白跑", "Nobody there"),
}
LINE_KINDS: dict[str, Pair] = {
    "missing": ("对账单没有", "Not on the statement"),
    "extra": ("我们没有", "Not in our book"),
    "different": ("金额不同", "Another amount"),
}
MOVEMENTS: dict[str, Pair] = {
    "deposit": ("备款到账", "Deposit"),
    "freeze": ("冻结", "Freeze"),
    "capture": ("划款", "Capture"),
    "release": ("退回", "Release"),
}
OPEN_THINGS: dict[str, Pair] = {
    "shift": ("看交班", "To the shifts"),
    "payout": ("看这笔付款", "To the payout"),
    "statement": ("看对账", "To the reconciliation"),
}
DAY_SUMS: dict[str, Pair] = {
    "orders": ("成交单", "Orders"),
    "cards": ("卡", "Cards"),
    "net_fen": ("应付卖家", "Net to sellers"),
    "paid_fen": ("付给卖家", "Paid to sellers"),
    "fees_fen": ("收费", "Fees"),
    "pay_fen": ("工钱", "Pay"),
    "rounding_fen": ("抹零成本", "Rounding"),
    "rail_fen": ("付款手续费", "Cost of rails"),
    "bonus_fen": ("奖金", "Bonuses"),
    "deduction_fen": ("扣款", "Deductions"),
    "shortage_fen": ("现金短少", "Cash missing"),
    "overage_fen": ("现金多出", "Cash too much"),
    "counterfeit_fen": ("假币", "False notes"),
    "cash_counted_fen": ("清点现金", "Cash counted"),
    "ledger_fen": ("总账合计", "Ledger's sum"),
}
DONE: dict[str, Pair] = {
    "premium": ("代收的保费付出去了，记好账了", "The premium was passed on and booked."),
    "own": ("转出记好账了；明天对账单上会有这一笔", "Booked; tomorrow's statement shows it."),
    "again": ("又付了一次，发出了", "Paid once more; it is on its way."),
    "withdrawn": ("请对方撤回了，等对方回话", "Asked for it to be withdrawn; the other side answers."),
    "comparing": ("在对账，过一会儿刷新看结果", "Comparing; reload in a moment for the result."),
    "explained": ("差异说明记下了", "The explanation is recorded."),
    "issued": ("备用金领出了", "The float is issued."),
    "returned": ("备用金交回了", "The float is back."),
    "booked": ("差额记上了", "The difference is booked."),
    "granted": ("补领批了", "The top-up is granted."),
    "refused": ("补领没有批", "The top-up is not granted."),
    "bonus": ("奖金记上了", "The bonus is recorded."),
    "deducted": ("扣款记上了", "The deduction is recorded."),
    "paid": ("工钱付出了", "The pay is sent."),
    "rate": ("新单价从现在起算", "The new rate counts from now."),
    "shift": ("交班了", "The shift is closed."),
    "day": ("这一天结了", "The day is closed."),
}


def reference(line: CashLine) -> str:
    """Where a line of a purse comes from; a payout's number stays, since its page is found by it."""
    begins = next((b for b in REFERENCES if line.reference == b or (b != "first" and line.reference.startswith(b))), "")
    by_desk = begins == "desk-" and line.kind in BY_DESK
    said = word(BY_DESK, line.kind) if by_desk else word(REFERENCES, begins or line.reference)
    return f"{said} {line.reference}" if begins == "HK" else said


def word(table: dict[str, Pair], key: str) -> str:
    """The word for a key in the page's language; the key itself where there is none."""
    return words.pick(*table.get(key, (key, key)))
