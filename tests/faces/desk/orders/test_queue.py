"""The queue: its order, what each kind lets a person decide, claiming and deciding once, who may come in."""

import csv
import io
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from tests.faces.desk.orders import ground
from tests.faces.desk.orders.ground import FORMULA, HOSTILE, Desk

from huika.domain.catalog import queries as catalog
from huika.domain.parties.types import Role
from huika.domain.trade import queries as trade
from huika.domain.trade.models import Order
from huika.faces.desk.orders import standing as st
from huika.faces.desk.orders import waiting
from huika.faces.desk.orders.kinds import KINDS, kind_of
from huika.kit import clock, ids, work_items
from huika.kit.models import WorkItem

pytestmark = pytest.mark.xdist_group("the desk's queue")  # one worker, which builds the desk once
PATHS = (
    "/desk/",
    "/desk/orders",
    "/desk/orders.csv",
    "/desk/orders/X",
    "/desk/queue",
    "/desk/queue.csv",
    "/desk/search",
)


def decide(client: Client, item: WorkItem, **fields: str) -> Any:
    """Send the form as the page has it."""
    page = client.get(f"/desk/queue/{item.id}").content.decode()
    once = re.search(rf'/desk/queue/{item.id}/decide".*?name="once" value="(\w+)"', page, re.S)
    return client.post(f"/desk/queue/{item.id}/decide", {"once": once[1] if once else "", **fields})


def test_who_waits_at_a_door_comes_first_then_what_is_due(desk: Desk) -> None:
    # Due long ago, but nobody stands at a door for it.
    WorkItem.objects.filter(id=desk.items["kit.parked"].id).update(due_at=clock.now() - timedelta(hours=3))
    queue = waiting.queue()
    doors = [w.at_door for w in queue]
    assert doors == sorted(doors, reverse=True) and any(doors) and not all(doors)
    for group in (True, False):
        due = [w.item.due_at for w in queue if w.at_door is group]
        assert due == sorted(due)
    assert {w.item.kind for w in queue} == set(desk.items)
    whom = {w.item.kind: w.order.code if w.order else "" for w in queue}
    assert whom["inspection.doubt"] == desk.orders["doubtful"].code
    assert whom["settlement.payout_failed"] == whom["settlement.payout_open"] == desk.orders["owed"].code
    assert whom["kit.parked"] == desk.orders["on the way"].code and whom["desk.unheard_of"] == ""
    late = next(w for w in queue if w.item.kind == "kit.parked")
    assert (late.left, late.left_short) == ("过了 3 时", "+3 时")


def test_each_kind_offers_the_decisions_that_somebody_acts_upon(desk: Desk) -> None:
    client = ground.signed_in("desk1")
    assert {k.slug: [c.word for c in k.choices] for k in KINDS.values()} == {
        "inspection.doubt": ["clear", "refuse"],
        "trade.suspected": ["clear", "refuse"],
        "trade.locked_short": ["clear"],
        "trade.risk_review": ["clear", "refuse"],
        "trade.call_stopped": ["clear", "refuse"],
        "settlement.payout_failed": ["clear", "refuse"],
        "settlement.payout_returned": ["clear", "refuse"],
        "settlement.reserve_unpaid": ["clear", "refuse"],
        "settlement.recon_missing": ["found"],
        "settlement.recon_extra": ["found"],
        "settlement.recon_different": ["found"],
        "trade.no_funds": ["noted"],
        "settlement.held_long": ["noted"],
        "settlement.payout_open": ["noted"],
        "settlement.wallet_mismatch": ["noted"],
        "settlement.callback_mismatch": ["noted"],
        "settlement.freeze_refused": ["noted"],
        "trade.pool_short": ["clear", "refuse"],
        "kit.parked": ["clear"],
        "kit.job_failed": ["clear"],
        "kit.stopped": ["clear"],
    }
    for item in desk.items.values():
        text = client.get(f"/desk/queue/{item.id}").content.decode()
        kind = kind_of(item.kind)
        assert re.findall(r'name="decision" value="(\w+)"', text) == [c.word for c in kind.choices], item.kind
        assert HOSTILE not in text


