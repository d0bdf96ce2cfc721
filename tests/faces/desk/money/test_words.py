"""Codes never stand where words should: rails' reasons, scopes, kinds, references; and days that cannot be are said."""

from datetime import timedelta

import pytest
from tests.faces.api import cast
from tests.faces.desk.money import ground
from tests.faces.desk.money.ground import Ground, refused, rows, today
from tests.faces.desk.money.test_forms import payee

from huika.domain.parties import models as parties
from huika.domain.settlement import actions as settlement
from huika.domain.settlement import models, queries
from huika.domain.settlement.types import RailAnswer, RailState
from huika.domain.trade.types import Step
from huika.faces.desk.orders import story
from huika.faces.pages import rails
from huika.kit import clock

pytestmark = pytest.mark.xdist_group("the desk's words for money")  # one worker, which builds the house once


def failed(g: Ground, reason: str) -> str:
    """The first payout has failed for this reason; its page's address."""
    row = models.Payout.objects.get(id=g.payouts[0])
    answer = RailAnswer(RailState.FAILED, row.amount_fen, ground.ACCOUNT, "R-1001", reason)
    settlement.rail_answered(row.id, answer)
    return f"/desk/money/payouts/{row.id}"


@pytest.mark.parametrize(
    ("code", "zh", "en"),
    [
        ("NAME_DIFFERS", "账户名和实名对不上", "the account is in another name"),
        ("ACCOUNT_CLOSED", "账户已经销户", "the account is closed"),
        ("LIMIT_DAY", "超过这个账户能收的限额", "more than this account may receive"),
        ("ODD_2031", "渠道代码 ODD_2031", "rail&#x27;s code ODD_2031"),
    ],
)
def test_a_rails_reason_is_said_in_words(sent: Ground, code: str, zh: str, en: str) -> None:
    g = ground.heard(sent, "sent", "paid")
    address = failed(g, code)
    for lang, words in (("zh", zh), ("en", en)):
        page = g.desk.get(address, {"lang": lang}).content.decode()
        assert words in page and (code in page) == (code == "ODD_2031")
    step = Step(clock.now(), "settlement.payout.failed", "", "", {"reason": code})
    assert story._sentence(step) == f"付款没成功：{zh}。钱还归你"


def test_every_reason_has_both_languages() -> None:
    for code, (zh, en) in rails.REASONS.items():
        assert zh and en and zh.isascii() is False and en.isascii(), code


def test_the_account_that_refused_is_marked_and_not_chosen(sent: Ground) -> None:
    g = ground.heard(sent, "sent", "paid")
    address = failed(g, "NAME_DIFFERS")
    alone = g.desk.get(address).content.decode()
    assert "卖家只有这一个账户" in alone and alone.count(" checked") == 0 and "这次没付成的就是它" in alone
    bank = payee(g)
    page = g.desk.get(address).content.decode()
    assert f'value="{bank.id}" required checked' in page and page.index("银行卡") < page.index("这次没付成的就是它")
    parties.Payee.objects.create(
        seller_id=g.seller, rail="ecny", account="0012345678901234", name="测试卖家", created_at=clock.now(),
        usable_from=clock.now(),
    )  # fmt: skip
    several = g.desk.get(address).content.decode()
    assert several.count('name="payee"') == 3 and " checked" not in several
    old = g.desk.post(address, {"payee": str(g.house.payees["seller"]), "once": "1"})
    assert old.status_code == 302, "it may be tried again, when somebody chooses it"


def test_the_kinds_of_the_trial_balance_are_in_the_language_of_the_page(money: Ground) -> None:
    zh = {r[1] for r in rows(money.desk.get("/desk/money/ledger.csv?lang=zh"))[1:-1]}
    en = {r[1] for r in rows(money.desk.get("/desk/money/ledger.csv?lang=en"))[1:-1]}
    assert zh <= {"往来", "外部资金", "收入", "成本", "在途"} and len(zh) > 2
    assert en <= {"Parties", "Outside", "Income", "Costs", "In transit"} and len(en) == len(zh)


