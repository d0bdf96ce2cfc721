"""Reading the catalogue. Answers are frozen values from a copy that each process keeps.

The copy is renewed within EDITION_SECONDS of a load, wherever that load ran; in the loading process at once.
"""

import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from huika.domain.catalog import rules, shelf
from huika.domain.catalog.errors import UnknownCity, UnknownIssuer, UnknownKind, UnknownReasonCode
from huika.domain.catalog.models import Edition
from huika.domain.catalog.types import (
    Book,
    CardCheck,
    CardForm,
    City,
    District,
    Issuer,
    Kind,
    Limit,
    PlatformClaim,
    ReasonCode,
)

EDITION_SECONDS: Final = 5


def kind(slug: str) -> Kind:
    """The kind called `slug`. Raises UnknownKind."""
    found = _index().kinds.get(slug)
    if found is None:
        raise UnknownKind(slug=slug)
    return found


def kinds(q: str | None = None) -> tuple[Kind, ...]:
    """Every kind in catalogue order, or those that `q` finds (name, pinyin, initials, slug), best first."""
    every = _index().book.kinds
    return every if q is None or not q.strip() else rules.search(every, q)


def check_card(slug: str, form: CardForm, face_value_fen: int, number: str | None = None) -> CardCheck:
    """Whether a card of this kind, form, face value (fen) and number may be bought, and what to say about it.

    Raises UnknownKind, ForeignCurrency, KindRefused, FormNotOfKind, MalformedFaceValue, FaceValueOverLegalLimit,
    FaceValueNotOfKind, MalformedNumber. Never refuses for a format that is not known for certain.
    """
    of = kind(slug)
    notices = rules.check_policy(of)
    lock = rules.lock_method(of, form)
    notices += rules.check_face_value(
        of,
        face_value_fen,
        registered_max_fen=limit("registered_face_max_fen"),
        bearer_max_fen=limit("bearer_face_max_fen"),
    )
    if number is None:
        return CardCheck(of, lock, None, notices)
    outcome, said = rules.check_declared_number(of, number, face_value_fen)
    return CardCheck(of, lock, outcome, notices + said)


def max_deduction_fen(code: str, *, face_value_fen: int, shortfall_fen: int = 0) -> int:
    """The most a published reason may take off one card, in fen. Raises UnknownReasonCode."""
    return rules.max_deduction_fen(reason_code(code), face_value_fen=face_value_fen, shortfall_fen=shortfall_fen)


def issuer(slug: str) -> Issuer:
    """The issuer called `slug`. Raises UnknownIssuer."""
    found = _index().issuers.get(slug)
    if found is None:
        raise UnknownIssuer(slug=slug)
    return found


def issuers() -> tuple[Issuer, ...]:
    """Every issuer, by slug."""
    return _index().book.issuers


def limit(code: str) -> int:
    """The value of a limit in its own unit, which ends the code (`…_fen`, `…_seconds`).

    Raises LookupError for a code that is not there: a mistake in the program, or a catalogue never loaded.
    """
    found = _index().limits.get(code)
    if found is None:
        raise LookupError(f"no limit {code} in the catalogue: is it loaded (load_catalog)?")
    return found.value


def limits() -> tuple[Limit, ...]:
    """Every limit with its source, by code."""
    return _index().book.limits


def reason_code(code: str) -> ReasonCode:
    """A published reason for a new quote. Raises UnknownReasonCode."""
    found = _index().reason_codes.get(code)
    if found is None:
        raise UnknownReasonCode(reason=code)
    return found


def reason_codes() -> tuple[ReasonCode, ...]:
    """The published reasons in their published order."""
    return _index().book.reason_codes


def city(slug: str) -> City:
    """A city. Raises UnknownCity."""
    found = _index().cities.get(slug)
    if found is None:
        raise UnknownCity(slug=slug)
    return found


def cities() -> tuple[City, ...]:
    """Every city, by slug."""
    return _index().book.cities


def districts(city_slug: str) -> tuple[District, ...]:
    """The districts of a city in the order of GB/T 2260. Raises UnknownCity."""
    city(city_slug)
    return tuple(d for d in _index().book.districts if d.city_id == city_slug)


def platform_claims() -> tuple[PlatformClaim, ...]:
    """What is claimed of other platforms. Public pages name the kinds of platform only, never the brands."""
    return _index().book.platform_claims


def edition() -> str:
    """Digest of the catalogue in force, 64 hex digits; empty before the first load."""
    return _edition(int(time.monotonic() // EDITION_SECONDS))


def forget() -> None:
    """Drop this process's copy; the next question reads the database."""
    _edition.cache_clear()
    _kept.cache_clear()


@dataclass(frozen=True)
class _Index:
    """The catalogue with each part by its key, and the digest of what was really read."""

    digest: str
    book: Book
    kinds: dict[str, Kind]
    issuers: dict[str, Issuer]
    limits: dict[str, Limit]
    reason_codes: dict[str, ReasonCode]
    cities: dict[str, City]


def _index() -> _Index:
    index = _kept(edition())
    if index.digest != edition():
        # Read while a load committed, or written by another hand than a load: answer, but do not keep it.
        _kept.cache_clear()
    return index


@lru_cache(maxsize=1)
def _edition(_window: int) -> str:
    return Edition.objects.filter(id=1).values_list("digest", flat=True).first() or ""


@lru_cache(maxsize=1)
def _kept(_digest: str) -> _Index:
    book = shelf.read()
    return _Index(
        digest=shelf.digest(book),
        book=book,
        kinds={k.slug: k for k in book.kinds},
        issuers={i.slug: i for i in book.issuers},
        limits={x.code: x for x in book.limits},
        reason_codes={r.code: r for r in book.reason_codes},
        cities={c.slug: c for c in book.cities},
    )
