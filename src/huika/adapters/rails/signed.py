"""What the bank's transfers and the e-CNY operator's have in common: one shape of a transfer in signed JSON."""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.conf import settings

from huika.adapters.signed_json import SignedJson
from huika.domain.settlement.errors import CallbackRefused
from huika.domain.settlement.types import Callback, RailAnswer, RailState
from huika.kit.safe_http import NoAnswer


class SignedRail:
    """create, query, cancel and callback of a rail that is `party` at the other side."""

    party: str
    states: Mapping[str, RailState]  # whatever is not here is unknown to us, and unknown stays pending
    refusals: frozenset[tuple[int, str]]  # status and code by which `create` says that it took nothing
    acknowledgement: tuple[str, bytes] = ("application/json", b'{"code":"SUCCESS"}')

    @cached_property
    def _wire(self) -> SignedJson:
        return SignedJson.towards(self.party)

    @cached_property
    def merchant(self) -> str:
        """Our customer number there; a callback must name it."""
        about = json.loads((Path(settings.KEYS) / "sandbox" / f"{self.party}.json").read_text())
        return str(about["customer"])

    def create(self, number: str, account: str, name: str, amount_fen: int, remark: str, at: datetime) -> RailAnswer:
        """Pay once under our number, the payee's name always with it. Raises NotSent, NoAnswer.

        A number that is taken by another payment there is NoAnswer: the query shows which, and the caller compares.
        """
        body = {
            "number": number,
            "account": account,
            "name": name,
            "amount_fen": amount_fen,
            "remark": remark,
            "notify_url": f"{settings.PUBLIC_URL}/callbacks/{self.party}",
        }
        status, found = self._wire.call("POST", f"/{self.party}/transfers", body, at=at)
        code = str(found.get("code"))
        if (status, code) in self.refusals:
            return RailAnswer(RailState.REFUSED, reason=code)
        return self._answer(status, found, number)

    def query(self, number: str) -> RailAnswer:
        """What became of a number. Raises NotSent, NoAnswer."""
        status, found = self._wire.call("GET", f"/{self.party}/transfers/{quote(number, safe='')}")
        if (status, found.get("code")) == (404, "NOT_FOUND"):
            return RailAnswer(RailState.ABSENT)
        return self._answer(status, found, number)

    def cancel(self, number: str) -> RailAnswer:
        """Ask for a number to be withdrawn. A refusal says nothing of the payment: NoAnswer, and the query tells."""
        status, found = self._wire.call("POST", f"/{self.party}/transfers/{quote(number, safe='')}/cancel", {})
        return self._answer(status, found, number)

    def callback(self, headers: Mapping[str, str], body: bytes) -> Callback:
        """Verify a callback's raw bytes and read it. Each try of theirs has a nonce of its own. CallbackRefused."""
        found, once = self._wire.callback(headers, body)
        amount_fen, texts = found.get("amount_fen"), [found.get(name) for name in ("number", "account", "customer")]
        if type(amount_fen) is not int or not all(isinstance(text, str) for text in texts):
            raise CallbackRefused(why_zh="内容读不出", why="its content cannot be read")
        number, account, customer = (str(text) for text in texts)
        return Callback(number, amount_fen, account, customer, f"{self.party}:{once}")

    def _answer(self, status: int, found: dict[str, Any], number: str) -> RailAnswer:
        """How our payment stands by an answer that is about it; any other answer is NoAnswer."""
        amount_fen, account = found.get("amount_fen"), found.get("account")
        if status != 200 or found.get("number") != number or found.get("customer") != self.merchant:
            raise NoAnswer(f"status {status} {found.get('code')}")
        if type(amount_fen) is not int or not isinstance(account, str):
            raise NoAnswer("the answer names no amount or payee")
        return RailAnswer(
            self.states.get(str(found.get("state")), RailState.PENDING),
            amount_fen=amount_fen,
            account=account,
            reference=str(found.get("reference") or ""),
            reason=str(found.get("reason") or ""),
        )
