"""What the vault says, and what it is told."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Used:
    """The issuer's answer through the vault: bound, redeemed, balance, refused or unknown; amounts in fen."""

    result: str
    amount_fen: int = 0
    reason: str = ""
    reference: str = ""


@dataclass(frozen=True)
class Status:
    """Whether a card is sealed in the vault, and whether its number was sealed for another card before."""

    stored: bool
    seen_before: bool
    state: str
    seals: int = 0  # how often it was sealed: a new number is a new sealing
