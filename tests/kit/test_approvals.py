"""Two people: one asks, another approves exactly that, and it is used once."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, transaction
from tests.kit.concurrently import together
from tests.kit.passkeys import SoftKey

from huika.kit import approvals, clock
from huika.kit.approvals import NotApproved, NotSigned, OwnCase, SamePerson, Signed
from huika.kit.change import action
from huika.kit.models import Approval, Event
from huika.kit.refusals import NotFound

AT = datetime(2026, 5, 20, 6, 30, tzinfo=UTC)
ANN, BEN, SUBJECT = UUID(int=1), UUID(int=2), UUID(int=3)
FACTS: dict[str, Any] = {"cards": 200, "recipient": "a", "ids": ["x", "y"]}


@action
def spend(approval: UUID, kind: str = "vault.export", subject: UUID = SUBJECT, facts: dict[str, Any] = FACTS) -> None:
    """The action that an approval was asked for."""
    approvals.use(approval, kind, subject, facts)


KEY = SoftKey()


def ask() -> UUID:
    return approvals.ask("vault.export", SUBJECT, ANN, FACTS)


def signed(approval: UUID, key: SoftKey = KEY, **more: Any) -> Signed:
    """Ben's passkey signs what this approval says."""
    return Signed("localhost", key.origin, bytes(key.attested), key.signs(approvals.challenge(approval), **more))


def approved() -> UUID:
    made = ask()
    approvals.decide(made, BEN, approve=True, signed=signed(made))
    return made


@pytest.mark.django_db
def test_what_two_people_wanted_is_done_once() -> None:
    made = approved()
    spend(made, facts=dict(reversed(FACTS.items())))
    with pytest.raises(NotApproved):
        spend(made)
    verbs = list(Event.objects.filter(subject=made).order_by("id").values_list("verb", "facts"))
    assert verbs == [
        ("kit.approval.asked", {"kind": "vault.export", "about": str(SUBJECT), "by": str(ANN)}),
        ("kit.approval.decided", {"approved": True, "by": str(BEN)}),
    ]


@pytest.mark.django_db(transaction=True)
def test_used_once_from_many_threads() -> None:
    made = approved()
    ends = together(*[lambda: spend(made)] * 6)
    assert ends.count(None) == 1
    assert all(isinstance(e, NotApproved) for e in ends if e is not None)


@pytest.mark.django_db
def test_the_one_who_asked_does_not_approve() -> None:
    made = ask()
    for approve in (True, False):
        with pytest.raises(SamePerson):
            approvals.decide(made, ANN, approve=approve, signed=signed(made))
    with pytest.raises(NotApproved):
        spend(made)


@pytest.mark.django_db
def test_the_database_refuses_the_same_person_too() -> None:
    made = ask()
    with pytest.raises(IntegrityError, match="kit_approval_two_people"):
        Approval.objects.filter(id=made).update(decided_by=ANN, decided_at=AT, approved=True, proof={})


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("approved", "decided_by"),
    [
        (False, BEN),
        (None, BEN),
        (None, None),
        (True, None),
    ],
)
def test_the_database_lets_nothing_be_used_that_no_second_person_approved(
    approved: bool | None, decided_by: UUID | None
) -> None:
    made = ask()
    with pytest.raises(IntegrityError, match="kit_approval"):
        Approval.objects.filter(id=made).update(decided_by=decided_by, decided_at=AT, approved=approved, used_at=AT)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "other",
    [
        {"kind": "vault.view"},
        {"subject": UUID(int=4)},
        {"facts": {**FACTS, "cards": 201}},
        {"facts": {**FACTS, "ids": ["y", "x"]}},
        {"facts": {}},
    ],
)
def test_it_is_good_for_nothing_else(other: dict[str, Any]) -> None:
    made = approved()
    with pytest.raises(NotApproved):
        spend(made, **other)
    spend(made)


@pytest.mark.django_db
def test_a_refusal_is_final() -> None:
    made = ask()
    approvals.decide(made, BEN, approve=False)
    with pytest.raises(NotApproved):
        spend(made)
    with pytest.raises(NotApproved):
        approvals.decide(made, UUID(int=9), approve=True, signed=signed(made))


@pytest.mark.django_db
def test_undecided_is_not_approved() -> None:
    made = ask()
    with pytest.raises(NotApproved):
        spend(made)


@pytest.mark.django_db
def test_it_expires() -> None:
    with clock.frozen(AT):
        late, made = ask(), ask()
        approvals.decide(made, BEN, approve=True, signed=signed(made))
    with clock.frozen(AT + timedelta(seconds=approvals.VALID_SECONDS, microseconds=1)):
        with pytest.raises(NotApproved):
            approvals.decide(late, BEN, approve=True, signed=signed(late))
        with pytest.raises(NotApproved):
            spend(made)
    with clock.frozen(AT + timedelta(seconds=approvals.VALID_SECONDS)):
        spend(made)


