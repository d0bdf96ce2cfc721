"""What a seller waits for: a price, or neighbours to share a visit with."""

import re
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from huika.domain.catalog import queries as catalog
from huika.domain.catalog.types import Kind
from huika.domain.market import actions as market
from huika.domain.market import queries as books
from huika.domain.market.queries import NoticeRef
from huika.domain.parties.types import Actor, Role
from huika.faces.pages import forms, who
from huika.faces.seller import asked as asking
from huika.faces.seller.asked import Asked, Unfilled
from huika.faces.seller.short import place
from huika.kit.refusals import NotFound, Refusal

_YUAN = re.compile(r"(\d{1,7})(?:\.(\d{1,2}))?", re.ASCII)


@require_http_methods(["GET", "HEAD", "POST"])
@who.only(Role.SELLER)
def page(request: HttpRequest, *, actor: Actor) -> HttpResponse:
    """Notices, alerts and pools; with cards in the address, the one field that sets an alert for them."""
    given = request.POST if request.method == "POST" else request.GET
    refusal: Refusal | None = None
    asked = None
    try:
        asked = asking.read(given["kind"], given) if given.get("kind") else None
        if request.method == "POST":
            _set(request, actor, asked, given.get("net", ""))
            return HttpResponseRedirect("/me/alerts")
    except Refusal as refused:
        refusal = refused
    known = {k.slug: k for k in catalog.kinds()}
    shown = asking.show(asked) if asked else None
    context = {
        "asked": asked,
        "now_fen": shown.full[0].net_fen if shown and shown.full else None,
        "net": given.get("net", ""),
        "alerts": [(a, known[a.kind], _sell(a.form, a.face_fen, a.cards)) for a in books.alerts_of(actor.party)],
        "notices": [_told(n, known) for n in books.notices_of(actor.party)],
        "pools": [(p, place(p.city, p.district)) for p in books.pools_of(actor.party)],
        "refusal": refusal,
    }
    return render(request, "seller/alerts.html", context, status=refusal.status if refusal else 200)


def _set(request: HttpRequest, actor: Actor, asked: Asked | None, text: str) -> None:
    if asked is None:
        raise Unfilled(why="choose a card first", why_zh="先选一种卡")
    found = _YUAN.fullmatch(text.strip().lstrip("¥").replace(",", ""))
    if not found:
        raise Unfilled(why="an amount in yuan", why_zh="金额填数字，单位是元")
    net_fen = int(found[1]) * 100 + int((found[2] or "0").ljust(2, "0"))
    cell = (asked.city, asked.kind.slug, asked.form, asked.face_fen, asked.count)
    forms.once(request, actor, lambda: market.set_alert(actor.party, *cell, net_fen))


@require_POST
@who.only(Role.SELLER)
def end(request: HttpRequest, *, actor: Actor) -> HttpResponse:
    """Not waited for any longer."""
    alert = _id(request, "alert")
    forms.once(request, actor, lambda: market.end_alert(actor.party, alert))
    return HttpResponseRedirect("/me/alerts")


@require_POST
@who.only(Role.SELLER)
def leave(request: HttpRequest, *, actor: Actor) -> HttpResponse:
    """Out of a pool by one tap."""
    pool = _id(request, "pool")
    forms.once(request, actor, lambda: market.leave_pool(actor.party, pool))
    return HttpResponseRedirect("/me/alerts")


def _id(request: HttpRequest, name: str) -> UUID:
    try:
        return UUID(request.POST.get(name, ""))
    except ValueError as error:
        raise NotFound() from error


def _sell(form: str, face_fen: int, cards: int) -> str:
    return f"form={form}&face={face_fen // 100}&n={cards}"


def _told(notice: NoticeRef, kinds: dict[str, Kind]) -> dict[str, object]:
    """A notice with what its sentence names."""
    facts = notice.facts
    if notice.kind == "pool":
        return {"kind": "pool", "at": notice.at, "district": place(facts["city"], facts["district"])}
    cell = _sell(facts["form"], facts["face_fen"], facts["cards"])
    return {"kind": "alert", "at": notice.at, "card": kinds[facts["kind"]], "query": cell, **_amounts(facts)}


def _amounts(facts: dict[str, int]) -> dict[str, int]:
    return {name: facts[name] for name in ("face_fen", "cards", "net_fen")}
