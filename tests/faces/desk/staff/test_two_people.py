"""Letting a colleague in again, and approving with a passkey, without a browser."""

import json
import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from tests.faces.desk.staff.conftest import Person
from tests.faces.desk.staff.helpers import PASSWORD, client, enrolled
from tests.faces.desk.staff.test_sign_in import by_passkey, by_password, inside, inside_by
from tests.kit.concurrently import together
from tests.kit.passkeys import SoftKey

from huika.domain.parties import actions as parties
from huika.domain.parties import models, queries
from huika.domain.parties.errors import LinkDead, WrongPassword
from huika.domain.parties.types import Role
from huika.kit import approvals, clock
from huika.kit.models import Approval, Event

pytestmark = pytest.mark.django_db


class Desk:
    """Three people of the desk, each with a passkey and signed in."""

    def __init__(self, person: Person) -> None:
        self.users = {n: person(n) for n in ("ann", "ben", "eve")}
        self.keys = {n: enrolled(u) for n, u in self.users.items()}
        self.browsers = {n: client() for n in self.users}
        for n, browser in self.browsers.items():
            by_passkey(browser, self.keys[n])

    def asks(self, by: str, about: str) -> str:
        """Ask for a recovery; where that leads."""
        sent = self.browsers[by].post(f"/staff/colleagues/{self.users[about].id}/recover", {"once": f"{by}{about}"})
        assert sent.status_code == 302, sent.content.decode()
        return str(sent.headers["Location"])

    def approves(self, by: str, where: str, key: SoftKey | None = None, challenge_of: str = "") -> Any:
        """Approve with one's passkey what stands at `where`; `challenge_of` signs another approval."""
        browser = self.browsers[by]
        options = browser.get(challenge_of or where).context["options"]
        challenge = options or json.dumps({"publicKey": {"challenge": self.challenge(where)}})
        answer = (key or self.keys[by]).answer(json.loads(challenge))
        return browser.post(where, {"credential": json.dumps(answer), "once": f"{by}{where}"})

    def challenge(self, where: str) -> str:
        from fido2.utils import websafe_encode

        return websafe_encode(approvals.challenge(UUID(where.rpartition("/")[2])))


@pytest.fixture
def desk(person: Person) -> Desk:
    return Desk(person)


def link_on(browser: Client, where: str) -> str | None:
    found = re.search(r">http://localhost(/staff/link/[^<]+)<", browser.get(where).content.decode())
    return found[1] if found else None


def test_two_colleagues_let_a_third_in_again(desk: Desk) -> None:
    eve, away = desk.users["eve"], desk.browsers["eve"]
    with pytest.raises(WrongPassword):
        parties.sign_in_staff("eve", PASSWORD)  # she has a passkey: programs are not let in by the password either
    where = desk.asks("ann", "eve")
    assert link_on(desk.browsers["ann"], where) is None and inside(away) and inside_by(desk.keys["eve"])
    assert desk.approves("ben", where).status_code == 302
    # The old passkeys end, every device is out, and a password alone enrols nothing.
    assert not inside(away) and not inside_by(desk.keys["eve"]) and queries.tokens(eve.party_id) == 0
    refused = by_password(client(), "eve")
    assert refused.status_code == 409 and "同事给你的链接" in refused.content.decode()
    # Who asked holds the link, who approved does not; the table holds its hash alone.
    link = link_on(desk.browsers["ann"], where)
    assert link is not None and link_on(desk.browsers["ben"], where) is None
    assert desk.browsers["ann"].get(where).headers["Cache-Control"] == "no-store"
    row = models.Enrolment.objects.get()
    assert link.rpartition("/")[2].encode() not in bytes(row.token_hash)
    # It opens one page, once.
    fresh, key = client(), SoftKey()
    page = fresh.get(link)
    assert page.status_code == 200 and "eve" in page.content.decode() and not inside(fresh)
    options = json.loads(page.context["options"])
    done = fresh.post(link, {"name": "new", "password": PASSWORD, "credential": json.dumps(key.register(options))})
    assert done.headers["Location"].startswith("/staff/sign-in") and not inside(fresh)
    assert fresh.get(link).status_code == 409 and link_on(desk.browsers["ann"], where) is None
    assert inside_by(key) and [k.name for k in queries.passkeys(eve.id)] == ["new"]
    verbs = list(Event.objects.filter(subject=eve.party_id).order_by("id").values_list("verb", flat=True))
    assert verbs[-4:] == [
        "parties.session.ended_everywhere",
        "parties.recovery.done",
        "parties.passkey.added",
        "parties.session.opened",
    ]


