"""What moved on a seller's own account: owed, paid, kept; as a page and as files."""

from datetime import date, datetime, time, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from huika.domain.ledger import queries as ledger
from huika.domain.ledger.types import Statement
from huika.domain.parties import queries as people
from huika.domain.parties.types import Actor, Role
from huika.domain.settlement import queries as money
from huika.domain.trade import queries as orders
from huika.faces.pages import dates, papers, who, words
from huika.kit import clock
from huika.kit.refusals import Refusal

DAYS = 90
MOST_DAYS = 366


@require_safe
@who.only(Role.SELLER)
def page(request: HttpRequest, *, actor: Actor) -> HttpResponse:
    """Opening + lines = closing, for the days that are asked."""
    refusal: Refusal | None = None
    try:
        first, last = _days(request)
    except dates.WrongDay as wrong:
        (first, last), refusal = dates.span("", "", DAYS), wrong
    found = _statement(actor, first, last)
    codes = {subject: o.code for o in orders.orders_of(actor) for subject in (o.id, *(c.id for c in o.cards))}
    lines = [
        (x, papers.kind_name(x.kind), papers.account_name(x.account), codes.get(x.subject, "")) for x in found.lines
    ]
    on_way = money.on_its_way_fen(actor.party)
    context = {"it": found, "lines": lines, "first": first, "last": last, "on_way": on_way, "refusal": refusal}
    context["today"] = dates.today()
    return render(request, "seller/statement.html", context, status=refusal.status if refusal else 200)


@require_safe
@who.only(Role.SELLER)
def as_csv(request: HttpRequest, *, actor: Actor) -> HttpResponse:
    """The same as a file."""
    with dates.of_file():
        first, last = _days(request)
    return papers.statement_csv(_statement(actor, first, last))


@require_safe
@who.only(Role.SELLER)
def as_pdf(request: HttpRequest, *, actor: Actor) -> HttpResponse:
    """The same to be printed. Raises PaperUnavailable."""
    with dates.of_file():
        first, last = _days(request)
    found = _statement(actor, first, last)
    html = papers.statement_html(found, words.language(), people.seller(actor.party).alias)
    return papers.as_pdf(f"statement-{first}-{last}", html)


def _statement(seller: Actor, first: date, last: date) -> Statement:
    start = datetime.combine(first, time(), clock.SHANGHAI)
    return ledger.statement(seller.party, start, datetime.combine(last, time(), clock.SHANGHAI) + timedelta(days=1))


def _days(request: HttpRequest) -> tuple[date, date]:
    """The days that the address asks for: the last 90 where it says nothing, a year at most. Raises WrongDay."""
    return dates.span(request.GET.get("from", ""), request.GET.get("to", ""), DAYS, MOST_DAYS)
