"""The list of orders: each filter against looking at every order, pages, downloads, search, the figures of the day."""

import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from tests.faces.api import cast
from tests.faces.desk.orders import ground
from tests.faces.desk.orders.ground import FORMULA, HOSTILE, Desk

from huika.domain.field import queries as field
from huika.domain.parties import models as people
from huika.domain.settlement import models as payouts
from huika.domain.settlement import queries as money
from huika.domain.trade import models
from huika.domain.trade import queries as trade
from huika.domain.trade.types import OrderRef
from huika.faces.desk.orders import account, days, lists, today, waiting
from huika.faces.desk.orders import standing as st
from huika.kit import clock
from huika.kit.models import WorkItem

pytestmark = pytest.mark.xdist_group("the desk's lists")  # one worker, which builds the desk once

EXTRA = 45


def shown(client: Client, query: str = "") -> list[str]:
    """Codes on every page of a list, in order."""
    found: list[str] = []
    page = 1
    while True:
        text = client.get(f"/desk/orders?{query}&page={page}").content.decode()
        codes = re.findall(r"data-row>([^<]+)</a>", text)
        found += codes
        if f"page={page + 1}" not in text:
            return found
        page += 1


def every() -> list[OrderRef]:
    """Every order there is, newest first."""
    return list(trade.refs(models.Order.objects.order_by("-id")))


def day_of(order: OrderRef) -> Any:
    """The day an order belongs to, said a second time."""
    at = order.ended_at or (field.visit(order.visit).opens if order.visit else order.created_at)
    return at.astimezone(clock.SHANGHAI).date()


def state_of_visit(order: OrderRef) -> str:
    return field.visit(order.visit).state if order.visit else ""


def has_item(order: OrderRef) -> bool:
    """Whether an open item names the order, one of its cards, or one of its payouts."""
    ids = {str(order.id), *(str(c.id) for c in order.cards)}
    ids |= {str(p) for p in payouts.Payout.objects.filter(order_id=order.id).values_list("id", flat=True)}
    return any(str(i.subject) in ids for i in WorkItem.objects.filter(decided_at=None))


def paid_today(order: OrderRef) -> bool:
    rows = payouts.Payout.objects.filter(order_id=order.id, state="paid")
    return any(p.paid_at and p.paid_at.astimezone(clock.SHANGHAI).date() == days.today() for p in rows)


FILTERS: dict[str, Callable[[OrderRef], bool]] = {
    "": lambda o: True,
    "g=person": has_item,
    "g=visit": lambda o: o.state == "in_progress",
    "g=way": lambda o: o.state == "accepted" and state_of_visit(o) == "on_the_way",
    "g=booked": lambda o: o.state == "accepted" and state_of_visit(o) != "on_the_way",
    "g=quoted": lambda o: o.state == "quoted",
    "g=paid": lambda o: o.state in ("settled", "closed"),
    "g=off": lambda o: o.state in ("cancelled", "declined_free", "expired"),
    "g=owed": lambda o: any(c.state == "credited" for c in o.cards),
    "g=arrived&day=today": paid_today,
    "g=arrived&day=yesterday": lambda o: False,
    "city=shanghai": lambda o: o.city == "shanghai",
    "city=nowhere": lambda o: False,
    "district=shanghai-xuhui": lambda o: o.district == "shanghai-xuhui",
    "district=shanghai-pudong": lambda o: o.district == "shanghai-pudong",
    "kind=yonghui": lambda o: any(c.kind == "yonghui" for c in o.cards),
    "kind=walmart&g=visit": lambda o: o.state == "in_progress" and any(c.kind == "walmart" for c in o.cards),
    "rail=wallet": lambda o: o.rail == "wallet",
    "rail=cash": lambda o: o.rail == "cash",
    "day=today": lambda o: day_of(o) == days.today(),
    "day=yesterday": lambda o: day_of(o) == days.today() - timedelta(days=1),
    "day=today&g=off": lambda o: day_of(o) == days.today() and o.state in ("cancelled", "declined_free", "expired"),
    # What cannot be read narrows nothing.
    "g=everything&rail=gold&day=someday&recycler=me": lambda o: True,
}  # fmt: skip


@pytest.fixture
def many(desk: Desk) -> Desk:
    """More orders than a page holds, some of another district, one of yesterday, one by cash."""
    seller = desk.house.callers["seller"].party
    assert seller
    old = cast.quoted(seller, ("walmart",))
    models.Order.objects.filter(id=old).update(created_at=clock.now() - timedelta(days=1), district="shanghai-pudong")
    ended = models.Order.objects.get(id=desk.orders["declined"].id)
    models.Order.objects.filter(id=ended.id).update(ended_at=ended.ended_at - timedelta(days=1), rail="cash")
    return desk


def test_a_filter_shows_what_looking_at_each_order_finds(many: Desk) -> None:
    client, orders = ground.signed_in("desk1"), every()
    for query, belongs in FILTERS.items():
        assert shown(client, query) == [o.code for o in orders if belongs(o)], query
    empty = [query for query, belongs in FILTERS.items() if not any(belongs(o) for o in orders)]
    assert empty == ["g=arrived&day=yesterday", "city=nowhere"]


def test_recycler_code_and_alias_narrow_too(many: Desk) -> None:
    client, orders = ground.signed_in("desk1"), every()
    for name in ("recycler", "other recycler"):
        party = many.house.callers[name].party
        wanted = [o.code for o in orders if any(lot.recycler == party for lot in o.lots)]
        assert wanted and shown(client, f"recycler={party}") == wanted
    code = many.orders["owed"].code
    assert shown(client, f"q={code.lower()[2:6]}") == [o.code for o in orders if code[2:6] in o.code]
    alias = st.alias_of(many.orders["owed"].seller)
    assert shown(client, f"q={alias[-4:]}") == [o.code for o in orders if o.seller == many.orders["owed"].seller]
    assert shown(client, "q=nobody-is-called-so") == []