def test_the_lines_of_a_purse_say_where_they_come_from(money: Ground) -> None:
    address = f"/desk/money/floats/{money.courier}"
    for body in (
        {"do": "issue", "amount": "5"},
        {"do": "return", "amount": "5"},
        {"do": "difference", "kind": "overage", "amount": "1", "reason": "多了"},
    ):
        money.desk.post(address, {**body, "once": str(body)})
    settlement.answer_top_up(settlement.ask_top_up(money.courier, 5_00), ground.party_of("desk"), True)
    for lang, said in (
        ("zh", ("第一次发放", "值班台发放", "值班台收回", "值班台记的", "补领批了")),
        (
            "en",
            ("First float", "Handed out by the desk", "Taken back by the desk", "Booked by the desk", "Top-up granted"),
        ),
    ):
        page = money.desk.get(address, {"lang": lang}).content.decode()
        table = page[page.index("<tbody>") :]
        assert all(one in table for one in said)
        assert "desk-" not in table and "top-up-" not in table and ">first<" not in table
        assert {r[4] for r in rows(money.desk.get(f"{address}.csv", {"lang": lang}))[1:]} >= set(said)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_days_that_cannot_be_are_said_and_the_usual_ones_shown(money: Ground, lang: str) -> None:
    ahead = today() + timedelta(days=1)
    said = ("这个日期不行", "That date does not do")[lang == "en"]
    not_come = ("还没到", "has not come yet")[lang == "en"]
    pages = {
        f"statements/{money.seller}?from=soon": "", f"statements/{money.seller}?to={ahead}": not_come,
        f"floats/{money.courier}?from=2026-13-01": "", f"floats/{money.courier}?to={ahead}": not_come,
        f"pay/{money.courier}?month=x": "", f"pay?month={ahead + timedelta(days=40):%Y-%m}": not_come,
        f"profit?day={ahead}": not_come, f"ledger?at={ahead}T00:00": not_come, "ledger?at=x": "",
    }  # fmt: skip
    for address, why in pages.items():
        page = refused(money.desk.get(f"/desk/money/{address}&lang={lang}"), 422, said, why)
        assert "<table" in page, address
    for file in (
        f"statements/{money.seller}.csv?from=soon", f"statements/{money.seller}.pdf?to={ahead}",
        f"floats/{money.courier}.csv?from=x", f"pay/{money.courier}.csv?month=x", "pay.csv?month=13",
        f"profit.csv?day={ahead}", "ledger.csv?at=x", f"reconciliation.csv?day={ahead}",
    ):  # fmt: skip
        answer = money.desk.get(f"/desk/money/{file}&lang={lang}")
        assert answer.status_code == 400 and said in answer.content.decode(), file


def test_nothing_is_closed_or_compared_before_the_books_were_open(money: Ground) -> None:
    before, ahead = today() - timedelta(days=1), today() + timedelta(days=1)
    for day, why in ((before, "还没有开账"), (ahead, "还没到"), ("soon", "2026-05-20")):
        refused(money.desk.get(f"/desk/money/days?day={day}"), 422, why)
        refused(money.desk.get(f"/desk/money/reconciliation?day={day}"), 422, why)
        body = {"city": cast.CITY, "day": str(day), "once": str(day)}
        shift = {"do": "shift", "courier": str(money.courier), "cards": "0", "bags": "0", "cash": "0"}
        refused(money.desk.post("/desk/money/days", {**body, **shift}), 422, why)
        refused(money.desk.post("/desk/money/days", {**body, "do": "day"}), 422, why)
    assert queries.shift_closed(money.courier, before) is None and queries.day_closed(cast.CITY, before) is None
    assert money.desk.get(f"/desk/money/days?day={today()}").status_code == 200


def test_what_is_our_own_is_moved_and_never_more(money: Ground) -> None:
    ours = queries.own_at_custodian_fen()
    assert ours > 0 and "把平台自己的钱转到银行户" in money.desk.get("/desk/money").content.decode()
    too_much = {"do": "own", "amount": f"{(ours + 1) / 100:.2f}", "once": "1"}
    page = refused(money.desk.post("/desk/money/own", too_much), 409, "属于平台自己的只有")
    assert f'value="{too_much["amount"]}"' in page
    body = {"do": "own", "amount": f"{ours / 100:.2f}", "once": "2"}
    for _ in range(2):
        assert money.desk.post("/desk/money/own", body)["Location"] == "/desk/money?done=own"
    assert queries.own_at_custodian_fen() == 0 and models.OwnWithdrawal.objects.count() == 1
    refused(money.desk.post("/desk/money/own", {**body, "amount": "x", "once": "3"}), 422, "1234.50")


def test_cash_that_is_not_there_is_told_in_the_desks_words(money: Ground) -> None:
    address = f"/desk/money/floats/{money.courier}"
    page = refused(
        money.desk.post(address, {"do": "return", "amount": "40000", "once": "1"}), 409, "备用金不够：里面只有 ¥"
    )
    assert "联系值班" not in page and '<details class="box m-fold" open>' in page
    lacking = {"do": "deduct", "amount": "23", "reason": "x", "once": "2"}
    refused(money.desk.post(f"/desk/money/pay/{money.courier}", lacking), 409, "还没付的工钱只有 ¥22.00")
