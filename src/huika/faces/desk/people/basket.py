"""What a caller wants to sell, read from the telephone form: up to three kinds, each with its value and number."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from huika.domain.catalog import queries as catalog
from huika.domain.catalog.types import Kind, Notice
from huika.domain.field import queries as visits
from huika.domain.market.types import Line
from huika.domain.trade import actions as trade
from huika.kit.refusals import Malformed

MOST_KINDS = 3
MOST_CARDS = 60
COMMON_FEN = (100_00, 200_00, 300_00, 500_00, 1000_00, 2000_00)
Form = Literal["electronic", "physical"]


@dataclass(frozen=True)
class Part:
    """So many cards of one kind, face value in fen."""

    kind: Kind
    face_fen: int
    count: int
    form: Form
    condition: str


def forms_of(kind: Kind) -> list[Form]:
    """In which forms a kind exists, the likelier one first."""
    locks: tuple[tuple[Form, object], ...] = (("electronic", kind.lock_electronic), ("physical", kind.lock_plastic))
    return [form for form, lock in locks if lock]


def faces_of(kind: Kind) -> list[int]:
    """Face values offered as chips, in fen, at most six."""
    known = kind.face_values
    if not isinstance(known, tuple):
        return list(COMMON_FEN[1:])
    return [fen for fen in COMMON_FEN if fen in known][:6] or list(known[:6])


def read(given: Mapping[str, str]) -> list[Part]:
    """The caller's cards. Raises Malformed, UnknownKind."""
    parts = [_part(given, n) for n in range(1, MOST_KINDS + 1) if given.get(f"kind-{n}")]
    if not parts:
        raise Malformed(field="cards", why="which card is it", why_zh="先问是什么卡")
    if sum(part.count for part in parts) > MOST_CARDS:
        raise Malformed(field="cards", why=f"at most {MOST_CARDS} cards", why_zh=f"一次最多 {MOST_CARDS} 张")
    return parts


def _part(given: Mapping[str, str], n: int) -> Part:
    kind = catalog.kind(given[f"kind-{n}"][:60])
    forms = forms_of(kind) or ["electronic"]
    form = next((f for f in forms if f == given.get(f"form-{n}")), forms[0])
    face = _whole(given.get(f"face-{n}", ""), 100_000, "面值", "face value")
    count = _whole(given.get(f"count-{n}", ""), MOST_CARDS, "张数", "how many")
    return Part(kind, face * 100, count, form, "scratched" if given.get(f"scratched-{n}") else "intact")


def _whole(text: str, most: int, zh: str, en: str) -> int:
    plain = text.strip().lstrip("¥").replace(",", "")
    if len(plain) > 9 or not plain.isascii() or not plain.isdigit() or not 1 <= int(plain) <= most:
        raise Malformed(field=en, why=f"a whole number from 1 to {most}", why_zh=f"{zh}填 1 到 {most} 的整数")
    return int(plain)


def lines(parts: list[Part]) -> list[Line]:
    """One line a card, as they are compared."""
    every = [part for part in parts for _ in range(part.count)]
    return [Line(n, p.kind.slug, p.face_fen, p.form, p.condition) for n, p in enumerate(every, start=1)]


def check(parts: list[Part]) -> list[Notice]:
    """What to know before these are bought. Raises what the catalogue refuses, CannotLock, TransferRefused."""
    notices: dict[str, Notice] = {}
    for part in parts:
        checked = catalog.check_card(part.kind.slug, part.form, part.face_fen)
        trade.lock_of(part.kind.slug, part.form)
        notices.update({notice.code: notice for notice in checked.notices})
    return list(notices.values())


def city_of(district: str) -> str | None:
    """The city of a district that is visited; None where nobody comes."""
    return next((city for city, known in visits.areas() if known == district), None)