def test_pages_hold_every_order_once_and_the_download_is_the_filtered_list(many: Desk) -> None:
    client = ground.signed_in("desk1")
    first = models.Order.objects.get(id=many.orders["quoted"].id)
    for n in range(EXTRA):
        models.Order.objects.create(
            code=f"MORE{n:03d}", seller_id=first.seller_id, comparison_id=first.comparison_id, offer="x",
            city="shanghai", district="shanghai-jingan", quoted_net_fen=100_00 + n, expires_at=clock.now(),
            created_at=clock.now(),
        )  # fmt: skip
    assert len(every()) > lists.PER_PAGE
    assert shown(client) == [o.code for o in every()]
    for page in ("0", "-1", "x", "9" * 30, "２"):
        assert client.get(f"/desk/orders?page={page}").status_code == 200
    query = "district=shanghai-jingan"
    rows = list(csv.reader(io.StringIO(client.get(f"/desk/orders.csv?{query}").content.decode("utf-8-sig"))))
    assert [r[0] for r in rows[1:]] == shown(client, query) and len(rows) == EXTRA + 1
    assert f"{100 + (EXTRA - 1) / 100:.2f}" in {r[8] for r in rows[1:]}
    english = client.get("/desk/orders.csv?lang=en").content.decode("utf-8-sig").splitlines()[0]
    assert english.startswith("Order,Seller,State") and not re.search("[\u4e00-\u9fff]", english)


def test_hostile_names_are_text_and_no_formula(many: Desk) -> None:
    client, order = ground.signed_in("desk1"), many.orders["owed"]
    firm = order.lots[0].recycler
    for name in (HOSTILE, FORMULA, " =1+1", "＝1+1", "@x", "+1", "-1", "\t=1"):
        people.Recycler.objects.filter(party_id=firm).update(name_zh=name, name_en=name)
        people.Party.objects.filter(id=order.seller).update(alias=name.strip()[:38] + "x")
        text = client.get("/desk/orders.csv").content.decode("utf-8-sig")
        cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
        assert not [c for c in cells if c.strip().startswith(("=", "+", "@", "＝", "＋", "＠", "-", "－"))], name
        if name == HOSTILE:
            assert any(HOSTILE in c for c in cells)
        for path in ("/desk/", "/desk/orders", f"/desk/orders/{order.code}", f"/desk/search?q={name}", "/desk/queue"):
            page = client.get(path).content.decode()
            assert "<img src=x" not in page, path
        assert "&lt;img src=x" in client.get("/desk/queue").content.decode()


def test_an_order_is_found_by_code_alias_bag_and_payout_and_says_by_which(desk: Desk) -> None:
    client, order = ground.signed_in("desk1"), desk.orders["owed"]

    def found(q: str) -> list[tuple[str, str]]:
        text = client.get("/desk/search", {"q": q, "lang": "en"}).content.decode()
        return re.findall(r'data-row>([^<]+)</a></td><td class="k"><span class="hk-tag">([^<]+)</span>', text)

    number = payouts.Payout.objects.filter(order_id=order.id).first().number
    assert found(order.code) == [(order.code, "Order")]
    assert found("OWED-0002") == [(order.code, "Bag")] == found("owed-0002")
    assert found(number) == found(number.lower()) == [(order.code, "Payout")]
    assert found("F1") == []  # shorter than any number is
    assert {by for _, by in found(st.alias_of(order.seller))} == {"Seller"}
    assert found("%") == found("") == found("2326880144171234") == []


def test_figures_count_the_lists_behind_them(many: Desk) -> None:
    client = ground.signed_in("desk1")
    queue = waiting.queue()
    waits = st.first_waits(queue)
    for city in ("", "shanghai", "nowhere"):
        figures = [*today.figures(city, waits, queue), *today.sums(city, waits)]
        for figure in figures:
            if figure.href.startswith("/desk/orders?"):
                assert figure.count == len(shown(client, figure.href.partition("?")[2])), figure
    assert sum(f.count > 0 for f in today.figures("", waits, queue)) >= 6
    arrived, owed = today.sums("", waits)
    assert arrived.fen == many.orders["settled"].quoted_net_fen > 0
    assert owed.fen == money.owed_fen() == many.orders["owed"].quoted_net_fen > 0
    assert today.sums("shanghai", waits)[1].fen == owed.fen
    text = client.get("/desk/").content.decode()
    # A visit of today that was called off on an earlier day is no visit of today.
    live = [o for o in every() if o.visit and day_of(o) == days.today()]
    stops = [o.code for o in live if field.visit(o.visit).day == days.today()]
    assert sorted(re.findall(r"data-row>([^<]+)</a>", text)) == sorted(stops) and stops


def test_the_books_of_each_order_add_up(many: Desk) -> None:
    fees, firms = {"visit": ("上门费", "Visit")}, {}
    seen = set()
    for order in every():
        books = account.books(order, fees, firms)
        for name, acc in (("held", books.held), ("owed", books.owed)):
            if acc is not None:
                assert acc.agrees, (order.state, name, acc)
                seen.add((order.state, name, acc.balance_fen > 0))
    assert {("accepted", "held", True), ("in_progress", "held", True), ("settled", "owed", False)} <= seen
    assert {("in_progress", "owed", True), ("settled", "held", False), ("cancelled", "held", False)} <= seen
    assert account.books(many.orders["quoted"], fees, firms) == account.Books(None, None)
    requoted = account.books(many.orders["at the door"], fees, firms).held
    assert requoted is not None and requoted.balance_fen == sum(
        lot.secured_fen for lot in many.orders["at the door"].lots
    )
