"""The lines of kinds.csv, aliases.csv and number_meanings.csv, read into the types and checked among themselves."""

from typing import Final, get_args

from huika.domain.catalog.rows import BASIS_POINTS, MOST_FEN, Row, known
from huika.domain.catalog.types import (
    BalanceChannel,
    FaceRange,
    FaceValues,
    Form,
    Kind,
    Known,
    LockMethod,
    NumberMeaning,
    Policy,
    Registered,
    Scope,
)

FORMS: Final[tuple[Form, ...]] = get_args(Form)
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)
REGISTERED: Final[tuple[Registered, ...]] = get_args(Registered)
LOCKS: Final[tuple[LockMethod, ...]] = get_args(LockMethod)
KNOWN: Final[tuple[Known, ...]] = get_args(Known)
POLICIES: Final[tuple[Policy, ...]] = get_args(Policy)
CHANNELS: Final[tuple[BalanceChannel, ...]] = get_args(BalanceChannel)

KINDS: Final = (
    *("slug", "issuer_id", "name_zh", "name_en", "form", "scope", "scope_note_zh", "scope_note_en", "currency"),
    *("face_values", "face_values_open", "face_note", "number_patterns", "number_firm", "number_note"),
    *("pin_patterns", "pin_firm", "pin_note", "validity_note", "registered", "lock_electronic", "lock_plastic"),
    *("lock_trust", "balance_channels", "seller_can_report_lost", "ratio_low_bp", "ratio_high_bp"),
    *("policy", "policy_zh", "policy_en", "source", "trust"),
)
ALIASES: Final = ("kind_id", "text", "pinyin")
MEANINGS: Final = (
    *("slug", "kind_id", "pattern", "zh", "en", "pin_pattern", "face_value_fen", "scope", "source", "trust"),
)


def search_terms(text: str, pinyin: str) -> list[str]:
    """A name, its pinyin without spaces (`lv` for 旅) and the initials: 沃尔玛 → woerma, wem."""
    syllables = pinyin.lower().split()
    return list(dict.fromkeys([text, "".join(syllables), "".join(s[0] for s in syllables)]))


def kind(
    row: Row,
    places: dict[str, int],
    issuers: set[str],
    aliases: dict[str, list[str]],
    meanings: dict[str, list[NumberMeaning]],
) -> Kind:
    """A line of kinds.csv with its aliases and number meanings; the columns are checked against each other."""
    slug = row.need("slug")
    made = Kind(
        slug=slug,
        place=places[slug],
        issuer_id=known(row, "issuer_id", issuers),
        name_zh=row.need("name_zh"),
        name_en=row.need("name_en"),
        aliases=tuple(dict.fromkeys(aliases[slug])),
        form=row.choice("form", FORMS),
        scope=row.choice("scope", SCOPES),
        scope_note_zh=row.text("scope_note_zh"),
        scope_note_en=row.text("scope_note_en"),
        currency=row.need("currency"),
        face_values=face_values(row),
        face_values_open=row.flag("face_values_open"),
        face_note=row.text("face_note"),
        number_patterns=row.patterns("number_patterns"),
        number_firm=row.flag("number_firm"),
        number_note=row.text("number_note"),
        pin_patterns=row.patterns("pin_patterns"),
        pin_firm=row.flag("pin_firm"),
        pin_note=row.text("pin_note"),
        validity_note=row.text("validity_note"),
        registered=row.choice("registered", REGISTERED),
        lock_electronic=lock(row, "lock_electronic"),
        lock_plastic=lock(row, "lock_plastic"),
        lock_trust=row.trust("lock_trust"),
        balance_channels=tuple(
            row.choice_in(c, "balance_channels", CHANNELS) for c in row.items("balance_channels", "|")
        ),
        seller_can_report_lost=row.choice("seller_can_report_lost", KNOWN),
        ratio_low_bp=row.whole("ratio_low_bp", 0, BASIS_POINTS),
        ratio_high_bp=row.whole("ratio_high_bp", 0, BASIS_POINTS),
        policy=row.choice("policy", POLICIES),
        policy_zh=row.text("policy_zh"),
        policy_en=row.text("policy_en"),
        source=row.need("source"),
        trust=row.trust("trust"),
        number_meanings=tuple(sorted(meanings[slug], key=lambda m: m.slug)),
    )
    if made.ratio_low_bp > made.ratio_high_bp:
        raise row.wrong("ratio_low_bp is above ratio_high_bp")
    if made.lock_electronic is None and made.form != "physical":
        raise row.wrong("an electronic form needs lock_electronic")
    if made.lock_plastic is None and made.form != "electronic":
        raise row.wrong("a physical form needs lock_plastic")
    if (made.number_firm and not made.number_patterns) or (made.pin_firm and not made.pin_patterns):
        raise row.wrong("a format cannot be firm without a pattern")
    reasons = {bool(made.policy_zh), bool(made.policy_en)}
    if reasons != {made.policy != "accept"}:
        raise row.wrong("a policy other than accept needs its reason in both languages, accept has none")
    if not made.aliases:
        raise row.wrong("the kind has no alias to be found by")
    return made


def lock(row: Row, column: str) -> LockMethod | None:
    """A lock method, or None where the kind does not exist in that form."""
    return row.choice(column, LOCKS) if row.columns[column] else None


def face_values(row: Row) -> FaceValues:
    """`a|b|c`, `range:low-high`, all in fen; `any`; empty is unknown."""
    text = row.columns["face_values"]
    if text == "any":
        return "any"
    if not text:
        return None
    if text.startswith("range:"):
        low, _, high = text.removeprefix("range:").partition("-")
        made = FaceRange(*(row.whole_in(end, "face_values", 1, MOST_FEN) for end in (low, high)))
        if made.low_fen > made.high_fen:
            raise row.wrong("face_values: the range runs backwards")
        return made
    listed = tuple(row.whole_in(v, "face_values", 1, MOST_FEN) for v in text.split("|"))
    if list(listed) != sorted(set(listed)):
        raise row.wrong("face_values must rise, each once")
    return listed


def number_meaning(row: Row, kinds: set[str]) -> NumberMeaning:
    """A line of number_meanings.csv."""
    if len(row.patterns("pattern")) != 1 or len(row.patterns("pin_pattern")) > 1:
        raise row.wrong("one pattern, please, and at most one pin_pattern")
    return NumberMeaning(
        slug=row.need("slug"),
        kind_id=known(row, "kind_id", kinds),
        pattern=row.need("pattern"),
        zh=row.need("zh"),
        en=row.need("en"),
        pin_pattern=row.text("pin_pattern"),
        face_value_fen=row.whole_or_none("face_value_fen", 1, MOST_FEN),
        scope=row.choice("scope", SCOPES) if row.columns["scope"] else "",
        source=row.need("source"),
        trust=row.trust("trust"),
    )