@pytest.mark.django_db(transaction=True)
def test_an_action_that_fails_has_not_used_it() -> None:
    made = approved()

    @action
    def fails() -> None:
        spend(made)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    spend(made)
    assert Approval.objects.get(id=made).used_at is not None


@pytest.mark.django_db
def test_without_a_passkey_s_signature_nothing_is_approved() -> None:
    made = ask()
    with pytest.raises(NotSigned):
        approvals.decide(made, BEN, approve=True)
    with pytest.raises(IntegrityError, match="kit_approval_signed"), transaction.atomic():
        Approval.objects.filter(id=made).update(decided_by=BEN, decided_at=AT, approved=True)
    approvals.decide(made, BEN, approve=False)


@pytest.mark.django_db
def test_a_signature_for_one_approval_is_worth_nothing_for_another() -> None:
    one, other = ask(), ask()
    with pytest.raises(NotSigned):
        approvals.decide(other, BEN, approve=True, signed=signed(one))
    assert Approval.objects.get(id=other).approved is None
    approvals.decide(one, BEN, approve=True, signed=signed(one))


@pytest.mark.django_db
def test_facts_changed_after_the_signature_are_not_approved() -> None:
    made = ask()
    given = signed(made)
    Approval.objects.filter(id=made).update(facts_hash=bytes(32))
    with pytest.raises(NotSigned):
        approvals.decide(made, BEN, approve=True, signed=given)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "wrong",
    [
        lambda made: signed(made, origin="http://files.localhost"),
        lambda made: signed(made, verified=False),
        lambda made: signed(made, SoftKey("example.org")),
        lambda made: Signed("localhost", KEY.origin, bytes(SoftKey().attested), signed(made).answer),
        lambda made: Signed("localhost", KEY.origin, bytes(KEY.attested), {}),
        lambda made: Signed(
            "localhost", KEY.origin, bytes(KEY.attested), {**signed(made).answer, "response": {"signature": "AA"}}
        ),
    ],
    ids=["another address", "nobody verified", "another site", "another key", "empty", "in pieces"],
)
def test_what_is_no_good_signature(wrong: Any) -> None:
    made = ask()
    with pytest.raises(NotSigned):
        approvals.decide(made, BEN, approve=True, signed=wrong(made))


@pytest.mark.django_db
def test_the_proof_can_be_checked_again() -> None:
    from fido2.utils import websafe_decode
    from fido2.webauthn import AttestedCredentialData, CollectedClientData

    made = approved()
    proof = {k: websafe_decode(v) for k, v in (Approval.objects.get(id=made).proof or {}).items()}
    client = CollectedClientData(proof["client_data"])
    assert client.challenge == approvals.challenge(made)
    key = AttestedCredentialData(proof["credential"])
    assert key.credential_id == KEY.id
    key.public_key.verify(proof["authenticator_data"] + client.hash, proof["signature"])


@pytest.mark.django_db
def test_whom_it_concerns_neither_asks_nor_decides() -> None:
    with pytest.raises(OwnCase):
        approvals.ask("kind", SUBJECT, ANN, {}, concerns=ANN)
    made = approvals.ask("kind", SUBJECT, ANN, {}, concerns=BEN)
    for approve in (True, False):
        with pytest.raises(OwnCase):
            approvals.decide(made, BEN, approve=approve, signed=signed(made))
    for forbidden in (
        {"asked_by": BEN},
        {"decided_by": BEN, "decided_at": AT, "approved": False},
        {"decided_by": BEN, "decided_at": AT, "approved": True, "proof": {}},
    ):
        with pytest.raises(IntegrityError, match="kit_approval_not_about_oneself"), transaction.atomic():
            Approval.objects.filter(id=made).update(**forbidden)


@pytest.mark.django_db
def test_people_read_it_in_both_languages(monkeypatch: pytest.MonkeyPatch) -> None:
    words = approvals.Words("导出 {cards} 张", "Export {cards}", {"cards": ("张数", "Cards")})
    monkeypatch.setitem(approvals.WORDS, "vault.export", words)
    made = ask()
    (one,) = approvals.open_ones()
    assert (one.id, one.zh, one.en, one.open) == (made, "导出 200 张", "Export 200", True)
    assert ("张数", "Cards", "200") in one.facts
    approvals.decide(made, BEN, approve=True, signed=signed(made))
    assert not approvals.open_ones()
    assert [a.id for a in approvals.lately_decided()] == [made]


@pytest.mark.django_db
def test_an_unknown_approval_is_not_found() -> None:
    with pytest.raises(NotFound):
        approvals.decide(uuid4(), BEN, approve=True)
    with pytest.raises(NotFound), transaction.atomic():
        approvals.use(uuid4(), "vault.export", SUBJECT, FACTS)
