"""Codes of the ledger accounts that settlement uses, and how each is opened.

Many transfers touch the accounts of clearing, fees and costs: those are spread over shards and have no limit of their
own. That they keep their sign follows from the parties' floors: all accounts sum to zero, and each payout leaves
transit under the number it came in by.
"""

from datetime import datetime
from uuid import UUID

from huika.domain.ledger import actions as ledger

CUSTODIAN = "outside:custodian"  # other people's money, at the custodian
BANK = "outside:bank"  # the operator's own bank account
CAPITAL = "income:capital"
ROUNDING = "expense:rounding"  # what rounding cash up costs
WAGES = "expense:wages"  # what couriers' work costs
CASH_SHORT = "expense:cash_short"  # cash that was missing when it was counted
CASH_OVER = "income:cash_over"  # cash that was too much
COUNTERFEIT = "expense:counterfeit"  # notes that were false
SHARDS = 16


def escrow(recycler: UUID) -> str:
    """A recycler's prefunded money."""
    return f"party:{recycler}:escrow"


def payable(seller: UUID) -> str:
    """What is owed to a seller."""
    return f"party:{seller}:payable"


def reserve(seller: UUID) -> str:
    """What a seller chose to have later."""
    return f"party:{seller}:reserve"


def wages(courier: UUID) -> str:
    """What a courier has earned and not been paid."""
    return f"party:{courier}:wages"


def cash(courier: UUID) -> str:
    """The cash in a courier's purse."""
    return f"outside:cash:{courier}"


def transit(rail: str) -> str:
    """Payouts on their way by a rail."""
    return f"transit:{rail}"


def rail_cost(rail: str) -> str:
    """What a rail charges us."""
    return f"expense:rail:{rail}"


def fee(code: str) -> str:
    """Income from one named platform fee; a premium is not income but owed on to the insurer."""
    return f"transit:{code}" if code.startswith("premium") else f"income:fee:{code}"


def open_platform(fee_codes: list[str], rails: tuple[str, ...], at: datetime) -> None:
    """The operator's own accounts."""
    ledger.open_account(BANK, "outside", at, ceiling_fen=0)
    ledger.open_account(CUSTODIAN, "outside", at, shards=SHARDS)
    ledger.open_account(CAPITAL, "income", at)
    for rail in rails:
        ledger.open_account(transit(rail), "transit", at, shards=SHARDS)
        ledger.open_account(rail_cost(rail), "expense", at, shards=SHARDS)
    for code in (ROUNDING, WAGES, CASH_SHORT, COUNTERFEIT):
        ledger.open_account(code, "expense", at, shards=SHARDS)
    ledger.open_account(CASH_OVER, "income", at)
    for code in fee_codes:
        ledger.open_account(fee(code), "transit" if code.startswith("premium") else "income", at, shards=SHARDS)


def open_purse(courier: UUID, limit_fen: int, at: datetime) -> None:
    """A courier's purse, holding at most `limit_fen`: the ledger's own floor refuses more."""
    ledger.open_account(cash(courier), "outside", at, floor_fen=-limit_fen, ceiling_fen=0)
