"""What `market` needs from outside."""

from collections.abc import Sequence
from typing import Protocol

from huika.domain.market.types import Question, Reply


class Quoters(Protocol):
    """Recyclers that answer requests for live quotes."""

    def check(self, url: str) -> None:
        """Raise UrlMalformed or UrlForbidden for an address that is never called."""
        ...

    def ask(self, questions: Sequence[tuple[str, Question]], within_seconds: float) -> list[Reply]:
        """Ask all of them at once; what has not come after `within_seconds` is late. One reply a question."""
        ...
