"""Every money page in both languages with real rows, to the desk alone; lists and figures say what the books say."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from tests.faces.desk.money import ground
from tests.faces.desk.money.ground import Ground, rows

from huika.domain.ledger import queries as ledger
from huika.domain.parties.types import Role
from huika.domain.settlement import actions as settlement
from huika.domain.settlement import models, queries
from huika.kit import clock

pytestmark = pytest.mark.xdist_group("the desk's money")  # one worker, which builds the house once

HAN = re.compile(r"[\u3400-\u9fff]+")
EXCUSED = re.compile(r'<(\w+)[^>]*(?:translate="no"|data-lang)[^>]*>.*?</\1>', re.S)


def addresses(g: Ground) -> dict[str, tuple[str, str]]:
    """Page → something that stands on it in Chinese, and in English."""
    return {
        "": ("托管户里", "At the custodian"),
        "/payouts": ("到账", "Arrived"),
        f"/payouts/{g.payouts[0]}": ("没有要做的", "nothing is to be done"),
        "/ledger": ("借贷相等", "Debits equal credits"),
        f"/statements/{g.seller}": ("卡款归卖家", "Card credited to the seller"),
        f"/statements/{g.courier}": ("上门", "Visits"),
        "/reconciliation": ("我们没有", "Not in our book"),
        "/floats": ("批，现金交给他", "Grant and hand over"),
        f"/floats/{g.courier}": ("领出", "Issued"),
        "/pay": ("看了付", "See and pay"),
        f"/pay/{g.courier}": ("一次一位", "one courier at a time"),
        "/days": ("有专员还没交班", "A courier&#x27;s shift is not closed"),
        "/profit": ("平均一单", "An order, on average"),
    }


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_page_in_one_language(money: Ground, lang: str) -> None:
    ground.differences(ground.today() - timedelta(days=1))
    settlement.ask_top_up(money.courier, 5000_00)
    money.desk.cookies["hk-lang"] = lang
    for address, said in addresses(money).items():
        answer = money.desk.get(f"/desk/money{address}")
        page = answer.content.decode()
        assert answer.status_code == 200, address
        assert said[lang == "en"] in page, address
        assert " style=" not in page and "<script>" not in page
        if lang == "en":
            assert not (found := HAN.findall(EXCUSED.sub("", page))), (address, found)


def test_the_desk_alone(money: Ground) -> None:
    driver = ground.signed_in("courier", Role.COURIER)
    watcher = ground.signed_in("regulator", Role.REGULATOR)
    downloads = ["/payouts.csv", "/ledger.csv", f"/statements/{money.seller}.pdf", f"/pay/{money.courier}.csv"]
    for address in [*addresses(money), *downloads]:
        assert driver.get(f"/desk/money{address}").status_code == 403
        assert watcher.get(f"/desk/money{address}").status_code == 403
        assert Client().get(f"/desk/money{address}").headers["Location"].startswith("/staff/sign-in?next=")
    for address in ("/stop", "/resume", f"/payouts/{money.payouts[0]}", "/floats", f"/floats/{money.courier}", "/days"):
        assert driver.post(f"/desk/money{address}").status_code == 403


def test_the_overview_adds_up(sent: Ground) -> None:
    g = ground.heard(sent, "paid", "unknown")
    context = g.desk.get("/desk/money").context
    assert context["owed_fen"] == queries.owed_fen() == ground.NET
    assert context["custodian_fen"] == -ledger.sum_fen("outside:custodian") == 2_000_000_00 - ground.NET
    assert context["debit_fen"] == context["credit_fen"] > 0
    assert [(w.sum.rail, w.sum.state, w.sum.amount_fen) for w in context["under_way"]] == [
        ("wallet", "unknown", ground.NET)
    ]
    assert (context["unknown"], context["debts_count"], context["debts_fen"]) == (1, 1, ground.NET)
    assert context["held_fen"] == sum(h.open_fen for h in ledger.open_holds())
    assert [t[:2] for t in context["times"]] == [("微信零钱", 1)]
    page = g.desk.get("/desk/money").content.decode()
    assert "1 笔付款没回音" in page and page.index("没回音") < page.index("托管户里")


def test_unknown_payouts_stand_first(sent: Ground) -> None:
    g = ground.heard(sent, "sent", "unknown")
    page = g.desk.get("/desk/money").content.decode()
    table = page[page.index("在路上</h2>") :]
    assert table.index("没回音") < table.index("发出了，等回音")


def test_payouts_are_narrowed_by_state_and_rail(sent: Ground) -> None:
    g = ground.heard(sent, "failed", "unknown")
    numbers = dict(models.Payout.objects.values_list("id", "number"))

    def shown(query: str) -> set[str]:
        page = g.desk.get(f"/desk/money/payouts?{query}").content.decode()
        listed = {r[0] for r in rows(g.desk.get(f"/desk/money/payouts.csv?{query}"))[1:]}
        assert {number for number in numbers.values() if number in page} == listed
        return listed

    failed, unknown = (numbers[one] for one in g.payouts)
    assert shown("") == {failed, unknown}
    assert shown("state=failed") == {failed} and shown("unknown=1") == shown("state=unknown") == {unknown}
    assert shown("state=paid") == set() == shown("rail=cash") and shown("rail=wallet") == {failed, unknown}
    assert shown("state=nonsense&rail=barter") == {failed, unknown}


def test_the_payouts_file_to_the_fen(money: Ground) -> None:
    found = rows(money.desk.get("/desk/money/payouts.csv"))
    row = models.Payout.objects.latest("id")
    at = row.created_at.astimezone(clock.SHANGHAI)
    assert found[0] == ["付款号", "单号", "第几笔", "付款方式", "状态", "金额", "抹零", "开始", "到账"]
    assert found[1] == [
        row.number, money.order.code, "1", "微信零钱", "到账", "884.00", "0.00", f"{at:%Y-%m-%d %H:%M}", found[1][8],
    ]  # fmt: skip
    assert len(found) == 3


def test_the_trial_balance_at_a_time(money: Ground) -> None:
    found = rows(money.desk.get("/desk/money/ledger.csv"))
    total = found.pop()
    assert found[0] == ["账户", "类别", "借", "贷"] and total[0] == "合计" and total[2] == total[3]
    figures = {account: (debit, credit) for account, _, debit, credit in found[1:]}
    assert figures["outside:custodian"] == ("1998232.00", "0.00") and figures["expense:wages"] == ("22.00", "0.00")
    assert figures[f"party:{money.courier}:wages"] == ("0.00", "22.00")
    some = rows(money.desk.get("/desk/money/ledger.csv?begins=expense:"))
    assert [r[0] for r in some[1:]] == ["expense:wages", "合计"]
    page = money.desk.get("/desk/money/ledger").content.decode()
    assert f'href="/desk/money/statements/{money.recycler}"' in page
    assert f'href="/desk/money/floats/{money.courier}"' in page
    before = money.desk.get("/desk/money/ledger?at=2024-01-01T00:00")
    assert before.status_code == 200 and before.context["all_debit_fen"] == 0 and before.context["lines"] == []
    ground.refused(money.desk.get("/desk/money/ledger?at=yesterday"), 422, "2026-05-20T18:00")


def test_a_statement_to_the_fen(money: Ground) -> None:
    found = rows(money.desk.get(f"/desk/money/statements/{money.seller}.csv"))
    assert [(r[2], r[3], r[4], r[5]) for r in found] == [
        ("什么", "账户", "金额", "账户余额"),
        ("期初", "", "", "0.00"),
        ("卡款归卖家", "应付", "884.00", "884.00"),
        ("付款发出", "应付", "-884.00", "0.00"),
        ("卡款归卖家", "应付", "884.00", "884.00"),
        ("付款发出", "应付", "-884.00", "0.00"),
        ("期末", "", "", "0.00"),
    ]
    empty = money.desk.get(f"/desk/money/statements/{money.seller}?from=2024-01-01&to=2024-01-31")
    assert "这段时间没有变动" in empty.content.decode()
    wrong = money.desk.get(f"/desk/money/statements/{money.seller}?from=2024-02-01&to=2024-01-31")
    ground.refused(wrong, 422, "结束不能早于开始")
    assert money.desk.get(f"/desk/money/statements/{money.payouts[0]}").status_code == 404
    assert money.desk.get(f"/desk/money/statements/{money.payouts[0]}.csv").status_code == 404


def test_profit_by_visit_to_the_fen(money: Ground) -> None:
    found = rows(money.desk.get("/desk/money/profit.csv"))
    assert found == [
        ["单号", "区", "收费", "工钱", "抹零", "付款手续费", "毛利"],
        [money.order.code, "徐汇区", "32.00", "22.00", "0.00", found[1][5], found[1][6]],
        ["合计", "", "32.00", "22.00", "0.00", found[1][5], found[1][6]],
    ]
    costs = -ledger.sum_fen("expense:rail:")
    assert found[1][5:] == [f"{costs / 100:.2f}", f"{(1000 - costs) / 100:.2f}"]
    assert money.order.code in money.desk.get("/desk/money/profit").content.decode()
    assert len(rows(money.desk.get("/desk/money/profit.csv?day=yesterday"))) == 2
    ground.refused(money.desk.get("/desk/money/profit?day=soon"), 422)


def test_what_people_write_is_text(money: Ground) -> None:
    wrong = '=HYPERLINK("http://x.test")<img src=x>'
    settlement.give_bonus(money.courier, "b", 1_00, ground.party_of("desk"), wrong)
    settlement.book_difference(money.courier, "d", "overage", 1_00, ground.party_of("desk"), wrong)
    for address in (f"/pay/{money.courier}", f"/floats/{money.courier}"):
        assert "<img" not in money.desk.get(f"/desk/money{address}").content.decode()
        cells = [cell for row in rows(money.desk.get(f"/desk/money{address}.csv")) for cell in row]
        assert "'" + wrong in cells
