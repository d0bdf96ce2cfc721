"""The pricing tool, by signed requests of a recycler."""

from django.http import HttpRequest
from ninja import Router

from huika.domain.market import actions as market
from huika.domain.market import queries as prices
from huika.domain.market.types import RepricingPolicy, StockReport
from huika.domain.parties.types import Role
from huika.faces.api import schemas as s
from huika.faces.api.keyed import KEY_HEADER, actor_of, once, signed

router = Router(tags=["recyclers"], auth=signed)


@router.post("/repricing", response=s.Done, summary="Switch the pricing tool on or off, and say how it reckons")
def set_repricing(request: HttpRequest, body: s.RepricingIn, key: str = KEY_HEADER) -> s.Done:
    me, given = actor_of(request, Role.RECYCLER).party, body.dict()
    on = given.pop("on")
    once(request, key, lambda: market.set_repricing(me, RepricingPolicy(**given), me, on=on))
    return s.Done()


@router.post("/stock", response=s.Done, summary="What I hold and want to hold, by kind, for the pricing tool")
def report_stock(request: HttpRequest, body: s.StockIn, key: str = KEY_HEADER) -> s.Done:
    me = actor_of(request, Role.RECYCLER).party
    once(request, key, lambda: market.report_stock(me, [StockReport(**one.dict()) for one in body.kinds], me))
    return s.Done()


@router.get("/suggestions", response=list[s.SuggestionOut], summary="What the tool would pay now, each with its sum")
def list_suggestions(request: HttpRequest) -> list[s.SuggestionOut]:
    return [s.SuggestionOut.of(one) for one in prices.suggestions(actor_of(request, Role.RECYCLER).party)]
