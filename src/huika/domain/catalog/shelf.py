"""Between the types and the tables: a value as the columns of a row, a row as a value, the whole catalogue read."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, TypeVar

from django.db.models import Model

from huika.domain.catalog import models
from huika.domain.catalog.types import (
    Book,
    City,
    District,
    FaceRange,
    Issuer,
    Kind,
    Limit,
    NumberMeaning,
    PlatformClaim,
    ReasonCode,
)
from huika.kit import canonical

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    T = TypeVar("T", bound=DataclassInstance)

NESTED = "number_meanings"


def columns(item: "DataclassInstance") -> dict[str, Any]:
    """A value as the columns of its row: tuples become lists, a range becomes `{"range": [low, high]}`."""
    return {f.name: _encoded(getattr(item, f.name)) for f in fields(item) if f.name != NESTED}


def _encoded(value: Any) -> Any:
    if isinstance(value, FaceRange):
        return {"range": [value.low_fen, value.high_fen]}
    return list(value) if isinstance(value, tuple) else value


def _decoded(value: Any) -> Any:
    if isinstance(value, dict):
        return FaceRange(*value["range"])
    return tuple(value) if isinstance(value, list) else value


def value(cls: "type[T]", row: Model, **more: Any) -> "T":
    """A row as the value it was made from; `more` gives what stands in other tables."""
    named = {f.name: _decoded(getattr(row, f.name)) for f in fields(cls) if f.name not in more}
    return cls(**named, **more)


def tables(book: Book) -> Iterator[tuple[type[Model], tuple["DataclassInstance", ...]]]:
    """Each table with its values, referred-to tables first."""
    yield models.Issuer, book.issuers
    yield models.CardKind, book.kinds
    yield models.NumberMeaning, tuple(m for kind in book.kinds for m in kind.number_meanings)
    yield models.Limit, book.limits
    yield models.ReasonCode, book.reason_codes
    yield models.City, book.cities
    yield models.District, book.districts
    yield models.PlatformClaim, book.platform_claims


def read() -> Book:
    """The whole catalogue from the database, each part in its published order."""
    meanings: dict[str, list[NumberMeaning]] = defaultdict(list)
    for row in models.NumberMeaning.objects.order_by("slug"):
        meanings[row.kind_id].append(value(NumberMeaning, row))
    kinds = models.CardKind.objects.order_by("place", "slug")
    return Book(
        issuers=tuple(value(Issuer, r) for r in models.Issuer.objects.order_by("slug")),
        kinds=tuple(value(Kind, r, number_meanings=tuple(meanings[r.slug])) for r in kinds),
        limits=tuple(value(Limit, r) for r in models.Limit.objects.order_by("code")),
        reason_codes=tuple(value(ReasonCode, r) for r in models.ReasonCode.objects.order_by("number")),
        cities=tuple(value(City, r) for r in models.City.objects.order_by("slug")),
        districts=tuple(value(District, r) for r in models.District.objects.order_by("adcode")),
        platform_claims=tuple(value(PlatformClaim, r) for r in models.PlatformClaim.objects.order_by("slug")),
    )


def digest(book: Book) -> str:
    """SHA-256 of the whole catalogue, 64 hex digits: equal exactly where the content is."""
    return canonical.digest(asdict(book)).hex()
