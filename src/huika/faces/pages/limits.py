"""How often somebody whom nobody knows may ask for what costs something: a stored comparison, a message to a phone."""

from allauth.core.internal.httpkit import get_client_ip
from django.conf import settings
from django.http import HttpRequest

from huika.kit import rates

HOUR = 3600
COMPARISONS_AN_HOUR: int = settings.COMPARISONS_AN_HOUR
CODES_AN_HOUR = 30
"""An address may be a whole building's; a phone has its own limit in `parties`."""


def spend(request: HttpRequest, what: str, most: int) -> None:
    """Count one for the address that asks; TooMany beyond `most` an hour."""
    rates.spend(f"{what}:{network(request)}", most, HOUR)


def network(request: HttpRequest) -> str:
    """The address that asks, as a bucket; what proxies say counts as far as they are trusted (HUIKA_PROXIES)."""
    return rates.network(get_client_ip(request) or "")
