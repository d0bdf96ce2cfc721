"""What a seller holds: a debt in writing until it is paid, a part that comes later, a statement; and nobody else's."""

import json
import re
from datetime import timedelta

import pytest
from django.test import Client
from tests.domain.trade.door import World, cards, world
from tests.faces.seller import ground as g

from huika.domain.evidence import queries as evidence
from huika.domain.evidence.errors import ReceiptNotReady
from huika.domain.market import queries as market
from huika.domain.settlement import actions as settlement
from huika.domain.settlement import models as money
from huika.domain.settlement.types import RailAnswer, RailState
from huika.domain.trade import actions
from huika.domain.trade.models import Order
from huika.domain.trade.types import Step
from huika.faces.seller import orders
from huika.kit import clock

pytestmark = pytest.mark.django_db
__all__ = ["world"]
CHINESE = re.compile(r"[一-鿿]")


class Sold:
    """A seller whose bagged cards are credited, by the wallet; with a reserve unless told otherwise."""

    def __init__(self, world: World, *, later: bool = True, lines: int = 1) -> None:
        self.world, self.home = world, g.home()
        payee = self.home.payee("wallet", "oMINE")
        asked = [g.Line(n, g.PLASTIC.kind, g.PLASTIC.face_value_fen, "physical") for n in range(1, lines + 1)]
        self.order = g.ground.quoted(
            g.ground.Seller(self.home.actor.party, self.home.phone, payee, self.home.actor), asked,
            [self.home.recycler], offer=int(later),
        )  # fmt: skip
        actions.accept(self.order, actions.Acceptance(g.ground.tomorrow(), "安福路 1 号", "wallet", payee))
        world.arrive(self.order)
        for n, card in enumerate(cards(self.order)):
            world.clear(card.id)
            actions.note_balance(card.id, world.courier, card.face_value_fen, "hotline")
            actions.bag(card.id, world.courier, f"BAG-00{n}0")

    @property
    def path(self) -> str:
        return f"/orders/{Order.objects.get(id=self.order).code}"

    def page(self, path: str = "", **asked: str) -> str:
        answer = self.home.client.get(path or self.path, asked)
        assert answer.status_code == 200, answer.status_code
        return answer.content.decode()


def figure(fen: int) -> str:
    return f"¥{fen // 100:,}.{fen % 100:02d}"


def english(html: str) -> str:
    """What of an English page is Chinese though it should not be; the language's own name and names of firms may."""
    body = re.sub(r"<[^>]+>", " ", html[html.index("<body") :])
    body = body.replace("中文", "").replace("商家", "").replace("卖家", "").replace("王府井", "")
    return "".join(CHINESE.findall(body))


def test_a_payout_without_an_answer_is_a_debt_in_writing_until_it_is_paid(world: World) -> None:
    world.money.rail.breaks.extend(["deaf"] * 3)
    sold = Sold(world, later=False)
    world.settle()
    (debt,) = money.Debt.objects.all()
    html = sold.page()
    assert f"{sold.path}/debt/{debt.number}" in html and "付到为止" in html
    paper = f"{sold.path}/debt/{debt.number}"
    for lang, words in (
        ("zh", ("欠条", "付到为止", "哪一笔付款", "微信零钱")),
        ("en", ("Owed until it is paid", "WeChat")),
    ):
        text = sold.page(paper, lang=lang)
        assert all(word in text for word in words) and debt.number in text
        assert debt.payout.number in text and "已付清" not in text and "Settled" not in text
        whole, cents = divmod(debt.amount_fen, 100)
        assert f"</small>{whole:,}<small>.{cents:02d}" in text
        if lang == "en":
            assert english(text) == ""
    world.money.rail.breaks.clear()
    world.paid()
    after = sold.page(paper, lang="zh")
    assert "已付清" in after and "付到为止。" not in after
    receipt = sold.page(lang="zh")
    assert "欠条，已付清" in receipt and "已到微信零钱" in receipt and debt.number in receipt


