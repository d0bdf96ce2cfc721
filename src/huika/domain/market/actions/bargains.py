"""Asking one recycler for more than its book pays: signed steps, bounded, firm or nothing. Never at the door."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from huika.domain.market import bargaining, models, queries
from huika.domain.market.actions.comparing import compare, request_quotes
from huika.domain.market.bargaining import Agreed
from huika.domain.market.errors import BargainOver, NoBargain, StepNotOpen, StepNotSigned
from huika.domain.market.machine import BARGAIN
from huika.domain.market.types import Line, Reply, SignedRequest
from huika.domain.parties import queries as parties
from huika.kit import clock, events, ids, locks, rates
from huika.kit.change import action
from huika.kit.refusals import NotFound

MOST_QUESTIONS = 4
"""How often rivals are asked about one bargain: each counts an unanswered question as an omission."""


@action
def ask_for_more(comparison: UUID, secret: str, recycler: UUID, bonus_bp: int) -> UUID:
    """Ask a recycler of a comparison for `bonus_bp` of face value more on every card; the bargain's id.

    Raises NotFound, NotTheAsker, NoBargain (it does not bargain, or was asked before), StepNotOpen, BargainOver.
    """
    at = clock.now()
    queries.check_secret(comparison, secret)
    row = models.Comparison.objects.get(id=comparison)
    if row.expires_at <= at:
        raise BargainOver()
    locks.transaction_lock(f"market.bargain.{comparison}.{recycler}")
    entry = queries.bargainers(comparison).get(recycler)
    if entry is None or models.Bargain.objects.filter(comparison=row, recycler_id=recycler).exists():
        raise NoBargain()
    if not bargaining.may_ask([], bonus_bp):
        raise StepNotOpen()
    until = min(row.expires_at, at + timedelta(seconds=bargaining.STANDS_SECONDS))
    number = ids.uuid7()
    made = models.Bargain.objects.create(
        id=number,
        comparison=row,
        recycler_id=recycler,
        book_id=entry,
        terms=queries.bargain_terms(number, until, comparison, recycler),
        at=at,
        expires_at=until,
    )
    _keep_step(made, 1, bonus_bp)
    return made.id


@action
def ask_again(bargain: UUID, secret: str, bonus_bp: int) -> None:
    """Ask for less than last time and more than was offered.

    Raises NotFound, NotTheAsker, BargainOver, StepNotOpen, WrongState.
    """
    row, steps = _open(bargain)
    queries.check_secret(row.comparison_id, secret)
    state = BARGAIN.next(row.state, "ask")
    if not bargaining.may_ask(steps, bonus_bp):
        raise StepNotOpen()
    _keep_step(row, len(steps) + 1, bonus_bp)
    row.state = state
    row.save(update_fields=["state"])


@action
def answer_bargain(
    bargain: UUID, recycler: UUID, n: int, bonus_bp: int, proof: SignedRequest, replies: Sequence[Reply] = ()
) -> str:
    """The recycler's step `n`: what was asked (it is agreed), less (a counter-offer) or 0 (no); the new state.

    `proof`: its signed request, whose body names these terms (`BargainRef.terms`), the step and the number. `replies`:
    what its rivals quote live now (`rivals_quotes`), in case it is agreed.
    Raises NotFound, BargainOver, StepNotOpen, StepNotSigned, WrongState.
    """
    row, steps = _open(bargain, recycler)
    if n != len(steps) + 1 or not bargaining.may_answer(steps, bonus_bp):
        raise StepNotOpen()
    if not bargaining.signed(bargaining.text(row.terms, steps), n, bonus_bp, proof.plain()):
        raise StepNotSigned()
    step = "refuse" if bonus_bp == 0 else "agree" if bonus_bp == steps[-1] else "answer"
    state = BARGAIN.next(row.state, step)
    _keep_step(row, n, bonus_bp, proof)
    if step == "agree":
        _firm(row, bonus_bp, replies)
    else:
        row.state = state
        row.save(update_fields=["state"])
    return row.state


@action
def take_bargain(bargain: UUID, secret: str, replies: Sequence[Reply] = ()) -> UUID:
    """The seller takes what was offered last; the new comparison, which is firm as any other.

    `replies`: what the rivals quote live now (`rivals_quotes`).
    Raises NotFound, NotTheAsker, BargainOver, StepNotOpen.
    """
    row, steps = _open(bargain)
    queries.check_secret(row.comparison_id, secret)
    if row.state != "answered":
        raise StepNotOpen()
    return _firm(row, steps[-1], replies)


@action
def leave_bargain(bargain: UUID, secret: str) -> None:
    """The seller wants no more of it; the book's price stands as it did. Raises NotFound, NotTheAsker, WrongState."""
    row = locks.locked(models.Bargain.objects.all(), id=bargain)
    queries.check_secret(row.comparison_id, secret)
    row.state = BARGAIN.next(row.state, "leave")
    row.save(update_fields=["state"])
    events.record("market.bargain.left", row.comparison_id, {"bargain": str(row.id), "recycler": str(row.recycler_id)})


