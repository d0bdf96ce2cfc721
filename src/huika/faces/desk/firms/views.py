"""Recyclers: papers, money put up, and the book that is in effect."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse

from huika.domain.ledger import queries as ledger
from huika.domain.market import queries as market
from huika.domain.market.errors import BookChanged
from huika.domain.market.queries import owner
from huika.domain.market.types import MOST_RESERVE, BookRef
from huika.domain.parties import queries as people
from huika.domain.parties.types import Actor, LicenceRef, Role
from huika.domain.settlement import queries as money
from huika.faces.desk.firms import answers, buying, labels
from huika.faces.desk.firms.reading import COLUMNS, SELLS
from huika.faces.desk.pages import page
from huika.faces.pages import who, words
from huika.faces.pages.tables import as_csv
from huika.kit import clock
from huika.kit.refusals import NotFound, Refusal

ROWS_A_PAGE = 50
EXPIRES_SOON_DAYS = 30


@dataclass(frozen=True)
class Firm:
    """A recycler as the desk sees it; money in fen, None where no account was opened."""

    licence: LicenceRef
    days_left: int
    balance_fen: int | None
    held_fen: int | None
    book: BookRef | None

    @property
    def platform(self) -> str:
        """Which kind of platform it is, in words."""
        return labels.word(labels.PLATFORMS, self.licence.kind)

    @property
    def free_fen(self) -> int | None:
        """What a new order may still be secured with."""
        return None if self.balance_fen is None or self.held_fen is None else self.balance_fen - self.held_fen

    @property
    def soon(self) -> bool:
        """Whether the licence ends within a month."""
        return 0 <= self.days_left <= EXPIRES_SOON_DAYS

    @property
    def state(self) -> tuple[str, str]:
        """(form, word): why it buys or does not."""
        if not self.licence.active:
            return "off", words.pick("已停用", "Closed")
        if self.days_left < 0:
            return "warn", words.pick("执照到期", "Licence expired")
        if self.book is None:
            return "idle", words.pick("还没有价目表", "No price book yet")
        if self.book.paused:
            return "idle", words.pick("暂停收卡", "Paused")
        return "on", words.pick("收卡中", "Buying")


def firms() -> list[Firm]:
    """Every recycler, by name."""
    books, today = market.books_in_effect(), clock.now().astimezone(clock.SHANGHAI).date()
    return [_firm(licence, books.get(licence.id), today) for licence in people.licences()]


def firm(party: UUID) -> Firm:
    """One recycler; NotFound when there is none."""
    licence = next((one for one in people.licences() if one.id == party), None)
    if licence is None:
        raise NotFound()
    return _firm(licence, market.book_in_effect(party), clock.now().astimezone(clock.SHANGHAI).date())


def _firm(licence: LicenceRef, book: BookRef | None, today: date) -> Firm:
    try:
        put_up = ledger.balance(money.escrow_account(licence.id))
        balance, held = put_up.balance_fen, put_up.held_fen
    except NotFound:
        balance, held = None, None
    return Firm(licence, (licence.licence_until - today).days, balance, held, book)


def _wanted(request: HttpRequest) -> list[Firm]:
    kind, text = request.GET.get("kind", ""), request.GET.get("q", "").strip().casefold()[:60]
    found = [one for one in firms() if not kind or one.licence.kind == kind]
    return [one for one in found if text in f"{one.licence.name_zh} {one.licence.name_en}".casefold()]


@who.only(Role.DESK)
def listed(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every recycler: licence, money put up, live book."""
    shown = _wanted(request)
    return page(
        request,
        "desk/firms/list.html",
        firms=shown,
        put_up_fen=sum(one.balance_fen or 0 for one in shown),
        held_fen=sum(one.held_fen or 0 for one in shown),
        kind=request.GET.get("kind", ""),
        q=request.GET.get("q", "")[:60],
        platforms=[(slug, words.pick(*both)) for slug, both in labels.PLATFORMS.items()],
    )


