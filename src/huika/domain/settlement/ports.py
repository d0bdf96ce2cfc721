"""What `settlement` needs from outside. Every call raises kit's NotSent (certainly not done) or NoAnswer (unknown)."""

from collections.abc import Mapping
from typing import Protocol

from huika.domain.settlement.types import Callback, FreezeAnswer, RailAnswer


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


class Rail(Protocol):
    """A way of paying a person."""

    def create(self, number: str, account: str, name: str, amount_fen: int, remark: str) -> RailAnswer:
        """Pay once under our `number`; a repeat pays nothing more."""
        ...

    def query(self, number: str) -> RailAnswer:
        """What became of `number`."""
        ...

    def callback(self, headers: Mapping[str, str], body: bytes) -> Callback:
        """A callback verified on its raw bytes. Raises CallbackRefused."""
        ...
