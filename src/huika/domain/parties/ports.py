"""What `parties` needs from outside."""

from typing import Protocol


class Sms(Protocol):
    """A carrier of text messages. Raises kit's NotSent or NoAnswer; `reference` makes a repeat harmless."""

    def send(self, phone: str, template: str, words: dict[str, str], reference: str) -> None:
        """Hand a message over to the carrier; `words` fill its template."""
        ...


class Identity(Protocol):
    """A service that says whether a name and an identity number belong together."""

    def matches(self, name: str, id_number: str, reference: str) -> bool:
        """Whether they belong together."""
        ...
