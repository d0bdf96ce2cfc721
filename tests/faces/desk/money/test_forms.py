"""What the desk does with money: paid again, cash, pay, closes, differences; each done once, each refused with what
was typed."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from tests.faces.api import cast
from tests.faces.desk.money import ground
from tests.faces.desk.money.ground import NET, Ground, refused, rows, today

from huika.domain.ledger import queries as ledger
from huika.domain.parties import models as parties
from huika.domain.parties.types import Role
from huika.domain.settlement import actions as settlement
from huika.domain.settlement import models, queries
from huika.domain.settlement.queries import purse_fen
from huika.kit import clock, jobs

pytestmark = pytest.mark.xdist_group("the desk's forms for money")  # one worker, which builds the house once


def payee(g: Ground, rail: str = "bank", days: int = 0) -> parties.Payee:
    """Another account of the seller."""
    return parties.Payee.objects.create(
        seller_id=g.seller, rail=rail, account="6222020200011112222", name="测试卖家", created_at=clock.now(),
        usable_from=clock.now() + timedelta(days=days),
    )  # fmt: skip


def test_a_dead_payout_is_paid_again_to_another_rail_once(sent: Ground) -> None:
    g = ground.heard(sent, "failed", "paid")
    address, chosen = f"/desk/money/payouts/{g.payouts[0]}", payee(g)
    page = g.desk.get(address).content.decode()
    assert "银行卡" in page and "再付 884 元" in page and "payee closed" in page
    body = {"payee": str(chosen.id), "once": "1"}
    answer = g.desk.post(address, body)
    assert g.desk.post(address, body)["Location"] == answer["Location"]
    again = models.Payout.objects.latest("id")
    assert answer["Location"] == f"/desk/money/payouts/{again.id}?done=again"
    assert (again.rail, again.amount_fen, again.payee_id, again.state) == ("bank", NET, chosen.id, "created")
    assert models.Payout.objects.count() == 3 and ledger.sum_fen("transit:bank") == NET
    assert "又付了一次" in g.desk.get(answer["Location"]).content.decode()
    page = g.desk.get(address).content.decode()
    assert "已经换了一笔付" in page and again.number in page and 'name="payee"' not in page
    # A second tab with another account: the same payout stands.
    later = g.desk.post(address, {"payee": str(g.house.payees["seller"]), "once": "2"})
    assert later["Location"] == answer["Location"] and models.Payout.objects.count() == 3


def test_what_came_back_is_owed_and_paid_again(money: Ground) -> None:
    settlement.came_back(money.payouts[0])
    address = f"/desk/money/payouts/{money.payouts[0]}"
    page = money.desk.get(address).content.decode()
    assert "退回来了，还欠着" in page and "再付 884 元" in page
    assert money.desk.get("/desk/money").context["debts_fen"] == NET
    assert [r[4] for r in rows(money.desk.get("/desk/money/payouts.csv?state=returned"))[1:]] == ["退回来了，还欠着"]
    answer = money.desk.post(address, {"payee": str(payee(money).id), "once": "1"})
    again = models.Payout.objects.latest("id")
    assert answer["Location"] == f"/desk/money/payouts/{again.id}?done=again" and again.rail == "bank"
    assert ledger.total_fen() == 0 and queries.owed_fen() == NET


def test_nothing_is_paid_again_while_it_is_not_dead(sent: Ground) -> None:
    g = ground.heard(sent, "unknown", "sent")
    chosen = payee(g)
    for one in g.payouts:
        address = f"/desk/money/payouts/{one}"
        assert 'name="payee"' not in g.desk.get(address).content.decode()
        refused(g.desk.post(address, {"payee": str(chosen.id), "once": str(one)}), 409, "还没有证明不会付出")
    assert models.Payout.objects.count() == 2


def test_only_the_sellers_own_usable_accounts_are_paid(sent: Ground) -> None:
    g = ground.heard(sent, "failed", "paid")
    address, young = f"/desk/money/payouts/{g.payouts[0]}", payee(g, "alipay", days=1)
    assert "新账户" in g.desk.get(address).content.decode()
    for given, said in (
        ("", "先选付到哪个账户"),
        (str(uuid4()), "不是卖家现在的账户"),
        (str(g.house.payees["other seller"]), "不是卖家现在的账户"),
        (str(young.id), "冷静期"),
    ):
        refused(g.desk.post(address, {"payee": given, "once": given}), 422, said)
    paid = f"/desk/money/payouts/{g.payouts[1]}"
    refused(g.desk.post(paid, {"payee": str(g.house.payees["seller"]), "once": "p"}), 422, "不用再付")
    assert models.Payout.objects.count() == 2
    assert g.desk.get(f"/desk/money/payouts/{uuid4()}").status_code == 404


def test_what_waits_for_the_seller_can_be_withdrawn(sent: Ground) -> None:
    g = ground.heard(sent, "waiting", "paid")
    address = f"/desk/money/payouts/{g.payouts[0]}"
    assert "请对方撤回" in g.desk.get(address).content.decode()
    assert g.desk.post(address, {"do": "withdraw", "once": "1"})["Location"] == f"{address}?done=withdrawn"
    assert models.Payout.objects.get(id=g.payouts[0]).state == "waiting"  # until the rail says that it is dead


def test_a_float_is_handed_out_taken_back_and_differences_booked(money: Ground) -> None:
    address, held = f"/desk/money/floats/{money.courier}", purse_fen(money.courier)
    steps = (
        ({"do": "issue", "amount": "1,000.50"}, "issued", 1000_50),
        ({"do": "return", "amount": "￥200"}, "returned", -200_00),
        ({"do": "difference", "kind": "shortage", "amount": "1.5", "reason": "数少了"}, "booked", -1_50),
        ({"do": "difference", "kind": "overage", "amount": "3", "reason": "数多了"}, "booked", 3_00),
        ({"do": "difference", "kind": "counterfeit", "amount": "100", "reason": "凭证 778"}, "booked", -100_00),
    )
    for body, done, fen in steps:
        for _ in range(2):  # a double tap books it once
            answer = money.desk.post(address, {**body, "once": done + body["amount"]})
            assert answer["Location"] == f"{address}?done={done}"
        held += fen
        assert purse_fen(money.courier) == held
    found = rows(money.desk.get(f"{address}.csv"))
    assert [r[1:4] for r in found[2:]] == [
        ["领出", "1000.50", ""],
        ["交回", "-200.00", ""],
        ["短缺", "-1.50", "数少了"],
        ["多出", "3.00", "数多了"],
        ["假币", "-100.00", "凭证 778"],
    ]
    assert ledger.total_fen() == 0 and ledger.discrepancies() == []
    page = money.desk.get(address).content.decode()
    assert "收缴凭证号" in page and page.count("<li>") >= 3


def test_a_wrong_float_is_refused_and_nothing_typed_is_lost(money: Ground) -> None:
    address, held = f"/desk/money/floats/{money.courier}", purse_fen(money.courier)
    for body, status, said in (
        ({"do": "issue", "amount": "40000"}, 409, "备用金最多"),
        ({"do": "return", "amount": "40000"}, 409, "备用金不够"),
        ({"do": "difference", "kind": "shortage", "amount": "5", "reason": " "}, 409, "请写明理由"),
        ({"do": "difference", "kind": "lost", "amount": "5", "reason": "丢了"}, 422, "先选短缺"),
        ({"do": "difference", "kind": "shortage", "amount": "5", "reason": "长" * 201}, 422, "最多写 200 个字"),
        ({"do": "issue", "amount": "1.234"}, 422, "1234.50"),
        ({"do": "issue", "amount": "-5"}, 422, "1234.50"),
        ({"do": "issue", "amount": "١٢"}, 422, "1234.50"),
        ({"do": "issue", "amount": "0"}, 422, "大于零"),
        ({"do": "issue", "amount": ""}, 422, "1234.50"),
    ):
        page = refused(money.desk.post(address, {**body, "once": str(body)}), status, said)
        assert f'value="{body["amount"]}"' in page or not body["amount"]
    assert purse_fen(money.courier) == held
    assert money.desk.get(f"/desk/money/floats/{uuid4()}").status_code == 404
    assert money.desk.post(f"/desk/money/floats/{uuid4()}", {"do": "issue", "amount": "1"}).status_code == 404


def test_nobody_handles_their_own_money(money: Ground) -> None:
    both = _also_staff(money)
    asked = settlement.ask_top_up(money.courier, 10_00)
    settlement.give_bonus(money.courier, "b", 5_00, ground.party_of("desk"), "雨天")
    for address, body in (
        (f"/floats/{money.courier}", {"do": "issue", "amount": "1"}),
        (f"/floats/{money.courier}", {"do": "return", "amount": "1"}),
        (f"/floats/{money.courier}", {"do": "difference", "kind": "overage", "amount": "1", "reason": "x"}),
        ("/floats", {"request": str(asked), "answer": "grant"}),
        (f"/pay/{money.courier}", {"do": "bonus", "amount": "1", "reason": "x"}),
        (f"/pay/{money.courier}", {"do": "deduct", "amount": "1", "reason": "x"}),
        (f"/pay/{money.courier}", {"do": "pay", "amount": "1"}),
        ("/days", {"do": "shift", "courier": str(money.courier), "cards": "0", "bags": "0", "cash": "0"}),
    ):
        answer = both.post(f"/desk/money{address}", {**body, "once": address + str(body)})
        refused(answer, 409, "要由别人来办")


def _also_staff(g: Ground) -> Client:
    """The courier, who also has a login of the desk."""
    client = ground.signed_in("both", Role.DESK)
    parties.User.objects.filter(username="both").update(party_id=g.courier)
    parties.Party.objects.filter(id=g.courier).update(role=Role.DESK)
    return client


def test_a_top_up_is_granted_or_not(money: Ground) -> None:
    held = purse_fen(money.courier)
    asked = settlement.ask_top_up(money.courier, 500_00)
    body = {"request": str(asked), "answer": "grant", "once": "1"}
    for _ in range(2):
        assert money.desk.post("/desk/money/floats", body)["Location"] == "/desk/money/floats?done=granted"
    assert purse_fen(money.courier) == held + 500_00
    more = settlement.ask_top_up(money.courier, 40_000_00)
    refused(money.desk.post("/desk/money/floats", {"request": str(more), "answer": "grant", "once": "2"}), 409, "最多")
    assert queries.purses()[0].asked_fen == 40_000_00
    money.desk.post("/desk/money/floats", {"request": str(more), "answer": "refuse", "once": "3"})
    assert queries.purses()[0].asked_fen == 0 and purse_fen(money.courier) == held + 500_00
    refused(money.desk.post("/desk/money/floats", {"request": "", "answer": "grant"}), 422, "先选一个申请")
    refused(money.desk.post("/desk/money/floats", {"request": str(more)}), 422, "点一个")


def test_pay_bonus_deduction_and_the_slip(money: Ground) -> None:
    address = f"/desk/money/pay/{money.courier}"
    month = f"{today():%Y-%m}"
    assert 'value="22.00"' in money.desk.get(address).content.decode()
    for body in (
        {"do": "bonus", "amount": "50", "reason": "雨天加派"},
        {"do": "deduct", "amount": "5", "reason": "袋子没封好"},
    ):
        for _ in range(2):
            assert money.desk.post(address, {**body, "once": body["do"]}).status_code == 302
    assert 'value="67.00"' in money.desk.get(address).content.decode()
    pay = {"do": "pay", "amount": "67.00", "month": month, "once": "pay"}
    for _ in range(2):
        assert money.desk.post(address, pay)["Location"] == f"{address}?month={month}&done=paid"
    assert "没有未付的" in money.desk.get(address).content.decode()
    found = rows(money.desk.get(f"{address}.csv"))
    assert [r[1:] for r in found] == [
        ["什么", "件数", "理由", "金额"],
        ["期初未付", "", "", "0.00"],
        ["收卡", "2", "", "4.00"],
        ["上门", "1", "", "18.00"],
        ["奖金", "1", "雨天加派", "50.00"],
        ["扣款", "1", "袋子没封好", "-5.00"],
        ["工钱付出", "1", "", "-67.00"],
        ["期末未付", "", "", "0.00"],
    ]
    every = rows(money.desk.get("/desk/money/pay.csv"))
    assert every[0][2:] == ["期初未付", "计件", "奖金", "扣款", "付出", "期末未付"]
    assert every[1] == ["T0001", "专员1", "0.00", "22.00", "50.00", "-5.00", "67.00", "0.00"]
    assert every[-1] == ["", "合计", "0.00", "22.00", "50.00", "-5.00", "67.00", "0.00"]
    page = money.desk.get("/desk/money/pay").content.decode()
    assert [page[page.index("<tfoot>") :].count(sum_) for sum_ in ("¥22.00", "¥50.00", "−¥5.00")] == [1, 1, 1]
    assert money.order.code in money.desk.get(address).content.decode()


def test_wrong_pay_is_refused(money: Ground) -> None:
    address = f"/desk/money/pay/{money.courier}"
    for body, status, said in (
        ({"do": "pay", "amount": "22.01"}, 409, "可用余额不够"),
        ({"do": "deduct", "amount": "22.01", "reason": "x"}, 409, "可用余额不够"),
        ({"do": "bonus", "amount": "1", "reason": ""}, 409, "请写明理由"),
        ({"do": "bonus", "amount": "many", "reason": "雨天"}, 422, "1234.50"),
        ({"amount": "1", "reason": "雨天"}, 422, "先点奖金还是扣款"),
    ):
        page = refused(money.desk.post(address, {**body, "once": str(body)}), status, said)
        assert f'value="{body["amount"]}"' in page and f'value="{body.get("reason", "")}"' in page
    assert queries.slip(money.courier, clock.now(), clock.now()).closing_fen == 22_00
    assert money.desk.get(f"{address}?month=2026-13").status_code == 422
    assert money.desk.get("/desk/money/pay?month=may").status_code == 422


def test_a_rate_counts_from_now(money: Ground) -> None:
    body = {"city": cast.CITY, "piece": "visit", "amount": "20.5", "once": "1"}
    assert money.desk.post("/desk/money/pay", body)["Location"] == "/desk/money/pay?done=rate"
    assert queries.rates(cast.CITY)["visit"] == 20_50
    money.desk.post("/desk/money/pay", {**body, "amount": "19", "once": "2"})
    assert queries.rates(cast.CITY)["visit"] == 19_00
    refused(money.desk.post("/desk/money/pay", {**body, "city": "atlantis"}), 422, "先选城市")
    page = refused(money.desk.post("/desk/money/pay", {**body, "amount": "x"}), 422, "1234.50")
    assert 'value="x"' in page and queries.rates(cast.CITY)["visit"] == 19_00


def test_a_shift_is_counted_before_the_books_are_shown(money: Ground) -> None:
    held = purse_fen(money.courier)
    page = money.desk.get("/desk/money/days").content.decode()
    assert "有专员还没交班" in page and "19,900" not in page and 'name="explanation"' not in page
    body = {"do": "shift", "courier": str(money.courier), "cards": "2", "bags": "2", "cash": "19999.5"}
    page = refused(money.desk.post("/desk/money/days", {**body, "once": "1"}), 409, "和账上不一样", "¥19,999.50")
    assert 'name="explanation"' in page and 'value="19999.5"' in page and 'value="2"' in page
    told = {**body, "explanation": "少五毛", "once": "2"}
    for _ in range(2):
        assert money.desk.post("/desk/money/days", told)["Location"].endswith(f"day={today()}&done=shift")
    closed = queries.shift_closed(money.courier, today())
    assert closed is not None
    assert (closed.cards, closed.bags, closed.cash_counted_fen, closed.explanation) == (2, 2, 19_999_50, "少五毛")
    assert purse_fen(money.courier) == held - 50 and ledger.sum_fen("expense:cash_short") == -50
    page = money.desk.get("/desk/money/days").content.decode()
    assert "交班了，desk" in page and "少五毛" in page and 'name="cash"' not in page
    refused(money.desk.post("/desk/money/days", {**body, "cards": "", "once": "3"}), 422, "没有就写 0")
    refused(money.desk.post("/desk/money/days", {**body, "cash": "20", "once": "4"}), 409, "已经结过了")


def test_a_day_closes_with_every_open_thing_explained(money: Ground) -> None:
    shift, statement = f"why:shift:{money.courier}", "why:statement"
    body = {"do": "day", "city": cast.CITY, "day": str(today())}
    page = refused(money.desk.post("/desk/money/days", {**body, shift: "明早交", "once": "1"}), 409, "这一天还不能结")
    assert 'value="明早交"' in page and queries.day_closed(cast.CITY, today()) is None
    told = {**body, shift: "明早交", statement: "明早对", "why:day": "只剩收尾", "once": "2"}
    answer = money.desk.post("/desk/money/days", told)
    assert answer["Location"] == f"/desk/money/days?city={cast.CITY}&day={today()}&done=day"
    page = money.desk.get(answer["Location"]).content.decode()
    assert "这一天结了" in page and "明早交" in page and "明早对" in page
    found = rows(money.desk.get("/desk/money/days.csv"))
    assert found[0][:5] == ["日期", "成交单", "卡", "应付卖家", "付给卖家"]
    assert found[1][:8] == [str(today()), "1", "2", "1768.00", "1768.00", "32.00", "22.00", "0.00"]
    assert found[0][8:13] == ["付款手续费", "奖金", "扣款", "现金短少", "现金多出"]
    told_at = found[0].index("说明")
    assert "没交班：专员1 T0001 明早交" in found[1][told_at] and found[1][told_at + 1] == "desk"
    ahead = {**told, "day": str(today() + timedelta(days=1)), "once": "3"}
    refused(money.desk.post("/desk/money/days", ahead), 422, "还没到")


def test_a_day_is_compared_on_request(money: Ground) -> None:
    body = {"do": "run", "day": str(today()), "once": "1"}
    assert money.desk.post("/desk/money/reconciliation", body)["Location"].endswith("?done=comparing")
    assert _deferred() == [{"day": str(today())}]
    before = {**body, "day": str(today() - timedelta(days=1)), "once": "0"}
    refused(money.desk.post("/desk/money/reconciliation", before), 422, "还没有钱")
    ahead = {**body, "day": str(today() + timedelta(days=1)), "once": "2"}
    refused(money.desk.post("/desk/money/reconciliation", ahead), 422, "还没到")
    refused(money.desk.post("/desk/money/reconciliation", {**body, "day": "soon"}), 422, "2026-05-20")
    assert len(_deferred()) == 1


def _deferred() -> list[dict[str, str]]:
    from procrastinate.contrib.django.models import ProcrastinateJob

    assert "settlement.reconcile" in jobs.REGISTRY
    return list(ProcrastinateJob.objects.filter(task_name="settlement.reconcile").values_list("args", flat=True))


def test_a_difference_is_explained_once(money: Ground) -> None:
    day = today() - timedelta(days=1)
    different, extra = ground.differences(day)
    address = "/desk/money/reconciliation"
    body = {"difference": str(extra.id), "explanation": "测试冻结", "once": "1"}
    for _ in range(2):
        assert money.desk.post(address, body)["Location"] == f"{address}?done=explained"
    assert [d.id for d in queries.differences()] == [different.id]
    page = money.desk.get(f"{address}?day={day}").content.decode()
    assert "测试冻结" in page and "¥500.00" in page and "¥510.00" in page
    found = rows(money.desk.get(f"{address}.csv?day={day}"))
    assert sorted(r[1:] for r in found[1:]) == [
        ["我们没有", "冻结", "F-9001", "", "120.00", "测试冻结"],
        ["金额不同", "备款到账", "D-7001", "500.00", "510.00", ""],
    ]
    empty = {"difference": str(different.id), "explanation": " ", "once": "2"}
    refused(money.desk.post(address, empty), 409, "请写明理由")
    refused(money.desk.post(address, {**empty, "difference": "no"}), 422, "先选一条差异")
    refused(money.desk.post(address, {**empty, "explanation": "x", "difference": str(uuid4())}), 422, "没有找到")