OPENS = "2026-05-21T06:00:00+00:00"


def pool_short(*words: str, district: str) -> WorkItem:
    """A shared visit that too few have booked, as `trade` opens its item."""
    facts = {"city": "shanghai", "district": district, "orders": ["AB12CD34"], "words": list(words)}
    facts |= {"opens": OPENS, "margin_fen": -12_50}
    title = {"zh": "拼的上门没约满，去不去", "en": "Too few booked a shared visit: does it go?"}
    pool = ids.uuid7()
    with transaction.atomic():
        work_items.open_item("trade.pool_short", pool, **title, facts=facts, within_seconds=5400)
    return WorkItem.objects.get(subject=pool)


def test_a_shared_visit_that_is_short_reads_as_where_when_and_what_it_comes_to(desk: Desk) -> None:
    client, district = ground.signed_in("desk1"), catalog.districts("shanghai")[0]
    item, silent = pool_short("世纪花园", HOSTILE, district=district.slug), pool_short(district=district.slug)
    for path, parts in (
        ("/desk/queue", ("拼的上门没约满", f"{district.name_zh} · 世纪花园、&lt;img")),
        (f"/desk/queue/{item.id}", ("去不去", "14:00", "-¥12.50", "AB12CD34", "世纪花园、&lt;img", district.name_zh)),
        (f"/desk/queue/{silent.id}", ("小区", "没人写")),
        ("/desk/queue?lang=en", ("Shared visit short", f"{district.name_en} · 世纪花园, &lt;img")),
        (f"/desk/queue/{silent.id}?lang=en", ("Estates", "nobody said", "do not cover the visit")),
    ):
        page = client.get(path).content.decode()
        assert HOSTILE not in page and all(part in page for part in parts), path
    client.get("/desk/queue?lang=zh")
    table = list(csv.reader(io.StringIO(client.get("/desk/queue.csv").content.decode("utf-8-sig"))))
    assert f"拼的上门没约满，去不去 ({district.name_zh} · 世纪花园、{HOSTILE})" in [row[1] for row in table]
    assert decide(client, item, decision="refuse", reason="派不出人").status_code == 302
    assert "不去，免费取消" in client.get("/desk/queue?show=done").content.decode()


def test_a_stopped_call_shows_the_caller_s_alias_and_what_was_said_never_the_number(desk: Desk) -> None:
    client, item = ground.signed_in("desk1"), desk.items["trade.call_stopped"]
    page = client.get(f"/desk/queue/{item.id}").content.decode()
    assert "有人让买卡退款" in page and st.alias_of(item.subject) in page and ground.CALLER not in page
    assert trade.stopped(item.subject)
    assert decide(client, item, decision="clear", reason="儿子在旁边，说清楚了").status_code == 302
    assert not trade.stopped(item.subject)


def test_a_title_and_facts_that_are_not_ours_are_text(desk: Desk) -> None:
    client, item = ground.signed_in("desk1"), desk.items["desk.unheard_of"]
    for path in ("/desk/queue", f"/desk/queue/{item.id}", "/desk/queue?show=mine", f"/desk/queue?kind={HOSTILE}"):
        text = client.get(path).content.decode()
        assert "<img src=x" not in text
    assert "=HYPERLINK(&quot;http://x&quot;)" in client.get(f"/desk/queue/{item.id}").content.decode()
    assert decide(client, item, decision="noted", reason=FORMULA).status_code == 302
    rows = list(csv.reader(io.StringIO(client.get("/desk/queue.csv?show=done").content.decode("utf-8-sig"))))
    line = next(r for r in rows if r[9].endswith(FORMULA))
    assert line[0] == line[1] == HOSTILE and line[9] == "'" + FORMULA and line[8] == "看过了"


