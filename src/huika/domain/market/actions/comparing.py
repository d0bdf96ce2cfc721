"""Comparing: one question, every recycler, one record."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from uuid import UUID

from django.conf import settings

from huika.domain.market import economics, models, queries, quoting, record, rules
from huika.domain.market.bargaining import Agreed
from huika.domain.market.errors import CityNotServed, EmptyBasket
from huika.domain.market.quoting import Taken
from huika.domain.market.types import Absence, Book, Fee, Line, Ranking, Reply
from huika.domain.parties import queries as parties
from huika.kit import canonical, clock, events, ids
from huika.kit.change import action

STANDS_SECONDS = 900


@action
def compare(
    city: str,
    district: str,
    lines: Sequence[Line],
    *,
    served: bool,
    covered: frozenset[UUID],
    channel: str = "visit",
    bagged: frozenset[int] = frozenset(),
    replies: Sequence[Reply] = (),
    agreed: Agreed | None = None,
) -> UUID:
    """Rank what every recycler pays for these cards and store it; the comparison's id. It stands for 15 minutes.
    Raises EmptyBasket, CityNotServed, BargainOver.

    `replies`: what `request_quotes` brought; those that may be believed stand in for their recyclers' books.
    `agreed`: what one of them has bargained for these cards.
    `served` says whether anybody visits there; where nobody does the demand is noted and CityNotServed raised.
    `bagged`: numbers of the lines that are secured in a bag, which may bring more where a part of it comes later.
    """
    if not 1 <= len(lines) <= rules.MOST_LINES:
        raise EmptyBasket()
    at = clock.now()
    if not served:
        _unserved(city, district, lines, "city")
        raise CityNotServed()
    live, bookless = queries.live_books(city, [line.kind for line in lines], channel, at)
    taken = Taken(replies, lines, at)
    live, bookless = taken.stand_in(live, bookless)
    beside = {recycler: {"live": kept} for recycler, kept in taken.evidence.items()}
    if agreed is not None:
        live = agreed.raise_in(live)
        beside[agreed.recycler] = {"bargain": agreed.evidence}
    platform = queries.platform_fees(city)
    ranking = rules.rank(lines, live, platform, covered, bagged)
    absences = [*ranking.absences, *bookless]
    comparison = models.Comparison.objects.create(
        city=city,
        district=district,
        channel=channel,
        lines=[asdict(line) for line in lines],
        offers=record.plain(ranking.offers),
        secret=agreed.secret if agreed else ids.random_bytes(16).hex(),
        at=at,
        expires_at=at + timedelta(seconds=STANDS_SECONDS),
    )
    kept = record.document(
        comparison.id,
        at,
        city,
        channel,
        lines,
        live,
        platform,
        covered,
        bagged,
        bookless,
        _idle(live, bookless),
        ranking,
        beside,
    )
    taken.keep(comparison)
    root = _keep_record(comparison, kept)
    _keep_quotes(comparison, live, ranking, absences)
    _keep_visits(comparison, ranking, platform)
    if not ranking.offers:
        _unserved(city, district, lines, "no_offer", comparison)
    events.record(
        "market.comparison.made",
        comparison.id,
        {
            "city": city,
            "cards": len(lines),
            "offers": len(ranking.offers),
            "absences": len(absences),
            "best_net_fen": ranking.offers[0].net_fen if ranking.offers else 0,
        },
        parts={
            "offers": {"sha256": canonical.digest(comparison.offers).hex()},
            "record": {"comparison": str(comparison.id), "rules": rules.VERSION, "root": root.hex()},
        },
    )
    return comparison.id


def _unserved(
    city: str, district: str, lines: Sequence[Line], why: str, comparison: models.Comparison | None = None
) -> None:
    models.UnservedDemand.objects.create(
        city=city[:40],
        district=district[:30],
        kinds=sorted({line.kind for line in lines}),
        face_fen=sum(line.face_value_fen for line in lines),
        why=why,
        comparison=comparison,
        at=clock.now(),
    )


def _keep_visits(comparison: models.Comparison, ranking: Ranking, platform: Sequence[Fee]) -> None:
    """What each offer's visit brings and costs, where that is known; the seller's price never depends on it."""
    cost = queries.visit_cost(comparison.city, comparison.district)
    if cost is None or comparison.channel != "visit":
        return
    resale = queries.resale_fen(ranking.offers, comparison) if settings.MODE == "own" else {}
    sums = [economics.visit_sum(offer, cost, platform, resale.get(offer.id)) for offer in ranking.offers]
    models.VisitSum.objects.bulk_create([models.VisitSum(comparison=comparison, **asdict(one)) for one in sums])
    if sums and not any(one.covered for one in sums):
        _unserved(
            comparison.city, comparison.district, [Line(**line) for line in comparison.lines], "visit", comparison
        )


def _idle(live: Sequence[Book], bookless: Sequence[Absence]) -> list[UUID]:
    """Recyclers that may not trade at this moment."""
    seen = {*(b.recycler for b in live), *(a.recycler for a in bookless)}
    return [r.id for r in parties.recyclers(active=False) if r.id not in seen]


def _keep_record(comparison: models.Comparison, kept: record.Document) -> bytes:
    """Store what was read; the root over it."""
    salt = ids.random_bytes(32)
    root = record.root(kept, salt)
    models.Execution.objects.create(
        comparison=comparison,
        rules=rules.VERSION,
        head=kept["head"],
        entries=kept["entries"],
        proved=kept["answer"]["proved"],
        salt=salt,
        root=root,
    )
    return root


def _keep_quotes(
    comparison: models.Comparison, live: Sequence[Book], ranking: Ranking, absences: Sequence[Absence]
) -> None:
    single = {o.lots[0].recycler: o for o in ranking.offers if len(o.lots) == 1 and not o.reserve_fen}
    models.Quote.objects.bulk_create(
        [
            models.Quote(
                comparison=comparison,
                recycler_id=book.recycler,
                book_id=book.book,
                book_version=book.version,
                net_fen=single[book.recycler].net_fen,
                gross_fen=single[book.recycler].gross_fen,
            )
            for book in live
            if book.recycler in single
        ]
        + [
            models.Quote(
                comparison=comparison, recycler_id=a.recycler, book_id=a.book, book_version=a.version, reason=a.reason
            )
            for a in absences
        ]
    )


def request_quotes(city: str, channel: str, lines: Sequence[Line], covered: frozenset[UUID]) -> list[Reply]:
    """Ask every covered recycler that quotes live, all at once and outside any transaction; half a second at most."""
    return quoting.request_quotes(city, channel, lines, covered, STANDS_SECONDS)
