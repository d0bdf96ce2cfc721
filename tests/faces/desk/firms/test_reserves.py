"""A recycler's terms for a part that comes later: stated as the next version of its book, prices untouched."""

import pytest
from django.http import HttpResponse
from django.test import Client
from tests.domain.trade import ground
from tests.faces.desk.people import at_desk

from huika.domain.market import models, queries
from huika.domain.market.types import BookRef, ReserveTerms
from huika.domain.parties.types import Role

pytestmark = pytest.mark.django_db
BOOK = ground.book(("walmart", "*", "electronic", "0.9001"), ("wangfujing", "500", "physical", "0.85"))
ROWS = ("kind", "face_value_fen", "city", "form", "condition", "channel", "ratio_bp")


class At:
    """A desk person before one recycler."""

    def __init__(self) -> None:
        self.client: Client = at_desk.signed_in()
        self.party = ground.recycler(BOOK, money_fen=0)
        self.address = f"/desk/recyclers/{self.party}"

    def post(self, share: str = "10", days: str = "7", bonus: str = "0.5", **more: str) -> HttpResponse:
        body = {"share": share, "days": days, "bonus": bonus, "version": str(self.book.version), "once": "1"}
        return self.client.post(f"{self.address}/reserve", {**body, **more})

    @property
    def book(self) -> BookRef:
        found = queries.book_in_effect(self.party)
        assert found is not None
        return found


def test_terms_are_published_over_the_same_prices_and_ended() -> None:
    at = At()
    before = list(queries.price_rows(at.book.id).values_list(*ROWS))
    assert "现在不提供" in at.client.get(at.address).content.decode()
    for _ in range(2):
        answer = at.post(version="1")
        assert answer.headers["Location"] == f"{at.address}?published=2"
    assert at.book.reserve == ReserveTerms(1000, 7, 50) and at.book.version == 2
    assert list(queries.price_rows(at.book.id).values_list(*ROWS)) == before
    page = at.client.get(answer.headers["Location"]).content.decode()
    assert "第 2 版已生效" in page and "10% 的款 7 天后付，卖家多拿面值的 0.5%" in page and 'value="0.5"' in page
    english = at.client.get(at.address, {"lang": "en"}).content.decode()
    assert "10% comes 7 days later" in english
    assert at.post("", "", "", end="1", once="2").status_code == 302
    assert at.book.reserve is None and at.book.version == 3


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"share": "51"}, "留存最多 50%、60 天"), ({"days": "61"}, "60 天"), ({"bonus": "10.01"}, "加价最多 10%"),
        ({"share": "0"}, "留存最多"), ({"days": "0"}, "60 天"), ({"bonus": "0"}, "加价最多"),
        ({"share": "many"}, "百分比写成"), ({"bonus": "0.555"}, "百分比写成"), ({"days": "7.5"}, "整数"),
        ({"share": ""}, "百分比写成"), ({"share": "１０"}, "百分比写成"),
    ],
)  # fmt: skip
def test_terms_that_cannot_be_are_refused_with_what_was_typed(typed: dict[str, str], said: str) -> None:
    at = At()
    answer = at.post(**typed)
    page = answer.content.decode()
    assert answer.status_code == 422 and said in page and "<details" in page and " open>" in page
    ((name, value),) = typed.items()
    assert f'name="{name}" inputmode="{"numeric" if name == "days" else "decimal"}" required value="{value}"' in page
    assert models.Book.objects.count() == 1


def test_a_book_that_changed_meanwhile_keeps_its_terms() -> None:
    at = At()
    ground.publish(at.party, BOOK)
    answer = at.post(version="1")
    assert answer.status_code == 409 and "已经有第 2 版了" in answer.content.decode()
    assert at.book.reserve is None and at.book.version == 2


def test_the_desk_alone() -> None:
    at = At()
    other = at_desk.signed_in("watcher", Role.REGULATOR)
    assert other.post(f"{at.address}/reserve", {"share": "1"}).status_code == 403
    assert at.client.get(f"{at.address}/reserve").status_code == 405
