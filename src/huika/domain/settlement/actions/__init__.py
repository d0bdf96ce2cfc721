"""Changes of state in `settlement`, by theme."""

from huika.domain.settlement.actions.escrow import (
    abandon_freeze,
    credit_card,
    custodian_answered,
    custodian_captured,
    custodian_released,
    prefund,
    release_rest,
    request_freeze,
    set_up,
)
from huika.domain.settlement.actions.payouts import (
    callback_received,
    issue_float,
    no_answer,
    pay_again,
    pay_by_wallet,
    pay_cash,
    rail_answered,
    sending,
    sweep,
)

__all__ = [
    "abandon_freeze",
    "callback_received",
    "credit_card",
    "custodian_answered",
    "custodian_captured",
    "custodian_released",
    "issue_float",
    "no_answer",
    "pay_again",
    "pay_by_wallet",
    "pay_cash",
    "prefund",
    "rail_answered",
    "release_rest",
    "request_freeze",
    "sending",
    "set_up",
    "sweep",
]
