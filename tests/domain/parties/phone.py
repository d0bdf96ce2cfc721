"""A carrier of text messages and an identity service that only remember what they were asked."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from huika.domain.parties import jobs as parties_jobs
from huika.kit import jobs


@dataclass
class Outside:
    texts: list[tuple[str, str, dict[str, str], str]] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    says: bool = True
    error: Exception | None = None

    def send(self, phone: str, template: str, words: dict[str, str], reference: str) -> None:
        if self.error:
            raise self.error
        self.texts.append((phone, template, words, reference))

    def matches(self, name: str, number: str, reference: str) -> bool:
        self.asked.append((name, number))
        return self.says

    def code(self, phone: str) -> str:
        """Run what waits; the code in the newest message to this phone."""
        jobs.run_pending()
        return [words["code"] for to, _, words, _ in self.texts if to == phone][-1]


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> Outside:
    made = Outside()
    monkeypatch.setattr(parties_jobs, "provider", lambda port: made)
    return made


def dump(*rows: Any) -> str:
    """Every column of these rows as text, binary ones as they are and as hex."""
    shown = []
    for row in rows:
        for column in row._meta.concrete_fields:
            value = getattr(row, column.attname)
            if isinstance(value, bytes | memoryview):
                shown += [bytes(value).decode("latin-1"), bytes(value).hex()]
            else:
                shown.append(str(value))
    return "\n".join(shown)
