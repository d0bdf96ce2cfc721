"""Payouts are stopped and let go again by two people; while they are stopped every money page says so, and none is
sent."""

import json
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from tests.faces.desk.money import ground
from tests.faces.desk.money.ground import Ground, refused
from tests.faces.desk.staff.helpers import enrolled

from huika.domain.parties.models import User
from huika.domain.settlement import actions as settlement
from huika.domain.settlement import models, queries
from huika.kit.followers import REGISTRY, run
from huika.kit.models import Approval
from huika.kit.sequencer import sequence

pytestmark = pytest.mark.django_db(transaction=True)
REASON = "钱包在出错"


@pytest.fixture
def money(transactional_db: None, settings: Any) -> Ground:
    """One payout is still to be sent: made anew from one that failed."""
    settings.SITE_URL = "http://localhost"
    return ground.build("failed", "paid")


def happened() -> None:
    """What was decided takes effect."""
    while sequence():
        continue
    while run(REGISTRY["settlement.approvals"]):
        continue


def second_person(name: str = "ben") -> tuple[Client, Any]:
    """A colleague with a passkey, at the site's own name."""
    ground.signed_in(name)
    user = User.objects.get(username=name)
    key, browser = enrolled(user), Client(SERVER_NAME="localhost")
    browser.force_login(user)
    return browser, key


def approves(browser: Client, key: Any, where: str) -> Any:
    """Sign what stands at `where`."""
    answer = key.answer(json.loads(browser.get(where).context["options"]))
    return browser.post(where, {"credential": json.dumps(answer), "once": where})


def test_stopping_takes_a_second_person_and_then_nothing_is_sent(money: Ground) -> None:
    ben, key = second_person()
    payout = settlement.pay_again(money.payouts[0], True)
    assert payout is not None
    asked = money.desk.post("/desk/money/stop", {"scope": "wallet", "reason": REASON, "once": "1"})
    where = asked["Location"]
    assert where.startswith("/staff/approvals/") and queries.stops() == []
    page = ben.get(where).content.decode()
    assert "暂停付款" in page and REASON in page
    assert approves(ben, key, where).status_code == 302
    happened()
    assert [(s.scope, s.reason) for s in queries.stops()] == [("wallet", REASON)]
    assert not settlement.sending(payout) and models.Payout.objects.get(id=payout).state == "created"
    for address in ("", "/payouts", "/ledger", "/reconciliation", "/floats", "/pay", "/days", "/profit"):
        page = money.desk.get(f"/desk/money{address}").content.decode()
        assert "付款停着：微信零钱" in page and REASON in page and 'action="/desk/money/resume"' in page
    refused(money.desk.post("/desk/money/stop", {"scope": "wallet", "reason": "x", "once": "2"}), 409, "已经停了")
    # And they go again, by two people too.
    again = money.desk.post("/desk/money/resume", {"scope": "wallet", "once": "3"})["Location"]
    happened()
    assert len(queries.stops()) == 1
    approves(ben, key, again)
    happened()
    assert queries.stops() == [] and settlement.sending(payout)
    assert "付款停着" not in money.desk.get("/desk/money").content.decode()


def test_who_asks_does_not_decide_and_a_refusal_stops_nothing(money: Ground) -> None:
    ben, _ = second_person()
    where = money.desk.post("/desk/money/stop", {"scope": "all", "reason": REASON, "once": "1"})["Location"]
    asker = Client(SERVER_NAME="localhost")
    user = User.objects.get(username="desk")
    key = enrolled(user)
    asker.force_login(user)
    assert "options" in asker.get(where).context and asker.get(where).context["options"] == ""
    options = {"publicKey": json.loads(ben.get(where).context["options"])["publicKey"]}
    answer = asker.post(where, {"credential": json.dumps(key.answer(options)), "once": "x"})
    assert answer.status_code == 409 and "要由另一个人批准" in answer.content.decode()
    assert ben.post(where, {"refuse": "1", "once": "y"}).status_code == 302
    happened()
    assert Approval.objects.get(id=UUID(where.rpartition("/")[2])).approved is False
    assert queries.stops() == []


def test_a_stop_wants_its_reason_and_a_known_scope(money: Ground) -> None:
    page = refused(money.desk.post("/desk/money/stop", {"scope": "cash", "reason": " "}), 409, "请写明理由")
    assert 'value="cash" checked' in page
    page = refused(money.desk.post("/desk/money/stop", {"scope": "barter", "reason": REASON}), 422, "没有找到")
    assert f'value="{REASON}"' in page
    refused(money.desk.post("/desk/money/stop", {"scope": "all", "reason": "长" * 201}), 422, "最多写 200 个字")
    refused(money.desk.post("/desk/money/resume", {"scope": "all"}), 422, "没有找到")
    assert not Approval.objects.exists()


def test_a_double_tap_asks_once(money: Ground) -> None:
    body = {"scope": "bank", "reason": REASON, "once": "1"}
    first, second = (money.desk.post("/desk/money/stop", body)["Location"] for _ in range(2))
    assert first == second and Approval.objects.count() == 1


def test_a_request_that_stands_is_shown_instead_of_asked_again(money: Ground) -> None:
    body = {"scope": "bank", "reason": REASON, "once": "1"}
    where = money.desk.post("/desk/money/stop", body)["Location"]
    page = money.desk.get("/desk/money").content.decode()
    assert "停付款「银行卡」在等第二个人批" in page and "要由别的值班批" in page and f'href="{where}"' in page
    other = {"scope": "bank", "reason": "另一个理由", "once": "2"}
    page = refused(money.desk.post("/desk/money/stop", other), 409, "这个请求已经在等第二个人批")
    assert f'href="{where}"' in page and 'value="另一个理由"' in page
    ben, _ = second_person()
    english = refused(ben.post("/desk/money/stop?lang=en", other), 409, "already waits for a second person")
    assert "you or another of the desk can approve" in english and "Bank card" in english
    assert Approval.objects.count() == 1
    assert money.desk.post("/desk/money/stop", {**other, "scope": "cash"}).status_code == 302


def test_the_approval_says_what_stops_in_words(money: Ground) -> None:
    ben, _ = second_person()
    where = money.desk.post("/desk/money/stop", {"scope": "wallet", "reason": REASON, "once": "1"})["Location"]
    for lang, said in (("zh", f"暂停付款：微信零钱。{REASON}"), ("en", f"Stop payouts: WeChat wallet. {REASON}")):
        for address in (where, "/staff/approvals"):
            page = ben.get(address, {"lang": lang}).content.decode()
            assert said in page and ">wallet<" not in page and "wallet。" not in page
