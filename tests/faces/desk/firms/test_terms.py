"""How a recycler buys, put into effect by the desk: every term there and back, refusals in words, nothing lost."""

import re
from uuid import uuid4

import pytest
from django.http import HttpResponse
from django.test import Client
from tests.domain.trade import ground
from tests.faces.desk.people import at_desk

from huika.domain.market import actions, models, queries
from huika.domain.market.types import BookRef, Fee, ReserveTerms, Terms
from huika.domain.parties.types import Role

pytestmark = pytest.mark.django_db
BOOK = ground.book(("walmart", "*", "electronic", "0.9001"), ("hema", "500", "electronic", "0.85"))
SELLS = f"{ground.HEADER},sells\nwalmart,*,{ground.CITY},electronic,intact,visit,,0.95\n"
HAN = re.compile("[\u4e00-\u9fff]")
ALL = {
    "bargains": "1",
    "basket": "300.50", "cards": "3", "payout": "260",
    "cap": "50,000", "margin": "1.5", "rest": "hema", "begins-walmart": "2326 2330",
    "fee-zh-1": "手续费", "fee-en-1": "Handling", "fee-fixed-1": "2", "fee-share-1": "0.3",
}  # fmt: skip


class At:
    """A desk person before one recycler."""

    def __init__(self, text: str = BOOK) -> None:
        self.client: Client = at_desk.signed_in()
        self.party = ground.recycler(money_fen=0)
        actions.publish_book(self.party, text, self.party, Terms(margin_bp=100 if text == SELLS else None))
        self.address = f"/desk/recyclers/{self.party}"

    def post(self, lang: str = "zh", **typed: str) -> HttpResponse:
        body = {"version": str(self.book.version), "once": "1", **typed}
        return self.client.post(f"{self.address}/terms", body, headers={"accept-language": lang})

    def page(self, lang: str = "zh") -> str:
        return str(self.client.get(self.address, headers={"accept-language": lang}).content.decode())

    @property
    def book(self) -> BookRef:
        found = queries.book_in_effect(self.party)
        assert found is not None
        return found

    @property
    def versions(self) -> int:
        return models.Book.objects.filter(recycler_id=self.party).count()


def test_every_term_is_published_shown_again_and_ended() -> None:
    at = At()
    for _ in range(2):  # tapped twice
        answer = at.post(**ALL, version="1")
        assert answer.headers["Location"] == f"{at.address}?published=2"
    assert at.versions == 2
    want = Terms(
        paused=False, bargains=True, fees=(Fee("handling", "手续费", "Handling", 2_00, 30),), min_basket_fen=300_50,
        least_cards=3, least_payout_fen=260_00, most_face_day_fen=50_000_00, margin_bp=150, resting=frozenset({"hema"}),
        prefixes={"walmart": ("2326", "2330")},
    )  # fmt: skip
    assert at.book.terms == want
    page = at.page()
    shown = {**ALL, "cap": "50000"}
    for name in (
        "basket",
        "cards",
        "payout",
        "cap",
        "margin",
        "begins-walmart",
        "fee-zh-1",
        "fee-fixed-1",
        "fee-share-1",
    ):
        assert re.search(rf'name="{name}"[^>]* value="{re.escape(shown[name])}"', page), name
    assert 'name="bargains" value="1" checked' in page
    assert 'value="hema" checked' in page and 'name="fee-code-1" value="handling"' in page
    assert "1 种先不收；1 种只收部分卡号；收 1 项费用" in page
    assert at.post(paused="1", once="2").status_code == 302
    ended = Terms(
        paused=True,
        bargains=False,
        fees=(),
        min_basket_fen=0,
        least_cards=0,
        least_payout_fen=0,
        resting=frozenset(),
        prefixes={},
    )
    assert at.book.terms == ended
    assert "暂停收卡" in at.page()


def test_a_fee_of_nothing_is_none_and_hinders_nobody() -> None:
    at = At()
    actions.set_terms(at.party, at.party, Terms(fees=(Fee("handling", "手续费", "Handling"),)))
    assert 'name="fee-zh-1" value="手续费"' not in at.page()
    assert at.post(paused="1", version="2").status_code == 302
    assert (at.book.terms.paused, at.book.terms.fees) == (True, ())
    nothing = {"fee-zh-1": "手续费", "fee-en-1": "Handling", "fee-fixed-1": "0"}
    assert at.post(**nothing, version="3", once="2").status_code == 302
    assert at.book.terms.fees == ()


def test_the_reserve_and_the_prices_stay() -> None:
    at = At()
    actions.set_terms(at.party, at.party, Terms(reserve=ReserveTerms(1000, 7, 50)))
    before = queries.cells(at.book.id)
    at.post(**ALL)
    assert at.book.reserve == ReserveTerms(1000, 7, 50) and queries.cells(at.book.id) == before


def test_a_margin_moves_the_rows_that_follow_it_and_one_that_eats_them_is_refused_with_its_rows() -> None:
    at = At(SELLS)
    assert at.post(margin="2.5").status_code == 302
    assert [c.ratio_bp for c in queries.cells(at.book.id)] == [9250]
    actions.publish_book(at.party, SELLS.replace("0.95", "0.03"), at.party, Terms(margin_bp=100))
    answer = at.post(margin="3")
    assert answer.status_code == 422 and "第 2 行就没有折扣了" in answer.content.decode()
    assert "no ratio is left in rows 2" in at.post("en", margin="3").content.decode()
    assert 'name="margin" inputmode="decimal" value="3"' in answer.content.decode()
    assert at.book.terms.margin_bp == 100


