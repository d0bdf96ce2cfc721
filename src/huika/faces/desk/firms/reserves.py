"""What a recycler pays for waiting: the terms of its reserve, put into effect as a new version of its book."""

import re
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_POST

from huika.domain.market import actions as market
from huika.domain.market.types import NO_RESERVE, ReserveTerms, Terms
from huika.domain.parties.types import Actor, Role
from huika.faces.desk.firms.views import firm, show
from huika.faces.desk.people.plain import NotYet, plainly
from huika.faces.pages import forms, who
from huika.kit.refusals import NotFound, Refusal


@require_POST
@who.only(Role.DESK)
def reserve(request: HttpRequest, actor: Actor, party: UUID) -> HttpResponse:
    """The same prices with these terms, as the next version; or with none."""
    one = firm(party)
    if one.book is None:
        raise NotFound()
    typed = {name: request.POST.get(name, "").strip()[:10] for name in ("share", "days", "bonus")}
    try:
        terms = NO_RESERVE if request.POST.get("end") else _read(typed)
        forms.once(
            request,
            actor,
            lambda: market.set_terms(party, actor.party, Terms(reserve=terms), after_version=_version(request)),
        )
    except Refusal as refusal:
        return show(request, one, plainly(refusal), reserve=typed)
    return HttpResponseRedirect(f"/desk/recyclers/{party}?published={_version(request) + 1}")


def _version(request: HttpRequest) -> int:
    """Of the book that was looked at."""
    text = request.POST.get("version", "")
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text, re.ASCII) else 0


def _read(typed: dict[str, str]) -> ReserveTerms:
    days = typed["days"]
    if not re.fullmatch(r"[0-9]{1,3}", days, re.ASCII):
        raise NotYet(why_zh="天数写成 7 这样的整数", why_en="write the days as a whole number like 7")
    return ReserveTerms(_bp(typed["share"]), int(days), _bp(typed["bonus"]))


def _bp(text: str) -> int:
    """A share that was typed in hundredths, in basis points."""
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,2})?", text, re.ASCII):
        raise NotYet(why_zh="百分比写成 10 或 0.5 这样", why_en="write the share like 10 or 0.5")
    whole, _, part = text.partition(".")
    return int(whole) * 100 + int(part.ljust(2, "0") or "0")