def test_a_link_dies_after_a_quarter_of_an_hour_and_with_the_next_one(desk: Desk) -> None:
    first = desk.asks("ann", "eve")
    desk.approves("ben", first)
    link = link_on(desk.browsers["ann"], first)
    assert link is not None
    page = client()
    options = json.loads(page.get(link).context["options"])
    with clock.shifted(timedelta(seconds=901)):
        assert client().get(link).status_code == 409
        late = page.post(link, {"credential": json.dumps(SoftKey().register(options))})
        assert late.status_code == 409 and not queries.passkeys(desk.users["eve"].id)
    again = desk.browsers["ann"].post(f"/staff/colleagues/{desk.users['eve'].id}/recover", {"once": "again"})
    desk.approves("ben", again.headers["Location"])
    assert client().get(link).status_code == 409
    newer = link_on(desk.browsers["ann"], again.headers["Location"])
    assert newer and client().get(newer).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_link_is_good_for_one_passkey_however_many_come_at_once(desk: Desk) -> None:
    where = desk.asks("ann", "eve")
    desk.approves("ben", where)
    link = link_on(desk.browsers["ann"], where)
    assert link is not None
    options = json.loads(client().get(link).context["options"])
    token = link.rpartition("/")[2]
    ends = together(*[lambda: parties.add_passkey_by_link(token, "x", SoftKey().register(options), PASSWORD)] * 4)
    assert sum(isinstance(e, int) for e in ends) == 1
    assert sum(isinstance(e, LinkDead) for e in ends) == 3
    assert len(queries.passkeys(desk.users["eve"].id)) == 1


@pytest.mark.django_db(transaction=True)
def test_an_approval_is_decided_once_however_many_come_at_once(desk: Desk, person: Person) -> None:
    fay = person("fay")
    key, where = enrolled(fay), desk.asks("ann", "eve")
    approval = UUID(where.rpartition("/")[2])
    both = [
        (desk.users["ben"], desk.keys["ben"].signs(approvals.challenge(approval))),
        (fay, key.signs(approvals.challenge(approval))),
    ]
    ends = together(
        *[lambda u=u, a=a: parties.approve(u.id, approval, a, "localhost", "http://localhost") for u, a in both]
    )
    assert sum(isinstance(e, UUID) for e in ends) == 1
    assert sum(isinstance(e, approvals.NotApproved) for e in ends) == 1
    assert models.Enrolment.objects.count() == 1


@pytest.mark.parametrize("link", ["x", "0" * 32 + "." + "0" * 64])
def test_no_other_link_opens(link: str) -> None:
    assert client().get(f"/staff/link/{link}").status_code == 409


def test_the_person_concerned_neither_asks_nor_approves(desk: Desk) -> None:
    own = desk.browsers["eve"].post(f"/staff/colleagues/{desk.users['eve'].id}/recover", {"once": "x"})
    assert own.status_code == 409 and "关系到你自己" in own.content.decode()
    where = desk.asks("ann", "eve")
    assert desk.browsers["eve"].get(where).context["may"] is False
    refused = desk.approves("eve", where)
    assert refused.status_code == 409 and inside_by(desk.keys["eve"])
    said_no = desk.browsers["eve"].post(where, {"refuse": "1", "once": "y"})
    assert said_no.status_code == 409
    row = Approval.objects.get()
    assert row.approved is None
    for tried in (desk.users["ann"], desk.users["eve"]):
        with pytest.raises(IntegrityError, match="kit_approval_"), transaction.atomic():
            Approval.objects.update(decided_by=tried.party_id, decided_at=clock.now(), approved=True, proof={})
    with pytest.raises(IntegrityError, match="kit_approval_not_about_oneself"), transaction.atomic():
        Approval.objects.update(asked_by=desk.users["eve"].party_id)