def test_the_paper_is_its_seller_s_alone(world: World) -> None:
    world.money.rail.breaks.extend(["deaf"] * 3)
    sold = Sold(world, later=False)
    world.settle()
    number = money.Debt.objects.get().number
    for path in (f"{sold.path}/debt/{number}", f"{sold.path}/debt/{number}/proof"):
        assert g.home().client.get(path).status_code == 404
        away = Client(SERVER_NAME="localhost").get(path)
        assert away.status_code == 302 and away["Location"].startswith("/phone")
    assert sold.home.client.get(f"{sold.path}/debt/QT20200101-00000000").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_each_debt_has_its_own_proof_in_the_public_log(world: World) -> None:
    from tests.faces.desk.orders.ground import told

    world.money.rail.breaks.extend(["deaf"] * 8)
    sold = Sold(world, later=False, lines=2)
    world.settle()
    first, second = money.Debt.objects.order_by("number")
    if sold.home.client.get(f"{sold.path}/debt/{first.number}/proof").status_code != 200:
        told()
    for debt in (first, second):
        proof = sold.home.client.get(f"{sold.path}/debt/{debt.number}/proof")
        assert proof.status_code == 200 and debt.number in proof["Content-Disposition"]
        shown = evidence.verify_receipt(proof.content.decode(), [evidence.log_key()])
        assert shown.verb == "settlement.debt.acknowledged"
        assert shown.parts["debt"]["number"] == debt.number
        assert shown.parts["debt"]["amount_fen"] == debt.amount_fen
        assert shown.parts["debt"]["payout"] == debt.payout.number
    with pytest.raises(ReceiptNotReady):
        evidence.receipt(sold.order, "settlement.debt.acknowledged", number="QT-nobody")


def test_the_later_part_stands_on_the_order_with_date_and_state(world: World) -> None:
    sold = Sold(world)
    world.settle()
    world.paid()
    row = money.Reserve.objects.get()
    net = Order.objects.get(id=sold.order).quoted_net_fen
    html = sold.page(lang="zh")
    day = row.release_at.astimezone(clock.SHANGHAI)
    assert f"{day.month} 月 {day.day} 日 前由托管方保管，到期自动付给你" in html and figure(row.amount_fen) in html
    assert figure(net - row.amount_fen) in html and f"−{figure(row.amount_fen)}" in html
    english_page = sold.page(lang="en")
    assert "Kept at the custodian until" in english_page
    settlement.contest(row.card_id, row.id)
    assert "等结论" in sold.page(lang="zh")
    settlement.apply_decision(row.id, row.card_id, 20_00)
    world.settle()
    world.paid()
    decided = sold.page(lang="zh")
    assert (
        "有了结论" in decided
        and figure(20_00) in decided
        and f"退回商家 ¥{(row.amount_fen - 20_00) / 100:g}" in decided
    )
    assert figure(net - row.amount_fen + 20_00) in decided


def test_the_later_part_arrives_and_every_payment_is_listed(world: World) -> None:
    sold = Sold(world)
    world.settle()
    world.paid()
    with clock.shifted(timedelta(days=8)):
        assert settlement.release_reserve(money.Reserve.objects.get().card_id)
        world.settle()
        world.paid()
    html = sold.page(lang="zh")
    net = Order.objects.get(id=sold.order).quoted_net_fen
    assert "到期，付给你" in html and "晚点付的" in html and figure(net) in html
    assert html.count("已到账") >= 2
    for payout in money.Payout.objects.all():
        assert payout.number in html


def test_a_payout_that_waits_says_where_to_accept_it(world: World) -> None:
    sold = Sold(world, later=False)
    world.settle()
    world.money.rail.decide(RailState.WAITING)
    from huika.domain.settlement import jobs

    jobs.ask(payout_id=str(money.Payout.objects.get().id))
    assert money.Payout.objects.get().state == "waiting"
    assert "等你接受" in sold.page(lang="zh") and "服务通知" in sold.page(lang="zh")
    assert "waits for you to accept" in sold.page(lang="en") and "accept it" in sold.page(lang="en")


def test_the_statement_adds_up_on_the_page_and_in_the_file(world: World) -> None:
    sold = Sold(world)
    world.settle()
    world.paid()
    kept = money.Reserve.objects.get().amount_fen
    html = sold.page("/me/statement", lang="zh")
    assert "期末还欠你" in html and figure(kept) in html and sold.path in html
    assert english(sold.page("/me/statement", lang="en")) == ""
    file = sold.home.client.get("/me/statement.csv", {"from": g.today(), "to": g.today(), "lang": "en"})
    rows = file.content.decode().removeprefix("\ufeff").splitlines()
    assert rows[1].startswith(",,Opening,,,0.00") and rows[-1] == f",,Closing,,,{kept // 100}.{kept % 100:02d}"
    sums = [float(row.split(",")[4]) for row in rows[2:-1]]
    assert round(sum(sums) * 100) == kept
    for asked in (
        {"from": "x", "to": "2026-99-99"},
        {"from": "1999-01-01"},
        {"from": "2026-12-01", "to": "2026-01-01"},
    ):
        answer = sold.home.client.get("/me/statement", asked)
        assert answer.status_code == 422 and 'role="alert"' in answer.content.decode()
        assert answer.context["last"].isoformat() == g.today()
    assert "0.00" in g.home().client.get("/me/statement").content.decode()


