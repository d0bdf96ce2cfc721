"""The rows of settlement, by theme."""

from huika.domain.settlement.models.couriers import (
    CashMove,
    DayClose,
    PayLine,
    PayRate,
    ShiftClose,
    TopUpRequest,
)
from huika.domain.settlement.models.escrow import Capture, Freeze, OwnWithdrawal, Prefund, Reserve
from huika.domain.settlement.models.payouts import DEAD, RAILS, Debt, Payout, SeenCallback, Stop
from huika.domain.settlement.models.reconciling import Difference, Reconciliation

__all__ = [
    "DEAD",
    "RAILS",
    "Capture",
    "CashMove",
    "DayClose",
    "Debt",
    "Difference",
    "Freeze",
    "OwnWithdrawal",
    "PayLine",
    "PayRate",
    "Payout",
    "Prefund",
    "Reconciliation",
    "Reserve",
    "SeenCallback",
    "ShiftClose",
    "Stop",
    "TopUpRequest",
]