def test_the_second_to_claim_is_told_and_can_do_nothing(desk: Desk) -> None:
    one, two = ground.signed_in("desk1"), ground.signed_in("desk2")
    item = desk.items["inspection.doubt"]
    answer = one.post(f"/desk/queue/{item.id}/claim", {"once": "a"})
    assert (answer.status_code, answer["Location"]) == (302, f"/desk/queue/{item.id}")
    late = two.post(f"/desk/queue/{item.id}/claim", {"once": "b"})
    assert late.status_code == 409 and "同事已经在看这一条" in late.content.decode()
    seen = two.get(f"/desk/queue/{item.id}").content.decode()
    assert "同事已经在看这一条" in seen and 'name="decision"' not in seen
    refused = two.post(f"/desk/queue/{item.id}/decide", {"once": "c", "decision": "clear", "reason": "看过"})
    assert refused.status_code == 409 and work_items.item(item.id).decided_at is None
    assert "A colleague is already looking" in two.get(f"/desk/queue/{item.id}?lang=en").content.decode()
    assert "你在看" in one.get(f"/desk/queue/{item.id}").content.decode()
    # The one who has it claims it again: nothing changes.
    assert one.post(f"/desk/queue/{item.id}/claim", {"once": "d"}).status_code == 302
    assert "领下一件" in one.get("/desk/queue").content.decode()
    assert work_items.item(item.id).claimed_by == ground.party_of("desk1")


def test_a_decision_needs_its_word_and_a_reason_and_keeps_what_was_typed(desk: Desk) -> None:
    client, item = ground.signed_in("desk1"), desk.items["trade.risk_review"]
    for fields in (
        {"decision": "clear", "reason": "  "},
        {"decision": "approve", "reason": "好<b>"},
        {"reason": "好<b>"},
    ):
        answer = decide(client, item, **fields)
        assert answer.status_code == 422 and work_items.item(item.id).decided_at is None
        assert ('value="好&lt;b&gt;"' in answer.content.decode()) == ("好" in fields["reason"])
    first = decide(
        client, item, decision="refuse", reason="电话没人接", next=f"/desk/orders/{desk.orders['accepted'].code}"
    )
    assert first["Location"] == f"/desk/orders/{desk.orders['accepted'].code}"
    stored = work_items.item(item.id)
    assert (stored.decision, stored.reason, stored.decided_by) == ("refuse", "电话没人接", ground.party_of("desk1"))
    again = client.post(f"/desk/queue/{item.id}/decide", {"once": "new", "decision": "clear", "reason": "又想了想"})
    assert again.status_code == 409 and "已经有结论" in again.content.decode()
    assert work_items.item(item.id).decision == "refuse"


def test_sent_twice_it_is_decided_once_and_never_leads_away(desk: Desk) -> None:
    client, item = ground.signed_in("desk1"), desk.items["settlement.payout_open"]
    fields = {"once": "one", "decision": "noted", "reason": "和钱包通过电话", "next": "//evil.example/desk/"}
    answers = [client.post(f"/desk/queue/{item.id}/decide", fields) for _ in range(2)]
    assert [(a.status_code, a["Location"]) for a in answers] == [(302, f"/desk/queue/{item.id}")] * 2
    for place in ("https://evil.example", "/desk/\\evil.example", "/staff/"):
        answer = client.post(f"/desk/queue/{item.id}/claim", {"once": "x", "next": place})
        assert "evil" not in answer.get("Location", "")
    assert WorkItem.objects.filter(kind=item.kind, subject=item.subject).count() == 1


