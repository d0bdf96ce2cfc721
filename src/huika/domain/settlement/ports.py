"""What `settlement` needs from outside. Every call raises kit's NotSent (certainly not done) or NoAnswer (unknown)."""

from collections.abc import Mapping
from typing import Protocol

from huika.domain.settlement.types import Callback, FreezeAnswer, RailAnswer


class Custodian(Protocol):
    """A licensed holder of other people's money. `request` is our number: a repeat changes nothing."""

    def freeze(self, request: str, account: str, amount_fen: int) -> FreezeAnswer: ...

    def capture(self, request: str, freeze_no: str, amount_fen: int) -> None: ...

    def release(self, request: str, freeze_no: str, amount_fen: int) -> None: ...


class Rail(Protocol):
    """A way of paying a person."""

    def create(self, number: str, account: str, name: str, amount_fen: int, remark: str) -> RailAnswer: ...

    def query(self, number: str) -> RailAnswer: ...

    def callback(self, headers: Mapping[str, str], body: bytes) -> Callback: ...
