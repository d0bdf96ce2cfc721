"""The catalogue's data files, read into the types and checked against each other. No database, no Django.

An operator who wants other limits, policies or kinds keeps a folder with changed copies: a file that is missing there
is taken from the project's own folder.
"""

from collections import defaultdict
from pathlib import Path
from typing import Final, get_args

from huika.domain.catalog.kind_rows import ALIASES, KINDS, MEANINGS, kind, number_meaning, search_terms
from huika.domain.catalog.rows import BASIS_POINTS, MOST_FEN, Row, known, ordered, read, unique
from huika.domain.catalog.types import (
    Basis,
    Book,
    Bound,
    City,
    District,
    Issuer,
    Limit,
    NumberMeaning,
    PlatformClaim,
    PlatformKind,
    ReasonCode,
    Unit,
)

OWN_FOLDER: Final = Path(__file__).parent / "data"
MOST: Final = 10**9

UNITS: Final[tuple[Unit, ...]] = get_args(Unit)
BOUNDS: Final[tuple[Bound, ...]] = get_args(Bound)
BASES: Final[tuple[Basis, ...]] = get_args(Basis)
PLATFORM_KINDS: Final[tuple[PlatformKind, ...]] = get_args(PlatformKind)

ISSUERS: Final = ("slug", "name_zh", "name_en", "in_distress", "source", "trust")
LIMITS: Final = ("code", "value", "unit", "bound", "zh", "en", "source", "trust")
REASONS: Final = ("code", "number", "zh", "en", "basis", "max_deduction_bp", "max_deduction_fen", "source", "trust")
CITIES: Final = ("slug", "name_zh", "name_en", "adcode", "lat_e6", "lng_e6", "source", "trust")
DISTRICTS: Final = (*CITIES, "city_id")
CLAIMS: Final = (
    *("slug", "platform_kind", "name_zh", "name_en", "share_low_bp", "share_high_bp", "response_low_minutes"),
    *("response_high_minutes", "cities_zh", "cities_en", "complaint_low_bp", "complaint_high_bp", "claimed_on"),
    *("conflicts_with", "source", "trust"),
)


def book(folder: Path = OWN_FOLDER) -> Book:
    """The whole catalogue from the CSV files in `folder`. Raises CatalogDataError with file and line."""

    def rows(name: str, columns: tuple[str, ...]) -> list[Row]:
        own = folder / name
        return list(read(own if own.exists() else OWN_FOLDER / name, columns))

    issuers = unique(rows("issuers.csv", ISSUERS), issuer, lambda i: i.slug)
    kind_rows = rows("kinds.csv", KINDS)
    slugs = {row.columns["slug"] for row in kind_rows}
    aliases: dict[str, list[str]] = defaultdict(list)
    for row in rows("aliases.csv", ALIASES):
        known(row, "kind_id", slugs)
        aliases[row.columns["kind_id"]] += search_terms(row.need("text"), row.need("pinyin"))
    meanings: dict[str, list[NumberMeaning]] = defaultdict(list)
    meaning_rows = rows("number_meanings.csv", MEANINGS)
    for meaning in unique(meaning_rows, lambda r: number_meaning(r, slugs), lambda m: m.slug):
        meanings[meaning.kind_id].append(meaning)
    issuer_slugs = {i.slug for i in issuers}
    places = {row.columns["slug"]: place for place, row in enumerate(kind_rows, start=1)}
    kinds = unique(kind_rows, lambda r: kind(r, places, issuer_slugs, aliases, meanings), lambda k: k.slug)
    reason_rows = rows("reason_codes.csv", REASONS)
    reasons = unique(reason_rows, reason_code, lambda r: r.code)
    unique(reason_rows, reason_code, lambda r: r.number)
    cities = unique(rows("cities.csv", CITIES), city, lambda c: c.slug)
    city_slugs = {c.slug for c in cities}
    return Book(
        issuers=ordered(issuers, lambda i: i.slug),
        kinds=kinds,
        limits=ordered(unique(rows("limits.csv", LIMITS), limit, lambda x: x.code), lambda x: x.code),
        reason_codes=tuple(sorted(reasons, key=lambda r: r.number)),
        cities=ordered(cities, lambda c: c.slug),
        districts=ordered(
            unique(rows("districts.csv", DISTRICTS), lambda r: district(r, city_slugs), lambda d: d.slug),
            lambda d: d.adcode,
        ),
        platform_claims=ordered(
            unique(rows("platform_claims.csv", CLAIMS), platform_claim, lambda c: c.slug), lambda c: c.slug
        ),
    )