def test_the_strip_is_304_until_something_changes(desk: Desk) -> None:
    client = ground.signed_in("desk1")

    def strip(tag: str = "", path: str = "/desk/queue?part=aside") -> Any:
        return client.get(path, headers={"HX-Request": "true", **({"If-None-Match": tag} if tag else {})})

    first = strip()
    tag = first["ETag"]
    assert first.status_code == 200 and "<html" not in first.content.decode()
    assert strip(tag).status_code == 304
    assert strip(tag, "/desk/queue?part=aside&lang=en").status_code == 200
    client.get("/desk/queue?lang=zh")
    work_items.claim(desk.items["kit.parked"].id, ground.party_of("desk1"))
    changed = strip(tag)
    assert changed.status_code == 200 and changed["ETag"] != tag and "你在看" in changed.content.decode()


def test_the_pages_are_the_desks_alone(desk: Desk) -> None:
    for path in PATHS:
        answer = Client().get(path)
        assert answer.status_code == 302 and answer["Location"].startswith("/staff/sign-in?next=%2Fdesk")
    courier = desk.house.callers["courier"].party
    for role, party in (
        (Role.REGULATOR, None),
        (Role.COURIER, courier),
        (Role.RECYCLER, desk.house.callers["recycler"].party),
    ):
        client = ground.signed_in(f"a {role}", role, party)
        for path in PATHS:
            assert client.get(path).status_code == 403, (role, path)
        item = desk.items["inspection.doubt"]
        for verb in ("claim", "decide"):
            answer = client.post(f"/desk/queue/{item.id}/{verb}", {"decision": "clear", "reason": "x"})
            assert answer.status_code == 403
        assert work_items.item(item.id).claimed_by is None


@pytest.mark.parametrize("path", ["/desk/orders/NOSUCH", "/desk/queue/01890000-0000-7000-8000-000000000000"])
def test_what_is_not_there_is_404(desk: Desk, path: str) -> None:
    client = ground.signed_in("desk1")
    assert client.get(path).status_code == 404
    assert client.get("/desk/queue/not-a-uuid").status_code == 404


def test_every_page_speaks_one_language_and_names_nobody(desk: Desk) -> None:
    """English pages hold no Chinese but aliases; no page holds a name or a telephone number of the seller."""
    client = ground.signed_in("desk1")
    paths = ["/desk/", "/desk/orders", "/desk/queue", "/desk/queue?show=done", "/desk/search?q=x"]
    paths += [f"/desk/orders/{o.code}" for o in desk.orders.values()] + [
        f"/desk/queue/{i.id}" for i in desk.items.values()
    ]
    Order.objects.filter(id=desk.orders["quoted"].id).update(state="expired", ended_at=clock.now())
    for path in paths:
        text = client.get(path, headers={"Cookie": ""}, query_params=None).content.decode()
        assert "13800000001" not in text and "测试卖家" not in text and "测试路" not in text, path
        english = client.get(path + ("&" if "?" in path else "?") + "lang=en").content.decode()
        plain = re.sub(r"<[^>]*(lang=\"zh-CN\")[^>]*>[^<]*<|卖家\w{6}|值班\w{6}|员工\w{6}", "", english)
        left = re.findall(r"[^<>\"]*[\u4e00-\u9fff][^<>\"]*", plain)
        assert left == [], (path, left)
        client.get("/desk/queue?lang=zh")


def test_what_ended_by_itself_says_so_and_names_nobody(desk: Desk) -> None:
    item = desk.items["inspection.doubt"]
    client = ground.signed_in("desk1")
    client.post(f"/desk/queue/{item.id}/claim", {"once": "1"})
    work_items.settle(item.kind, item.subject, "settlement.answered")
    for lang, decision, reason in (("zh", "已经过去", "有回音了"), ("en", "Ended by itself", "It was answered")):
        for path in (f"/desk/queue/{item.id}?lang={lang}", f"/desk/queue?show=done&lang={lang}"):
            page = client.get(path).content.decode()
            assert decision in page and reason in page and ">settled<" not in page, path
        row = next(
            line for line in client.get(f"/desk/queue.csv?show=done&lang={lang}").content.decode().splitlines()
            if decision in line
        )  # fmt: skip
        assert reason in row and "desk1" not in row.partition(decision)[2]
