"""The comparison narrowed to one city or one kind of card, by its address alone; only what was measured is offered."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest

from huika.domain.catalog import queries as catalog
from huika.domain.insight import queries as insight
from huika.faces.pages.words import name_of, pick

SHOWN = 8
"""Kinds that stand open; the rest is folded."""


@dataclass(frozen=True)
class Way:
    """One link of a filter: `visits` behind it, whether the page is narrowed so."""

    said: str
    href: str
    visits: int | None
    on: bool


@dataclass(frozen=True)
class Narrowed:
    """What the address asks for; empty words for everything. `more` are the kinds behind the fold."""

    city: str
    kind: str
    city_said: str
    kind_said: str
    cities: tuple[Way, ...]
    kinds: tuple[Way, ...]
    more: tuple[Way, ...]

    @property
    def address(self) -> str:
        """The same as a query, with its question mark."""
        return _query(self.city, self.kind)

    @property
    def folded(self) -> bool:
        """Whether the kind that is asked for stands behind the fold."""
        return any(way.on for way in self.more)


def _query(city: str, kind: str) -> str:
    asked = {name: value for name, value in (("city", city), ("kind", kind)) if value}
    return f"?{urlencode(asked)}" if asked else ""


def asked(request: HttpRequest) -> Narrowed:
    """The city and kind that the address names; one that nothing was measured of narrows nothing."""
    offered = insight.choices()
    city = _one_of(request.GET.get("city", ""), offered.cities)
    kind = _one_of(request.GET.get("kind", ""), offered.kinds)
    towns = {c.slug: name_of(c) for c in catalog.cities()}
    cards = {k.slug: name_of(k) for k in catalog.kinds()}
    cities = _ways(offered.cities, towns, city, lambda slug: _query(slug, kind), pick("全部城市", "All cities"))
    kinds = _ways(offered.kinds, cards, kind, lambda slug: _query(city, slug), pick("全部卡", "All cards"))
    return Narrowed(
        city, kind, towns.get(city, city), cards.get(kind, kind), cities, kinds[: SHOWN + 1], kinds[SHOWN + 1 :]
    )


def _one_of(text: str, offered: Sequence[tuple[str, int]]) -> str:
    return text if text in dict(offered) else ""


def _ways(
    offered: Sequence[tuple[str, int]], names: Mapping[str, str], on: str, to: Callable[[str], str], everything: str
) -> tuple[Way, ...]:
    if not offered:
        return ()
    first = Way(everything, f"/compare{to('')}", None, not on)
    return (first, *(Way(names.get(slug, slug), f"/compare{to(slug)}", n, slug == on) for slug, n in offered))
