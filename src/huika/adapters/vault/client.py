"""HTTP to the vault process."""

import json
from typing import Any

from django.conf import settings

from huika.adapters.outbound import document
from huika.domain.vault.errors import VaultRefused
from huika.domain.vault.types import Status, Used
from huika.kit.safe_http import Answer, NoAnswer, Policy, request

# The vault runs beside us: loopback in every setting, or https elsewhere.
POLICY = Policy(allow_loopback=True, allow_http=True, read_seconds=8)


class VaultClient:
    """Each call carries the capability that allows exactly it."""

    def key(self) -> dict[str, str]:
        """The vault's public sealing key."""
        return {k: str(v) for k, v in document(request("GET", f"{settings.VAULT_URL}/key", policy=POLICY)).items()}

    def status(self, capability: str) -> Status:
        """Whether the card is sealed, and whether its number was sealed for another card."""
        found = self._call("/status", capability)
        return Status(bool(found["stored"]), bool(found["seen_before"]), str(found["state"]), int(found["seals"]))

    def use(self, capability: str) -> Used:
        """Have the sealed PIN used at the issuer."""
        found = self._call("/use", capability)
        return Used(
            str(found["result"]),
            int(found.get("amount_fen") or 0),
            str(found.get("reason") or ""),
            str(found.get("reference") or ""),
        )

    def release(self, capability: str) -> dict[str, Any]:
        """Number and PIN, sealed to the recipient that the capability names."""
        return self._call("/release", capability)

    def mark(self, capability: str) -> None:
        """Say that a card is sold."""
        self._call("/mark", capability)

    def _call(self, path: str, capability: str) -> dict[str, Any]:
        answer: Answer = request(
            "POST",
            f"{settings.VAULT_URL}{path}",
            policy=POLICY,
            content=b"{}",
            headers={"authorization": f"Capability {capability}", "content-type": "application/json"},
        )
        found = document(answer)
        if answer.status == 409:
            raise VaultRefused(vault_code=str(found.get("code")))
        if answer.status >= 400:
            raise NoAnswer(f"the vault refuses: {json.dumps(found, ensure_ascii=False)[:300]}")
        return found
