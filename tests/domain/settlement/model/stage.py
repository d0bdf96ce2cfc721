"""Plays a model's steps against the real code: real jobs in threads that stand still wherever they speak to the rail.

One thread runs at a time, on the test's own connection; a step of the environment is done to the rail in memory.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connections
from tests.domain.settlement.outside import NET, Bill, Outside, Rail, owed
from tests.domain.settlement.test_parts_and_debts import other_payee
from tests.domain.trade import ground

from huika.domain.settlement import actions, jobs, models
from huika.domain.settlement.errors import NotDead
from huika.domain.settlement.types import Callback, RailAnswer, RailState
from huika.kit import clock
from huika.kit import jobs as kit_jobs
from huika.kit.safe_http import NoAnswer

STALE = timedelta(seconds=601)  # twice what rails take, for clocks that differ, and a second
HELD = {
    RailState.ABSENT: "absent",
    RailState.PENDING: "pending",
    RailState.WAITING: "waiting",
    RailState.PAID: "paid",
    RailState.FAILED: "failed",
}


class Killed(BaseException):
    """The worker is killed here."""


class Worker:
    """A job in a thread. It stands still in `pause` until it is told to go on, with an answer or with an exception."""

    here = threading.local()

    def __init__(self, job: Callable[[], None]) -> None:
        self.at, self.left = (
            "",
            clock.now(),
        )  # where it stands: "call" before its request, "wait" after, "ask", "" ended
        self.answer: RailAnswer | None = None
        self.requests: list[Request] = []
        self._said: RailAnswer | BaseException | None = None
        self._error: BaseException | None = None
        self._go, self._stands = threading.Semaphore(0), threading.Semaphore(0)
        self._connection = connections["default"]
        self._thread = threading.Thread(target=self._run, args=(job,), daemon=True)
        self._connection.inc_thread_sharing()
        self._thread.start()
        self._until_it_stands()

    def _run(self, job: Callable[[], None]) -> None:
        connections["default"] = self._connection
        Worker.here.worker = self
        try:
            job()
        except (Killed, kit_jobs.TryAgain):
            pass
        except BaseException as error:
            self._error = error
        self.at = ""
        self._stands.release()

    def _until_it_stands(self) -> None:
        assert self._stands.acquire(timeout=20), "a worker hangs"
        if not self.at:
            self._thread.join(20)
            self._connection.dec_thread_sharing()
        if self._error:
            raise self._error

    def pause(self, at: str) -> RailAnswer | None:
        """In the job's own thread: stand still here; what it is told when it goes on."""
        self.at = at
        self._stands.release()
        assert self._go.acquire(timeout=60), "nobody let this worker go on"
        if isinstance(self._said, BaseException):
            raise self._said
        return self._said

    def go_on(self, said: RailAnswer | BaseException | None = None) -> None:
        """Let it go on to where it stands next, or to its end."""
        self._said = said
        self._go.release()
        self._until_it_stands()


@dataclass
class SteppedRail(Rail):
    """Stands still in a worker's call; anybody else is answered at once."""

    def create(self, number: str, account: str, name: str, amount_fen: int, remark: str, at: datetime) -> RailAnswer:
        """Once before the request leaves, once with it under way; it is fresh from `at`."""
        worker = getattr(Worker.here, "worker", None)
        if worker is None:
            return super().create(number, account, name, amount_fen, remark, at)
        worker.pause("call")
        worker.requests.append(Request(number, account, amount_fen, at))
        answer: RailAnswer | None = worker.pause("wait")
        assert answer is not None
        return answer

    def query(self, number: str) -> RailAnswer:
        """With the answer in its hands."""
        worker: Worker | None = getattr(Worker.here, "worker", None)
        answer = super().query(number)
        if worker is None:
            return answer
        worker.answer = answer
        worker.pause("ask")
        return answer


@dataclass
class Request:
    """A request to pay under way."""

    number: str
    account: str
    amount_fen: int
    left: datetime


