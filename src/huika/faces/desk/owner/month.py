"""The owner's page of a month."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from huika.domain.market.queries import owner
from huika.domain.parties.types import Actor, Role
from huika.faces.desk.owner import reading
from huika.faces.desk.pages import page
from huika.faces.desk.people.plain import plainly
from huika.faces.pages import dates, who
from huika.kit import clock
from huika.kit.refusals import Refusal

PLACES = (("/desk/owner", "一个月", "A month"), ("/desk/owner/visits", "上门成本", "Cost of a visit"))
MOST_BARS, MOST_ROWS = 8, 40


@dataclass(frozen=True)
class Month:
    """A month: its name (2026-05), its start, the next one's start."""

    name: str
    start: datetime
    end: datetime

    @property
    def before(self) -> str:
        """The month before."""
        return f"{self.start.astimezone(clock.SHANGHAI).date() - timedelta(days=1):%Y-%m}"

    @property
    def after(self) -> str:
        """The next month; empty where it has not begun."""
        following = self.end.astimezone(clock.SHANGHAI).date()
        return f"{following:%Y-%m}" if following <= dates.today() else ""


def of(first: date) -> Month:
    """A month by its first day, in Shanghai."""
    start = datetime(first.year, first.month, 1, tzinfo=clock.SHANGHAI)
    following = (first + timedelta(days=32)).replace(day=1)
    return Month(f"{first:%Y-%m}", start, datetime(following.year, following.month, 1, tzinfo=clock.SHANGHAI))


def asked(request: HttpRequest) -> Month:
    """The month that the address names. Raises WrongDay."""
    return of(dates.month(request.GET.get("month", "")))


@dataclass(frozen=True)
class Bar:
    """One bar of a figure: its words, baskets and face value, and its length out of a thousand."""

    said: str
    baskets: int
    face_fen: int
    length: int


def bars(rows: list[tuple[str, int, int]]) -> list[Bar]:
    """The longest bars; rows are (words, baskets, face value), most face value first."""
    most = max((face for _, _, face in rows), default=0)
    return [Bar(said, n, face, max(4, 1000 * face // most) if most else 4) for said, n, face in rows[:MOST_BARS]]


@dataclass(frozen=True)
class Step:
    """A step from comparison to sale: how many reached it, its share of all, its length out of a thousand."""

    zh: str
    en: str
    n: int
    of: int

    @property
    def length(self) -> int:
        """Out of a thousand."""
        return 1000 * self.n // self.of if self.of else 0

    @property
    def share(self) -> str:
        """Per cent of all, with one place; empty where there is none."""
        return f"{100 * self.n / self.of:.1f}%" if self.of else ""


def steps(won: owner.Won) -> list[Step]:
    """What became of comparisons, as far as it is known."""
    return [
        Step("问价", "Compared", won.compared, won.compared),
        Step("有人出价", "Had an offer", won.offered, won.compared),
        Step("接下了", "Accepted", won.taken, won.compared),
        Step("卖成了", "Sold", won.sold, won.compared),
    ]


@require_safe
@who.only(Role.DESK)
def month(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Margin, visits, losses, unserved demand, wins, recyclers."""
    refusal: Refusal | None = None
    try:
        chosen = asked(request)
    except dates.WrongDay as wrong:
        chosen, refusal = of(dates.month("")), wrong
    return show(request, "month", refusal, month=chosen, this=dates.today(), **_values(chosen))


def _values(chosen: Month) -> dict[str, Any]:
    visits = reading.ended(chosen.start, chosen.end)
    unsold = reading.total(reading.ended(chosen.start, chosen.end, reading.UNSOLD))
    demand, won = owner.unserved(chosen.start, chosen.end), owner.won(chosen.start, chosen.end)
    names = reading.kind_names()
    wanted = reading.wanted(demand)
    return {
        "sum": reading.total(visits),
        "unsold": unsold,
        "middle_fen": reading.middle_fen(visits),
        "at_a_loss": sum(v.it.profit_fen < 0 for v in visits),
        "worst": visits[: reading.WORST],
        "beside": reading.beside(visits, chosen.start, chosen.end),
        "losses": reading.losses(chosen.start, chosen.end),
        "demand": demand,
        "wanted": wanted[:MOST_ROWS],
        "more_wanted": len(wanted) - MOST_ROWS,
        "by_kind": bars([(names.get(kind, kind), n, face) for kind, n, face in demand.kinds]),
        "by_place": bars([(reading.place(city, district), n, face) for city, district, n, face in demand.places]),
        "won": won,
        "steps": steps(won),
        "firms": reading.recyclers(chosen.start, chosen.end),
    }


def show(request: HttpRequest, template: str, refusal: Refusal | None = None, **context: Any) -> HttpResponse:
    """One of the owner's pages, with the refusal of its address or form."""
    said = plainly(refusal) if refusal else None
    return page(
        request,
        f"desk/owner/{template}.html",
        said.status if said else 200,
        **context,
        refusal=said,
        places=[(href, zh, en, request.path.startswith("/desk/owner/visits") == href.endswith("visits"))
                for href, zh, en in PLACES],
    )  # fmt: skip
