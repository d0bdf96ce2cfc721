"""A recycler's side, by signed requests."""

from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router, Status
from pydantic import Field

from huika.domain.market import actions as market
from huika.domain.market import queries as prices
from huika.domain.market.types import Fee, ReserveTerms, Terms
from huika.domain.parties import queries as people
from huika.domain.parties.types import Role
from huika.domain.trade import queries as orders
from huika.domain.vault import actions as vault
from huika.faces.api import schemas as s
from huika.faces.api.keyed import KEY_HEADER, actor_of, once, repeated, signed, signed_request, text_of
from huika.kit.ports import provider
from huika.kit.refusals import Malformed, NotFound

router = Router(tags=["recyclers"], auth=signed)
After = Annotated[int, Field(ge=0, lt=2**63)]
Month = Annotated[str, Path(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$", examples=["2026-11"])]
From = Annotated[
    datetime | None,
    Query(
        description="From when it counts, with an offset, within 60 days; left out: from now on.",
        examples=["2026-11-30T08:00:00Z"],
    ),
]


@router.post(
    "/books",
    response={201: s.BookOut},
    summary="Publish a price book: CSV, all rows or none",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "text/csv": {
                    "schema": {"type": "string"},
                    "example": "kind,face_value,city,form,condition,channel,ratio\n"
                    "walmart,1000,shanghai,electronic,intact,visit,0.9360\n",
                }
            },
        }
    },
)
def publish_book(request: HttpRequest, effective_from: From = None, key: str = KEY_HEADER) -> Status[s.BookOut]:
    actor = actor_of(request, Role.RECYCLER)
    text = text_of(request)
    if effective_from is not None and effective_from.tzinfo is None:
        raise Malformed(
            field="effective_from", why="needs an offset, like Z or +08:00", why_zh="要带时区，如 Z 或 +08:00"
        )
    made = once(
        request, key, lambda: market.publish_book(actor.party, text, actor.party, effective_from=effective_from)
    )
    return Status(201, s.BookOut(book=made))


@router.post("/terms", response={201: s.BookOut}, summary="The same prices on other terms, as the next version")
def set_terms(request: HttpRequest, body: s.TermsIn, key: str = KEY_HEADER) -> Status[s.BookOut]:
    actor, given = actor_of(request, Role.RECYCLER), body.dict()
    after = given.pop("after_version")
    terms = Terms(
        **{
            **given,
            "fees": None if body.fees is None else tuple(Fee(**fee.dict()) for fee in body.fees),
            "resting": None if body.resting is None else frozenset(body.resting),
            "prefixes": None if body.prefixes is None else {kind: tuple(p) for kind, p in body.prefixes.items()},
            "reserve": ReserveTerms(**body.reserve.dict()) if body.reserve else None,
        }
    )
    made = once(request, key, lambda: market.set_terms(actor.party, actor.party, terms, after_version=after))
    return Status(201, s.BookOut(book=made))


@router.get(
    "/books/receipt",
    response={200: None},
    summary="The log's proof that my newest book was published, and from when it counts",
    openapi_extra={"responses": {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}},
)
def get_book_receipt(request: HttpRequest) -> HttpResponse:
    text = prices.book_receipt(actor_of(request, Role.RECYCLER).party)
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


@router.post("/endpoint", response=s.Done, summary="Where I answer requests for live quotes, and under which key")
def set_endpoint(request: HttpRequest, body: s.EndpointIn, key: str = KEY_HEADER) -> s.Done:
    actor = actor_of(request, Role.RECYCLER)
    once(request, key, lambda: market.set_endpoint(actor.party, body.url, body.key, on=body.on))
    return s.Done()


@router.get(
    "/comparisons", response=list[s.QuoteOut], summary="What comparisons took from me, oldest first, up to 100 a page"
)
def list_quotes(request: HttpRequest, after: After = 0) -> list[s.QuoteOut]:
    return [s.QuoteOut.from_orm(q) for q in prices.quotes_of(actor_of(request, Role.RECYCLER).party, after)]


