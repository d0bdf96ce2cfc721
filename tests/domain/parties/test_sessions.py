"""Sessions, staff passwords, nonces of signed requests."""

from datetime import timedelta
from functools import partial

import pytest
from tests.domain.ledger.together import refused, together
from tests.domain.parties.phone import dump

from huika.domain.parties import actions, errors, models, queries, rules
from huika.domain.parties.types import Login, Role
from huika.kit import clock
from huika.kit.refusals import NotSignedIn

pytestmark = pytest.mark.django_db


def staff(name: str = "desk1", password: str = "right") -> None:
    actions.ensure_staff(name, Role.DESK, password)


def wrong(times: int, name: str = "desk1") -> None:
    for _ in range(times):
        with pytest.raises(errors.WrongPassword):
            actions.sign_in_staff(name, "wrong")


def test_a_session_s_token_is_stored_nowhere() -> None:
    staff()
    login = actions.sign_in_staff("desk1", "right")
    token = queries.token_of(login.session)
    actor = queries.actor_of(token)
    assert (actor.party, actor.role, actor.session) == (login.party, Role.DESK, login.session)
    kept = dump(*models.Session.objects.all(), *models.User.objects.all())
    assert token not in kept and token.partition(".")[2] not in kept
    assert "right" not in kept.split("\n")


@pytest.mark.parametrize("token", ["", ".", "x", "0" * 32 + "." + "0" * 64, "卖家"])
def test_no_other_token_signs_in(token: str) -> None:
    staff()
    login = actions.sign_in_staff("desk1", "right")
    real = queries.token_of(login.session)
    for tried in (token, real[:-1] + ("0" if real[-1] != "0" else "1"), real.upper(), real + " ", login.session.hex):
        with pytest.raises(NotSignedIn):
            queries.actor_of(tried)


def test_a_session_ends_by_time_by_hand_and_with_its_party() -> None:
    staff()
    at = clock.now()
    with clock.frozen(at):
        tokens = [queries.token_of(actions.sign_in_staff("desk1", "right").session) for _ in range(2)]
    with clock.frozen(at + timedelta(seconds=rules.STAFF_SESSION_SECONDS - 1)):
        first = queries.actor_of(tokens[0])
    with clock.frozen(at + timedelta(seconds=rules.STAFF_SESSION_SECONDS)), pytest.raises(NotSignedIn):
        queries.actor_of(tokens[0])
    assert first.session is not None
    actions.end_session(first.session)
    ended = models.Session.objects.get(id=first.session).ended_at
    actions.end_session(first.session)
    assert models.Session.objects.get(id=first.session).ended_at == ended
    with pytest.raises(NotSignedIn):
        queries.actor_of(tokens[0])
    assert queries.actor_of(tokens[1]).party == first.party
    models.Party.objects.filter(id=first.party).update(active=False)
    with pytest.raises(NotSignedIn):
        queries.actor_of(tokens[1])


def test_five_wrong_passwords_lock_the_account_for_a_quarter_of_an_hour() -> None:
    staff()
    at = clock.now()
    with clock.frozen(at):
        wrong(4)
        assert isinstance(actions.sign_in_staff("desk1", "right"), Login)  # and the count starts again
        wrong(5)
        with pytest.raises(errors.WrongPassword):
            actions.sign_in_staff("desk1", "right")
    with clock.frozen(at + timedelta(seconds=rules.LOCK_SECONDS - 1)), pytest.raises(errors.WrongPassword):
        actions.sign_in_staff("desk1", "right")
    with clock.frozen(at + timedelta(seconds=rules.LOCK_SECONDS)):
        assert isinstance(actions.sign_in_staff("desk1", "right"), Login)


def test_unknown_locked_and_closed_accounts_answer_alike() -> None:
    staff()
    staff("desk2")
    models.User.objects.filter(username="desk2").update(is_active=False)
    answers = []
    for name, password in (("desk1", "wrong"), ("desk2", "right"), ("nobody", "nobody"), ("", "")):
        with pytest.raises(errors.WrongPassword) as refusal:
            actions.sign_in_staff(name, password)
        answers.append((str(refusal.value), refusal.value.data))
    assert len({str(a) for a in answers}) == 1


def test_a_new_password_replaces_the_old_one() -> None:
    staff()
    party = actions.ensure_staff("desk1", Role.DESK, "newer")
    wrong(1)
    with pytest.raises(errors.WrongPassword):
        actions.sign_in_staff("desk1", "right")
    assert actions.sign_in_staff("desk1", "newer").party == party
    assert models.User.objects.count() == models.Party.objects.count() == 1


def test_a_nonce_is_used_once_for_each_key() -> None:
    actions.use_nonce("kid-1", "n1")
    actions.use_nonce("kid-2", "n1")
    actions.use_nonce("kid-1", "n2")
    with pytest.raises(errors.BadSignature):
        actions.use_nonce("kid-1", "n1")
    assert models.UsedNonce.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_at_once_a_nonce_counts_once_and_wrong_passwords_are_all_counted() -> None:
    answers = together([partial(actions.use_nonce, "kid", "n")] * 8)
    assert answers.count(None) == 1 and {type(e) for e in refused(answers)} == {errors.BadSignature}
    staff()
    together([partial(actions.sign_in_staff, "desk1", "wrong")] * 5)
    user = models.User.objects.get()
    assert user.locked_until is not None and user.wrong_passwords == 0
