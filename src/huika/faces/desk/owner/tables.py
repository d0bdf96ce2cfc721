"""The tables of a month as files, each with every row."""

from collections.abc import Iterable, Sequence

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from huika.domain.market.queries import owner
from huika.domain.parties.types import Actor, Role
from huika.faces.desk.owner import reading
from huika.faces.desk.owner.month import Month, asked, steps
from huika.faces.pages import dates, who, words
from huika.faces.pages.papers import Yuan, minute
from huika.faces.pages.tables import as_csv

Pair = tuple[str, str]


def _month(request: HttpRequest) -> Month:
    with dates.of_file():
        return asked(request)


def written(name: str, heads: Sequence[Pair], rows: Iterable[Sequence[object]]) -> HttpResponse:
    """A file with its heads in the page's language."""
    return as_csv(name, [words.pick(*head) for head in heads], rows)


def yuan(fen: int | None) -> object:
    """Fen as a cell that a spreadsheet adds up; empty where there is none."""
    return "" if fen is None else Yuan(fen)


@require_safe
@who.only(Role.DESK)
def profit_csv(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every settled visit, the least profit first."""
    month = _month(request)
    heads = (("单号", "Order"), ("区", "District"), ("收费", "Fees"), ("工钱", "Pay"), ("抹零", "Rounding"),
             ("付款手续费", "Rails"), ("毛利", "Profit"), ("报价时算的", "Expected"), ("差", "Difference"))  # fmt: skip
    rows = [
        (
            v.order.code, v.place, Yuan(v.it.fees_fen), Yuan(v.it.pay_fen), Yuan(v.it.rounding_fen),
            Yuan(v.it.rail_fen), Yuan(v.it.profit_fen), yuan(v.expected_fen), yuan(v.off_fen),
        )
        for v in reading.ended(month.start, month.end)
    ]  # fmt: skip
    return written(f"visits-{month.name}", heads, rows)


@require_safe
@who.only(Role.DESK)
def expected_csv(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Expected beside what came."""
    month = _month(request)
    heads = (("哪些上门", "Which visits"), ("次数", "Visits"), ("报价时算的", "Expected"), ("账上的", "By the ledger"),
             ("差", "Difference"))  # fmt: skip
    found = reading.beside(reading.ended(month.start, month.end), month.start, month.end)
    rows = [(words.said(b), b.visits, yuan(b.expected_fen), yuan(b.came_fen), yuan(b.off_fen)) for b in found]
    return written(f"expected-{month.name}", heads, rows)


@require_safe
@who.only(Role.DESK)
def losses_csv(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Visits that a person or a full pool let go."""
    month = _month(request)
    heads = (("比价时间", "Compared at"), ("哪里", "Place"), ("面值", "Face value"), ("带来", "Brings"),
             ("花费", "Costs"), ("算下来", "Comes to"), ("谁批的", "Allowed by"), ("原因", "Reason"),
             ("卖家接下", "Accepted at"))  # fmt: skip
    rows = [
        (
            minute(x.it.at), x.place, Yuan(x.it.face_fen), Yuan(x.it.income_fen), Yuan(x.it.cost_fen),
            Yuan(x.it.margin_fen), x.by, x.because, minute(x.it.taken_at) if x.it.taken_at else "",
        )
        for x in reading.losses(month.start, month.end)
    ]  # fmt: skip
    return written(f"losses-{month.name}", heads, rows)


@require_safe
@who.only(Role.DESK)
def demand_csv(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Unserved demand by kind, place and reason; a basket of two kinds stands in both rows, in the total once."""
    month = _month(request)
    heads = (("卡", "Card"), ("哪里", "Place"), ("为什么", "Why"), ("次数", "Times"), ("面值", "Face value"))
    found = owner.unserved(month.start, month.end)
    rows: list[Sequence[object]] = [
        (w.kind, w.place, w.why, w.it.baskets, Yuan(w.it.face_fen)) for w in reading.wanted(found)
    ]
    rows.append((words.pick("合计（每次算一次）", "Total, each once"), "", "", found.baskets, Yuan(found.face_fen)))
    return written(f"unserved-{month.name}", heads, rows)


@require_safe
@who.only(Role.DESK)
def won_csv(request: HttpRequest, actor: Actor) -> HttpResponse:
    """From comparison to sale."""
    month = _month(request)
    won = owner.won(month.start, month.end)
    rows: list[Sequence[object]] = [(words.said(s), s.n, s.share) for s in steps(won)]
    return written(
        f"won-{month.name}", (("到哪一步", "Step"), ("次数", "Comparisons"), ("占问价", "Of all compared")), rows
    )


@require_safe
@who.only(Role.DESK)
def recyclers_csv(request: HttpRequest, actor: Actor) -> HttpResponse:
    """How recyclers fared and kept their word."""
    month = _month(request)
    heads = (("回收商", "Recycler"), ("比价", "Compared"), ("出价", "Offered"), ("第一", "First"), ("卡", "Cards"),
             ("足额", "In full"), ("降价", "Lowered"), ("退回", "Returned"), ("报价合计", "Quoted"),
             ("实付合计", "Paid"), ("实付比报价", "Paid of quoted"),
             ("进门到卖成，中位秒数", "Seconds at the door, median"),
             ("没用上的实时报价", "Live quotes not used"))  # fmt: skip
    rows = [
        (
            f.name, f.it.compared, f.it.offered, f.it.first, f.it.cards, f.it.in_full, f.it.lowered, f.it.returned,
            Yuan(f.it.quoted_fen), Yuan(f.it.paid_fen), "" if f.paid_bp is None else f"{f.paid_bp / 100:.2f}%",
            f.it.seconds_p50, "; ".join(f"{said} {n}" for said, n in f.faults),
        )
        for f in reading.recyclers(month.start, month.end)
    ]  # fmt: skip
    return written(f"recyclers-{month.name}", heads, rows)
