"""Callbacks of rails: what is true by signature is still only a reason to ask."""

from datetime import timedelta

from django.db import connection

from huika.domain.parties import queries as parties
from huika.domain.settlement import models
from huika.domain.settlement.actions.payouts import OPEN, show_person
from huika.domain.settlement.errors import CallbackReplayed
from huika.domain.settlement.types import Callback
from huika.kit import clock, jobs
from huika.kit.change import action
from huika.kit.ports import provider

KEPT_SECONDS = 3600  # older deliveries are refused as stale by the rails' files


@action
def callback_received(rail: str, callback: Callback, merchant: str) -> None:
    """A verified callback names one of our payouts: have the rail asked before anything is final. Once a delivery.

    One that is right by signature but names another merchant, amount or payee changes nothing and goes to a person.
    Raises CallbackReplayed.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO settlement_seencallback (rail, once, at) VALUES (%s, %s, %s)"
            " ON CONFLICT (rail, once) DO NOTHING RETURNING id",
            [rail, callback.once[:160], clock.now()],
        )
        if cursor.fetchone() is None:
            raise CallbackReplayed()
    row = models.Payout.objects.filter(number=callback.number, rail=rail).first()
    if row is None:
        return
    details = parties.payee_details(row.payee_id) if row.payee_id else None
    same = (callback.merchant, callback.amount_fen) == (merchant, row.amount_fen)
    if not same or details is None or callback.account != details.account:
        show_person(
            row, "callback_mismatch", "回调的金额或收款人和我们的不一样", "A callback names another amount or payee"
        )
        return
    may_return = row.state == "paid" and provider(f"rail.{rail}").limits.may_return
    if row.state in OPEN or may_return:
        jobs.defer("settlement.ask", payout_id=str(row.id))


@action
def forget_callbacks() -> int:
    """Drop deliveries that would be refused as stale anyway; how many."""
    return models.SeenCallback.objects.filter(at__lt=clock.now() - timedelta(seconds=KEPT_SECONDS)).delete()[0]
