"""Asking one recycler for more than its book pays: signed steps, bounded, firm or nothing. Never at the door."""

from datetime import timedelta
from uuid import UUID

from huika.domain.market import bargaining, models, queries
from huika.domain.market.actions.comparing import compare
from huika.domain.market.bargaining import Agreed
from huika.domain.market.errors import BargainOver, NoBargain, StepNotOpen
from huika.domain.market.machine import BARGAIN
from huika.domain.market.types import Line, SignedRequest
from huika.domain.parties import queries as parties
from huika.kit import clock, events, locks
from huika.kit.change import action
from huika.kit.refusals import NotFound


@action
def ask_for_more(comparison: UUID, recycler: UUID, bonus_bp: int) -> UUID:
    """Ask a recycler of a comparison for `bonus_bp` of face value more on every card; the bargain's id.

    Raises NotFound, NoBargain (it does not bargain, or was asked before), StepNotOpen, QuoteExpired.
    """
    at = clock.now()
    row = models.Comparison.objects.filter(id=comparison).first()
    if row is None or row.expires_at <= at:
        raise NotFound() if row is None else BargainOver()
    locks.transaction_lock(f"market.bargain.{comparison}.{recycler}")
    entry = queries.bargainers(comparison).get(recycler)
    if entry is None or models.Bargain.objects.filter(comparison=row, recycler_id=recycler).exists():
        raise NoBargain()
    if not bargaining.may_ask([], bonus_bp):
        raise StepNotOpen()
    until = min(row.expires_at, at + timedelta(seconds=bargaining.STANDS_SECONDS))
    made = models.Bargain.objects.create(comparison=row, recycler_id=recycler, book_id=entry, at=at, expires_at=until)
    _keep_step(made, 1, bonus_bp)
    return made.id


@action
def ask_again(bargain: UUID, bonus_bp: int) -> None:
    """Ask for less than last time and more than was offered. Raises NotFound, BargainOver, StepNotOpen, WrongState."""
    row, steps = _open(bargain)
    state = BARGAIN.next(row.state, "ask")
    if not bargaining.may_ask(steps, bonus_bp):
        raise StepNotOpen()
    _keep_step(row, len(steps) + 1, bonus_bp)
    row.state = state
    row.save(update_fields=["state"])


@action
def answer_bargain(bargain: UUID, recycler: UUID, n: int, bonus_bp: int, signed: SignedRequest) -> str:
    """The recycler's step `n`: what was asked (it is agreed), less (a counter-offer) or 0 (no); the new state.

    Raises NotFound, BargainOver, StepNotOpen, WrongState.
    """
    row, steps = _open(bargain, recycler)
    if n != len(steps) + 1 or not bargaining.may_answer(steps, bonus_bp):
        raise StepNotOpen()
    step = "refuse" if bonus_bp == 0 else "agree" if bonus_bp == steps[-1] else "answer"
    state = BARGAIN.next(row.state, step)
    _keep_step(row, n, bonus_bp, signed)
    if step == "agree":
        _firm(row, bonus_bp)
    else:
        row.state = state
        row.save(update_fields=["state"])
    return row.state


@action
def take_bargain(bargain: UUID) -> UUID:
    """The seller takes what was offered last; the new comparison, which is firm as any other.

    Raises NotFound, BargainOver, StepNotOpen.
    """
    row, steps = _open(bargain)
    if row.state != "answered":
        raise StepNotOpen()
    return _firm(row, steps[-1])


@action
def leave_bargain(bargain: UUID) -> None:
    """The seller wants no more of it; the book's price stands as it did. Raises NotFound, WrongState."""
    row = locks.locked(models.Bargain.objects.all(), id=bargain)
    row.state = BARGAIN.next(row.state, "leave")
    row.save(update_fields=["state"])


def _open(bargain: UUID, recycler: UUID | None = None) -> tuple[models.Bargain, list[int]]:
    """A bargain that still goes on, locked, and its steps so far."""
    row = locks.locked(models.Bargain.objects.all(), id=bargain)
    if recycler is not None and row.recycler_id != recycler:
        raise NotFound()
    if row.expires_at <= clock.now() or _book_now(row) != row.book_id:
        raise BargainOver()
    steps = models.BargainStep.objects.filter(bargain=row).order_by("n").values_list("bonus_bp", flat=True)
    return row, list(steps)


def _book_now(row: models.Bargain) -> UUID | None:
    live = queries.book_in_effect(row.recycler_id)
    return live.id if live and not live.paused else None


def _keep_step(row: models.Bargain, n: int, bonus_bp: int, signed: SignedRequest | None = None) -> None:
    models.BargainStep.objects.create(
        bargain=row,
        n=n,
        bonus_bp=bonus_bp,
        message=signed.message if signed else None,
        signature=signed.signature if signed else None,
        public_key=signed.public_key if signed else None,
        at=clock.now(),
    )
    facts = {"bargain": str(row.id), "recycler": str(row.recycler_id), "n": n, "bonus_bp": bonus_bp}
    events.record("market.bargain.asked" if n % 2 else "market.bargain.answered", row.comparison_id, facts)


def _firm(row: models.Bargain, bonus_bp: int) -> UUID:
    """Compare the same cards again with what was agreed."""
    asked = row.comparison
    agreed = Agreed(row.id, row.recycler_id, bonus_bp, queries.bargain_steps(row.id))
    made = compare(
        asked.city,
        asked.district,
        [Line(**line) for line in asked.lines],
        served=True,
        covered=frozenset(r.id for r in parties.recyclers()),
        channel=asked.channel,
        bagged=queries.bagged_lines(asked.id),
        agreed=agreed,
    )
    row.state, row.result_id = BARGAIN.next(row.state, "agree"), made
    row.save(update_fields=["state", "result"])
    facts = {"bargain": str(row.id), "recycler": str(row.recycler_id), "bonus_bp": bonus_bp, "comparison": str(made)}
    events.record("market.bargain.agreed", asked.id, facts)
    return made
