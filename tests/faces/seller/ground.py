"""A seller at home with a recycler that offers a reserve: a client that is signed in, and bookings under way."""

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode
from uuid import UUID, uuid4

from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from tests.domain.trade import ground
from tests.faces.api.cast import newest_code

from huika.domain.catalog import queries as catalog
from huika.domain.market import actions as market
from huika.domain.market import queries as books
from huika.domain.market.types import Line, Offer, ReserveTerms, VisitCost
from huika.domain.parties import actions as parties
from huika.domain.parties import queries as people
from huika.domain.parties.types import Actor
from huika.domain.trade import queries as orders
from huika.faces.seller import draft as drafts
from huika.faces.seller import offers
from huika.kit import clock

TERMS = ReserveTerms(1000, 7, 50)
BOOK = ground.book(("walmart", "*", "electronic", "0.9"), ("wangfujing", "*", "physical", "0.9"))
PLASTIC = Line(1, "wangfujing", 1000_00, "physical")
LOCKED = Line(2, "walmart", 1000_00, "electronic")
CONSENTS = ("service", "identity", "address", "payee")


@dataclass
class Home:
    """A verified seller in front of their browser; `recycler` buys with and without a reserve."""

    client: Client
    actor: Actor
    token: str
    phone: str
    recycler: UUID

    def payee(self, rail: str, account: str) -> UUID:
        """An account that stands already."""
        return parties.save_payee(self.actor, rail, account, None)

    def booking(self, *lines: Line, later: bool = False, window: int = 0) -> tuple[str, Offer]:
        """A window and an address chosen for a firm comparison: (the path of its last page, the offer)."""
        asked = lines or (PLASTIC,)
        district = catalog.districts(ground.CITY)[0].slug
        made = market.compare(
            ground.CITY, district, asked, served=True, covered=frozenset({self.recycler}), bagged=orders.bagged(asked)
        )
        offer = books.comparison(made).ranking.offers[int(later)]
        draft = drafts.Draft(
            comparison=str(made), offer=offer.id, opens=ground.tomorrow(window).isoformat(),
            address="黄浦区安福路 1 号 301 室", seen_fen=offer.net_fen,
            back="/book?" + urlencode({"kind": asked[0].kind, "n": 1, "form": asked[0].form}), phone=self.phone,
        )  # fmt: skip
        response = HttpResponse()
        drafts.save(response, draft)
        self.client.cookies.update(response.cookies)
        return f"/book/{made}/last", offer


def home(*, consents: tuple[str, ...] = CONSENTS, verified: bool = True) -> Home:
    """Somebody who has signed in by phone; a courier has shifts tomorrow."""
    n = next(ground._serial)
    phone, device = f"137{n:08d}", f"device-of-{n:08d}-test"
    parties.request_login_code(phone, device)
    login = parties.sign_in(phone, device, newest_code(phone))
    if verified:
        parties.identity_answered(parties.submit_identity(login.party, "测试卖家", ground.identity_number(n)), True)
    parties.give_consents(login.party, list(consents))
    token = people.token_of(login.session)
    client = Client(SERVER_NAME="localhost")
    client.cookies[settings.SELLER_COOKIE_NAME] = token
    recycler = ground.recycler(money_fen=100_000_00)
    ground.publish(recycler, BOOK, reserve=TERMS)
    return Home(client, people.actor_of(token), token, phone, recycler)


def later(days: int) -> timedelta:
    """So many days and a minute."""
    return timedelta(days=days, minutes=1)


def today() -> str:
    """Today in Shanghai, as an address says it."""
    return clock.now().astimezone(clock.SHANGHAI).date().isoformat()


def home_where_visits_are_dear() -> Home:
    """A visit costs ¥40: more than one card of ¥1,000 brings, less than two."""
    offers.forget()
    ground.operator()
    market.set_visit_cost(ground.CITY, VisitCost(visit_fen=40_00), uuid4())
    return home()
