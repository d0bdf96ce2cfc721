"""Publishing a book; comparing."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from uuid import UUID

from huika.domain.market import books, models, queries, quoting, record, rules
from huika.domain.market.errors import BadBook, BookChanged, CityNotServed, EmptyBasket
from huika.domain.market.quoting import Taken
from huika.domain.market.types import MOST_RESERVE, NO_RESERVE, Absence, Book, Fee, Line, Ranking, Reply, ReserveTerms
from huika.domain.parties import queries as parties
from huika.domain.parties.errors import UnknownKey
from huika.kit import canonical, clock, events, ids, locks
from huika.kit.change import action
from huika.kit.ports import provider
from huika.kit.refusals import Malformed, NotFound

STANDS_SECONDS = 900


@action
def publish_book(
    recycler: UUID,
    text: str,
    by: UUID,
    *,
    kinds: frozenset[str],
    cities: frozenset[str],
    fees: Sequence[Fee] | None = None,
    min_basket_fen: int | None = None,
    effective_from: datetime | None = None,
    paused: bool = False,
    after_version: int | None = None,
    reserve: ReserveTerms | None = None,
) -> UUID:
    """Put a new version of a recycler's book into effect, all rows or none; the book's id. Raises BadBook, Malformed.

    Fees, minimum and reserve stay as in the last version where none are given; NO_RESERVE ends the reserve. With
    `after_version` it is published only on top of that version (0: the first one), which the change was looked at
    against; BookChanged otherwise.
    """
    if reserve is not None and reserve != NO_RESERVE and not rules.within(reserve):
        most = MOST_RESERVE
        raise Malformed(
            field="reserve",
            why=f"at most {most.share_bp} bp for {most.days} days, {most.bonus_bp} bp more",
            why_zh=f"留存最多 {most.share_bp // 100}%、{most.days} 天，加价最多 {most.bonus_bp // 100}%",
        )
    cells, errors = books.parse(text, kinds, cities)
    if errors:
        raise BadBook(count=len(errors), rows=[asdict(e) for e in errors[:100]])
    locks.transaction_lock(f"market.book.{recycler}")
    at = clock.now()
    last = models.Book.objects.filter(recycler_id=recycler).order_by("-version").first()
    if after_version is not None and after_version != (last.version if last else 0):
        raise BookChanged(version=last.version if last else 0)
    minimum = (last.min_basket_fen if last else 0) if min_basket_fen is None else min_basket_fen
    book = models.Book.objects.create(
        recycler_id=recycler,
        version=(last.version if last else 0) + 1,
        effective_from=effective_from or at,
        paused=paused,
        min_basket_fen=minimum,
        fees=(last.fees if last else []) if fees is None else [asdict(f) for f in fees],
        reserve=(last.reserve if last else None) if reserve is None else _kept(reserve),
        uploaded_by=by,
        at=at,
        sha256=hashlib.sha256(text.encode()).digest(),
    )
    models.PriceRow.objects.bulk_create([models.PriceRow(book=book, **asdict(cell)) for cell in cells], batch_size=2000)
    events.record(
        "market.book.published",
        recycler,
        {
            "book": str(book.id),
            "version": book.version,
            "rows": len(cells),
            "sha256": book.sha256.hex(),
            "effective_from": book.effective_from.isoformat(),
        },
    )
    return book.id


def _kept(reserve: ReserveTerms) -> dict[str, int] | None:
    return None if reserve == NO_RESERVE else asdict(reserve)


@action
def set_platform_fee(city: str, fee: Fee) -> None:
    """Put a named platform fee of one city into effect."""
    models.PlatformFee.objects.update_or_create(
        city=city, code=fee.code, defaults={"zh": fee.zh, "en": fee.en, "fixed_fen": fee.fixed_fen, "bp": fee.bp}
    )
    events.record("market.platform_fee.set", _city_subject(city), {"city": city, **asdict(fee)})


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
) -> UUID:
    """Rank what every recycler pays for these cards and store it; the comparison's id. It stands for 15 minutes.

    `replies`: what `request_quotes` brought; those that may be believed stand in for their recyclers' books.
    `served` says whether anybody visits there; where nobody does the demand is noted and CityNotServed raised.
    `bagged`: numbers of the lines that are secured in a bag, which may bring more where a part of it comes later.
    """
    if not 1 <= len(lines) <= rules.MOST_LINES:
        raise EmptyBasket()
    at = clock.now()
    if not served:
        models.UnservedDemand.objects.create(
            city=city[:40],
            kinds=[line.kind for line in lines],
            face_fen=sum(line.face_value_fen for line in lines),
            at=at,
        )
        raise CityNotServed()
    live, bookless = queries.live_books(city, [line.kind for line in lines], channel, at)
    taken = Taken(replies, lines, at)
    live, bookless = taken.stand_in(live, bookless)
    platform = queries.platform_fees(city)
    ranking = rules.rank(lines, live, platform, covered, bagged)
    absences = [*ranking.absences, *bookless]
    comparison = models.Comparison.objects.create(
        city=city,
        district=district,
        channel=channel,
        lines=[asdict(line) for line in lines],
        offers=record.plain(ranking.offers),
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
        taken.evidence,
    )
    taken.keep(comparison)
    root = _keep_record(comparison, kept)
    _keep_quotes(comparison, live, ranking, absences)
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


@action
def set_endpoint(recycler: UUID, url: str, kid: str, *, on: bool = True) -> None:
    """Say where a recycler answers requests for quotes, and under which of its signing keys.

    Raises UrlMalformed, UrlForbidden, NotFound.
    """
    provider("quotes").check(url)
    try:
        owner = parties.signing_key(kid)[0].party
    except UnknownKey:
        owner = None
    if owner != recycler:
        raise NotFound()
    values = {"url": url, "kid": kid, "on": on, "at": clock.now()}
    models.Endpoint.objects.update_or_create(recycler_id=recycler, defaults=values)
    events.record("market.endpoint.set", recycler, {"kid": kid, "on": on})


def _city_subject(city: str) -> UUID:
    return UUID(bytes=hashlib.sha256(f"city:{city}".encode()).digest()[:16])