def test_a_failed_payout_says_why_and_where_to_go_on(world: World) -> None:
    sold = Sold(world, later=False)
    world.settle()
    row = money.Payout.objects.get()
    settlement.rail_answered(row.id, RailAnswer(RailState.FAILED, row.amount_fen, "oMINE", "R-1", "NAME_DIFFERS"))
    for lang, said, next_step in (
        ("zh", "原因：账户名和实名对不上。", "换一个收款账户"),
        ("en", "Why: the account is in another name.", "Use another account"),
    ):
        html = sold.page(lang=lang)
        assert said in html and next_step in html and 'href="/me/payees"' in html and "NAME_DIFFERS" not in html
        if lang == "en":
            assert english(html) == ""
    settlement.pay_again(row.id, True)
    html = sold.page(lang="zh")
    assert "原因：" not in html and "NAME_DIFFERS" not in html


def test_a_code_that_nobody_knows_is_not_for_sellers(world: World) -> None:
    sold = Sold(world, later=False)
    world.settle()
    row = money.Payout.objects.get()
    settlement.rail_answered(row.id, RailAnswer(RailState.FAILED, row.amount_fen, "oMINE", "R-1", "ODD_2031"))
    html = sold.page(lang="zh")
    assert "没付成，钱还归你" in html and "ODD_2031" not in html and "原因" not in html


def test_a_step_of_the_story_bears_no_code() -> None:
    def told(reason: str) -> tuple[str, str]:
        step = Step(clock.now(), "settlement.payout.failed", f"付款没成功：{reason}", "x", {"reason": reason})
        return orders._told(step).zh, orders._told(step).en

    assert told("ACCOUNT_CLOSED") == (
        "付款没成功：账户已经销户。钱还归你",
        "The payout failed: the account is closed. The money is still yours",
    )
    assert told("ODD_2031") == ("付款没成功。钱还归你", "The payout failed. The money is still yours")


def test_nothing_left_to_keep_is_not_offered(world: World) -> None:
    sold = Sold(world, later=False, lines=2)
    assert "不卖了" not in sold.page(lang="zh"), "both are in their bags"


def test_a_receipt_that_is_to_come_says_so_and_nothing_of_money(world: World) -> None:
    sold = Sold(world, later=False)
    for lang, said in (("zh", "凭证正在生成，结清后一般一分钟内"), ("en", "The receipt is being made")):
        answer = sold.home.client.get(f"{sold.path}/receipt", {"lang": lang})
        page = answer.content.decode()
        assert answer.status_code == 404 and said in page
        assert "都没有动" not in page and "has moved" not in page and "没有这一页" not in page


def test_the_paper_says_where_the_key_lies(world: World) -> None:
    world.money.rail.breaks.extend(["deaf"] * 3)
    sold = Sold(world, later=False)
    world.settle()
    paper = f"{sold.path}/debt/{money.Debt.objects.get().number}"
    for lang, said in (("zh", "验它要用日志的公钥"), ("en", "It is checked with the log")):
        html = sold.page(paper, lang=lang)
        assert said in html and evidence.log_key() in html and 'href="/about"' in html


def test_days_of_the_statement_that_cannot_be_are_said(world: World) -> None:
    sold = Sold(world, later=False)
    ahead = (clock.now() + timedelta(days=2)).date().isoformat()
    for lang, said in (("zh", "还没到"), ("en", "has not come yet")):
        page = sold.home.client.get("/me/statement", {"to": ahead, "lang": lang})
        assert page.status_code == 422 and said in page.content.decode()
        for file in ("csv", "pdf"):
            answer = sold.home.client.get(f"/me/statement.{file}", {"to": ahead, "lang": lang})
            assert answer.status_code == 400 and said in answer.content.decode()


@pytest.mark.django_db(transaction=True)
def test_the_seller_alone_saves_the_record_of_every_price_and_it_ranks_again(world: World) -> None:
    from tests.faces.desk.orders.ground import told

    sold = Sold(world, later=False)
    world.settle()
    told()
    answer = sold.home.client.get(f"{sold.path}/record")
    assert answer.status_code == 200 and "-record.json" in answer["Content-Disposition"]
    kept = json.loads(answer.content)
    assert kept["record"]["head"]["comparison"] == str(Order.objects.get(id=sold.order).comparison_id)
    checked = market.check_record(kept, [], [], [evidence.log_key()])
    assert checked.findings == () and checked.place is not None
    assert g.home().client.get(f"{sold.path}/record").status_code == 404
    assert Client(SERVER_NAME="localhost").get(f"{sold.path}/record").status_code == 302
