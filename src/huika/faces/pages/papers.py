"""Money papers that a person takes along: a party's statement, a courier's slip; as CSV and as HTML to be printed.

Each says who made it, for whom and for which days, and shows that opening + lines = closing.
"""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.http import HttpResponse
from django.template.loader import render_to_string
from django.utils import translation

from huika.domain.ledger.types import Statement
from huika.domain.settlement.types import Slip
from huika.faces.pages import words
from huika.faces.pages.tables import as_csv
from huika.kit import clock, paper

OPERATOR = ("回卡 huika", "huika 回卡")
KINDS: dict[str, tuple[str, str]] = {
    "settlement.capital": ("平台自有资金", "Own capital"),
    "settlement.prefund": ("备款到账", "Money put up"),
    "settlement.card": ("卡款归卖家", "Card credited to the seller"),
    "settlement.reserve": ("留存款处理", "Reserve ended"),
    "settlement.payout.sent": ("付款发出", "Payout sent"),
    "settlement.payout.paid": ("付款到账", "Payout arrived"),
    "settlement.payout.failed": ("付款没成，退回欠款", "Payout failed, owed again"),
    "settlement.payout.returned": ("付款退回，又欠着", "Payout came back, owed again"),
    "settlement.premium": ("保费付给保险公司", "Premium passed on to the insurer"),
    "settlement.own": ("平台提走自己的钱", "Own money taken out"),
    "settlement.payout.cost": ("付款手续费", "Cost of a payout"),
    "settlement.payout.cash": ("现金交给卖家", "Cash handed to the seller"),
    "settlement.cash.issue": ("领备用金", "Float issued"),
    "settlement.cash.top_up": ("补备用金", "Float topped up"),
    "settlement.cash.return": ("交回备用金", "Float returned"),
    "settlement.cash.shortage": ("现金短缺", "Cash missing"),
    "settlement.cash.overage": ("现金多出", "Cash too much"),
    "settlement.cash.counterfeit": ("假币", "Counterfeit"),
    "settlement.wages.visit": ("上门", "Visits"),
    "settlement.wages.stop": ("拼单多停", "Further stops"),
    "settlement.wages.card": ("收卡", "Cards"),
    "settlement.wages.no_show": ("白跑", "Nobody there"),
    "settlement.wages.bonus": ("奖金", "Bonus"),
    "settlement.wages.deduction": ("扣款", "Deduction"),
    "settlement.wages.paid": ("工钱付出", "Pay sent"),
}
ACCOUNTS: dict[str, tuple[str, str]] = {
    "escrow": ("备款", "Money put up"),
    "payable": ("应付", "Owed"),
    "reserve": ("留存款", "Reserve"),
    "wages": ("工钱", "Pay"),
}


def kind_name(kind: str) -> str:
    """What a posting is called in the page's language."""
    return words.pick(*KINDS.get(kind, (kind, kind)))


def account_name(code: str) -> str:
    """What a party's own account is called; its code where it is nobody's."""
    return words.pick(*ACCOUNTS.get(code.rpartition(":")[2], (code, code)))


def minute(at: datetime) -> str:
    """2026-05-20 14:30 in Shanghai."""
    return f"{at.astimezone(clock.SHANGHAI):%Y-%m-%d %H:%M}"


def yuan(fen: int) -> str:
    """-1234.50: sums in a file, without sign of the currency or grouping."""
    whole, cents = divmod(abs(fen), 100)
    return f"{'-' if fen < 0 else ''}{whole}.{cents:02d}"


class Yuan(int):
    """Fen that write themselves in yuan: a cell that a spreadsheet adds up."""

    def __str__(self) -> str:
        return yuan(int(self))


def span(start: datetime, end: datetime) -> tuple[str, str]:
    """First and last day of a paper from `start` to before `end`."""
    last = end - timedelta(microseconds=1)
    return f"{start.astimezone(clock.SHANGHAI):%Y-%m-%d}", f"{last.astimezone(clock.SHANGHAI):%Y-%m-%d}"


