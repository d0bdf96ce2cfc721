"""A recycler's side: its prices, its terms, where it quotes live; the platform's own fees."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from huika.domain.market import books, models, queries, rules
from huika.domain.market.errors import BadBook, BookChanged
from huika.domain.market.memory import CHANNEL
from huika.domain.market.queries.effect import one_in_effect, to_come
from huika.domain.market.subjects import city_subject
from huika.domain.market.types import (
    AS_BEFORE,
    MOST_PREFIX,
    MOST_RESERVE,
    NO_CAP,
    NO_RESERVE,
    OWN_RATIOS,
    Fee,
    ReserveTerms,
    Terms,
)
from huika.domain.parties import queries as parties
from huika.domain.parties.errors import UnknownKey
from huika.kit import clock, events, ids, locks
from huika.kit.change import action
from huika.kit.ports import provider
from huika.kit.refusals import Malformed, NotFound

MOST_MARGIN_BP = 5_000
MOST_FEES = 10
MOST_FEE_FEN = 10_000_00
FARTHEST = timedelta(days=60)
MOST_PREFIXES = 20
"""A kind."""
_PREFIX = re.compile(rf"[0-9]{{1,{MOST_PREFIX}}}", re.ASCII)


@action
def publish_book(
    recycler: UUID,
    text: str,
    by: UUID,
    terms: Terms = AS_BEFORE,
    *,
    effective_from: datetime | None = None,
    after_version: int | None = None,
) -> UUID:
    """Put a new version of a recycler's book into effect, all rows or none; the book's id. Raises BadBook, Malformed.

    What the terms leave open stays as in the last version. With `after_version` it is published only on top of that
    version (0: the first one), which the change was looked at against; BookChanged otherwise. `effective_from` lies in
    the next 60 days; a version that is still to come is not touched by one that counts sooner.
    """
    _within(terms)
    _soon(effective_from)
    last = last_version(recycler, after_version)
    values = _values(last, terms)
    cells, errors = books.parse(text, queries.known(), values["margin_bp"])
    if errors:
        raise BadBook(count=len(errors), rows=[asdict(e) for e in errors[:100]])
    version, sha256 = (last.version if last else 0) + 1, hashlib.sha256(text.encode()).digest()
    return put_in_effect(recycler, by, version, values, cells, sha256, effective_from=effective_from)


@action
def set_terms(recycler: UUID, by: UUID, terms: Terms, *, after_version: int | None = None) -> UUID:
    """The same prices on other terms from now on, as the next version; the book's id. A book that is still to come gets
    them too, and counts from when it would have. Raises Malformed, BookChanged, NotFound.

    A margin that is given changes the ratios that follow from resale ratios; one that eats them is
    refused with its rows.
    """
    _within(terms)
    last, at = last_version(recycler, after_version), clock.now()
    if last is None:
        raise NotFound()
    now = one_in_effect(recycler, at)
    made = [_on_terms(book, by, last.version + n, terms) for n, book in enumerate(_these(now, recycler, at), start=1)]
    return made[0]


def _these(now: models.Book | None, recycler: UUID, at: datetime) -> list[models.Book]:
    """The book that counts now, if any, and those to come."""
    return [*([now] if now else []), *to_come(recycler, at)]


def _on_terms(last: models.Book, by: UUID, version: int, terms: Terms) -> UUID:
    """A version's prices on other terms, from when that version counts or counted."""
    values = _values(last, terms)
    margin = values["margin_bp"]
    cells, errors = [], []
    for n, row in enumerate(queries.cells(last.id), start=2):
        follows = terms.margin_bp is not None and bool(margin) and row.margin_bp is not None
        if follows and (row.sells_bp or 0) <= margin:
            errors.append(books.no_ratio(n))
        else:
            cells.append(books.derived(row, margin) if follows else row)
    if errors:
        raise BadBook(count=len(errors), rows=[asdict(e) for e in errors[:100]])
    return put_in_effect(
        last.recycler_id, by, version, values, cells, bytes(last.sha256), effective_from=last.effective_from
    )


def _soon(effective_from: datetime | None) -> None:
    """Raises Malformed for a time that has passed, or is too far away."""
    at = clock.now()
    if effective_from and not at - timedelta(minutes=1) <= effective_from <= at + FARTHEST:
        why, why_zh = f"from now on, within {FARTHEST.days} days", f"从现在起 {FARTHEST.days} 天以内"
        raise Malformed(field="effective_from", why=why, why_zh=why_zh)


def put_in_effect(
    recycler: UUID,
    by: UUID,
    version: int,
    values: dict[str, Any],
    cells: Sequence[books.Cell],
    sha256: bytes,
    *,
    effective_from: datetime | None = None,
) -> UUID:
    """Part of a change: a version with these columns and cells, from now or a later time on; its id."""
    book_id = ids.uuid7()
    rows = [models.PriceRow(book_id=book_id, **asdict(cell)) for cell in cells]
    models.PriceRow.objects.bulk_create(rows, batch_size=2000)
    at = clock.now()  # after what takes long: it counts from now, and whoever compares meanwhile cannot see it
    book = models.Book.objects.create(
        id=book_id,
        recycler_id=recycler,
        version=version,
        effective_from=max(at, effective_from or at),
        uploaded_by=by,
        at=at,
        sha256=sha256,
        **values,
    )
    events.record(
        "market.book.published",
        recycler,
        {
            "book": str(book.id),
            "version": book.version,
            "rows": len(cells),
            "sha256": sha256.hex(),
            "effective_from": book.effective_from.isoformat(),
        },
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, str(recycler)])
    return book.id


