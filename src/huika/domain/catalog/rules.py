"""What the rows mean for one card. Pure: kind and limits come in, refusals are raised, notices go out."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from huika.domain.catalog.errors import (
    FaceValueNotOfKind,
    FaceValueOverLegalLimit,
    ForeignCurrency,
    FormNotOfKind,
    KindRefused,
    MalformedFaceValue,
    MalformedNumber,
)
from huika.domain.catalog.types import (
    CardForm,
    FaceRange,
    Kind,
    LockMethod,
    Notice,
    NumberCheck,
    NumberMeaning,
    ReasonCode,
)
from huika.kit.money import BASIS, yuan

YUAN_CODE: Final = "CNY"
LONGEST_NUMBER: Final = 64


def check_policy(kind: Kind) -> tuple[Notice, ...]:
    """Whether the kind is bought at all; a limited kind goes to a person. Raises ForeignCurrency, KindRefused."""
    if kind.currency != YUAN_CODE:
        raise ForeignCurrency(name_zh=kind.name_zh, name_en=kind.name_en, currency=kind.currency)
    if kind.policy == "refuse":
        raise KindRefused(
            name_zh=kind.name_zh, name_en=kind.name_en, reason_zh=kind.policy_zh, reason_en=kind.policy_en
        )
    if kind.policy == "limit":
        return (Notice("kind_limited", "person", kind.policy_zh, kind.policy_en),)
    return ()


def check_face_value(
    kind: Kind, face_value_fen: int, *, registered_max_fen: int, bearer_max_fen: int
) -> tuple[Notice, ...]:
    """Face value of one card, in fen, against the law and against what the kind is sold in; empty is in order.

    Over `registered_max_fen` no card exists. Over `bearer_max_fen` a card of a kind known as bearer goes to a person.
    A value outside a complete list or range is refused with the values there are; outside an open list it warns.
    Raises ForeignCurrency, MalformedFaceValue, FaceValueOverLegalLimit, FaceValueNotOfKind.
    """
    if kind.currency != YUAN_CODE:
        raise ForeignCurrency(name_zh=kind.name_zh, name_en=kind.name_en, currency=kind.currency)
    if face_value_fen <= 0:
        raise MalformedFaceValue(face_value_fen=face_value_fen)
    if face_value_fen > registered_max_fen:
        raise FaceValueOverLegalLimit(
            face_value_fen=face_value_fen,
            limit_fen=registered_max_fen,
            face=_face(face_value_fen),
            limit=_face(registered_max_fen),
        )
    notices = []
    if not kind.sold_in(face_value_fen):
        if not kind.face_values_open:
            raise FaceValueNotOfKind(
                name_zh=kind.name_zh,
                name_en=kind.name_en,
                face_value_fen=face_value_fen,
                face=_face(face_value_fen),
                values_zh=_values(kind, "、", " 到 "),
                values_en=_values(kind, ", ", " to "),
            )
        notices.append(
            Notice(
                "face_value_unlisted",
                "warn",
                "这个面值少见，上门再看一眼",
                "An unusual face value: checked again at the door.",
            )
        )
    if kind.registered == "bearer" and face_value_fen > bearer_max_fen:
        limit = _face(bearer_max_fen)
        notices.append(
            Notice(
                "bearer_over_limit",
                "person",
                f"不记名卡最多 {limit}，请人再看一眼",
                f"A bearer card holds at most {limit}: a person looks first.",
            )
        )
    return tuple(notices)


def _values(kind: Kind, comma: str, to: str) -> str:
    values = kind.face_values
    if isinstance(values, FaceRange):
        return f"{_face(values.low_fen)}{to}{_face(values.high_fen)}"
    return comma.join(_face(v) for v in values) if isinstance(values, tuple) else ""


def _face(amount_fen: int) -> str:
    """A face value as it is written: ¥5,000, with fen only where there are any."""
    return yuan(amount_fen).removesuffix(".00")


def normal_number(number: str) -> str:
    """A card number as it is compared: NFKC, without spaces and hyphens, in capitals."""
    return re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", number)).upper()


def check_number(kind: Kind, number: str) -> NumberCheck:
    """Card number against the formats of its kind. `mismatch_warns` where the formats are not certain.

    Raises MalformedNumber where they are, and for text that is no card number of any kind (empty, over 64 characters,
    anything but Latin letters, digits, spaces and hyphens). A kind without a known format never refuses on format.
    """
    compared = normal_number(number) if len(number) <= 2 * LONGEST_NUMBER else ""
    if not re.fullmatch(rf"[0-9A-Z]{{1,{LONGEST_NUMBER}}}", compared):
        raise MalformedNumber(name_zh=kind.name_zh, name_en=kind.name_en)
    if not kind.number_patterns:
        return "no_format"
    if any(re.fullmatch(pattern, compared) for pattern in kind.number_patterns):
        return "match"
    if kind.number_firm:
        raise MalformedNumber(name_zh=kind.name_zh, name_en=kind.name_en)
    return "mismatch_warns"


def number_meanings(kind: Kind, number: str) -> tuple[NumberMeaning, ...]:
    """What a card number says about its card: whether it needs a PIN, what it is worth, where it is good."""
    compared = normal_number(number)
    # ASCII: an Arabic digit is no digit of a card number.
    return tuple(m for m in kind.number_meanings if re.match(m.pattern, compared, re.ASCII))


def check_declared_number(kind: Kind, number: str, face_value_fen: int) -> tuple[NumberCheck, tuple[Notice, ...]]:
    """`check_number`, and a notice for each thing in which the number disagrees with what was declared.

    That is: an uncertain format it does not fit, another face value (fen), a narrower scope than the kind's.
    """
    outcome = check_number(kind, number)
    notices = []
    if outcome == "mismatch_warns":
        notices.append(
            Notice(
                "number_unusual", "warn", "卡号和常见的不一样，再看一眼", "An unusual number for this kind: look again."
            )
        )
    for meaning in number_meanings(kind, number):
        other_value = meaning.face_value_fen is not None and meaning.face_value_fen != face_value_fen
        narrower = kind.scope == "national" and meaning.scope == "regional"
        if other_value or narrower:
            notices.append(Notice("number_says_otherwise", "warn", meaning.zh, meaning.en))
    return outcome, tuple(notices)


def lock_method(kind: Kind, form: CardForm) -> LockMethod:
    """How a card of this kind and form is locked at its issuer. Raises FormNotOfKind."""
    method = kind.lock_electronic if form == "electronic" else kind.lock_plastic
    if method is None:
        raise FormNotOfKind(name_zh=kind.name_zh, name_en=kind.name_en, form=form)
    return method


def max_deduction_fen(reason: ReasonCode, *, face_value_fen: int, shortfall_fen: int) -> int:
    """The most that this published reason may take off one card, in fen, rounded down for the seller.

    `shortfall_fen`: what is missing from the face value; a negative one counts as zero.
    """
    base = face_value_fen if reason.basis == "face_value" else min(max(shortfall_fen, 0), face_value_fen)
    most = base * reason.max_deduction_bp // BASIS
    return most if reason.max_deduction_fen is None else min(most, reason.max_deduction_fen)


def search(kinds: Iterable[Kind], query: str) -> tuple[Kind, ...]:
    """Kinds whose slug, names, pinyin or initials hold `query`: equal first, then beginning with it, then holding it.

    Within a rank they keep their order. A query of nothing but spaces and punctuation finds nothing.
    """
    wanted = _plain(query)
    if not wanted:
        return ()
    ranked = ((_rank(kind, wanted), kind) for kind in kinds)
    return tuple(kind for rank, kind in sorted(((r, k) for r, k in ranked if r < 3), key=lambda pair: pair[0]))


def _rank(kind: Kind, wanted: str) -> int:
    terms = [_plain(t) for t in (kind.slug, kind.name_zh, kind.name_en, *kind.aliases)]
    if wanted in terms:
        return 0
    if any(t.startswith(wanted) for t in terms):
        return 1
    return 2 if any(wanted in t for t in terms) else 3


def _plain(text: str) -> str:
    """Lower case, letters and digits of any script only."""
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", text)).casefold()
