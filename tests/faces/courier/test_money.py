"""A courier's own money: the purse, asking for more, the day and the slip; somebody else's is not there."""

import re
from uuid import UUID

import pytest
from django.test import Client
from tests.domain.trade import ground
from tests.faces.desk.orders.ground import signed_in

from huika.domain.catalog import queries as catalog
from huika.domain.parties.types import Role
from huika.domain.settlement import actions, models, queries
from huika.kit import clock, ids

pytestmark = pytest.mark.django_db


@pytest.fixture
def courier() -> UUID:
    ground.operator()
    return ground.courier()


@pytest.fixture
def phone(courier: UUID) -> Client:
    return signed_in("courier-1", Role.COURIER, courier)


def page(client: Client, **asked: str) -> str:
    answer = client.get("/courier/money", asked)
    assert answer.status_code == 200
    return answer.content.decode()


def spent(courier: UUID, fen: int, reference: str = "back") -> None:
    actions.return_float(courier, reference, fen, ids.uuid7())


def test_the_purse_and_what_moved_it_today(phone: Client, courier: UUID) -> None:
    spent(courier, 1_234_00)
    actions.book_difference(courier, "short", "shortage", 5_00, ids.uuid7(), "数过两遍")
    zh, en = page(phone, lang="zh"), page(phone, lang="en")
    assert "</small>48,761<small>.00" in zh and "−¥1,234.00" in zh and "短缺" in zh and "数过两遍" in zh
    assert "Purse, now" in en and "Missing" in en and "Not closed yet" in en
    body = re.sub(r"<[^>]+>", " ", en[en.index("<body") :]).replace("数过两遍", "").replace("中文", "")
    assert not re.findall(r"[一-鿿]", body)


def test_more_is_asked_for_once_and_never_beyond_the_purse(phone: Client, courier: UUID) -> None:
    assert "备用金满了" in page(phone, lang="zh"), "a purse of 50,000 is full"
    assert phone.post("/courier/money", {"yuan": "1"}).status_code == 409
    spent(courier, 800_00)
    for typed, status in (
        ("", 422),
        ("12.5", 422),
        ("-5", 422),
        ("٣", 422),
        ("0", 422),
        ("801", 409),
        ("9999999", 409),
    ):
        refused = phone.post("/courier/money", {"yuan": typed})
        assert refused.status_code == status and not models.TopUpRequest.objects.exists()
        assert f'value="{typed}"' in refused.content.decode(), "nothing typed is lost"
    limit = catalog.limit("courier_purse_fen")
    assert f"最多 ¥{limit // 100:,}.00" in phone.post("/courier/money", {"yuan": "801"}).content.decode()
    assert phone.post("/courier/money", {"yuan": "800", "once": "1"}).status_code == 302
    (asked,) = models.TopUpRequest.objects.all()
    assert (asked.courier_id, asked.amount_fen) == (courier, 800_00)
    assert "已申请补 ¥800" in page(phone, lang="zh") and 'name="yuan"' not in page(phone)
    phone.post("/courier/money", {"yuan": "700", "once": "2"})
    assert models.TopUpRequest.objects.count() == 1
    actions.answer_top_up(asked.id, ids.uuid7(), True)
    assert queries.purse_fen(courier) == limit and "补备用金" in page(phone, lang="zh")


def test_the_slip_of_a_month_as_page_and_file(phone: Client, courier: UUID) -> None:
    for piece, fen in (("visit", 18_00), ("card", 2_00)):
        actions.set_rate(ground.CITY, piece, fen, clock.now())
    visit = ids.uuid7()
    actions.earn(courier, ground.CITY, visit, ids.uuid7(), {"visit": 1, "card": 3})
    actions.give_bonus(courier, "bonus-1", 50_00, ids.uuid7(), "雨天加班")
    html = page(phone, lang="zh")
    assert "¥18.00" in html and "¥6.00" in html and "收卡 × 3" in html and "雨天加班" in html
    assert re.search(r'class="sum">.*?¥74\.00', html)
    file = phone.get("/courier/money/slip.csv", {"lang": "en"}).content.decode()
    assert file.strip().splitlines()[-1].endswith("74.00")
    assert "¥74.00" not in page(phone, month="2020-01")
    for wrong, zh, en in (("nonsense", "2026-05", "like 2026-05"), ("9999-12", "还没到", "has not come yet")):
        for lang, why in (("zh", zh), ("en", en)):
            answer = phone.get("/courier/money", {"month": wrong, "lang": lang})
            assert answer.status_code == 422 and why in answer.content.decode()
            assert "¥74.00" in answer.content.decode(), "this month stands beside it"
            for kind in ("csv", "pdf"):
                told = phone.get(f"/courier/money/slip.{kind}", {"month": wrong, "lang": lang})
                assert told.status_code == 400 and why in told.content.decode()


def test_it_is_the_courier_s_own(phone: Client, courier: UUID) -> None:
    other = ground.courier()
    actions.give_bonus(other, "bonus-2", 77_00, ids.uuid7(), "别人的")
    assert "别人的" not in page(phone) and "77.00" not in page(phone)
    assert Client().get("/courier/money")["Location"].startswith("/staff/sign-in")
    assert signed_in("desk1").get("/courier/money").status_code == 403
    assert "/courier/money" in phone.get("/courier/").content.decode()