def statement_csv(statement: Statement) -> HttpResponse:
    """A party's statement as a file: opening, every line, closing."""
    first, last = span(statement.start, statement.end)
    pairs = (("时间", "Time"), ("编号", "Posting"), ("什么", "What"), ("账户", "Account"), ("金额", "Amount"),
             ("账户余额", "Account's balance"))  # fmt: skip
    rows: list[list[object]] = [["", "", words.pick("期初", "Opening"), "", "", Yuan(statement.opening_fen)]]
    rows += [
        [minute(x.at), x.posting, kind_name(x.kind), account_name(x.account), Yuan(x.amount_fen),
         Yuan(x.balance_fen)]
        for x in statement.lines
    ]  # fmt: skip
    rows.append(["", "", words.pick("期末", "Closing"), "", "", Yuan(statement.closing_fen)])
    return as_csv(f"statement-{first}-{last}", [words.pick(*pair) for pair in pairs], rows)


def statement_html(statement: Statement, lang: str, whose: str) -> str:
    """A party's statement to be printed, in `lang` (zh or en); `whose` is how the party is called."""
    moved = sum(x.amount_fen for x in statement.lines)
    with translation.override(words.LANGUAGES[lang]):
        rows = [(x, kind_name(x.kind), account_name(x.account), minute(x.at)) for x in statement.lines]
        title = words.pick("对账单", "Statement")
        return _printed(
            "pages/paper_statement.html", title, whose, statement.start, statement.end,
            it=statement, rows=rows, moved_fen=moved, sums=statement.opening_fen + moved == statement.closing_fen,
        )  # fmt: skip


def slip_csv(slip: Slip) -> HttpResponse:
    """A courier's slip as a file."""
    first, last = span(slip.start, slip.end)
    pairs = (("时间", "Time"), ("什么", "What"), ("件数", "Pieces"), ("理由", "Reason"), ("金额", "Amount"))
    rows: list[list[object]] = [["", words.pick("期初未付", "Unpaid before"), "", "", Yuan(slip.opening_fen)]]
    rows += [[minute(x.at), piece_name(x.kind), x.pieces, x.reason, Yuan(x.amount_fen)] for x in slip.lines]
    rows.append(["", words.pick("期末未付", "Still to be paid"), "", "", Yuan(slip.closing_fen)])
    return as_csv(f"slip-{first}-{last}", [words.pick(*pair) for pair in pairs], rows)


def slip_html(slip: Slip, lang: str, whose: str) -> str:
    """A courier's slip to be printed."""
    moved = sum(x.amount_fen for x in slip.lines)
    with translation.override(words.LANGUAGES[lang]):
        rows = [(x, piece_name(x.kind), minute(x.at)) for x in slip.lines]
        return _printed(
            "pages/paper_slip.html", words.pick("工资条", "Pay slip"), whose, slip.start, slip.end,
            it=slip, rows=rows, moved_fen=moved, sums=slip.opening_fen + moved == slip.closing_fen,
        )  # fmt: skip


def piece_name(kind: str) -> str:
    """What a line of a slip is called."""
    return kind_name(f"settlement.wages.{kind}")


def as_pdf(name: str, html: str) -> HttpResponse:
    """The paper as a download called `name`.pdf. Raises PaperUnavailable."""
    disposition = {"Content-Disposition": f'attachment; filename="{name}.pdf"', "Cache-Control": "no-store"}
    return HttpResponse(paper.pdf(html), content_type="application/pdf", headers=disposition)


def _printed(template: str, title: str, whose: str, start: datetime, end: datetime, **context: Any) -> str:
    first, last = span(start, end)
    style = (Path(__file__).parent / "paper.css").read_text(encoding="utf-8")
    said = {"title": title, "whose": whose, "first": first, "last": last, "operator": words.pick(*OPERATOR)}
    return render_to_string(template, {**context, **said, "style": style, "made_at": minute(clock.now())})
