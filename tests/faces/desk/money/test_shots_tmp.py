import os
from datetime import timedelta
from pathlib import Path
import pytest
from tests.faces.desk.people import at_desk
from tests.faces.desk.money import ground
from huika.domain.settlement import actions as s, models
from huika.domain.trade import actions as trade
from huika.kit import approvals, clock

OUT = Path("/tmp/shots/deskmoney")
OUT.mkdir(parents=True, exist_ok=True)


@pytest.mark.django_db(transaction=True)
def test_shots(live_server, settings):
    settings.SITE_URL = live_server.url
    g = ground.build("failed", "unknown")
    ground.differences(ground.today() - timedelta(days=1))
    s.ask_top_up(g.courier, 5000_00)
    s.book_difference(g.courier, "x", "counterfeit", 100_00, ground.party_of("desk"), "冠字号 AB12345678，凭证 778")
    s.give_bonus(g.courier, "b", 50_00, ground.party_of("desk"), "雨天加派")
    s.deduct(g.courier, "c", 5_00, ground.party_of("desk"), "袋子没封好")
    trade.close_shift(
        g.other,
        "shanghai",
        ground.today(),
        ground.party_of("desk"),
        cards_counted=0,
        bags_counted=0,
        cash_counted_fen=19_900_00,
        explanation="少一百，正在查",
    )
    y = ground.today() - timedelta(days=1)
    trade.close_day("shanghai", y, ground.party_of("desk"), {"statement": "两条差异都在查"})
    models.Stop.objects.create(scope="wallet", reason="钱包在出错", approval_id=g.order.id, at=clock.now())
    pages = {
        "overview": "/desk/money",
        "payouts": "/desk/money/payouts",
        "payout": f"/desk/money/payouts/{g.payouts[0]}",
        "payout2": f"/desk/money/payouts/{g.payouts[1]}",
        "ledger": "/desk/money/ledger",
        "statement": f"/desk/money/statements/{g.seller}",
        "recon": "/desk/money/reconciliation",
        "floats": "/desk/money/floats",
        "purse": f"/desk/money/floats/{g.courier}",
        "pay": "/desk/money/pay",
        "slip": f"/desk/money/pay/{g.courier}",
        "days": "/desk/money/days",
        "profit": "/desk/money/profit",
    }
    from huika.domain.parties.models import Party

    aliases = list(Party.objects.values_list("alias", flat=True))
    only = os.environ.get("ONLY", "").split()
    js = Path("tests/faces/page_checks.js").read_text()
    axe = Path("node_modules/axe-core/axe.min.js").read_text()
    for lang, dark, size in (
        ("zh", False, (1440, 900)),
        ("en", True, (1440, 900)),
        ("zh", True, (375, 667)),
        ("en", False, (375, 667)),
    ):
        with at_desk.browser_page(live_server.url, g.desk, lang=lang, dark=dark, size=size) as page:
            for name, path in pages.items():
                if only and name not in only:
                    continue
                answer = page.goto(live_server.url + path)
                assert answer.status == 200, (path, answer.status)
                names = ["专员1", "专员2", "商家1", "商家2"]
                names += aliases
                wrong = page.evaluate(
                    js, {"phone": False, "care": False, "sellers": False, "lang": lang, "names": names}
                )
                page.evaluate(axe)
                wrong += page.evaluate("""async () => (await axe.run(document, {resultTypes: ["violations"]})).violations.map(
  (v) => `axe ${v.id} (${v.impact}): ${v.nodes.map((n) => n.html.slice(0, 160)).slice(0, 3).join(" | ")}`)""")
                wide = page.evaluate("document.documentElement.scrollWidth")
                if wide > size[0]:
                    wrong.append(f"wide {wide}")
                for w in wrong:
                    print(name, lang, size[0], w)
                page.screenshot(path=OUT / f"{name}-{lang}-{size[0]}.png")
                if size[0] == 375 or name in ("overview", "days", "recon"):
                    page.evaluate("document.querySelector('.m-body').scrollTo(0, 99999)")
                    page.screenshot(path=OUT / f"{name}-{lang}-{size[0]}-end.png")
            print(page.said)
