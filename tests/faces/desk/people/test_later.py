"""On the telephone a part may come later too: read out with what is paid now, what later and when."""

from uuid import UUID, uuid4

import pytest
from django.test import Client
from tests.domain.trade import ground
from tests.faces.desk.people import at_desk
from tests.faces.desk.people.test_call import NO, PHONE, verified
from tests.faces.seller.ground import BOOK, TERMS

from huika.domain.settlement.types import RailQuote
from huika.domain.trade import models as trade
from huika.faces.pages import rails

pytestmark = pytest.mark.django_db
BAGGED = {"kind-1": "wangfujing", "face-1": "1000", "count-1": "1", "form-1": "physical"}
LOCKED = {"kind-1": "walmart", "face-1": "1000", "count-1": "1", "form-1": "electronic"}
BANK = "6222020000000000000"


@pytest.fixture
def recycler(db: None) -> UUID:
    ground.operator()
    party = ground.recycler(money_fen=100_000_00)
    ground.publish(party, BOOK, reserve=TERMS)
    ground.courier()
    return party


@pytest.fixture
def desk(recycler: UUID) -> Client:
    return at_desk.signed_in()


def quoted(desk: Client, cards: dict[str, str] = BAGGED, lang: str = "zh", district: str = "shanghai-huangpu") -> dict:
    body = {**cards, "district": district, "at": uuid4().hex}
    return dict(desk.post("/desk/call/quote", body, headers={"accept-language": lang}).json())


@pytest.mark.parametrize("district", ["shanghai-huangpu", ""])
def test_both_are_offered_and_read_out(desk: Client, district: str) -> None:
    found = quoted(desk, district=district)
    later = found["later"]
    assert later["offer"] == found["offer"] + "~r"
    assert "多 4.98 元" in later["name"] and "当面" in later["sub"] and "7 天后" in later["sub"]
    for words in ("多拿 4.98 元", "当面付", "托管方", "7 天后自动打到您账户", "不能收现金"):
        assert words in later["ask"]
    assert f"一共 {later['net']}{later['cents']} 元，当面" in later["say"] and "7 天后" in later["say"]
    assert ("前都算数" in later["say"]) == ("前都算数" in found["say"]) == bool(district)
    assert "比第二家" not in found["sub"]
    english = quoted(desk, lang="en", district=district)["later"]
    assert "4.98 yuan more" in english["name"] and "7 days after the visit" in english["ask"]
    assert not any("\u4e00" <= c <= "\u9fff" for c in "".join(english.values()))


def test_not_for_what_is_locked(desk: Client) -> None:
    assert quoted(desk, LOCKED)["later"] is None


def test_it_is_booked_to_an_account_and_repeated(desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    class Rail:
        def quote(self, account: str, amount_fen: int) -> RailQuote:
            asked.append(amount_fen)
            return RailQuote((amount_fen,))

    monkeypatch.setattr(rails, "provider", lambda port: Rail())
    verified(consents=("service", "identity", "address", "payee"))
    said = quoted(desk)
    body = {
        **BAGGED, **NO, "q-1": "王府井", "phone": PHONE, "comparison": said["comparison"], "later": "yes",
        "offer": said["later"]["offer"], "district": "shanghai-huangpu", "q_district": "黄浦", "rail": "cash",
        "address": "安福路 1 号 301", "opens": ground.tomorrow().isoformat(), "name": "王小明", "once": "1",
    }  # fmt: skip
    refused = desk.post("/desk/call", body)
    page = refused.content.decode()
    assert refused.status_code == 409 and "要打到账户" in page and not trade.Order.objects.exists()
    assert 'name="later" value="yes" data-stop checked' in page, "what was chosen stays"
    answer = desk.post("/desk/call", {**body, "rail": "bank", "account": BANK, "once": "2"})
    assert answer.status_code == 302
    order = trade.Order.objects.get()
    (card,) = trade.Card.objects.all()
    assert card.reserve_fen and asked == [order.quoted_net_fen - card.reserve_fen]
    for lang, words in (("zh", ("当面", "7 天后", "打到账户")), ("en", ("at the door", "7 days later"))):
        page = desk.get(answer.headers["Location"], {"lang": lang}).content.decode()
        assert all(one in page for one in words)
