"""Recyclers and their live book as pages and as CSV."""

import csv
import io
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from django.test import Client
from tests.domain.trade import ground
from tests.faces.desk.people import at_desk

from huika.domain.market.types import Fee
from huika.domain.parties import actions as parties
from huika.domain.parties.types import Role
from huika.kit import clock

pytestmark = pytest.mark.django_db
NASTY = ("<img src=x onerror=alert(1)>", '=HYPERLINK("http://x.test","pay")')


@pytest.fixture
def desk() -> Client:
    return at_desk.signed_in()


def firm(name: str, kind: str = "local", until: date = date(2099, 1, 1)) -> UUID:
    return parties.ensure_recycler(name, f"{name} en", kind, f"L-{name[:20]}-{uuid4().hex[:6]}", until)


def cells(answer: object) -> list[list[str]]:
    text = answer.content.decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


def test_the_list_shows_papers_money_book_and_state(desk: Client) -> None:
    today = clock.now().astimezone(clock.SHANGHAI).date()
    ground.operator()
    buying = ground.recycler(ground.book(("walmart", "*", "electronic", "0.9")), money_fen=12_345_67)
    paused = ground.recycler(money_fen=0)
    ground.publish(paused, ground.book(("walmart", "*", "electronic", "0.9")), paused=True)
    firm("到期商家", until=today - timedelta(days=1))
    firm("快到期商家", until=today + timedelta(days=12))
    page = desk.get("/desk/recyclers").content.decode()
    assert f'href="/desk/recyclers/{buying}"' in page
    for word in ("¥12,345.67", "收卡中", "暂停收卡", "执照到期", "还有 12 天", "还没有价目表", "没开户"):
        assert word in page, word
    english = desk.get("/desk/recyclers", headers={"accept-language": "en"}).content.decode()
    for word in ("Buying", "Paused", "Licence expired", "12 days left", "No price book yet", "no account"):
        assert word in english, word


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("", {"甲", "乙", "丙"}),
        ("?kind=local", {"甲"}),
        ("?kind=vertical", {"乙", "丙"}),
        ("?q=丙", {"丙"}),
        ("?kind=local&q=丙", set()),
        ("?q=%E4%B9%99 EN", {"乙"}),
        ("?kind=nothing", set()),
    ],
)
def test_filters_of_page_and_csv_agree_with_a_count_by_hand(desk: Client, query: str, wanted: set[str]) -> None:
    firm("甲"), firm("乙", "vertical"), firm("丙", "vertical")
    page = desk.get(f"/desk/recyclers{query}").content.decode()
    assert {name for name in "甲乙丙" if f">{name}</a>" in page} == wanted
    assert {row[0] for row in cells(desk.get(f"/desk/recyclers.csv{query}"))[1:]} == wanted


def test_names_are_text_in_pages_and_neutral_in_csv(desk: Client) -> None:
    made = [firm(name) for name in NASTY]
    page = desk.get("/desk/recyclers").content.decode()
    assert "<img" not in page and "&lt;img src=x onerror=alert(1)&gt;" in page
    names = [row[0] for row in cells(desk.get("/desk/recyclers.csv"))[1:]]
    assert sorted(names) == sorted([NASTY[0], "'" + NASTY[1]])
    for party in made:
        for address in (f"/desk/recyclers/{party}", f"/desk/recyclers/{party}/book"):
            assert "<img" not in desk.get(address).content.decode()


def test_a_recycler_with_its_book_filtered_and_paged(desk: Client) -> None:
    ground.operator()
    faces = [("smart", str(n), "electronic", "0.9") for n in range(1, 61)]
    party = ground.recycler(
        ground.book(*faces, ("hema", "*", "physical", "0.8512")), least=50_000, fees=[Fee("r", "费", "fee", bp=10)]
    )
    first = desk.get(f"/desk/recyclers/{party}").content.decode()
    assert first.count("<tr><td>斯玛特") == 50
    assert "第 1 版，61 行" in first and "¥500" in first and "9 折" in first
    second = desk.get(f"/desk/recyclers/{party}?page=2").content.decode()
    assert second.count("<tr><td>斯玛特") == 10 and "8.512 折" in second
    one = desk.get(f"/desk/recyclers/{party}?kind=hema").content.decode()
    assert "<tr><td>斯玛特" not in one and "8.512 折" in one
    rows = cells(desk.get(f"/desk/recyclers/{party}/book.csv?kind=hema"))
    assert rows == [
        ["kind", "face_value", "city", "form", "condition", "channel", "ratio", "sells"],
        ["hema", "*", "shanghai", "physical", "intact", "visit", "0.8512", ""],
    ]


def test_what_is_not_there_is_not_found(desk: Client) -> None:
    for address in (
        f"/desk/recyclers/{uuid4()}",
        f"/desk/recyclers/{uuid4()}/book",
        f"/desk/recyclers/{firm('新')}/book.csv",
    ):
        assert desk.get(address).status_code == 404


@pytest.mark.parametrize("role", [Role.COURIER, Role.REGULATOR, Role.RECYCLER])
def test_only_the_desk(role: Role) -> None:
    party = firm("甲")
    addresses = [
        "recyclers",
        "recyclers.csv",
        f"recyclers/{party}",
        f"recyclers/{party}/book",
        f"recyclers/{party}/book.csv",
    ]
    other, nobody = at_desk.signed_in("other", role), Client()
    for address in addresses:
        assert other.get(f"/desk/{address}").status_code == 403
        sent = nobody.get(f"/desk/{address}")
        assert (sent.status_code, sent.headers["Location"].split("?")[0]) == (302, "/staff/sign-in")
    assert other.post(f"/desk/recyclers/{party}/book/publish", {"book": "x"}).status_code == 403