def issuer(row: Row) -> Issuer:
    """A line of issuers.csv."""
    return Issuer(
        slug=row.need("slug"),
        name_zh=row.need("name_zh"),
        name_en=row.need("name_en"),
        in_distress=row.flag("in_distress"),
        source=row.need("source"),
        trust=row.trust("trust"),
    )


def limit(row: Row) -> Limit:
    """A line of limits.csv; the code ends in its unit so that a caller cannot mistake it."""
    made = Limit(
        code=row.need("code"),
        value=row.whole("value", 0, MOST_FEN),
        unit=row.choice("unit", UNITS),
        bound=row.choice("bound", BOUNDS),
        zh=row.need("zh"),
        en=row.need("en"),
        source=row.need("source"),
        trust=row.trust("trust"),
    )
    if not made.code.endswith(f"_{made.unit}"):
        raise row.wrong(f"the code must end in _{made.unit}")
    return made


def reason_code(row: Row) -> ReasonCode:
    """A line of reason_codes.csv."""
    return ReasonCode(
        code=row.need("code"),
        number=row.whole("number", 1, 99),
        zh=row.need("zh"),
        en=row.need("en"),
        basis=row.choice("basis", BASES),
        max_deduction_bp=row.whole("max_deduction_bp", 0, BASIS_POINTS),
        max_deduction_fen=row.whole_or_none("max_deduction_fen", 0, MOST_FEN),
        source=row.need("source"),
        trust=row.trust("trust"),
    )


def city(row: Row) -> City:
    """A line of cities.csv."""
    return City(
        slug=row.need("slug"),
        name_zh=row.need("name_zh"),
        name_en=row.need("name_en"),
        adcode=str(row.whole("adcode", 110_000, 659_999)),
        lat_e6=row.whole("lat_e6", 3_000_000, 54_000_000),
        lng_e6=row.whole("lng_e6", 73_000_000, 136_000_000),
        source=row.need("source"),
        trust=row.trust("trust"),
    )


def district(row: Row, cities: set[str]) -> District:
    """A line of districts.csv."""
    return District(**vars(city(row)), city_id=known(row, "city_id", cities))


def platform_claim(row: Row) -> PlatformClaim:
    """A line of platform_claims.csv."""
    return PlatformClaim(
        slug=row.need("slug"),
        platform_kind=row.choice("platform_kind", PLATFORM_KINDS),
        name_zh=row.need("name_zh"),
        name_en=row.need("name_en"),
        share_low_bp=row.whole_or_none("share_low_bp", 0, BASIS_POINTS),
        share_high_bp=row.whole_or_none("share_high_bp", 0, BASIS_POINTS),
        response_low_minutes=row.whole_or_none("response_low_minutes", 0, MOST),
        response_high_minutes=row.whole_or_none("response_high_minutes", 0, MOST),
        cities_zh=row.text("cities_zh"),
        cities_en=row.text("cities_en"),
        complaint_low_bp=row.whole_or_none("complaint_low_bp", 0, BASIS_POINTS),
        complaint_high_bp=row.whole_or_none("complaint_high_bp", 0, BASIS_POINTS),
        claimed_on=row.day_or_none("claimed_on"),
        conflicts_with=row.text("conflicts_with"),
        source=row.need("source"),
        trust=row.trust("trust"),
    )
