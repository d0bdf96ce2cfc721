import os, pathlib, time
import pytest
from tests.faces.api import helpers as h
from tests.faces.desk.people import at_desk
from huika.sim.client import identity_number
OUT=pathlib.Path("/tmp/shots/desk_firms"); OUT.mkdir(parents=True, exist_ok=True)

def test_shots(platform, monkeypatch, live_server):
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE","true")
    client = at_desk.signed_in()
    only = os.environ.get("ONLY","")
    firm = h.recyclers(platform)[0]
    courier = list(platform.couriers.values())[0]
    for lang, dark, size in [("zh",False,(1440,900)),("en",False,(1440,900)),("zh",True,(1280,800)),("en",True,(1280,800))]:
        tag=f"{lang}-{'dark' if dark else 'light'}-{size[0]}"
        if only and tag not in only: continue
        with at_desk.browser_page(live_server.url, client, lang=lang, dark=dark, size=size) as page:
            for name, path in [("recyclers","/desk/recyclers"),("recycler",f"/desk/recyclers/{firm}"),("send",f"/desk/recyclers/{firm}/book"),("couriers","/desk/couriers"),("courier",f"/desk/couriers/{courier}"),("shifts","/desk/shifts"),("newcourier","/desk/couriers/new"),("call","/desk/call")]:
                r=page.goto(live_server.url+path); print(path,r.status,page.url,page.said); assert r.status==200,(path,r.status,page.content()[:3000])
                page.screenshot(path=str(OUT/f"{name}-{tag}.png"))
            print(page.said)
            page.set_default_timeout(6000); print(page.content()[:6000] if not page.query_selector("[name=phone]") else "")
            phone=h.phone()
            page.fill("[name=phone]", phone); page.keyboard.press("Enter")
            page.keyboard.type("wem"); page.wait_for_selector("[data-found] button"); page.screenshot(path=str(OUT/f"call-pick-{tag}.png")); page.keyboard.press("Enter")
            page.keyboard.type("1000"); page.keyboard.press("Enter"); page.keyboard.type("5"); page.keyboard.press("Enter")
            page.wait_for_selector("[data-figure]:not([hidden])")
            page.keyboard.press("1")
            page.wait_for_timeout(300)
            page.keyboard.type("徐汇" if lang=="zh" else "xuhui"); page.wait_for_timeout(600); page.keyboard.press("Enter")
            page.keyboard.type("安福路 1 号 301 室"); page.keyboard.press("Enter"); page.wait_for_selector("[data-windows] input")
            page.wait_for_timeout(200)
            page.evaluate("document.querySelector('[name=address]').focus()"); page.keyboard.press("Enter")
            page.keyboard.press("1"); page.wait_for_timeout(200); page.keyboard.press("1")
            page.wait_for_timeout(200)
            page.keyboard.type("测试卖家"); page.keyboard.press("Enter"); page.keyboard.type(identity_number(int(h.digits(3)))); page.keyboard.press("Enter")
            page.keyboard.press("Enter"); page.keyboard.press("Enter"); 
            page.screenshot(path=str(OUT/f"call-mid-{tag}.png"))
            page.keyboard.press("Enter")
            page.wait_for_selector("[data-turn=person].ok", timeout=15000)
            for _ in range(4): page.keyboard.press("2")
            page.wait_for_timeout(300)
            page.screenshot(path=str(OUT/f"call-full-{tag}.png"))
            print(page.said, page.evaluate("document.activeElement.outerHTML"), page.inner_text("[data-missing]"))
            page.click("[data-go]"); page.wait_for_url("**/booked/**"); page.screenshot(path=str(OUT/f"booked-{tag}.png"))
            page.goto(live_server.url+"/desk/call")
            page.fill("[name=phone]", h.phone()); page.check("[name=s-refund][value=yes]", force=True)
            page.screenshot(path=str(OUT/f"call-yes-{tag}.png"))
            page.click("[data-go]"); page.wait_for_url("**/stopped/**"); page.screenshot(path=str(OUT/f"stopped-{tag}.png"))
            # preview
            import csv,io
            got=client.get(f"/desk/recyclers/{firm}/book.csv").content.decode("utf-8-sig").splitlines()
            rows=[r.split(",") for r in got]
            for n,r in enumerate(rows[1:6]): r[-1]=f"{float(r[-1])-0.03-n/100:.4f}"
            for n,r in enumerate(rows[6:9]): r[-1]=f"{float(r[-1])+0.01:.4f}"
            rows=[*rows[:9],*rows[12:],["walmart","77","shanghai","electronic","intact","drop_off","0.8"]]
            page.goto(live_server.url+f"/desk/recyclers/{firm}/book")
            page.fill("textarea","\n".join(",".join(r) for r in rows)); page.click(".two_send .btn-primary"); page.wait_for_selector(".figs")
            page.screenshot(path=str(OUT/f"preview-{tag}.png"))
            page.goto(live_server.url+f"/desk/recyclers/{firm}/book")
            page.fill("textarea","kind,face_value,city,form,condition,channel,ratio\nnobody,1,shanghai,electronic,intact,visit,0.9\nwalmart,=1+1,shanghai,electronic,intact,visit,0.9\nwalmart,*,shanghai,electronic,intact,visit,1.3"); page.click(".two_send .btn-primary"); page.wait_for_selector(".wrap")
            page.screenshot(path=str(OUT/f"errors-{tag}.png"))
            print(page.said)
