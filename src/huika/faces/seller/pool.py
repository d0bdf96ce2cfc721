"""Whether a visit that neighbours share is ready for whoever looks."""

from django.http import HttpRequest

from huika.domain.market import queries as books
from huika.domain.market.queries import PoolRef
from huika.faces.pages import who


def full(request: HttpRequest, city: str, district: str = "") -> PoolRef | None:
    """A pool of this seller's in a city, or in one district of it, that may be booked by; None where there is none."""
    actor = who.seller_of(request)
    pools = books.pools_of(actor.party) if actor else []
    return next((p for p in pools if p.ready and p.city == city and district in ("", p.district)), None)
