"""One order driven through the door by the domain's own actions: rail, custodian and vault are in memory."""

import hashlib
from collections import deque
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import pytest
from tests.domain.parties.phone import Outside as Phones
from tests.domain.settlement.outside import Outside
from tests.domain.trade import ground

from huika.domain.field import actions as field_actions
from huika.domain.inspection import actions as inspection
from huika.domain.ledger import queries as ledger
from huika.domain.market.types import Line
from huika.domain.parties import jobs as parties_jobs
from huika.domain.parties import queries as people
from huika.domain.settlement import jobs as settlement_jobs
from huika.domain.settlement.types import RailState
from huika.domain.trade import actions, models
from huika.domain.trade import jobs as trade_jobs
from huika.domain.vault.types import Status, Used
from huika.kit import replay
from huika.kit.models import Event, Parked
from huika.kit.safe_http import NoAnswer

BIND = Line(1, "walmart", 1000_00, "electronic")
BOOK = ground.book(("walmart", "*", "electronic", "0.9"), ("wangfujing", "*", "physical", "0.9"))


@dataclass
class Vault:
    """What it says of a card (`seen`, `stored`), what its issuer says next (`answers`), what it was told."""

    stored: bool = True
    seen: bool = False
    down: bool = False
    answers: deque[Used] = field(default_factory=deque)
    verbs: list[str] = field(default_factory=list)

    def status(self, capability: str) -> Status:
        self._up("status")
        return Status(self.stored, self.seen, "sealed")

    def use(self, capability: str) -> Used:
        self._up(capability)
        if self.answers:
            return self.answers.popleft()
        return Used("balance" if capability == "use.balance" else "bound", 1_000_000_00, "", "I1")

    def mark(self, capability: str) -> None:
        self._up("mark")

    def _up(self, verb: str) -> None:
        self.verbs.append(verb)
        if self.down:
            raise NoAnswer("the vault is down")


@dataclass
class World:
    money: Outside
    vault: Vault
    phones: Phones
    courier: UUID

    def settle(self, seconds: float = 0) -> None:
        """Stream and jobs until nothing is left to do now."""
        replay.settle(1, horizon_seconds=seconds)

    def paid(self) -> None:
        """The wallet pays everything it has, and is asked."""
        self.money.rail.decide(RailState.PAID)
        for row in models.Order.objects.exclude(payee_id=None):
            for payout in settlement_jobs.models.Payout.objects.filter(order_id=row.id):
                settlement_jobs.ask(payout_id=str(payout.id))
        self.settle()

    def arrive(self, order: UUID) -> models.Order:
        """The courier sets out, knocks, types the seller's code."""
        self.settle()
        row = models.Order.objects.get(id=order)
        assert row.visit_id is not None
        field_actions.depart(row.visit_id)
        actions.arrive(order, people.door_codes(row.visit_id)[1])
        self.settle()
        row.refresh_from_db()
        return row

    def clear(self, card: UUID) -> None:
        """Photographed on both sides, and judged clear."""
        actions.capture(card, self.courier, shot(card, "front"), shot(card, "back"), "")
        actions.judged(card, "clear", models.Card.objects.get(id=card).picture)


def shot(card: UUID, side: str) -> actions.Shot:
    digest = hashlib.sha256(card.bytes + side.encode()).digest()
    return actions.Shot(b"jpeg", digest, digest, 10, 10)


def cards(order: UUID) -> list[models.Card]:
    return list(models.Card.objects.filter(order_id=order).order_by("n"))


def state(card: models.Card) -> str:
    card.refresh_from_db()
    return card.state


def order(
    lines: list[Line] | None = None, *, cash: bool = False, texts: tuple[str, ...] = (BOOK,)
) -> tuple[ground.Seller, UUID, list[UUID]]:
    parties = [ground.recycler(text) for text in texts]
    who = ground.seller()
    made = ground.quoted(who, lines or [BIND], parties)
    actions.accept(made, ground.by_cash() if cash else ground.by_wallet(who))
    return who, made, parties


def sound() -> None:
    """The books balance and nothing is parked."""
    assert ledger.total_fen() == 0 and ledger.discrepancies() == []
    assert not Parked.objects.exists()


def settled(made: UUID) -> dict[str, object]:
    """The parts of the receipt's event."""
    return Event.objects.get(verb="trade.order.settled", subject=made).parts


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World(Outside(), Vault(), Phones(), uuid4())
    monkeypatch.setattr(settlement_jobs, "provider", made.money.provider)
    monkeypatch.setattr(parties_jobs, "provider", lambda port: made.phones)
    monkeypatch.setattr(trade_jobs, "provider", lambda port: made.vault)
    monkeypatch.setattr(trade_jobs.vault, "capability", lambda *args, **kwargs: args[2])
    monkeypatch.setattr(inspection, "ask", lambda *args: None)
    ground.operator()
    made.courier = ground.courier()
    return made