def test_what_today_has_taken_stands_beside_the_cap() -> None:
    at = At()
    at.post(cap="1000")
    actions.take_room(uuid4(), at.party, 250_00)
    page = at.page()
    assert "今天收了面值 250 元，上限 1,000 元" in page and "收了 250 元，还能收 750 元" in page
    assert '<rect class="part" width="25" height="8"/>' in page
    assert "250 of 1,000 yuan of face value bought today" in at.page("en")


def test_a_kind_that_left_the_book_stays_at_rest() -> None:
    at = At()
    at.post(rest="hema")
    ground.publish(at.party, ground.book(("walmart", "*", "electronic", "0.9")))
    assert at.book.terms.resting == frozenset({"hema"})
    assert 'value="hema" checked' in at.page()


WRONG = [
    ({"basket": "a few"}, "起收金额写成", "the smallest basket like"),
    ({"basket": "10000001"}, "起收金额最多 10,000,000 元", "at most 10,000,000 yuan"),
    ({"cards": "61"}, "最少张数写成 0 到 60 的整数", "the least cards as a whole number up to 60"),
    ({"cards": "二"}, "最少张数写成", "the least cards"),
    ({"cap": "0"}, "不限就空着", "cap empty for none"),
    ({"cap": "1.005"}, "一天最多收写成", "the day&#x27;s cap like"),
    ({"margin": "51"}, "留的毛利最多 50%", "the margin is at most 50%"),
    ({"begins-walmart": "12 x"}, "」的卡号开头写成 2326", "write the numbers of"),
    ({"begins-walmart": "123456789"}, "每个最多 8 位", "at most 8 digits"),
    ({"begins-walmart": " ".join(map(str, range(21)))}, "最多 20 个", "and 20"),
    ({"fee-zh-1": "手续费", "fee-fixed-1": "2"}, "第 1 项费用要写中文名和英文名", "fee 1 needs a Chinese"),
    ({"fee-zh-1": "手续费", "fee-en-1": "Handling"}, "「手续费」收多少还没写", "how much is Handling"),
    ({"fee-zh-1": "手续费", "fee-en-1": "H", "fee-share-1": "50.01"}, "比例最多 50%", "the share of H is at most 50%"),
    ({"fee-zh-1": "手续费", "fee-en-1": "H", "fee-fixed-1": "free"}, "「手续费」写成 500", "write H like 500"),
]


@pytest.mark.parametrize(("typed", "zh", "en"), WRONG)
def test_what_cannot_be_is_refused_in_words_and_stays_as_typed(typed: dict[str, str], zh: str, en: str) -> None:
    at = At()
    for lang, said in (("zh", zh), ("en", en)):
        answer = at.post(lang, **{"cards": "4", **typed})
        page = answer.content.decode()
        assert answer.status_code == 422 and said in page and page.count('role="alert"') == 1
        assert 'id="buys" open>' in page and 'id="live">' in page
        for name, value in {"cards": "4", **typed}.items():
            assert re.search(rf'name="{name}"[^>]* value="{re.escape(value)}"', page), name
    assert at.versions == 1


def test_a_book_that_changed_meanwhile_is_not_written_over_and_both_are_shown() -> None:
    at = At()
    actions.set_terms(at.party, at.party, Terms(min_basket_fen=700_00))
    answer = at.post(basket="300", version="1")
    page = answer.content.decode()
    assert answer.status_code == 409 and "已经有第 2 版了" in page
    assert 'name="basket" inputmode="decimal" value="300"' in page and "现行：700" in page
    assert at.book.min_basket_fen == 700_00
    assert at.post(basket="300", once="2").status_code == 302 and at.book.min_basket_fen == 300_00


def test_a_fee_keeps_its_code_and_two_of_one_name_have_two() -> None:
    at = At()
    actions.set_terms(at.party, at.party, Terms(fees=(Fee("own_code", "旧", "Old", 1_00),)))
    same = {"fee-zh-{}": "搬运", "fee-en-{}": "Haul it", "fee-fixed-{}": "1"}
    two = {key.format(n): value for n in (2, 3) for key, value in same.items()}
    at.post(**{"fee-code-1": "own_code", "fee-zh-1": "旧", "fee-en-1": "Old", "fee-share-1": "0.5"}, **two)
    assert [f.code for f in at.book.terms.fees or ()] == ["own_code", "haul-it", "haul-it-2"]
    assert (at.book.terms.fees or ())[0] == Fee("own_code", "旧", "Old", 0, 50)


def test_without_a_book_there_are_no_terms_and_the_desk_alone_may_set_them() -> None:
    at = At()
    none = ground.recycler(money_fen=0)
    page = at.client.get(f"/desk/recyclers/{none}").content.decode()
    assert 'id="buys"' not in page and 'id="live"' in page
    assert at.client.post(f"/desk/recyclers/{none}/terms", {"version": "0"}).status_code == 404
    other = at_desk.signed_in("watcher", Role.REGULATOR)
    for form in ("terms", "endpoint"):
        assert other.post(f"{at.address}/{form}", {"version": "1"}).status_code == 403
        assert at.client.get(f"{at.address}/{form}").status_code == 405


def test_the_english_page_has_no_chinese_but_names() -> None:
    at = At()
    at.post(**ALL)
    page = re.sub(r'<(\w+)[^>]*data-lang[^>]*>.*?</\1>|<input[^>]*translate="no"[^>]*>', "", at.page("en"), flags=re.S)
    assert not HAN.search(page), HAN.findall(page)
