"""What is judged and how it came out."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class Declared:
    """What the card is said to be. `number` may be empty; patterns are the catalogue's, any may match.

    `prefix`: what its number was said to begin with when prices were compared, as some recyclers ask; may be empty.
    """

    number: str
    number_patterns: tuple[str, ...]
    pin_patterns: tuple[str, ...]
    face_value_fen: int
    title_words: tuple[str, ...]
    prefix: str = ""


@dataclass(frozen=True)
class FindingRef:
    """One check: pass, fail, doubt or not_read, with its reason."""

    code: str
    outcome: str
    zh: str
    en: str


@dataclass(frozen=True)
class VerdictRef:
    """`clear`, `doubt` or `refuse`, with every finding."""

    card: UUID
    outcome: str
    findings: tuple[FindingRef, ...]
