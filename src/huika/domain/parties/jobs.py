"""Calls to the SMS carrier and the identity service."""

import json
from uuid import UUID

from huika.domain.parties import actions, codes, models, queries
from huika.kit.jobs import TryAgain, job
from huika.kit.ports import provider
from huika.kit.safe_http import NoAnswer, NotSent


@job("parties.send_code")
def send_code(code_id: str) -> None:
    """Send one code; the job knows only its reference."""
    row = models.Code.objects.filter(id=code_id).first()
    if row is None or row.sealed is None:
        return
    try:
        provider("sms").send(row.phone, row.purpose, {**row.words, "code": codes.opened(row)}, code_id)
    except (NoAnswer, NotSent) as error:
        raise TryAgain from error
    actions.code_sent(row.id)


@job("parties.send_notice")
def send_notice(seller_id: str, template: str, words: str, reference: str) -> None:
    """Send a message that a seller asked for; the job knows no phone."""
    phone = queries.phone_of(UUID(seller_id))
    if phone is None:
        return
    try:
        provider("sms").send(phone, template, json.loads(words), reference)
    except (NoAnswer, NotSent) as error:
        raise TryAgain from error


@job("parties.check_identity")
def check_identity(check_id: str) -> None:
    """Ask whether a name and identity number belong together."""
    asked = queries.identity_check(UUID(check_id))
    if asked is None:
        return
    try:
        matches = provider("identity").matches(*asked, check_id)
    except (NoAnswer, NotSent) as error:
        raise TryAgain from error
    actions.identity_answered(UUID(check_id), matches)
