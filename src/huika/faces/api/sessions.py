"""Signing in, and the seller's own papers."""

from django.http import HttpRequest
from ninja import Router, Status

from huika.domain.parties import actions as parties
from huika.domain.parties import queries as people
from huika.domain.parties.types import Login, PayeeRef, Role
from huika.faces.api import present
from huika.faces.api import schemas as s
from huika.faces.api.keyed import KEY_HEADER, actor_of, bearer, once

router = Router(tags=["sessions"])
mine = Router(tags=["me"], auth=bearer)


@router.post(
    "/codes", response={202: s.Done}, summary="Send a login code to a phone; the answer never says whether it is known"
)
def request_code(request: HttpRequest, body: s.CodeIn, key: str = KEY_HEADER) -> Status[s.Done]:
    once(request, key, lambda: parties.request_login_code(body.phone, body.device))
    return Status(202, s.Done())


def _session(login: Login) -> Status[s.SessionOut]:
    return Status(201, s.SessionOut(token=people.token_of(login.session), party=login.party, role=login.role))


@router.post("/sessions", response={201: s.SessionOut}, summary="Sign in with a phone code")
def sign_in(request: HttpRequest, body: s.SignInIn, key: str = KEY_HEADER) -> Status[s.SessionOut]:
    return _session(once(request, key, lambda: parties.sign_in(body.phone, body.device, body.code)))


@router.post("/staff/sessions", response={201: s.SessionOut}, summary="Sign in with a staff account")
def sign_in_staff(request: HttpRequest, body: s.StaffIn, key: str = KEY_HEADER) -> Status[s.SessionOut]:
    return _session(once(request, key, lambda: parties.sign_in_staff(body.username, body.password)))


@mine.get("", response=s.MeOut, summary="Who am I")
def get_me(request: HttpRequest) -> s.MeOut:
    return present.me(actor_of(request))


@mine.delete("/session", response={200: s.Done}, summary="Sign this device out")
def sign_out(request: HttpRequest) -> s.Done:
    session = actor_of(request).session
    if session is not None:
        parties.end_session(session)
    return s.Done()


@mine.post("/identity", response={202: s.Done}, summary="Have name and identity number verified")
def submit_identity(request: HttpRequest, body: s.IdentityIn, key: str = KEY_HEADER) -> Status[s.Done]:
    actor = actor_of(request, Role.SELLER)
    once(request, key, lambda: parties.submit_identity(actor.party, body.name, body.id_number))
    return Status(202, s.Done())


@mine.post("/consents", response=s.MeOut, summary="Give consents, one by one")
def give_consents(request: HttpRequest, body: s.ConsentsIn, key: str = KEY_HEADER) -> s.MeOut:
    actor = actor_of(request, Role.SELLER)
    once(request, key, lambda: parties.give_consents(actor.party, list(body.kinds)))
    return present.me(actor)


@mine.delete("/consents/{kind}", response=s.MeOut, summary="Withdraw a consent")
def withdraw_consent(request: HttpRequest, kind: str) -> s.MeOut:
    actor = actor_of(request, Role.SELLER)
    parties.withdraw_consent(actor.party, kind[:30])
    return present.me(actor)


@mine.get("/payees", response=list[s.PayeeOut], summary="Where I am paid")
def list_payees(request: HttpRequest) -> list[PayeeRef]:
    return list(people.payees(actor_of(request, Role.SELLER).party))


@mine.post("/payee-codes", response={202: s.Done}, summary="Send me the code for changing where I am paid")
def request_payee_code(request: HttpRequest, body: s.PayeeCodeIn, key: str = KEY_HEADER) -> Status[s.Done]:
    actor = actor_of(request, Role.SELLER)
    once(request, key, lambda: parties.request_payee_code(actor, body.rail, body.account))
    return Status(202, s.Done())


@mine.post(
    "/payees", response={201: s.PayeeOut}, summary="Save where I am paid; a change needs a code and waits 24 hours"
)
def save_payee(request: HttpRequest, body: s.PayeeIn, key: str = KEY_HEADER) -> Status[PayeeRef]:
    actor = actor_of(request, Role.SELLER)
    made = once(request, key, lambda: parties.save_payee(actor, body.rail, body.account, body.name, body.code))
    return Status(201, people.payee(actor.party, made))
