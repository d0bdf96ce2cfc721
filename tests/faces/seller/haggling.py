"""A seller's browser with a booking under way at a recycler that bargains, and that recycler's answers."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.test import Client
from tests.domain.market.test_bargains import answer, ask
from tests.domain.trade import ground
from tests.faces.seller.ground import BOOK, LOCKED, Home

from huika.domain.catalog import queries as catalog
from huika.domain.market import actions, models, queries
from huika.domain.market.types import Line, Offer, Terms
from huika.faces.seller.draft import Draft, save
from huika.kit import ids


@dataclass
class Haggle:
    """One comparison of `home`; `first` is the offer that was chosen."""

    home: Home
    comparison: str
    first: Offer

    @property
    def path(self) -> str:
        """The page."""
        return f"/book/{self.comparison}/bargain"

    def get(self, path: str = "", **headers: str) -> Any:
        """A page as its browser sees it."""
        return self.home.client.get(path or self.path, **headers)

    def say(self, word: str, once: str = "", client: Client | None = None, **form: object) -> Any:
        """A form of the page."""
        sent = {"do": word, "once": once or ids.uuid7().hex, **form}
        return (client or self.home.client).post(self.path, sent)

    @property
    def kept(self) -> str:
        """The name of the cookie that keeps its draft."""
        return next(name for name in self.home.client.cookies if name.endswith(self.comparison[-12:]))

    @property
    def bargain(self) -> UUID:
        """The bargain of it."""
        return models.Bargain.objects.get(comparison_id=self.comparison).id

    def answered(self, n: int, bonus_bp: int) -> str:
        """The recycler's signed step."""
        return answer(self.bargain, self.home.recycler, n, bonus_bp)


def haggle(home: Home, *lines: Line, later: bool = False, bargains: bool = True) -> Haggle:
    """A window and an address chosen, at a recycler that bargains."""
    book = queries.book_in_effect(home.recycler)
    if book is not None and bool(book.terms.bargains) != bargains:  # another book would end what is under way
        actions.set_terms(home.recycler, home.recycler, Terms(bargains=bargains))
    path, offer = home.booking(*(lines or (LOCKED,)), later=later)
    return Haggle(home, path.split("/")[2], offer)


def place() -> str:
    """A district for the comparisons of `asking` alone."""
    return catalog.districts(ground.CITY)[-2].slug


def asking() -> Client:
    """Nobody in particular, who may ask a recycler for more, has asked, was answered and has agreed."""
    firm, client, sent = ground.recycler(BOOK, money_fen=0), Client(SERVER_NAME="localhost"), HttpResponse()
    actions.set_terms(firm, firm, Terms(bargains=True))
    for steps in ((), (200,), (200, 60), (200, 200)):
        made = actions.compare(ground.CITY, place(), [LOCKED], served=True, covered=frozenset({firm}))
        bargain = ask(made, firm, steps[0]) if steps else ""
        for bonus_bp in steps[1:]:
            answer(UUID(str(bargain)), firm, 2, bonus_bp)
        offer = queries.comparison(made).ranking.offers[0]
        save(
            sent,
            Draft(
                comparison=str(made),
                offer=offer.id,
                opens=ground.tomorrow().isoformat(),
                address="演示路 1 号 301 室",
                seen_fen=offer.net_fen,
                back="/book?kind=walmart",
                bargain=str(bargain),
            ),
        )
    client.cookies.update(sent.cookies)
    return client


def asked_for() -> list[str]:
    """The comparisons of `asking`."""
    found = models.Comparison.objects.filter(district=place()).order_by("at")
    return [str(key) for key in found.values_list("id", flat=True)]
