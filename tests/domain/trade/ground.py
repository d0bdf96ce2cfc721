"""A small city made through the capabilities' own doors, without any counterparty: for tests of the domain."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import count
from uuid import UUID

from huika.domain.catalog import queries as catalog
from huika.domain.field import actions as field
from huika.domain.field import queries as places
from huika.domain.field.types import Place
from huika.domain.ledger import queries as ledger
from huika.domain.market import actions as market
from huika.domain.market import queries as offers
from huika.domain.market.types import Fee, Line, ReserveTerms, Terms
from huika.domain.parties import actions as parties
from huika.domain.parties.types import Actor, Role
from huika.domain.settlement import actions as settlement
from huika.domain.settlement import queries as money
from huika.domain.trade import actions as trade
from huika.domain.trade import queries as known
from huika.kit import clock

CITY = "shanghai"
HEADER = "kind,face_value,city,form,condition,channel,ratio"
FEES = (Fee("visit", "上门费", "visit", fixed_fen=32_00), Fee("platform", "平台费", "platform", bp=50))
_serial = count(1)


def identity_number(serial: int) -> str:
    """A well-formed identity number (GB 11643)."""
    body = f"31010119900101{serial % 1000:03d}"
    total = sum(int(d) * w for d, w in zip(body, (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2), strict=True))
    return body + "10X98765432"[total % 11]


def operator() -> None:
    """The operator's accounts and fees, and the served districts."""
    settlement.set_up([f.code for f in FEES], 10_000_000_00)
    for fee in FEES:
        market.set_platform_fee(CITY, fee)
    for district in catalog.districts(CITY):
        field.open_area(CITY, district.slug, district.lat_e6, district.lng_e6)


def book(*cells: tuple[str, str, str, str]) -> str:
    """CSV of (kind, face value in yuan or *, form, ratio)."""
    rows = [f"{kind},{face},{CITY},{form},intact,visit,{ratio}" for kind, face, form, ratio in cells]
    return "\n".join([HEADER, *rows]) + "\n"


def publish(
    recycler: UUID,
    text: str,
    *,
    fees: Sequence[Fee] = (),
    least: int = 0,
    paused: bool = False,
    reserve: ReserveTerms | None = None,
) -> UUID:
    """Publish a book."""
    return market.publish_book(
        recycler,
        text,
        recycler,
        Terms(fees=tuple(fees), min_basket_fen=least, paused=paused, reserve=reserve),
    )


def recycler(
    text: str = "",
    *,
    money_fen: int = 100_000_00,
    fees: Sequence[Fee] = (),
    least: int = 0,
    until: date = date(2099, 1, 1),
) -> UUID:
    """A recycler with funds and, where given, a book."""
    n = next(_serial)
    party = parties.ensure_recycler(f"商家{n}", f"Recycler {n}", "local", f"L-{n}", until, None)
    if money_fen:
        settlement.prefund(party, "first", money_fen)
    if text:
        publish(party, text, fees=fees, least=least)
    return party


@dataclass(frozen=True)
class Seller:
    party: UUID
    phone: str
    payee: UUID | None
    actor: Actor


def seller(*, verified: bool = True, consents: bool = True, payee: bool = True) -> Seller:
    """A seller, ready to trade unless told otherwise."""
    n = next(_serial)
    phone = f"138{n:08d}"
    party = parties.telephone_seller(phone)
    if verified:
        parties.identity_answered(parties.submit_identity(party, f"卖家{n}", identity_number(n)), True)
    if consents:
        parties.give_consents(party, ["service", "identity", "address", "payee", "statistics"])
    actor = Actor(party, Role.SELLER)
    made = parties.save_payee(actor, "wallet", f"openid-{n}", f"卖家{n}") if payee and verified else None
    return Seller(party, phone, made, actor)


def courier(days: int = 3) -> UUID:
    """A courier with shifts from today on, based in the first district, and cash."""
    n = next(_serial)
    party = parties.ensure_courier(f"专员{n}", f"B{n:05d}", f"139{n:08d}")
    home = catalog.districts(CITY)[0]
    today = clock.now().astimezone(clock.SHANGHAI).date()
    for ahead in range(days):
        field.plan_shift(party, CITY, today + timedelta(days=ahead), Place(home.lat_e6, home.lng_e6))
    settlement.issue_float(party, "first", 50_000_00)
    return party


def tomorrow(n: int = 0) -> datetime:
    """The opening of tomorrow's `n`-th window (Shanghai: 9, 11, 13 … 19 o'clock)."""
    day = clock.now().astimezone(clock.SHANGHAI).date() + timedelta(days=1)
    return datetime(day.year, day.month, day.day, 9 + 2 * n, tzinfo=clock.SHANGHAI)


def quoted(who: Seller, lines: Sequence[Line], covered: Sequence[UUID], offer: int = 0) -> UUID:
    """An order of the `offer`-th best offer for these cards."""
    district = catalog.districts(CITY)[0].slug
    bagged = known.bagged(lines)
    compared = market.compare(CITY, district, lines, served=True, covered=frozenset(covered), bagged=bagged)
    return trade.quote(who.party, compared, offers.comparison(compared).ranking.offers[offer].id)


def by_wallet(who: Seller, window: int = 0) -> trade.Acceptance:
    """An acceptance paid to the seller's wallet."""
    return trade.Acceptance(tomorrow(window), "安福路 1 号", "wallet", who.payee)


def by_cash(window: int = 0) -> trade.Acceptance:
    """An acceptance paid in cash."""
    return trade.Acceptance(tomorrow(window), "安福路 1 号", "cash")


def escrow(party: UUID) -> tuple[int, int]:
    """A recycler's balance and what of it is held, in fen."""
    found = ledger.balance(money.escrow_account(party))
    return found.balance_fen, found.held_fen


def windows_left() -> int:
    """How many of tomorrow's windows are still offered."""
    district = catalog.districts(CITY)[0]
    return len(places.windows(CITY, district.slug, Place(district.lat_e6, district.lng_e6), tomorrow().date()))
