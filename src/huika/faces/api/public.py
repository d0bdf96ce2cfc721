"""What anybody may ask: the catalogue, comparisons, keys."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status

from huika.domain.catalog import queries as catalog
from huika.domain.catalog.types import Kind
from huika.domain.evidence import queries as evidence
from huika.domain.field import queries as field
from huika.domain.market import actions as market
from huika.domain.market import queries as books
from huika.domain.market.types import Line, Reply
from huika.domain.parties import queries as people
from huika.domain.trade import actions as trade
from huika.domain.trade import queries as orders
from huika.faces.api import present
from huika.faces.api import schemas as s
from huika.faces.api.keyed import KEY_HEADER, SECRET_HEADER, once, repeated
from huika.faces.pages import limits
from huika.kit.ports import provider

router = Router(tags=["public"])


@router.get("/kinds", response=list[s.KindOut], summary="Kinds of card, searched by name, pinyin or initials")
def list_kinds(request: HttpRequest, q: str = "") -> list[Kind]:
    return list(catalog.kinds(q[:60]))


@router.get("/kinds/{slug}", response=s.KindOut, summary="One kind of card")
def get_kind(request: HttpRequest, slug: str) -> Kind:
    return catalog.kind(slug[:60])


@router.get("/cities", response=list[s.CityOut], summary="Cities that are served")
def list_cities(request: HttpRequest) -> list[object]:
    return list(catalog.cities())


@router.get("/cities/{city}/districts", response=list[s.CityOut], summary="Districts of a city")
def list_districts(request: HttpRequest, city: str) -> list[object]:
    return list(catalog.districts(city[:20]))


@router.get("/limits", response=list[s.LimitOut], summary="Limits of law and policy, each with its source")
def list_limits(request: HttpRequest) -> list[object]:
    return list(catalog.limits())


@router.get("/reasons", response=list[s.ReasonOut], summary="The published reasons for a re-quote")
def list_reasons(request: HttpRequest) -> list[object]:
    return list(catalog.reason_codes())


@router.get("/keys", response=s.KeysOut, summary="Public keys of the log and the vault")
def get_keys(request: HttpRequest) -> s.KeysOut:
    return s.KeysOut(log_vkey=evidence.log_key(), vault=provider("vault").key())


@router.get(
    "/kinds/{slug}/prices", response=list[s.TopOfferOut], summary="Who pays most for one card now: the ten best"
)
def list_prices(request: HttpRequest, slug: str, card: Query[s.CardQuery]) -> list[s.TopOfferOut]:
    catalog.check_card(slug[:60], card.form, card.face_value_fen)
    line = Line(1, slug, card.face_value_fen, card.form, card.condition, card.prefix)
    return [s.TopOfferOut.from_orm(one) for one in books.top_offers(card.city, line)]


@router.post("/comparisons", response={201: s.ComparisonOut}, summary="Compare what recyclers pay for these cards")
def compare(request: HttpRequest, body: s.ComparisonIn, key: str = KEY_HEADER) -> Status[s.ComparisonOut]:
    notices, lines = [], []
    for n, card in enumerate(body.cards, start=1):
        checked = catalog.check_card(card.kind, card.form, card.face_value_fen)
        trade.lock_of(card.kind, card.form)
        notices += [s.NoticeOut(n=n, zh=notice.zh, en=notice.en) for notice in checked.notices]
        lines.append(Line(n, card.kind, card.face_value_fen, card.form, card.condition, card.prefix))
    covered = frozenset(r.id for r in people.recyclers())
    replies: list[Reply] = []
    served = field.area(body.city, body.district) is not None
    if not repeated(request, key):
        limits.spend(request, "comparison", limits.COMPARISONS_AN_HOUR)
        replies = market.request_quotes(body.city, "visit", lines, covered if served else frozenset())
    made: UUID = once(
        request,
        key,
        lambda: market.compare(
            body.city,
            body.district,
            lines,
            served=served,
            covered=covered,
            bagged=orders.bagged(lines),
            replies=replies,
        ),
    )
    answer = present.comparison(books.comparison(made), notices)
    return Status(201, answer.model_copy(update={"secret": books.comparison_secret(made)}))


@router.get("/comparisons/{comparison_id}", response=s.ComparisonOut, summary="A comparison as it was made")
def get_comparison(request: HttpRequest, comparison_id: UUID) -> s.ComparisonOut:
    return present.comparison(books.comparison(comparison_id), [])


@router.get(
    "/comparisons/{comparison_id}/record",
    response=s.RecordOut,
    summary="The record of a comparison: rank it again without us",
)
def get_record(request: HttpRequest, comparison_id: UUID, secret: str = SECRET_HEADER) -> s.RecordOut:
    books.check_secret(comparison_id, secret)
    return s.RecordOut(**books.record_file(comparison_id))


@router.get(
    "/recyclers/{recycler_id}/key",
    response={200: None},
    summary="The log's proof of a recycler's signing key: what it signed in a record is held against it",
    openapi_extra={"responses": {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}},
)
def get_key_receipt(request: HttpRequest, recycler_id: UUID, public_key: Query[s.KeyQuery]) -> HttpResponse:
    text = books.key_receipt(recycler_id, public_key.public_key)
    return HttpResponse(text, content_type="text/plain; charset=utf-8")
