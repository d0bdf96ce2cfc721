"""The shop's own account, in mode = own: nobody else's money is held, so nothing is asked outside."""

import hashlib
from collections.abc import Sequence
from datetime import date

from huika.domain.settlement.types import FreezeAnswer, StatementLine


class OwnAccount:
    """What the ledger holds is all there is; the shop's bank statement is no interface."""

    def open_account(self, account: str, name: str) -> None:
        """Nothing: the shop has its account."""

    def deposit(self, reference: str, account: str, amount_fen: int) -> None:
        """Nothing: the shop's money is where it is."""

    def freeze(self, request: str, account: str, amount_fen: int) -> FreezeAnswer:
        """Granted; the same number for the same request. Whether the money suffices the ledger's hold has decided."""
        return FreezeAnswer(True, f"own-{hashlib.sha256(request.encode()).hexdigest()[:32]}")

    def capture(self, request: str, freeze_no: str, amount_fen: int) -> None:
        """Nothing: the payout is made from the same account."""

    def release(self, request: str, freeze_no: str, amount_fen: int) -> None:
        """Nothing: the ledger's hold has ended."""

    def statement(self, day: date) -> Sequence[StatementLine] | None:
        """None: there is no statement by interface."""
        return None
