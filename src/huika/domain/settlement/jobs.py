"""Calls to the custodian and the rails. Each ends in one action that tolerates repetition."""

from contextlib import suppress
from datetime import date, timedelta

import structlog

from huika.domain.ledger import actions as ledger
from huika.domain.parties import queries as parties
from huika.domain.settlement import accounts, actions, models, queries
from huika.domain.settlement.actions.reconciling import bounds
from huika.kit import clock
from huika.kit.jobs import TryAgain, defer, job
from huika.kit.ports import provider
from huika.kit.safe_http import NoAnswer, NotSent

log = structlog.get_logger()
STATEMENT_AFTER = timedelta(hours=2)
"""How long after midnight a day's statement can be complete."""
CUSTODIAN_SECONDS = 600  # longer than thirty tries, one second apart more each


@job("settlement.freeze")
def freeze(freeze_id: str) -> None:
    """Ask the custodian to freeze a lot's money; no answer is asked again under the same number."""
    row = models.Freeze.objects.get(id=freeze_id)
    if row.state not in ("requested", "abandoned"):
        return
    try:
        answer = provider("custodian").freeze(str(row.id), accounts.escrow(row.recycler_id), row.amount_fen)
    except (NoAnswer, NotSent) as error:
        raise TryAgain from error
    actions.custodian_answered(row.id, answer)


@job("settlement.capture")
def capture(card_id: str) -> None:
    """Have the custodian book a card's part of the freeze."""
    row = models.Capture.objects.select_related("freeze").get(card_id=card_id)
    if row.done_at:
        return
    if not row.freeze.freeze_no:  # the custodian has not answered yet
        raise TryAgain
    try:
        provider("custodian").capture(str(row.id), row.freeze.freeze_no, row.amount_fen)
    except (NoAnswer, NotSent) as error:
        raise TryAgain from error
    actions.custodian_captured(row.card_id)


@job("settlement.release")
def release(freeze_id: str) -> None:
    """Have the custodian give back what is left of a freeze, once every capture of it is booked."""
    row = models.Freeze.objects.get(id=freeze_id)
    if row.state != "releasing":
        return
    if models.Capture.objects.filter(freeze=row, done_at=None).exists():
        raise TryAgain
    rest = row.amount_fen - row.captured_fen - row.reserved_fen
    try:
        if rest:
            provider("custodian").release(f"{row.id}-rest", row.freeze_no, rest)
    except (NoAnswer, NotSent) as error:
        raise TryAgain from error
    actions.custodian_released(row.id)


@job("settlement.send")
def send(payout_id: str) -> None:
    """Call the rail once under the payout's own number. What was sent before is asked about first, never sent again."""
    row = models.Payout.objects.get(id=payout_id)
    if row.payee_id is None:
        return
    if not actions.sending(row.id):
        ask(payout_id=payout_id)
        return
    row.refresh_from_db()
    details = parties.payee_details(row.payee_id)
    try:
        answer = provider(f"rail.{row.rail}").create(
            row.number, details.account, details.name, row.amount_fen, "回卡收卡款", row.sent_at
        )
    except NotSent as error:
        raise TryAgain from error
    except NoAnswer:
        actions.no_answer(row.id)
        return
    actions.rail_answered(row.id, answer)


@job("settlement.ask")
def ask(payout_id: str) -> None:
    """Ask the rail what became of a payout; where money may come back, of one that has arrived too."""
    row = models.Payout.objects.get(id=payout_id)
    port = provider(f"rail.{row.rail}")
    if row.state not in ("sent", "unknown", "waiting") and not (row.state == "paid" and port.limits.may_return):
        return
    asked = clock.now()
    try:
        answer = port.query(row.number)
    except (NoAnswer, NotSent):
        actions.no_answer(row.id)
        return
    actions.rail_answered(row.id, answer, asked)


@job("settlement.cancel")
def cancel(payout_id: str) -> None:
    """Ask the rail to withdraw a payout that waits for its payee; whatever it says, it is then asked what is so."""
    row = models.Payout.objects.get(id=payout_id)
    if row.state != "waiting":
        return
    with suppress(NoAnswer, NotSent):
        provider(f"rail.{row.rail}").cancel(row.number)
    ask(payout_id=payout_id)


