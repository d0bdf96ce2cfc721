"""What the platform asks of the vault process. Every call raises kit's NotSent or NoAnswer when there is no answer."""

from typing import Any, Protocol

from huika.domain.vault.types import Status, Used


class Vault(Protocol):
    """The vault's verbs; each takes the signed capability that allows exactly this call."""

    def key(self) -> dict[str, str]:
        """The public sealing key and its id."""
        ...

    def status(self, capability: str) -> Status:
        """Whether the card is sealed, and whether its number was sealed for another card before."""
        ...

    def use(self, capability: str) -> Used:
        """Have the sealed PIN used at the issuer."""
        ...

    def release(self, capability: str) -> dict[str, Any]:
        """Number and PIN, sealed to the recipient that the capability names."""
        ...

    def mark(self, capability: str) -> None:
        """Say that a card is sold, or returned."""
        ...