@dataclass
class Stage:
    """One card part, its seller, the rail; `play` takes a step of the model."""

    patch: pytest.MonkeyPatch
    other: bool = False  # a person pays again by another rail
    outside: Outside = field(default_factory=lambda: Outside(rail=SteppedRail()))

    def __post_init__(self) -> None:
        self.shift, real = timedelta(0), clock.now
        self.patch.setattr(clock, "now", lambda: real() + self.shift)
        for module in (jobs, actions.payouts):
            self.patch.setattr(module, "provider", self.outside.provider)
        self.seller, self.card, self.order = ground.seller(), uuid4(), uuid4()
        owed(self.seller.party, NET, self.card)
        self.bank = other_payee(self.seller.party)
        self.callers: dict[int, list[Worker]] = {}
        self.late: dict[int, list[Request]] = {}
        self.askers: dict[int, list[Worker]] = {}

    @property
    def rail(self) -> Rail:
        """The rail in memory."""
        return self.outside.rail

    @property
    def rows(self) -> list[models.Payout]:
        """Our payouts, the first one first."""
        return list(models.Payout.objects.filter(card_id=self.card).order_by("id"))

    def play(self, label: str) -> bool:
        """Take a step; False where the real code leaves no room for it."""
        if not label[0].isdigit():
            return self._everywhere(label)
        n, step = int(label[0]), label[2:]
        if n > len(self.rows):
            return False
        row = self.rows[n - 1]
        if step.startswith("rail: "):
            return self._decide(row, RailState(step[6:]))
        if step in ("ask", "ask in vain") or step.startswith("told "):
            return self._asking(n, row, step)
        if step in ("write", "call unwritten"):
            return self._write(n, row, step)
        if step in ("arrives late", "refused late", "lost"):
            return self._late(n, step)
        if step == "withdraw":
            actions.withdraw(row.id)
            self.rail.cancel(row.number)
            return True
        if step in ("withdrawn", "callback says failed"):
            return self._word(row, step)
        return self._calling(n, step)

    def _everywhere(self, label: str) -> bool:
        if label == "time passes":
            self._pass()
        elif label in ("pay", "pay in vain"):
            before = len(self.rows)
            actions.pay_by_rail(self.order, self.card, self.seller.party, self.seller.payee, NET)
            return (len(self.rows) > before) == (label == "pay")
        elif label in ("pay again", "new number"):
            return self.pay_again(self.rows[0].id) is not None
        elif label == "stop":
            models.Stop.objects.create(scope="all", reason="x", approval_id=uuid4(), at=clock.now())
        elif label == "resume":
            models.Stop.objects.filter(lifted_at=None).update(lifted_at=clock.now(), lifted_by_approval=uuid4())
        return True

    def _pass(self) -> None:
        """Whatever is under way is stale from now on; who waits for its answer has given up."""
        for workers in self.callers.values():
            for worker in [w for w in workers if w.at == "wait" and w.answer is None]:
                workers.remove(worker)
                worker.go_on(Killed())
        self.shift += STALE

    def pay_again(self, payout: UUID) -> UUID | None:
        """A person's yes; None where the payout is not dead."""
        try:
            return actions.pay_again(payout, True, self.bank if self.other else None)
        except NotDead:
            return None

    def _decide(self, row: models.Payout, state: RailState) -> bool:
        bill = self.rail.bills.get(row.number)
        if bill is None or bill.state in (RailState.PAID, RailState.FAILED):
            return False
        bill.state = state
        return True

    def _write(self, n: int, row: models.Payout, step: str) -> bool:
        worker = Worker(lambda: jobs.send(payout_id=str(row.id)))
        if worker.at == "ask":  # it may not be sent: the job asks instead
            worker.go_on()
        if worker.at == "call":
            self.callers.setdefault(n, []).append(worker)
            if step == "call unwritten":
                worker.go_on()
            return True
        return False

    def _asking(self, n: int, row: models.Payout, step: str) -> bool:
        if step.startswith("told "):
            for worker in self.askers.get(n, []):
                assert worker.answer is not None
                if HELD[worker.answer.state] == step[5:]:
                    self.askers[n].remove(worker)
                    worker.go_on()
                    return True
            return False
        worker = Worker(lambda: jobs.ask(payout_id=str(row.id)))
        if worker.at != "ask":
            return False
        if step == "ask in vain":
            worker.go_on(NoAnswer("lost"))
        else:
            self.askers.setdefault(n, []).append(worker)
        return True

    def _take(self, request: Request) -> RailAnswer | None:
        if clock.now() - request.left >= STALE:
            return None  # the rail refuses what is stale
        bill = self.rail.bills.setdefault(request.number, Bill(request.account, request.amount_fen))
        return RailAnswer(bill.state if bill.state is RailState.WAITING else RailState.PENDING)

    def _late(self, n: int, step: str) -> bool:
        fresh = [r for r in self.late.get(n, []) if clock.now() - r.left < STALE]
        if not fresh:
            return False
        self.late[n] = fresh[1:]
        if step == "arrives late":
            self._take(fresh[0])
        return True

    def _calling(self, n: int, step: str) -> bool:
        """Steps of a worker that sends: found by where it stands and what it has in its hands."""
        where = "call" if step in ("call", "killed before calling") else "wait"
        found = [w for w in self.callers.get(n, []) if w.at == where and _hands(w) == _wants(step)]
        if not found:
            return False
        worker = found[-1]  # of two that have not called, the one whose request is freshest
        if step == "call":
            worker.go_on()
        elif step == "arrives":
            worker.answer = self._take(worker.requests[0])
            return worker.answer is not None
        elif step.startswith("refused"):
            worker.answer = RailAnswer(RailState.REFUSED, reason="NO_AUTH")
            if "copy" in step:
                self.late.setdefault(n, []).append(worker.requests[0])
        else:
            self.callers[n].remove(worker)
            if step in ("no answer", "killed waiting"):
                self.late.setdefault(n, []).append(worker.requests[0])
            if step.startswith("killed"):
                worker.go_on(Killed())
            elif step.startswith("hear"):
                worker.go_on(worker.answer)
            elif step == "answer says failed":
                worker.go_on(RailAnswer(RailState.FAILED))
            else:
                worker.go_on(NoAnswer(step))
        return True

    def _word(self, row: models.Payout, step: str) -> bool:
        if step == "withdrawn":
            actions.withdraw(row.id)
        elif bill := self.rail.bills.get(row.number):
            said = Callback(row.number, row.amount_fen, bill.account, "M", str(uuid4()))
            actions.callback_received(row.rail, said, "M")
        return True

    def finish(self) -> None:
        """Everybody goes on, what is fresh arrives, the rail pays all it can, a person pays again what has failed."""
        for n, workers in self.callers.items():
            for worker in workers:
                if worker.at == "call":
                    worker.go_on()
                if worker.answer is None:
                    worker.answer = self._take(worker.requests[0])
                worker.go_on(worker.answer or NoAnswer("stale"))
            while self._late(n, "arrives late"):
                continue
        for workers in self.askers.values():
            for worker in workers:
                worker.go_on()
        self.callers, self.askers = {}, {}
        for _ in range(6):
            self.rail.decide(RailState.PAID)
            self.shift += STALE
            kit_jobs.run_pending()
            actions.sweep()
            kit_jobs.run_pending()
            for row in self.rows:
                if row.state == "failed":
                    self.pay_again(row.id)

    def close(self) -> None:
        """Kill who still stands somewhere; payouts go on."""
        for workers in (*self.callers.values(), *self.askers.values()):
            for worker in workers:
                worker.go_on(Killed())
        self.play("resume")


def _wants(step: str) -> str:
    if step in ("hear yes", "yes is lost", "killed with yes", "answer says failed"):
        return "yes"
    return "no" if step in ("hear no", "no is lost", "killed with no") else ""


def _hands(worker: Worker) -> str:
    if worker.answer is None:
        return ""
    return "no" if worker.answer.state is RailState.REFUSED else "yes"