@router.get("/months/{month}", response=s.ConductOut, summary="How I kept my word in a month of Shanghai, like 2026-11")
def get_month(request: HttpRequest, month: Month) -> s.ConductOut:
    me = actor_of(request, Role.RECYCLER).party
    found = prices.conduct(*prices.month_bounds(date.fromisoformat(f"{month}-01")), [me])[me]
    return s.ConductOut(**{**asdict(found), "live": dict(found.live)})


@router.get(
    "/comparisons/{comparison_id}/receipt",
    response=s.QuoteReceiptOut,
    summary="My receipt of a comparison: what I was taken to offer, or why not",
)
def get_quote_receipt(request: HttpRequest, comparison_id: UUID) -> s.QuoteReceiptOut:
    actor = actor_of(request, Role.RECYCLER)
    return s.QuoteReceiptOut(**prices.quote_receipt(comparison_id, actor.party))


@router.get("/lots", response=list[s.LotViewOut], summary="My lots, newest first")
def list_lots(request: HttpRequest) -> list[s.LotViewOut]:
    actor = actor_of(request, Role.RECYCLER)
    return [
        s.LotViewOut(
            lot=lot.id,
            order_code=order.code,
            state=lot.state,
            secured_fen=lot.secured_fen,
            cards=[s.CardOut.from_orm(c) for c in order.cards if c.lot == lot.id],
        )
        for order, lot in orders.lots_of(actor.party)
    ]


@router.get("/orders/{order_id}", response=s.OrderOut, summary="My share of an order")
def get_lot_order(request: HttpRequest, order_id: UUID) -> s.OrderOut:
    return s.OrderOut.from_orm(orders.order_for(actor_of(request, Role.RECYCLER), order_id))


@router.post(
    "/cards/{card_id}/release", response=s.ReleaseOut, summary="A paid card's number and PIN, sealed to my key"
)
def release(request: HttpRequest, card_id: UUID, key: str = KEY_HEADER) -> s.ReleaseOut:
    actor = actor_of(request, Role.RECYCLER)
    recycler, facts = people.recycler(actor.party), orders.release_facts(actor.party, card_id)
    if facts is None or recycler.release_key is None:
        raise NotFound()
    (order, picture), public_key = facts, recycler.release_key
    event = once(request, key, lambda: vault.allow_release(order, card_id, actor.party))
    ticket = vault.release_capability(order, card_id, picture, event, actor.party, public_key)
    answer = provider("vault").release(ticket)
    return s.ReleaseOut(order=order, card=card_id, sealed=answer["sealed"], key_id=answer["key_id"])


@router.get("/bargains", response=list[s.BargainOut], summary="What I am asked for, the most urgent first")
def list_bargains(request: HttpRequest) -> list[s.BargainOut]:
    return [s.BargainOut.from_orm(b) for b in prices.bargains_for(actor_of(request, Role.RECYCLER).party)]


@router.post(
    "/bargains/{bargain_id}/answers",
    response=s.BargainOut,
    summary="Answer step `n`: what was asked, less, or 0; your signature is kept in the record",
)
def answer_bargain(request: HttpRequest, bargain_id: UUID, body: s.AnswerIn, key: str = KEY_HEADER) -> s.BargainOut:
    me = actor_of(request, Role.RECYCLER).party
    seen, proof = prices.bargain(bargain_id), signed_request(request)
    if seen.recycler != me:
        raise NotFound()
    agrees = (seen.state, body.n, body.bonus_bp) == ("asked", len(seen.steps) + 1, seen.steps[-1])
    replies = market.rivals_quotes(bargain_id) if agrees and not repeated(request, key) else []
    once(request, key, lambda: market.answer_bargain(bargain_id, me, body.n, body.bonus_bp, proof, replies))
    return s.BargainOut.from_orm(prices.bargain(bargain_id))