def last_version(recycler: UUID, after_version: int | None = None) -> models.Book | None:
    """The newest version, with everybody else who publishes for this recycler waiting."""
    locks.transaction_lock(f"market.book.{recycler}")
    last = models.Book.objects.filter(recycler_id=recycler).order_by("-version").first()
    version = last.version if last else 0
    if after_version is not None and after_version != version:
        raise BookChanged(version=version)
    return last


def same_values(last: models.Book) -> dict[str, Any]:
    """The columns of a version that changes prices alone."""
    return _values(last, AS_BEFORE)


def _values(last: models.Book | None, terms: Terms) -> dict[str, Any]:
    """The columns of the next version."""
    return {
        "paused": _or(terms.paused, last and last.paused, False),
        "bargains": _or(terms.bargains, last and last.bargains, False),
        "fees": _or(None if terms.fees is None else [asdict(f) for f in terms.fees], last and last.fees, []),
        "min_basket_fen": _or(terms.min_basket_fen, last and last.min_basket_fen, 0),
        "least_cards": _or(terms.least_cards, last and last.least_cards, 0),
        "least_payout_fen": _or(terms.least_payout_fen, last and last.least_payout_fen, 0),
        "most_face_day_fen": _or(terms.most_face_day_fen, last and last.most_face_day_fen, NO_CAP) or None,
        "margin_bp": _or(terms.margin_bp, last and last.margin_bp, OWN_RATIOS) or None,
        "resting": _or(None if terms.resting is None else sorted(terms.resting), last and last.resting, []),
        "prefixes": _or(
            None if terms.prefixes is None else {kind: sorted(set(p)) for kind, p in terms.prefixes.items() if p},
            last and last.prefixes,
            {},
        ),
        "reserve": (last.reserve if last else None) if terms.reserve is None else _kept(terms.reserve),
    }


def _or(given: Any, before: Any, first: Any) -> Any:
    if given is not None:
        return given
    return first if before is None else before


def _kept(reserve: ReserveTerms) -> dict[str, int] | None:
    return None if reserve == NO_RESERVE else asdict(reserve)


def _within(terms: Terms) -> None:
    """Raises Malformed for terms that no book may have."""
    reserve, most = terms.reserve, MOST_RESERVE
    if reserve is not None and reserve != NO_RESERVE and not rules.within(reserve):
        raise Malformed(
            field="reserve",
            why=f"at most {most.share_bp} bp for {most.days} days, {most.bonus_bp} bp more",
            why_zh=f"留存最多 {most.share_bp // 100}%、{most.days} 天，加价最多 {most.bonus_bp // 100}%",
        )
    for field, value, high in (
        ("min_basket_fen", terms.min_basket_fen, 10_000_000_00),
        ("least_cards", terms.least_cards, rules.MOST_LINES),
        ("least_payout_fen", terms.least_payout_fen, 10_000_000_00),
        ("most_face_day_fen", terms.most_face_day_fen, 1_000_000_000_00),
        ("margin_bp", terms.margin_bp, MOST_MARGIN_BP),
    ):
        if value is not None and not 0 <= value <= high:
            raise Malformed(field=field, why=f"from 0 to {high}", why_zh=f"从 0 到 {high}")
    fees = terms.fees or ()
    if (
        len(fees) > MOST_FEES
        or len({f.code for f in fees}) != len(fees)
        or not all(0 <= f.bp <= MOST_MARGIN_BP and 0 <= f.fixed_fen <= MOST_FEE_FEN for f in fees)
    ):
        raise Malformed(
            field="fees",
            why=f"at most {MOST_FEES}, each once, up to {MOST_MARGIN_BP} bp and {MOST_FEE_FEN} fen",
            why_zh=f"最多 {MOST_FEES} 项、各一次，比例不超过 50%，每次不超过 {MOST_FEE_FEN // 100} 元",
        )
    kinds = queries.known().kinds
    for kind in [*(terms.resting or ()), *(terms.prefixes or {})]:
        if kind not in kinds:
            raise Malformed(field="kind", why=f"unknown kind {kind[:40]!r}", why_zh=f"不认识「{kind[:40]}」")
    for begins in (terms.prefixes or {}).values():
        if len(begins) > MOST_PREFIXES or not all(_PREFIX.fullmatch(one) for one in begins):
            raise Malformed(
                field="prefixes",
                why=f"at most {MOST_PREFIXES} a kind, each 1 to {MOST_PREFIX} digits",
                why_zh=f"每种卡最多 {MOST_PREFIXES} 个，每个 1 到 {MOST_PREFIX} 位数字",
            )


@action
def set_platform_fee(city: str, fee: Fee) -> None:
    """Put a named platform fee of one city into effect."""
    models.PlatformFee.objects.update_or_create(
        city=city, code=fee.code, defaults={"zh": fee.zh, "en": fee.en, "fixed_fen": fee.fixed_fen, "bp": fee.bp}
    )
    events.record("market.platform_fee.set", city_subject(city), {"city": city, **asdict(fee)})


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
