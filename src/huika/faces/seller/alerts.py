"""What a seller waits for: a price, or neighbours to share a visit with."""

import re
import unicodedata
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from huika.domain.catalog import queries as catalog
from huika.domain.catalog.types import Kind
from huika.domain.market import actions as market
from huika.domain.market import queries as books
from huika.domain.market.errors import PaidAlready
from huika.domain.market.queries import NoticeRef, PoolRef
from huika.domain.parties.types import Actor, Role
from huika.faces.pages import forms, who
from huika.faces.seller import asked as asking
from huika.faces.seller.asked import Asked, Unfilled
from huika.faces.seller.short import place
from huika.kit.refusals import Malformed, NotFound, Refusal

_YUAN = re.compile(r"(\d+)(?:\.(\d{1,2}))?", re.ASCII)
_LONGEST = 40


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
    pools = books.pools_of(actor.party)
    ways_on = {p.id: _again(p) for p in pools if p.ready}
    shown = asking.show(asked) if asked else None
    context = {
        "asked": asked,
        "now_fen": shown.full[0].net_fen if shown and shown.full else None,
        "net": given.get("net", ""),
        "alerts": [(a, known[a.kind]) for a in books.alerts_of(actor.party)],
        "notices": [_told(n, known, ways_on, {p.id: p for p in pools}) for n in _newest(books.notices_of(actor.party))],
        "pools": [(p, place(p.city, p.district), ways_on.get(p.id, "")) for p in pools],
        "refusal": refusal,
        "sell_now": _offers(asked) if asked and isinstance(refusal, PaidAlready) else "",
    }
    return render(request, "seller/alerts.html", context, status=refusal.status if refusal else 200)


def _set(request: HttpRequest, actor: Actor, asked: Asked | None, text: str) -> None:
    if asked is None:
        raise Unfilled(why="choose a card first", why_zh="先选一种卡")
    net_fen = _fen(text)
    cell = (asked.city, asked.kind.slug, asked.form, asked.face_fen, asked.count)
    try:
        forms.once(request, actor, lambda: market.set_alert(actor.party, *cell, net_fen))
    except Malformed as malformed:
        raise Unfilled(why=f"the amount: {malformed.data['why']}", why_zh=f"金额{malformed.data['why_zh']}") from None


def _fen(text: str) -> int:
    """An amount as people write it, ¥ and commas and full-width figures too, in fen. Raises Unfilled."""
    plain = unicodedata.normalize("NFKC", text[:_LONGEST]).strip().removeprefix("¥").strip().replace(",", "")
    found = _YUAN.fullmatch(plain.removesuffix("元").strip())
    if not found:
        raise Unfilled(why="an amount in yuan, written like 1,234.50", why_zh="金额写成 1,234.50 这样，单位是元")
    return int(found[1]) * 100 + int((found[2] or "0").ljust(2, "0"))


def _offers(asked: Asked) -> str:
    """The address of the price page of what is asked about."""
    return f"/sell/{asked.kind.slug}?{asked.query()}"


def _again(pool: PoolRef) -> str:
    """The address of the price page of the cards that were pooled; empty where it could not ask about them."""
    cards = pool.pooled
    if cards is None or cards.face_fen % 100:
        return ""
    asked = {"form": cards.form, "face": cards.face_fen // 100, "n": cards.cards, "city": pool.city}
    begins = {"begins": cards.prefix} if cards.prefix else {}
    return f"/sell/{cards.kind}?{urlencode(asked | begins)}"


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


def _pool(notice: NoticeRef) -> UUID:
    return UUID(notice.facts.get("pool", str(notice.about)))


def _newest(notices: list[NoticeRef]) -> list[NoticeRef]:
    """Without what a pool's later news has made untrue."""
    last: dict[UUID, NoticeRef] = {}
    for notice in notices:
        last.setdefault(notice.about if notice.kind == "alert" else _pool(notice), notice)
    return list(last.values())


def _told(
    notice: NoticeRef, kinds: dict[str, Kind], ways_on: dict[UUID, str], pools: dict[UUID, PoolRef]
) -> dict[str, object]:
    """A notice with what its sentence names and where it leads; of a pool that is over or booked, nowhere. What a pool
    still has of time is said as it stands now."""
    facts = notice.facts
    if notice.kind in ("pool", "pool_time"):
        named, pool = place(facts["city"], facts["district"]), _pool(notice)
        now = pools.get(pool)
        until, opens = (now.ends_at, now.opens) if now else (datetime.fromisoformat(facts["until"]), None)
        to = ways_on.get(pool, "")
        return {"kind": "pool", "at": notice.at, "district": named, "until": until, "to": to, "opens": opens}
    cell = urlencode(
        {"form": facts["form"], "face": facts["face_fen"] // 100, "n": facts["cards"], "city": facts["city"]}
    )
    return {"kind": "alert", "at": notice.at, "card": kinds[facts["kind"]], "query": cell, **_amounts(facts)}


def _amounts(facts: dict[str, int]) -> dict[str, int]:
    return {name: facts[name] for name in ("face_fen", "cards", "net_fen")}
