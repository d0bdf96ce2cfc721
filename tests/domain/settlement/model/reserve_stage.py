"""Plays the reserve model's steps against the real code, the custodian's calls standing still as the rail's do."""

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import uuid4

import pytest
from tests.domain.settlement.model.reserve_model import DECISIONS, RESERVE, State
from tests.domain.settlement.model.stage import Killed, Worker
from tests.domain.settlement.outside import Custodian, Outside
from tests.domain.settlement.test_escrow import FEES, NET, SECURED, credit, freeze, settle
from tests.domain.trade import ground

from huika.domain.ledger import queries as ledger
from huika.domain.settlement import accounts, actions, jobs, models
from huika.domain.settlement.errors import DecisionDiffers, TooLate
from huika.domain.settlement.types import RailState, Reservation
from huika.kit import clock
from huika.kit import jobs as kit_jobs
from huika.kit.refusals import WrongState
from huika.kit.safe_http import NoAnswer

FROZEN, KEPT, PREFUNDED = 1000_00, 88_34, 2000_00
UNITS = {0: 0, 1: KEPT // 2, RESERVE: KEPT}
DAYS = timedelta(days=7)


@dataclass
class SteppedCustodian(Custodian):
    """Stands still in a worker's call before it is done and after; anybody else is answered at once."""

    how: str = ""  # what the call that stands meets: "", unheard, lost

    def _do(self, verb: str, book: dict[str, int], request: str, amount_fen: int) -> None:
        worker = getattr(Worker.here, "worker", None)
        if worker is None:
            super()._do(verb, book, request, amount_fen)
            return
        worker.pause(verb)
        how, self.how = self.how, ""
        if how != "lost":
            super()._do(verb, book, request, amount_fen)
        if how:
            raise NoAnswer(how)
        worker.pause("done")


@dataclass
class Stage:
    """A lot with one card that was credited with a reserve; `play` takes a step of the model."""

    patch: pytest.MonkeyPatch
    custodian: SteppedCustodian = field(default_factory=SteppedCustodian)

    def __post_init__(self) -> None:
        self.shift, real = timedelta(0), clock.now
        self.patch.setattr(clock, "now", lambda: real() + self.shift)
        self.outside = Outside(custodian=self.custodian)
        for module in (jobs, actions.payouts):
            self.patch.setattr(module, "provider", self.outside.provider)
        actions.set_up([code for code, _ in FEES], 1_000_000_00)
        self.recycler, self.card, self.seller = uuid4(), uuid4(), ground.seller()
        actions.prefund(self.recycler, "first", PREFUNDED)
        self.lot = freeze(self.recycler, FROZEN)
        settle()
        assert self.seller.payee is not None
        reservation = Reservation(KEPT, clock.now() + DAYS, self.seller.payee)
        credit(self.lot, self.card, self.seller.party, reservation=reservation)
        self.decisions = {name: uuid4() for name in DECISIONS}
        self.worker: Worker | None = None

    @property
    def row(self) -> models.Reserve:
        """The reserve."""
        return models.Reserve.objects.get(card_id=self.card)

    def play(self, label: str) -> bool:
        """Take a step; False where the real code leaves no room for it."""
        step, _, how = label.partition(", ")
        if step == "the date comes":
            self.shift += DAYS + timedelta(seconds=1)
        elif step in ("capture card", "give rest"):
            self._alone(step, how)
        elif step == "release rest":
            actions.release_rest(self.lot.lot_id)
        elif step.startswith(("job ", "capture", "give back", "settle")):
            return self._job(step, how)
        elif not step.endswith(" reads"):
            return self._ends(step)
        return True

    def _ends(self, step: str) -> bool:
        try:
            if step == "evidence":
                actions.contest(self.card, uuid4())
            elif step == "drop":
                actions.drop_contest(self.card)
            elif step == "end by date":
                return actions.release_reserve(self.card)
            else:
                name = step.removeprefix("end by ")
                actions.apply_decision(self.decisions[name], self.card, UNITS[DECISIONS[name]])
        except (WrongState, DecisionDiffers, TooLate):
            return False
        return True

    def _alone(self, step: str, how: str) -> None:
        self.custodian.deaf = how == "unheard"
        try:
            if step == "capture card":
                jobs.capture(card_id=str(self.card))
            else:
                jobs.release(freeze_id=str(self.lot.id))
        except kit_jobs.TryAgain:
            assert how == "unheard"
        self.custodian.deaf = False

    def _job(self, step: str, how: str) -> bool:
        if step == "job reads":
            self.worker = Worker(lambda: jobs.reserve(reserve_id=str(self.row.id)))
            return bool(self.worker.at)
        worker = self.worker
        if worker is None or not worker.at:
            return False
        if step in ("job killed", "settle"):
            self.worker = None
            worker.go_on(Killed() if step == "job killed" else None)
            return True
        if step.endswith(" nothing"):
            return True
        verb = {"capture": "capture", "give back": "release"}[step]
        if worker.at == "done":
            worker.go_on()
        assert worker.at == verb
        self.custodian.how = how
        worker.go_on()
        return True

    def finish(self) -> None:
        """The job goes on; its date comes, or a decision where evidence stands; the rail pays; all jobs run."""
        if self.worker is not None and self.worker.at:
            self.worker.go_on(Killed())
        self.shift += DAYS + timedelta(seconds=1)
        actions.release_reserve(self.card)
        if self.row.state == "contested":
            self.play("end by half")
        actions.release_rest(self.lot.lot_id)
        for _ in range(3):
            settle()
            self.outside.rail.decide(RailState.PAID)
            self.shift += timedelta(seconds=400)
            actions.sweep()

    def moved(self) -> tuple[int, int, int, int]:
        """At the custodian, in fen: captured for card and reserve; released as the rest, out of the reserve."""
        card, row = models.Capture.objects.get(card_id=self.card), self.row
        return (
            self.custodian.captured.get(str(card.id), 0),
            self.custodian.captured.get(str(row.id), 0),
            self.custodian.released.get(f"{self.lot.id}-rest", 0),
            self.custodian.released.get(f"{row.id}-back", 0),
        )

    def credited(self) -> tuple[int, int]:
        """Out of the reserve in the ledger, in fen: to the seller (paid or on its way to be), back to the recycler."""
        back = ledger.balance(accounts.escrow(self.recycler)).balance_fen - (PREFUNDED - SECURED)
        left = ledger.balance(accounts.reserve(self.seller.party)).balance_fen
        return KEPT - left - back, back

    def paying(self) -> int:
        """Payouts of the reserve that live, in fen."""
        living = models.Payout.objects.filter(card_id=self.card, what="reserve").exclude(state="failed")
        return sum(living.values_list("amount_fen", flat=True))

    def beside(self, state: State) -> None:
        """Our rows, the ledger and the custodian's book are what the model says they are."""
        row, lot = self.row, models.Freeze.objects.get(id=self.lot.id)
        assert (row.state, lot.state) == (state.state, state.freeze)
        assert row.to_seller_fen == (UNITS[state.split] if state.by else None)
        assert self.credited() == (UNITS[state.seller], UNITS[state.seller + state.recycler] - UNITS[state.seller])
        assert self.paying() == UNITS[state.payouts]
        assert (models.Capture.objects.get(card_id=self.card).done_at is not None) == state.booked
        back = KEPT - UNITS[RESERVE - state.back] if state.back else 0
        rest = FROZEN - SECURED if state.rest else 0
        assert self.moved() == (SECURED - KEPT if state.card else 0, UNITS[state.captured], rest, back)

    def sound(self) -> None:
        """It ended once and whole; the custodian, the ledger and the rail's book agree."""
        row = self.row
        to_seller, back = row.to_seller_fen or 0, row.to_recycler_fen or 0
        assert row.state == "settled" and to_seller + back == KEPT
        assert back == 0 or row.decision in self.decisions.values()
        assert self.moved() == (SECURED - KEPT, to_seller, FROZEN - SECURED, back)
        assert sum(self.custodian.captured.values()) + sum(self.custodian.released.values()) == FROZEN
        assert self.credited() == (to_seller, back) and self.paying() == to_seller
        paid = [b.amount_fen for b in self.outside.rail.bills.values() if b.state is RailState.PAID]
        assert sum(paid) == to_seller and ledger.balance(accounts.payable(self.seller.party)).balance_fen == NET - KEPT
        assert ledger.total_fen() == 0 and ledger.discrepancies() == []
