"""Rendering a page of the desk: its frame knows where it stands."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

PLACES = (
    ("/desk/", "chart", "今天", "Today"),
    ("/desk/orders", "list", "订单", "Orders"),
    ("/desk/queue", "bang", "要人做", "Queue"),
    ("/desk/call", "phone", "电话下单", "Telephone order"),
    ("/desk/couriers", "pin", "专员", "Couriers"),
    ("/desk/recyclers", "price", "回收商和价格", "Recyclers and prices"),
    ("/desk/money", "coin", "钱", "Money"),
    ("/desk/owner", "doc", "经营", "Business"),
    ("/staff/", "users", "账号", "Account"),
)


def page(request: HttpRequest, template: str, status: int = 200, **context: Any) -> HttpResponse:
    """One page of the desk."""
    here = request.path
    # The longest place that begins the address is where we are; /desk/ itself only when nothing else does.
    here = here.replace("/desk/shifts", "/desk/couriers")  # a part of it
    fits = max((href for href, *_ in PLACES if here.startswith(href)), key=len, default="")
    nav = [{"href": h, "icon": i, "zh": zh, "en": en, "on": h == fits} for h, i, zh, en in PLACES]
    return render(request, template, {**context, "nav": nav}, status=status)