def rivals_quotes(bargain: UUID) -> list[Reply]:
    """What the others quote live now for a bargain's cards, where it still goes on: outside any transaction, half a
    second at most. Raises NotFound; TooMany after a few times."""
    row = models.Bargain.objects.select_related("comparison").filter(id=bargain).first()
    if row is None:
        raise NotFound()
    if row.state not in ("asked", "answered") or row.expires_at <= clock.now():
        return []
    rates.spend(f"bargain:{bargain}", MOST_QUESTIONS, bargaining.STANDS_SECONDS)
    asked = row.comparison
    rivals = _trading() - {row.recycler_id}
    return request_quotes(asked.city, asked.channel, [Line(**line) for line in asked.lines], rivals)


def _trading() -> frozenset[UUID]:
    return frozenset(r.id for r in parties.recyclers())


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


def _keep_step(row: models.Bargain, n: int, bonus_bp: int, proof: SignedRequest | None = None) -> None:
    models.BargainStep.objects.create(
        bargain=row,
        n=n,
        bonus_bp=bonus_bp,
        message=proof.message if proof else None,
        signature=proof.signature if proof else None,
        public_key=proof.public_key if proof else None,
        at=clock.now(),
    )
    facts = {"bargain": str(row.id), "recycler": str(row.recycler_id), "n": n, "bonus_bp": bonus_bp}
    events.record(
        "market.bargain.asked" if n % 2 else "market.bargain.answered" if bonus_bp else "market.bargain.refused",
        row.comparison_id,
        facts,
    )


def _firm(row: models.Bargain, bonus_bp: int, replies: Sequence[Reply]) -> UUID:
    """Compare the same cards again with what was agreed, which is then firm as any offer. Raises BargainOver where the
    recycler does not buy them any more, whatever it has signed: its day may be full."""
    asked = row.comparison
    agreed = Agreed(
        row.id, row.recycler_id, row.book_id, row.expires_at, bonus_bp, queries.bargain_steps(row.id), asked.secret
    )
    made = compare(
        asked.city,
        asked.district,
        [Line(**line) for line in asked.lines],
        served=True,
        covered=_trading(),
        channel=asked.channel,
        bagged=queries.bagged_lines(asked.id),
        replies=[reply for reply in replies if reply.question.recycler != row.recycler_id],
        agreed=agreed,
    )
    if not models.Quote.objects.filter(comparison_id=made, recycler_id=row.recycler_id, reason="").exists():
        raise BargainOver()
    row.state, row.result_id = BARGAIN.next(row.state, "agree"), made
    row.save(update_fields=["state", "result"])
    facts = {"bargain": str(row.id), "recycler": str(row.recycler_id), "bonus_bp": bonus_bp, "comparison": str(made)}
    events.record("market.bargain.agreed", asked.id, facts)
    return made
