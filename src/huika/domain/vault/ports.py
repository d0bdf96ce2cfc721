"""What the platform asks of the vault process. Every call raises kit's NotSent or NoAnswer when there is no answer."""

from typing import Any, Protocol

from huika.domain.vault.types import Status, Used


class Vault(Protocol):
    """The vault's verbs; each takes the signed capability that allows exactly this call."""

    def key(self) -> dict[str, str]: ...

    def status(self, capability: str) -> Status: ...

    def use(self, capability: str) -> Used: ...

    def release(self, capability: str) -> dict[str, Any]: ...

    def mark(self, capability: str) -> None: ...