@who.only(Role.DESK)
def as_table(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The list of recyclers, as filtered, as CSV."""
    header = [
        words.pick(*both)
        for both in (
            ("名字", "Name"), ("哪类", "Kind of platform"), ("执照", "Licence"), ("执照到期", "Licence until"),
            ("备款余额", "Put up, yuan"), ("已占用", "Held, yuan"), ("价目表", "Book"), ("生效", "In effect since"),
            ("现在", "State"),
        )
    ]  # fmt: skip
    rows = [
        (
            words.name_of(one.licence), one.platform, one.licence.licence_number, one.licence.licence_until,
            _yuan(one.balance_fen), _yuan(one.held_fen), one.book.version if one.book else "",
            one.book.effective_from.astimezone(clock.SHANGHAI).strftime("%Y-%m-%d %H:%M") if one.book else "",
            one.state[1],
        )
        for one in _wanted(request)
    ]  # fmt: skip
    return as_csv("recyclers", header, rows)


def _yuan(fen: int | None) -> object:
    return "" if fen is None else f"{fen // 100}.{fen % 100:02d}"


@who.only(Role.DESK)
def shown(request: HttpRequest, actor: Actor, party: UUID) -> HttpResponse:
    """One recycler with its live book, filtered by kind."""
    return show(request, firm(party))


@dataclass(frozen=True)
class LiveTyped:
    """Where a recycler answers requests for live quotes, as the form writes it."""

    url: str = ""
    key: str = ""
    on: bool = True


def show(
    request: HttpRequest,
    one: Firm,
    refusal: Refusal | None = None,
    *,
    reserve: dict[str, str] | None = None,
    buys: buying.Typed | None = None,
    live: LiveTyped | None = None,
) -> HttpResponse:
    """The page of one recycler; what was typed into a form that was refused stands in it again, and it is open."""
    coming, published = market.books_to_come(one.licence.id), request.GET.get("published", "")
    return page(
        request,
        "desk/firms/shown.html",
        refusal.status if refusal else 200,
        firm=one,
        refusal=refusal,
        offered=_terms(one),
        terms=reserve or _terms(one),
        refused_terms=reserve is not None,
        most_share=MOST_RESERVE.share_bp // 100,
        most_days=MOST_RESERVE.days,
        most_bonus=MOST_RESERVE.bonus_bp // 100,
        fresh=one.book is not None and published == str(one.book.version),
        fresh_later=next((b for b in coming if published == str(b.version)), None),
        coming=coming,
        newest=_newest(one, coming, refusal),
        tool_on=one.licence.id in market.repricing_on(),
        **_buys(one, buys),
        **_live(one, live),
        told=request.GET.get("live", ""),
        **_sheet(request, one),
    )


def _newest(one: Firm, coming: Sequence[BookRef], refusal: Refusal | None) -> int:
    """The newest version that is known of, which the next one is published on top of."""
    if isinstance(refusal, BookChanged):
        return int(refusal.data["version"])
    return max([one.book.version if one.book else 0, *(b.version for b in coming)])


def present(book: BookRef) -> buying.Typed:
    """How it buys now, as the form writes it."""
    return buying.of(book, labels.kind_names(), _kinds(book))


def _kinds(book: BookRef) -> list[str]:
    return list(market.price_rows(book.id).order_by("kind").values_list("kind", flat=True).distinct())


def _buys(one: Firm, typed: buying.Typed | None) -> dict[str, object]:
    if one.book is None:
        return {}
    now, cap = present(one.book), one.book.terms.most_face_day_fen
    taken = owner.taken_today(one.licence.id)
    return {
        "buys": typed or now,
        "present": now,
        "refused_buys": typed is not None,
        "cap_fen": cap,
        "taken_fen": taken,
        "left_fen": max(0, (cap or 0) - taken),
        "taken_share": min(100, 100 * taken // cap) if cap else 0,
        "resting": sum(k.resting for k in now.kinds),
        "numbered": sum(bool(k.begins) for k in now.kinds),
        "charged": sum(not f.empty for f in now.fees),
    }


def _live(one: Firm, typed: LiveTyped | None) -> dict[str, object]:
    where = owner.endpoint_of(one.licence.id)
    return {
        "where": where,
        "live": typed or (LiveTyped(where.url, where.kid, where.on) if where else LiveTyped()),
        "refused_live": typed is not None,
        "answers": answers.this_month(one.licence.id),
    }


def _sheet(request: HttpRequest, one: Firm) -> dict[str, object]:
    """A page of its book, filtered by kind."""
    kind, names = request.GET.get("kind", ""), labels.kind_names()
    rows: Any = market.price_rows(one.book.id) if one.book else []
    sheet = Paginator(rows.filter(kind=kind) if one.book and kind else rows, ROWS_A_PAGE).get_page(
        request.GET.get("page")
    )
    kinds = sorted(_kinds(one.book) if one.book else (), key=lambda slug: names.get(slug, slug))
    return {
        "sheet": sheet,
        "cells": [_cell(row, names) for row in sheet],
        "kinds": [(slug, names.get(slug, slug)) for slug in kinds],
        "kind": kind,
    }


def _terms(one: Firm) -> dict[str, str]:
    """The terms of the reserve as a form writes them: shares in hundredths; empty where there is none."""
    if one.book is None or one.book.reserve is None:
        return {"share": "", "days": "", "bonus": ""}
    kept = one.book.reserve
    return {"share": f"{kept.share_bp / 100:g}", "days": str(kept.days), "bonus": f"{kept.bonus_bp / 100:g}"}


def _cell(row: Any, names: dict[str, str]) -> dict[str, object]:
    return {
        "kind": names.get(row.kind, row.kind),
        "face": row.face_value_fen,
        "city": labels.city_names().get(row.city, row.city),
        "form": labels.word(labels.FORMS, row.form),
        "condition": labels.word(labels.CONDITIONS, row.condition),
        "channel": labels.word(labels.CHANNELS, row.channel),
        "ratio_bp": row.ratio_bp,
    }


@who.only(Role.DESK)
def book_as_table(request: HttpRequest, actor: Actor, party: UUID) -> HttpResponse:
    """The live book in the form in which it can be sent back; with `kind`, only that kind."""
    one = firm(party)
    if one.book is None:
        raise NotFound()
    rows = market.price_rows(one.book.id)
    if kind := request.GET.get("kind", ""):
        rows = rows.filter(kind=kind)
    return as_csv(f"book-{one.book.version}", (*COLUMNS, SELLS), (_written(r) for r in rows.iterator(chunk_size=2000)))


def _written(row: Any) -> Sequence[object]:
    """A row as it was sent: without a ratio of its own where that follows from the resale ratio."""
    face = "*" if row.face_value_fen is None else _plain(Decimal(row.face_value_fen) / 100)
    ratio = "" if row.margin_bp is not None else f"{row.ratio_bp / 10_000:.4f}"
    sells = "" if row.sells_bp is None else f"{row.sells_bp / 10_000:.4f}"
    return (row.kind, face, row.city, row.form, row.condition, row.channel, ratio, sells)


def _plain(value: Decimal) -> str:
    return format(value.normalize(), "f")
