"""What every money page has: its neighbours, what is stopped, what was just done; and how its forms are read."""

import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from huika.domain.ledger import queries as ledger
from huika.domain.parties import queries as people
from huika.domain.parties.types import CourierRef
from huika.domain.settlement import queries as money
from huika.domain.settlement.types import PayoutRef
from huika.domain.trade import queries as trade
from huika.domain.trade.types import OrderFilter, OrderRef
from huika.faces.desk.money import labels
from huika.faces.desk.pages import page
from huika.faces.desk.people.plain import NotYet, plainly
from huika.faces.pages import dates, words
from huika.kit import clock
from huika.kit.refusals import NotFound, Refusal

PLACES = (
    ("/desk/money", "一览", "Overview"),
    ("/desk/money/payouts", "付款", "Payouts"),
    ("/desk/money/ledger", "总账", "Ledger"),
    ("/desk/money/reconciliation", "对账", "Reconciliation"),
    ("/desk/money/floats", "备用金", "Floats"),
    ("/desk/money/pay", "工钱", "Pay"),
    ("/desk/money/days", "日结", "Closes"),
    ("/desk/money/profit", "毛利", "Profit"),
)
MOST_FEN = 100_000_000_00


def show(request: HttpRequest, template: str, refusal: Refusal | None = None, **context: Any) -> HttpResponse:
    """One money page: with the refusal of a form where there is one, and with every stop in force."""
    fits = max((href for href, *_ in PLACES if request.path.startswith(href)), key=len)
    if request.path.startswith("/desk/money/statements"):
        fits = "/desk/money/ledger"
    said = plainly(refusal) if refusal else None
    done = labels.DONE.get(request.GET.get("done", "")) if request.method == "GET" else None
    return page(
        request,
        f"desk/money/{template}.html",
        said.status if said else 200,
        **context,
        refusal=said,
        places=[(href, words.pick(zh, en), href == fits) for href, zh, en in PLACES],
        stops=[(s, labels.word(labels.SCOPES, s.scope)) for s in money.stops()],
        done=words.pick(*done) if done else "",
    )


def back(address: str, done: str, **query: str) -> HttpResponseRedirect:
    """To the page, which then says what was done."""
    asked = "&".join(f"{name}={value}" for name, value in {**query, "done": done}.items() if value)
    return HttpResponseRedirect(f"{address}?{asked}")


def typed(request: HttpRequest, *names: str) -> dict[str, str]:
    """What was typed into these fields, to be shown again."""
    return {name: _text(request.POST.get(name, ""))[:400] for name in names}


def _text(text: str) -> str:
    return text.replace("\x00", "")


def sentence(request: HttpRequest, name: str, most: int = 200) -> str:
    """A reason or explanation as it was typed; NotYet when it is longer than what can be kept."""
    text = _text(request.POST.get(name, "")).strip()
    if len(text) > most:
        raise NotYet(why_zh=f"最多写 {most} 个字", why_en=f"at most {most} characters can be kept")
    return text


def fen(request: HttpRequest, name: str, *, zero: bool = False) -> int:
    """A sum that was typed in yuan, in fen: whole, or with one or two places."""
    text = request.POST.get(name, "").strip().replace(",", "").replace("，", "").lstrip("¥￥")
    if not re.fullmatch(r"[0-9]{1,10}(\.[0-9]{1,2})?", text, re.ASCII):
        raise NotYet(why_zh="金额写成 1234.50 这样", why_en="write the sum like 1234.50")
    whole, _, part = text.partition(".")
    found = int(whole) * 100 + int(part.ljust(2, "0"))
    if not (0 if zero else 1) <= found <= MOST_FEN:
        raise NotYet(why_zh="金额要大于零、不超过一亿元", why_en="a sum of more than nothing, at most 100 million")
    return found


def count(request: HttpRequest, name: str) -> int:
    """How many were counted."""
    text = request.POST.get(name, "").strip()
    if not re.fullmatch(r"[0-9]{1,6}", text, re.ASCII):
        raise NotYet(
            why_zh="张数、袋数、现金都要填；没有就写 0", why_en="fill in cards, bags and cash; write 0 for none"
        )
    return int(text)


def reference(request: HttpRequest) -> str:
    """What tells this form, with what was typed into it, from every other: its line is booked once."""
    told = hashlib.sha256(request.path.encode())
    for name in sorted(set(request.POST) - {"csrfmiddlewaretoken"}):
        told.update(f"\n{name}={request.POST.getlist(name)!r}".encode())
    return f"desk-{told.hexdigest()[:32]}"


def day_asked(request: HttpRequest, name: str = "day", otherwise: date | None = None) -> date:
    """The day that the address or a form names, today if none. Raises WrongDay."""
    text = request.POST.get(name, "") or request.GET.get(name, "")
    return dates.day(text, otherwise or dates.today())


def day_of_books(request: HttpRequest) -> date:
    """The same, where the books were open on that day already: before the operator's own capital nothing was booked.

    Raises WrongDay.
    """
    found = day_asked(request)
    if found == dates.today():
        return found
    opened = ledger.posted(["settlement.capital"], datetime.min.replace(tzinfo=UTC), clock.now())
    if not opened or found < opened[0].at.astimezone(clock.SHANGHAI).date():
        raise dates.WrongDay(why_zh=f"{found} 还没有开账", why=f"the books were not open yet on {found}")
    return found


def month_asked(request: HttpRequest) -> tuple[str, datetime, datetime]:
    """The month that the address or a form names: its name (2026-05), its start, the next one's start.

    Raises WrongDay.
    """
    return month_of(dates.month(request.POST.get("month", "") or request.GET.get("month", "")))


def month_of(first: date) -> tuple[str, datetime, datetime]:
    """A month by its first day: its name, its start, the next one's start."""
    following = (first + timedelta(days=32)).replace(day=1)
    return f"{first:%Y-%m}", midnight(first), midnight(following)


def midnight(day: date) -> datetime:
    """The beginning of a day in China."""
    return datetime.combine(day, time(), clock.SHANGHAI)


def uuid_typed(text: str, zh: str, en: str) -> UUID:
    """An id that a form sent; NotYet says what is to be chosen."""
    try:
        return UUID(text)
    except ValueError as error:
        raise NotYet(why_zh=zh, why_en=en) from error


def courier(party: UUID) -> CourierRef:
    """One courier, or NotFound."""
    found = next((c for c in people.couriers() if c.id == party), None)
    if found is None:
        raise NotFound()
    return found


def orders_of(found: Sequence[PayoutRef]) -> dict[UUID, OrderRef]:
    """Order's id → order, of these payouts."""
    among = frozenset(p.order for p in found)
    return {o.id: o for o in trade.refs(trade.listed(OrderFilter(among=among)))} if among else {}


def stamp(day: date) -> str:
    """20260520, for a file's name."""
    return f"{day:%Y%m%d}"
