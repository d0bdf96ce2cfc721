import pytest, os
from pathlib import Path
from tests.domain.trade.door import World, world
from tests.domain.trade import ground as dg
from tests.faces.seller import ground as g
from tests.faces.seller.test_money_papers import Sold
from tests.faces.desk.orders.ground import signed_in
from tests.browser import as_client
from huika.faces.pages import rails
from huika.domain.parties.types import Role
from huika.domain.settlement import actions as settlement, models as money
from huika.domain.settlement.types import RailQuote
from huika.kit import ids, clock
__all__=["world"]
OUT=Path("/tmp/shots/reserve2"); OUT.mkdir(parents=True, exist_ok=True)

@pytest.mark.django_db(transaction=True)
def test_look(world, live_server, browser_page, monkeypatch):
    base=live_server.url
    def look(client, name, address, size="phone", lang="zh", scheme="light", care="", act=None):
        page=browser_page(size,lang,scheme,care)
        as_client(page, client)
        page.goto(base+address); browser_page.settled(page)
        if act: act(page)
        page.screenshot(path=OUT/f"{name}-{size}-{lang}-{scheme}{'-'+care if care else ''}.png", full_page=True)
        page.context.close()
    world.money.rail.breaks.extend(["deaf"])
    sold=Sold(world,later=True)
    look(sold.home.client,"visit0",sold.path)
    world.settle()
    c=sold.home.client
    d=money.Debt.objects.get().number
    V=[("phone","zh","light",""),("phone","en","dark",""),("desk","zh","light",""),("phone","zh","light","care")]
    for v in V:
        look(c,"visit",sold.path,*v); look(c,"debt",f"{sold.path}/debt/{d}",*v)
    world.money.rail.breaks.clear(); world.paid()
    for v in V:
        look(c,"receipt",sold.path,*v)
    look(c,"receiptopen",sold.path,act=lambda p:[x.click() for x in p.locator("details > summary").all()])
    look(c,"statement","/me/statement")
    home=sold.home
    def elder(page):
        for _ in range(4):
            b=page.locator("[data-next]"); 
            if page.locator("fieldset.pick:visible input[name=offer]").count(): break
            b.click(); page.wait_for_timeout(300)
    look(c,"elder-later","/sell/wangfujing?face=1000&n=1&form=physical","phone","zh","light","care",elder)
    desk=signed_in("desk1")
    look(desk,"deskorder",sold.path.replace("/orders","/desk/orders"),"desk"); 
    look(desk,"call","/desk/call","desk","zh"); look(desk,"call","/desk/call","desk","en","dark")
    cou=signed_in("cou1",Role.COURIER,world.courier)
    settlement.return_float(world.courier,"b",800_00,ids.uuid7()); settlement.give_bonus(world.courier,"x",50_00,ids.uuid7(),"雨天加班")
    for v in [("phone","zh","light",""),("phone","en","dark","")]:
        look(cou,"courier","/courier/money",*v); look(cou,"today","/courier/",*v)