@job("settlement.reserve")
def reserve(reserve_id: str) -> None:
    """Have the custodian pay out the seller's part of an ended reserve and give the rest back."""
    row = models.Reserve.objects.select_related("freeze").get(id=reserve_id)
    if row.state != "ended":
        return
    if not row.freeze.freeze_no:
        raise TryAgain
    try:
        if row.to_seller_fen:
            provider("custodian").capture(str(row.id), row.freeze.freeze_no, row.to_seller_fen)
        if row.to_recycler_fen:
            provider("custodian").release(f"{row.id}-back", row.freeze.freeze_no, row.to_recycler_fen)
    except (NoAnswer, NotSent) as error:
        raise TryAgain from error
    actions.custodian_settled(row.id)


@job("settlement.reserves", every_seconds=60)
def reserves() -> None:
    """Every minute: reserves whose date has come, each in a transaction of its own: one that breaks stops no other."""
    for card in queries.reserves_due(clock.now()):
        try:
            actions.release_reserve(card)
        except Exception:
            log.exception("a reserve was not released", card=str(card))


@job("settlement.reconcile")
def reconcile(day: str) -> None:
    """Hold one day against the custodian's statement."""
    wanted = date.fromisoformat(day)
    custodian = provider("custodian")
    try:
        lines = custodian.statement(wanted)
        near = [custodian.statement(wanted + timedelta(days=n)) or () for n in (-1, 1)] if lines is not None else []
    except (NoAnswer, NotSent) as error:
        raise TryAgain from error
    actions.reconcile(wanted, lines, [line for some in near for line in some])


@job("settlement.reconcile_yesterday", every_seconds=3600)
def reconcile_yesterday() -> None:
    """Every hour: the statements of the last week, once they can be complete, until each has been compared."""
    now = clock.now().astimezone(clock.SHANGHAI)
    days = [(now - STATEMENT_AFTER).date() - timedelta(days=n) for n in range(1, 8)]
    # A day that was compared before it was over is not known yet.
    rows = models.Reconciliation.objects.filter(day__in=days).values_list("day", "at")
    known = {day for day, at in rows if at >= bounds(day)[1] + STATEMENT_AFTER}
    first = models.Freeze.objects.order_by("at").values_list("at", flat=True).first()
    for day in days:
        if day not in known and first is not None and day >= first.astimezone(clock.SHANGHAI).date():
            defer("settlement.reconcile", day=day.isoformat())


@job("settlement.ask_returned", every_seconds=6 * 3600)
def ask_returned() -> None:
    """Every six hours: whether what arrived within the last week was sent back, by rails that may."""
    since = clock.now() - timedelta(days=7)
    rails = [rail for rail in models.RAILS if provider(f"rail.{rail}").limits.may_return]
    for payout in models.Payout.objects.filter(state="paid", rail__in=rails, paid_at__gt=since).order_by("paid_at"):
        defer("settlement.ask", payout_id=str(payout.id))


@job("settlement.custodian_sweep", every_seconds=300)
def custodian_sweep() -> None:
    """Every five minutes: what the custodian has not answered for longer than a job tries; a repeat changes nothing."""
    actions.show_long_held(clock.now())
    late = clock.now() - timedelta(seconds=CUSTODIAN_SECONDS)
    for row in models.Freeze.objects.filter(state__in=["requested", "abandoned"], at__lt=late).order_by("at")[:100]:
        defer("settlement.freeze", freeze_id=str(row.id))
    for row in models.Freeze.objects.filter(state="releasing", at__lt=late).order_by("at")[:100]:
        defer("settlement.release", freeze_id=str(row.id))
    for capture_row in models.Capture.objects.filter(done_at=None, at__lt=late).order_by("at")[:100]:
        defer("settlement.capture", card_id=str(capture_row.card_id))
    for ended in models.Reserve.objects.filter(state="ended", ended_at__lt=late).order_by("at")[:100]:
        defer("settlement.reserve", reserve_id=str(ended.id))


@job("settlement.forget_callbacks", every_seconds=3600)
def forget_callbacks() -> None:
    """Every hour: callbacks that would be refused as stale anyway."""
    actions.forget_callbacks()


@job("settlement.sweep", every_seconds=3)
def sweep() -> None:
    """Every few seconds: payouts without an answer, holds whose time has passed."""
    actions.sweep()
    while ledger.expire(clock.now(), limit=1):
        continue  # one hold a transaction: it never has one recycler's account and waits for another's