def test_who_asked_does_not_approve(desk: Desk) -> None:
    where = desk.asks("ann", "eve")
    assert desk.approves("ann", where).status_code == 409
    assert Approval.objects.get().approved is None


def test_a_signature_for_one_does_not_approve_the_other(desk: Desk) -> None:
    one, other = desk.asks("ann", "eve"), desk.asks("eve", "ann")
    refused = desk.approves("ben", other, challenge_of=one)
    assert refused.status_code == 409 and "通行密钥签的不是这件事" in refused.content.decode()
    assert not Approval.objects.exclude(approved=None).exists()
    assert desk.approves("ben", one).status_code == 302


def test_another_one_s_passkey_and_none_at_all_do_not_approve(desk: Desk) -> None:
    where = desk.asks("ann", "eve")
    assert desk.approves("ben", where, key=desk.keys["ann"]).status_code == 409
    assert desk.browsers["ben"].post(where, {"once": "n"}).status_code == 401
    assert Approval.objects.get().approved is None
    assert desk.approves("ben", where).status_code == 302
    proof = Approval.objects.get().proof
    assert proof and set(proof) == {"credential", "client_data", "authenticator_data", "signature"}
    assert desk.approves("ben", where).status_code == 409  # decided already


def test_a_refusal_is_final_and_changes_nothing(desk: Desk) -> None:
    where = desk.asks("ann", "eve")
    assert desk.browsers["ben"].post(where, {"refuse": "1", "once": "r"}).status_code == 302
    assert "没同意" in desk.browsers["ben"].get(where).content.decode()
    assert desk.approves("ben", where).status_code == 409
    assert inside_by(desk.keys["eve"]) and not models.Enrolment.objects.exists()


def test_the_list_says_what_waits_in_words(desk: Desk) -> None:
    desk.asks("ann", "eve")
    page = desk.browsers["ben"].get("/staff/approvals").content.decode()
    assert "让 eve 重新登记通行密钥" in page and "ann 提" in page and "等你看" in page
    english = desk.browsers["ben"].get("/staff/approvals?lang=en").content.decode()
    assert "Let eve enrol a passkey anew" in english and "asked by ann" in english


@pytest.mark.parametrize("role", [Role.COURIER, Role.REGULATOR, Role.RECYCLER])
def test_only_the_desk_asks_and_approves(desk: Desk, person: Person, role: Role) -> None:
    where = desk.asks("ann", "eve")
    other = person("fred", role)
    browser = client()
    by_passkey(browser, enrolled(other))
    assert inside(browser)
    for path in ("/staff/approvals", where, "/staff/colleagues"):
        assert browser.get(path).status_code == 403
    assert browser.post(f"/staff/colleagues/{desk.users['eve'].id}/recover", {"once": "f"}).status_code == 403
    assert browser.post(where, {"refuse": "1"}).status_code == 403
    with pytest.raises(Exception, match="not_allowed"):
        parties.approve(other.id, UUID(where.rpartition("/")[2]), {}, "localhost", "http://localhost")


def test_a_courier_is_let_in_again_too(desk: Desk, person: Person) -> None:
    cora = person("cora", Role.COURIER)
    enrolled(cora)
    desk.users["cora"] = cora
    where = desk.asks("ben", "cora")
    desk.approves("ann", where)
    assert by_password(client(), "cora").status_code == 409
    link = link_on(desk.browsers["ben"], where)
    key, fresh = SoftKey(), client()
    assert link is not None
    options = json.loads(fresh.get(link).context["options"])
    fresh.post(link, {"password": "not it", "credential": json.dumps(key.register(options))})
    assert not inside_by(key), "who asked for it sees the link: the password is the owner's"
    options = json.loads(fresh.get(link).context["options"])
    fresh.post(link, {"password": PASSWORD, "credential": json.dumps(key.register(options))})
    assert inside_by(key)
