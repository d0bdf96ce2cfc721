"""Changes of state in `settlement`, by theme."""

from huika.domain.settlement.actions.callbacks import callback_received, forget_callbacks
from huika.domain.settlement.actions.cash import (
    answer_top_up,
    ask_top_up,
    book_difference,
    issue_float,
    pay_cash,
    return_float,
)
from huika.domain.settlement.actions.closing import ShiftCount, close_day, close_shift
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
    withdraw_own,
)
from huika.domain.settlement.actions.pay import deduct, earn, give_bonus, pay_wages, set_rate
from huika.domain.settlement.actions.payouts import (
    came_back,
    no_answer,
    pay_again,
    pay_by_rail,
    rail_answered,
    sending,
    sweep,
    withdraw,
)
from huika.domain.settlement.actions.reconciling import ask_reconcile, explain, reconcile
from huika.domain.settlement.actions.reserves import (
    apply_decision,
    contest,
    custodian_settled,
    drop_contest,
    pay_reserve,
    release_reserve,
)
from huika.domain.settlement.actions.stops import ask_to_resume, ask_to_stop, stop_or_resume

__all__ = [
    "ShiftCount",
    "abandon_freeze",
    "answer_top_up",
    "apply_decision",
    "ask_reconcile",
    "ask_to_resume",
    "ask_to_stop",
    "ask_top_up",
    "book_difference",
    "callback_received",
    "came_back",
    "close_day",
    "close_shift",
    "contest",
    "credit_card",
    "custodian_answered",
    "custodian_captured",
    "custodian_released",
    "custodian_settled",
    "deduct",
    "drop_contest",
    "earn",
    "explain",
    "forget_callbacks",
    "give_bonus",
    "issue_float",
    "no_answer",
    "pay_again",
    "pay_by_rail",
    "pay_cash",
    "pay_reserve",
    "pay_wages",
    "prefund",
    "rail_answered",
    "reconcile",
    "release_reserve",
    "release_rest",
    "request_freeze",
    "return_float",
    "sending",
    "set_rate",
    "set_up",
    "stop_or_resume",
    "sweep",
    "withdraw",
    "withdraw_own",
]
