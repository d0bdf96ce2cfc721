"""How a recycler buys and where it quotes live, changed by the desk."""

import re
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_POST

from huika.domain.market import actions as market
from huika.domain.market.errors import BadBook
from huika.domain.parties.types import Actor, Role
from huika.faces.desk.firms import buying
from huika.faces.desk.firms.views import LiveTyped, firm, present, show
from huika.faces.desk.people.plain import NotYet, plainly
from huika.faces.pages import forms, who
from huika.kit.refusals import NotFound, Refusal

MOST_URL, MOST_KEY = 400, 40


@require_POST
@who.only(Role.DESK)
def terms(request: HttpRequest, actor: Actor, party: UUID) -> HttpResponse:
    """The same prices on the terms that were typed, as the next version."""
    one = firm(party)
    if one.book is None:
        raise NotFound()
    typed, version = buying.sent(request.POST, present(one.book)), seen(request)
    try:
        asked = buying.terms(typed)
        forms.once(request, actor, lambda: market.set_terms(party, actor.party, asked, after_version=version))
    except BadBook as bad:
        return show(request, one, _eaten(bad), buys=typed)
    except Refusal as refusal:
        return show(request, one, plainly(refusal), buys=typed)
    return HttpResponseRedirect(f"/desk/recyclers/{party}?published={version + 1}")


def seen(request: HttpRequest) -> int:
    """The version of the book that was looked at."""
    text = request.POST.get("version", "")
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text, re.ASCII) else 0


def _eaten(bad: BadBook) -> Refusal:
    """A margin that leaves rows without a ratio: which ones, as the downloaded file counts them."""
    rows = [str(row["row"]) for row in bad.data["rows"][:5]]
    more = bad.data["count"] > len(rows)
    return NotYet(
        why_zh=f"毛利留这么多，第 {'、'.join(rows)} 行{'等' if more else ''}就没有折扣了",
        why_en=f"with that margin no ratio is left in rows {', '.join(rows)}{' and others' if more else ''}",
    )


@require_POST
@who.only(Role.DESK)
def endpoint(request: HttpRequest, actor: Actor, party: UUID) -> HttpResponse:
    """Where it answers requests for live quotes, under which of its keys, and whether it is asked."""
    one = firm(party)
    url, key = (request.POST.get(name, "").strip()[:1000] for name in ("url", "key"))
    typed = LiveTyped(url, key, bool(request.POST.get("on")))
    try:
        if not typed.url or not typed.key:
            raise NotYet(why_zh="网址和密钥号都要填", why_en="give the address and the key")
        if len(typed.url) > MOST_URL or len(typed.key) > MOST_KEY:
            raise NotYet(
                why_zh=f"网址最多 {MOST_URL} 个字符，密钥号最多 {MOST_KEY} 个",
                why_en=f"at most {MOST_URL} characters of address and {MOST_KEY} of key",
            )
        forms.once(request, actor, lambda: market.set_endpoint(party, typed.url, typed.key, on=typed.on))
    except NotFound:
        refusal: Refusal = NotYet(why_zh="这家没有这个签名密钥", why_en="this recycler has no such signing key")
        return show(request, one, refusal, live=typed)
    except Refusal as refused:
        return show(request, one, plainly(refused), live=typed)
    return HttpResponseRedirect(f"/desk/recyclers/{party}?live={'on' if typed.on else 'off'}#live")
