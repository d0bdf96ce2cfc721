"""What a regulator may read: trades under pseudonyms."""

from django.http import HttpRequest
from ninja import Router

from huika.domain.parties import queries as people
from huika.domain.parties.types import Role
from huika.domain.trade import queries as orders
from huika.faces.api import schemas as s
from huika.faces.api.keyed import actor_of, bearer
from huika.kit import clock

router = Router(tags=["regulator"], auth=bearer)


@router.get("/trades", response=list[s.TradeRowOut], summary="The newest trades, under pseudonyms")
def list_trades(request: HttpRequest) -> list[s.TradeRowOut]:
    return [
        s.TradeRowOut(
            code=o.code,
            state=o.state,
            seller_alias=people.person(o.seller).alias,
            city=o.city,
            rail=o.rail,
            quoted_net_fen=o.quoted_net_fen,
            cards=len(o.cards),
            day=o.created_at.astimezone(clock.SHANGHAI).date(),
        )
        for o in orders.orders_of(actor_of(request, Role.REGULATOR))
    ]
