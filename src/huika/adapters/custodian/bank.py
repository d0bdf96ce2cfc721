"""Bank depository sub-accounts, as the sandbox's custodian offers them: Ed25519-signed JSON both ways."""

import base64
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from django.conf import settings

from huika.adapters.outbound import document, policy, sandbox
from huika.domain.settlement.types import FreezeAnswer, StatementLine
from huika.kit import canonical, clock, ids
from huika.kit.safe_http import Answer, NoAnswer, request

PAYOUT_ACCOUNT = "huika-payout"
KINDS = ("deposit", "freeze", "capture", "release")


class BankDepository:
    """Every request bears our number: a repeat is answered with what the first one did."""

    @cached_property
    def _keys(self) -> tuple[Ed25519PrivateKey, Ed25519PublicKey]:
        folder = Path(settings.KEYS) / "sandbox"
        private = load_pem_private_key((folder / "operator_private.pem").read_bytes(), None)
        public = load_pem_public_key((folder / "custodian_public.pem").read_bytes())
        if not isinstance(private, Ed25519PrivateKey) or not isinstance(public, Ed25519PublicKey):
            raise TypeError("the custodian's keys are Ed25519")
        return private, public

    def open_account(self, account: str, name: str) -> None:
        """Open a sub-account; a repeat changes nothing."""
        self._call("POST", "/custodian/accounts", {"account": account, "name": name})

    def deposit(self, reference: str, account: str, amount_fen: int) -> None:
        """Sandbox only: a recycler's transfer arrives on its sub-account."""
        self._call(
            "POST", "/custodian/deposits", {"request_no": reference, "account": account, "amount_fen": amount_fen}
        )

    def freeze(self, request: str, account: str, amount_fen: int) -> FreezeAnswer:
        """Freeze part of a sub-account. Raises NotSent, NoAnswer."""
        body = {"request_no": request, "account": account, "amount_fen": amount_fen}
        status, answer = self._call("POST", "/custodian/freezes", body)
        if status == 200 and answer.get("state") == "FROZEN" and answer.get("amount_fen") == amount_fen:
            return FreezeAnswer(True, str(answer["freeze_no"]))
        if status in (404, 409):
            return FreezeAnswer(False, reason=str(answer.get("code", status)))
        raise NoAnswer(f"status {status}")

    def capture(self, request: str, freeze_no: str, amount_fen: int) -> None:
        """Move part of a freeze to the payout account. Raises NotSent, NoAnswer."""
        body = {"request_no": request, "amount_fen": amount_fen, "to_account": PAYOUT_ACCOUNT}
        self._expect(f"/custodian/freezes/{freeze_no}/captures", body)

    def release(self, request: str, freeze_no: str, amount_fen: int) -> None:
        """Give back part of a freeze. Raises NotSent, NoAnswer."""
        self._expect(f"/custodian/freezes/{freeze_no}/releases", {"request_no": request, "amount_fen": amount_fen})

    def statement(self, day: date) -> list[StatementLine]:
        """Every movement of one day in China, oldest first. Raises NotSent, NoAnswer."""
        lines, after = list[StatementLine](), 0
        while True:
            path = f"/custodian/statement?date={day.isoformat()}&after={after}"
            status, answer = self._call("GET", path, None)
            if status != 200 or answer.get("date") != day.isoformat():
                raise NoAnswer(f"status {status} {answer.get('code')}")
            try:
                lines += [_line(movement) for movement in answer["movements"]]
                following = answer["next_after"]
                if following is None:
                    return lines
                if following <= after:
                    raise ValueError("the pages do not go on")
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise NoAnswer("the statement cannot be read") from error
            after = following

    def _expect(self, path: str, body: dict[str, Any]) -> None:
        status, answer = self._call("POST", path, body)
        if status != 200:
            raise NoAnswer(f"status {status} {answer.get('code')}")

    def _call(self, method: str, path: str, body: dict[str, Any] | None) -> tuple[int, dict[str, Any]]:
        content, private = b"" if body is None else canonical.dumps(body), self._keys[0]
        timestamp, nonce = str(int(clock.now().timestamp())), ids.random_bytes(16).hex()
        url = sandbox(path)
        parts = urlsplit(url)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        signed = f"{method}\n{target}\n{timestamp}\n{nonce}\n".encode() + content + b"\n"
        headers = {
            "content-type": "application/json",
            "x-huika-timestamp": timestamp,
            "x-huika-nonce": nonce,
            "x-huika-signature": base64.b64encode(private.sign(signed)).decode(),
        }
        answer = request(method, url, policy=policy(), headers=headers, content=content or None)
        parsed = document(answer)
        self._verify(answer)
        return answer.status, parsed

    def _verify(self, answer: Answer) -> None:
        """An answer without the custodian's signature is no answer."""
        head = answer.headers
        signed = f"{answer.status}\n{head.get('x-huika-timestamp')}\n{head.get('x-huika-nonce')}\n".encode()
        try:
            self._keys[1].verify(base64.b64decode(head.get("x-huika-signature", "")), signed + answer.body + b"\n")
        except (InvalidSignature, ValueError) as error:
            raise NoAnswer("the custodian's signature does not verify") from error


def _line(movement: dict[str, Any]) -> StatementLine:
    kind, at = str(movement["kind"]), datetime.fromisoformat(movement["at"])
    if kind not in KINDS or at.tzinfo is None:
        raise ValueError("another kind of movement, or a time without its zone")
    return StatementLine(str(movement["request_no"]), kind, str(movement["account"]), int(movement["amount_fen"]), at)
