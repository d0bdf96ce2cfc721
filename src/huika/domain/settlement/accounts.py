"""Codes of the ledger accounts that settlement uses, and how each is opened."""

from datetime import datetime
from uuid import UUID

from huika.domain.ledger import actions as ledger

CUSTODIAN = "outside:custodian"  # other people's money, at the custodian
BANK = "outside:bank"  # the operator's own bank account
CAPITAL = "income:capital"
TRANSIT = "transit:wallet"  # payouts on their way
ROUNDING = "expense:rounding"  # what rounding cash up costs


def escrow(recycler: UUID) -> str:
    """A recycler's prefunded money."""
    return f"party:{recycler}:escrow"


def payable(seller: UUID) -> str:
    """What is owed to a seller."""
    return f"party:{seller}:payable"


def cash(courier: UUID) -> str:
    """The cash in a courier's purse."""
    return f"outside:cash:{courier}"


def fee(code: str) -> str:
    """Income from one named platform fee."""
    return f"income:fee:{code}"


def open_platform(fee_codes: list[str], at: datetime) -> None:
    """The operator's own accounts."""
    ledger.open_account(CUSTODIAN, "outside", at, ceiling_fen=0)
    ledger.open_account(BANK, "outside", at, ceiling_fen=0)
    ledger.open_account(CAPITAL, "income", at)
    ledger.open_account(TRANSIT, "transit", at, floor_fen=0)
    ledger.open_account(ROUNDING, "expense", at)
    for code in fee_codes:
        ledger.open_account(fee(code), "income", at)
