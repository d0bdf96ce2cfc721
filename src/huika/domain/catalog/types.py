"""What the catalogue hands out: frozen values, free of the database.

Money is integer fen, ratios are basis points of the face value, places are WGS-84 in micro-degrees. An empty string
means that nothing is known, except where a field says otherwise.
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal

Trust = Literal["law", "press", "market", "claimed", "inferred", "from memory", "operator"]
"""How far a row goes: read in a law; a page quoting it; a recycler's own page; said by an interested party; our
reading; recalled and unchecked; confirmed by whoever runs this installation."""

Form = Literal["electronic", "physical", "both"]
CardForm = Literal["electronic", "physical"]
Scope = Literal["national", "regional", "region-locked"]
Registered = Literal["registered", "bearer", "unknown"]
LockMethod = Literal["bind", "redeem", "pin_change", "transfer", "none"]
Known = Literal["yes", "no", "unknown"]
Policy = Literal["accept", "limit", "refuse"]
BalanceChannel = Literal["web", "app", "mini-program", "pos", "hotline"]
Unit = Literal["fen", "bp", "seconds", "days", "months", "years", "orders"]
Bound = Literal["at_most", "at_least", "from", "under"]
Basis = Literal["face_value", "shortfall"]
PlatformKind = Literal["ecommerce", "vertical", "local"]
NumberCheck = Literal["match", "mismatch_warns", "no_format"]


@dataclass(frozen=True)
class FaceRange:
    """Any amount from `low_fen` to `high_fen`, both allowed."""

    low_fen: int
    high_fen: int


FaceValues = tuple[int, ...] | FaceRange | Literal["any"] | None
"""The amounts a kind is sold in, in fen; `any` is a free amount, None is unknown."""


@dataclass(frozen=True)
class Issuer:
    """Who issued the card and owes its balance."""

    slug: str
    name_zh: str
    name_en: str
    in_distress: bool
    source: str
    trust: Trust


@dataclass(frozen=True)
class NumberMeaning:
    """What a number that fits `pattern` says about its card.

    `pin_pattern` non-empty: this card has a PIN of that shape. `face_value_fen` and `scope`: what the number states.
    """

    slug: str
    kind_id: str
    pattern: str
    zh: str
    en: str
    pin_pattern: str
    face_value_fen: int | None
    scope: Scope | Literal[""]
    source: str
    trust: Trust


@dataclass(frozen=True)
class Kind:
    """One kind of shopping card.

    `aliases` are search terms: names, their pinyin without spaces, its initials. `face_values_open`: the kind has other
    values than those listed. `number_firm`, `pin_firm`: the patterns come from one undisputed source; where they do
    not, a mismatch only warns. A lock method of None means that the kind does not exist in that form. `ratio_*_bp`:
    share of the face value paid to sellers, as claimed. `place`: order in the catalogue, from 1.
    """

    slug: str
    place: int
    issuer_id: str
    name_zh: str
    name_en: str
    aliases: tuple[str, ...]
    form: Form
    scope: Scope
    scope_note_zh: str
    scope_note_en: str
    currency: str
    face_values: FaceValues
    face_values_open: bool
    face_note: str
    number_patterns: tuple[str, ...]
    number_firm: bool
    number_note: str
    pin_patterns: tuple[str, ...]
    pin_firm: bool
    pin_note: str
    validity_note: str
    registered: Registered
    lock_electronic: LockMethod | None
    lock_plastic: LockMethod | None
    lock_trust: Trust
    balance_channels: tuple[BalanceChannel, ...]
    seller_can_report_lost: Known
    ratio_low_bp: int
    ratio_high_bp: int
    policy: Policy
    policy_zh: str
    policy_en: str
    source: str
    trust: Trust
    number_meanings: tuple[NumberMeaning, ...]

    def sold_in(self, face_value_fen: int) -> bool:
        """Whether this face value is among those listed; True where none are known."""
        values = self.face_values
        if values is None or values == "any":
            return True
        if isinstance(values, FaceRange):
            return values.low_fen <= face_value_fen <= values.high_fen
        return face_value_fen in values

    def may_have(self, face_value_fen: int) -> bool:
        """Whether a card of this kind can have this face value: listed, or the list is not the whole of it."""
        return self.face_values_open or self.sold_in(face_value_fen)

    @property
    def formats_firm(self) -> bool:
        """Every pattern this kind has is undisputed; False where it has none."""
        firmness = [firm for patterns, firm in self._formats() if patterns]
        return bool(firmness) and all(firmness)

    def _formats(self) -> tuple[tuple[tuple[str, ...], bool], ...]:
        return ((self.number_patterns, self.number_firm), (self.pin_patterns, self.pin_firm))


@dataclass(frozen=True)
class Limit:
    """One limit of law or of policy: `value` in `unit`; `bound` says on which side of it the limit lies.

    `at_most` and `at_least` allow the value itself, `from` applies from the value on, `under` below it.
    """

    code: str
    value: int
    unit: Unit
    bound: Bound
    zh: str
    en: str
    source: str
    trust: Trust


@dataclass(frozen=True)
class ReasonCode:
    """A published reason to quote a card anew at the door, with the most it may take off.

    `max_deduction_bp` is a share of `basis`: of the face value, or of what is missing from it. `max_deduction_fen`,
    where given, caps it as well.
    """

    code: str
    number: int
    zh: str
    en: str
    basis: Basis
    max_deduction_bp: int
    max_deduction_fen: int | None
    source: str
    trust: Trust


@dataclass(frozen=True)
class City:
    """A city; the centre is approximate, `adcode` is the six digits of GB/T 2260."""

    slug: str
    name_zh: str
    name_en: str
    adcode: str
    lat_e6: int
    lng_e6: int
    source: str
    trust: Trust

    @property
    def lat(self) -> float:
        """Degrees north, WGS-84."""
        return self.lat_e6 / 1_000_000

    @property
    def lng(self) -> float:
        """Degrees east, WGS-84."""
        return self.lng_e6 / 1_000_000


@dataclass(frozen=True)
class District(City):
    """A district of `city_id`; the centre is approximate."""

    city_id: str


@dataclass(frozen=True)
class PlatformClaim:
    """What an interested party says of one platform; never measured, brand names stay off public pages.

    Shares and complaint rates in basis points, response in minutes; None is unknown, also for the date of the claim.
    """

    slug: str
    platform_kind: PlatformKind
    name_zh: str
    name_en: str
    share_low_bp: int | None
    share_high_bp: int | None
    response_low_minutes: int | None
    response_high_minutes: int | None
    cities_zh: str
    cities_en: str
    complaint_low_bp: int | None
    complaint_high_bp: int | None
    claimed_on: date | None
    conflicts_with: str
    source: str
    trust: Trust


@dataclass(frozen=True)
class Notice:
    """Something to say about a card that is not refused: `warn` is shown, `person` sends it to a person."""

    code: str
    weight: Literal["warn", "person"]
    zh: str
    en: str


@dataclass(frozen=True)
class CardCheck:
    """A declared card that is not refused. `number` is None where no number was given."""

    kind: Kind
    lock: LockMethod
    number: NumberCheck | None
    notices: tuple[Notice, ...]

    @property
    def needs_person(self) -> bool:
        """A person looks before this card is bought."""
        return any(notice.weight == "person" for notice in self.notices)


@dataclass(frozen=True)
class Book:
    """The whole catalogue, each part in its published order."""

    issuers: tuple[Issuer, ...]
    kinds: tuple[Kind, ...]
    limits: tuple[Limit, ...]
    reason_codes: tuple[ReasonCode, ...]
    cities: tuple[City, ...]
    districts: tuple[District, ...]
    platform_claims: tuple[PlatformClaim, ...]


@dataclass(frozen=True)
class LoadReport:
    """What a load did, in rows: `unlisted` stand in the database and not in the files, and were left alone."""

    created: int
    changed: int
    unchanged: int
    unlisted: int
    edition: str
