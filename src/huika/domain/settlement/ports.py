"""What `settlement` needs from outside. Every call raises kit's NotSent (certainly not done) or NoAnswer (unknown)."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from huika.domain.settlement.types import Callback, FreezeAnswer, RailAnswer, RailLimits, RailQuote, StatementLine


class Custodian(Protocol):
    """A licensed holder of other people's money. `request` is our number: a repeat changes nothing."""

    def freeze(self, request: str, account: str, amount_fen: int) -> FreezeAnswer:
        """Freeze an amount in an account."""
        ...

    def capture(self, request: str, freeze_no: str, amount_fen: int) -> None:
        """Pay a part of a freeze out to the operator's payout account."""
        ...

    def release(self, request: str, freeze_no: str, amount_fen: int) -> None:
        """Give a part of a freeze back."""
        ...

    def statement(self, day: date) -> Sequence[StatementLine] | None:
        """Every movement of one day in China; None where the custodian has no statement by interface."""
        ...


class Rail(Protocol):
    """A way of paying a person. One file each; what is not known to us is PENDING, and asked again."""

    limits: RailLimits
    acknowledgement: tuple[str, bytes]  # media type and body that tell the rail its callback has been taken

    @property
    def merchant(self) -> str:
        """Our number at the rail; a callback must name it."""
        ...

    def quote(self, account: str, amount_fen: int) -> RailQuote:
        """Whether the rail takes this amount for this account, and in which parts. Some rails ask outside for it."""
        ...

    def create(self, number: str, account: str, name: str, amount_fen: int, remark: str, at: datetime) -> RailAnswer:
        """Pay once under our `number`; a repeat pays nothing more.

        The request bears the time `at` which it was written down: whoever sleeps in between sends what the rail refuses
        as stale.
        """
        ...

    def query(self, number: str) -> RailAnswer:
        """What became of `number`."""
        ...

    def cancel(self, number: str) -> RailAnswer:
        """Ask for `number` to be withdrawn while the payee has not accepted it; only a later query says it is dead."""
        ...

    def callback(self, headers: Mapping[str, str], body: bytes) -> Callback:
        """A callback verified on its raw bytes, at most 5 minutes old. Raises CallbackRefused."""
        ...
