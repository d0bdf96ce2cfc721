"""Pure rules of the trade."""

from collections.abc import Iterable

from huika.domain.trade.errors import CannotLock, TransferRefused

FINAL_CARDS = ("returned", "paid")
WITH_MONEY = ("credited", "paid")


def lock_for(method: str | None, form: str, name_zh: str, name_en: str) -> str:
    """How a card is secured at the door: bind, redeem, pin_change, or none (bagged).

    Raises CannotLock, TransferRefused.

    An electronic card that cannot be locked could be spent from a copy; registered cards need the issuer's transfer.
    """
    if method == "transfer":
        raise TransferRefused(name_zh=name_zh, name_en=name_en)
    if method is None or (method == "none" and form == "electronic"):
        raise CannotLock(name_zh=name_zh, name_en=name_en)
    return method


def outcome(states: Iterable[str]) -> str:
    """`open` while a card is under way, `sold` when all are final and at least one was paid, else `declined`."""
    known = list(states)
    if any(s not in FINAL_CARDS for s in known):
        return "open"
    return "sold" if "paid" in known else "declined"
