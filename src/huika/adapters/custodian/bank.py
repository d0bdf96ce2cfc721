"""Bank depository sub-accounts, as the sandbox's custodian offers them: Ed25519-signed JSON both ways."""

from datetime import date, datetime
from functools import cached_property
from typing import Any

from huika.adapters.signed_json import SignedJson
from huika.domain.settlement.types import FreezeAnswer, StatementLine
from huika.kit.safe_http import NoAnswer

PAYOUT_ACCOUNT = "huika-payout"


REFUSALS = frozenset({(409, "INSUFFICIENT"), (404, "UNKNOWN_ACCOUNT")})
"""The answers by which it says that it froze nothing and will not; every other one is asked about again."""


class BankDepository:
    """Every request bears our number: a repeat is answered with what the first one did."""

    @cached_property
    def _wire(self) -> SignedJson:
        return SignedJson.towards("custodian")

    def open_account(self, account: str, name: str) -> None:
        """Open a sub-account; a repeat changes nothing."""
        self._wire.call("POST", "/custodian/accounts", {"account": account, "name": name})

    def deposit(self, reference: str, account: str, amount_fen: int) -> None:
        """Sandbox only: a recycler's transfer arrives on its sub-account."""
        self._wire.call(
            "POST", "/custodian/deposits", {"request_no": reference, "account": account, "amount_fen": amount_fen}
        )

    def freeze(self, request: str, account: str, amount_fen: int) -> FreezeAnswer:
        """Freeze part of a sub-account. Raises NotSent, NoAnswer."""
        body = {"request_no": request, "account": account, "amount_fen": amount_fen}
        status, answer = self._wire.call("POST", "/custodian/freezes", body)
        if status == 200 and answer.get("state") == "FROZEN" and answer.get("amount_fen") == amount_fen:
            return FreezeAnswer(True, str(answer["freeze_no"]))
        if (status, answer.get("code")) in REFUSALS:
            return FreezeAnswer(False, reason=str(answer["code"]))
        raise NoAnswer(f"status {status} {answer.get('code')}")

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
            status, answer = self._wire.call("GET", path)
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
        status, answer = self._wire.call("POST", path, body)
        if status != 200:
            raise NoAnswer(f"status {status} {answer.get('code')}")


def _line(movement: dict[str, Any]) -> StatementLine:
    kind, at = str(movement["kind"]), datetime.fromisoformat(movement["at"])
    if at.tzinfo is None:
        raise ValueError("a time without its zone")
    return StatementLine(str(movement["request_no"]), kind, str(movement["account"]), int(movement["amount_fen"]), at)
