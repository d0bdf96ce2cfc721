"""One-time codes: bound, counted, locked, sealed until sent, never in the clear."""

from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from tests.domain.ledger.together import refused, together
from tests.domain.parties.phone import Outside, dump, outside

from huika.domain.parties import actions, codes, errors, models, queries, rules
from huika.domain.parties.types import Actor, Login, Purpose, Role
from huika.kit import clock, jobs
from huika.kit.safe_http import NoAnswer

pytestmark = pytest.mark.django_db
PHONE, DEVICE = "13800138000", "device-one"
__all__ = ["outside"]


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def login(outside: Outside, phone: str = PHONE, device: str = DEVICE) -> str:
    actions.request_login_code(phone, device)
    return outside.code(phone)


def test_a_code_signs_in_once(outside: Outside) -> None:
    code = login(outside)
    made = actions.sign_in("+86 138-0013-8000", DEVICE, f" {code} ")
    assert queries.actor_of(queries.token_of(made.session)).party == made.party
    with pytest.raises(errors.WrongCode):
        actions.sign_in(PHONE, DEVICE, code)
    assert actions.sign_in(PHONE, DEVICE, login(outside)).party == made.party


def test_known_and_unknown_phones_get_the_same_answers(outside: Outside) -> None:
    actions.telephone_seller(PHONE)
    answers: list[list[Any]] = []
    for phone in (PHONE, "13900139000"):
        said: list[Any] = [actions.request_login_code(phone, DEVICE)]
        code = outside.code(phone)
        for tried in [wrong(code)] * 6:
            with pytest.raises((errors.WrongCode, errors.CodeLocked)) as refusal:
                actions.sign_in(phone, DEVICE, tried)
            said.append((type(refusal.value), refusal.value.data))
        answers.append(said)
    assert answers[0] == answers[1]
    assert models.Seller.objects.count() == 1


def test_five_tries_then_locked_even_for_the_right_code(outside: Outside) -> None:
    code = login(outside)
    for left in (4, 3, 2, 1, 0):
        with pytest.raises(errors.WrongCode) as refusal:
            actions.sign_in(PHONE, DEVICE, wrong(code))
        assert refusal.value.data["tries_left"] == left
    for tried in (code, wrong(code)):
        with pytest.raises(errors.CodeLocked):
            actions.sign_in(PHONE, DEVICE, tried)
    assert models.Code.objects.get().tries == 5


def test_a_new_code_does_not_open_the_lock(outside: Outside) -> None:
    code = login(outside)
    for _ in range(5):
        with pytest.raises(errors.WrongCode):
            actions.sign_in(PHONE, DEVICE, wrong(code))
    fresh = login(outside)
    with pytest.raises(errors.CodeLocked) as refusal:
        actions.sign_in(PHONE, DEVICE, fresh)
    assert "15" in refusal.value.message_zh
    other = login(outside, device="another-device")  # the lock is this device's: nobody can lock a seller out
    assert isinstance(actions.sign_in(PHONE, "another-device", other), Login)
    with clock.shifted(timedelta(seconds=rules.LOCK_SECONDS + 1)):
        with pytest.raises(errors.WrongCode):
            actions.sign_in(PHONE, DEVICE, code)
        later = login(outside)
        assert isinstance(actions.sign_in(PHONE, DEVICE, later), Login)


def test_the_newest_code_counts(outside: Outside) -> None:
    first, second = login(outside), login(outside)
    if first != second:
        with pytest.raises(errors.WrongCode):
            actions.sign_in(PHONE, DEVICE, first)
    actions.sign_in(PHONE, DEVICE, second)


def test_a_code_dies_after_five_minutes(outside: Outside) -> None:
    at = clock.now()
    with clock.frozen(at):
        code = login(outside)
    with clock.frozen(at + timedelta(seconds=rules.CODE_SECONDS)), pytest.raises(errors.WrongCode):
        actions.sign_in(PHONE, DEVICE, code)
    with clock.frozen(at + timedelta(seconds=rules.CODE_SECONDS - 1)):
        actions.sign_in(PHONE, DEVICE, code)


def test_a_code_is_good_for_its_purpose_session_context_and_phone_alone(outside: Outside) -> None:
    seller = actions.telephone_seller(PHONE)
    stranger = actions.telephone_seller("13900139000")
    context = ["requote", "r1", 500_00]
    actions.send_bound_code(seller, Purpose.CONSENT, context, {"old": "¥600.00", "new": "¥500.00", "reason": "x"})
    code = outside.code(PHONE)
    for who, purpose, other in (
        (seller, Purpose.VISIT, context),
        (seller, Purpose.PAYEE, context),
        (seller, Purpose.LOGIN, context),
        (seller, Purpose.CONSENT, ["requote", "r1", 499_99]),
        (seller, Purpose.CONSENT, ["requote", "r2", 500_00]),
        (stranger, Purpose.CONSENT, context),
    ):
        with pytest.raises(errors.WrongCode):
            actions.check_bound_code(who, purpose, other, code)
    with pytest.raises(errors.WrongCode):
        actions.sign_in(PHONE, DEVICE, code)
    assert models.Code.objects.get().tries == 0  # a try at something else spends none of this code's
    actions.check_bound_code(seller, Purpose.CONSENT, context, code)
    with pytest.raises(errors.WrongCode):
        actions.check_bound_code(seller, Purpose.CONSENT, context, code)
    assert outside.texts[-1][1:3] == ("consent", {"old": "¥600.00", "new": "¥500.00", "reason": "x", "code": code})


def test_a_payee_s_code_is_bound_to_session_and_account(outside: Outside) -> None:
    seller = actions.telephone_seller(PHONE)
    session, other = uuid4(), uuid4()
    actions.request_payee_code(Actor(seller, Role.SELLER, session), "wallet", " openid-2 ")
    code = outside.code(PHONE)
    check = partial(codes.check, Purpose.PAYEE, PHONE, code)
    with transaction.atomic():
        for bound, account in ((other, "openid-2"), (None, "openid-2"), (session, "openid-3")):
            with pytest.raises(errors.WrongCode):
                check(session=bound, context=["payee", "wallet", account])
        with pytest.raises(errors.WrongCode):
            check(session=session, context=["payee", "ecny", "openid-2"])
        check(session=session, context=["payee", "wallet", "openid-2"])
    assert outside.texts[-1][2]["account"] == "••••id-2"


def test_six_messages_an_hour_and_a_true_word_on_how_long_to_wait(outside: Outside) -> None:
    at = clock.now()
    for n in range(rules.CODES_AN_HOUR):
        with clock.frozen(at + timedelta(minutes=n)):
            actions.request_login_code(PHONE, f"device-{n}")
    with clock.frozen(at + timedelta(minutes=10)), pytest.raises(errors.TooManyCodes) as refusal:
        actions.request_login_code(PHONE, "one-more")
    wait = refusal.value.data["wait_seconds"]
    assert 50 * 60 <= wait <= 50 * 60 + 1
    with clock.frozen(at + timedelta(minutes=10, seconds=wait)):
        actions.request_login_code(PHONE, "one-more")
        with pytest.raises(errors.TooManyCodes):
            actions.request_login_code(PHONE, "one-more")
        actions.request_login_code("13900139000", DEVICE)
    seller = actions.telephone_seller(PHONE)
    with clock.frozen(at + timedelta(minutes=20)):
        actions.send_bound_code(seller, Purpose.CONSENT, ["x"], {})


def test_door_codes_that_are_not_sent_are_not_limited(outside: Outside) -> None:
    seller = actions.telephone_seller(PHONE)
    for _ in range(rules.CODES_AN_HOUR + 2):
        actions.issue_visit_code(seller, uuid4(), 3600, by_sms=False)
    visit = uuid4()
    actions.issue_visit_code(seller, visit, 3600, by_sms=False)
    jobs.run_pending()
    assert outside.texts == []
    row = models.Code.objects.order_by("-at").first()
    assert row is not None and row.sealed is None
    courier_says, seller_says = queries.door_codes(visit)
    assert len(courier_says) == 4 and len(seller_says) == 6
    assert seller_says not in dump(*models.Code.objects.all())
    actions.check_bound_code(seller, Purpose.VISIT, ["visit", str(visit)], seller_says)
    with pytest.raises(errors.WrongCode):
        actions.check_bound_code(seller, Purpose.VISIT, ["visit", str(uuid4())], seller_says)


def test_a_code_stands_nowhere_in_the_clear_and_its_seal_is_wiped_once_sent(outside: Outside) -> None:
    actions.request_login_code(PHONE, DEVICE)
    row = models.Code.objects.get()
    digits = codes.opened(row)
    assert len(digits) == 6 and digits.isdigit()
    with connection.cursor() as cursor:
        cursor.execute("SELECT args::text FROM procrastinate_jobs")
        jobs_say = cursor.fetchall()
        cursor.execute("SELECT facts::text || parts::text FROM kit_event")
        events_say = cursor.fetchall()
    assert jobs_say == [(f'{{"code_id": "{row.id}"}}',)]
    assert digits not in dump(row)
    assert not any(digits in said for (said,) in events_say)
    assert row.sealed is not None
    sealed = bytes(row.sealed)
    outside.error = NoAnswer("the carrier is down")
    with pytest.raises(jobs.TryAgain):
        jobs.REGISTRY["parties.send_code"](code_id=str(row.id))
    row.refresh_from_db()
    assert bytes(row.sealed) == sealed
    outside.error = None
    jobs.REGISTRY["parties.send_code"](code_id=str(row.id))
    row.refresh_from_db()
    assert row.sealed is None and digits not in dump(row)
    assert outside.texts == [(PHONE, "login", {"code": digits}, str(row.id))]
    jobs.REGISTRY["parties.send_code"](code_id=str(row.id))
    jobs.REGISTRY["parties.send_code"](code_id=str(uuid4()))
    assert len(outside.texts) == 1
    actions.sign_in(PHONE, DEVICE, digits)


def test_a_seal_opens_for_its_own_row_alone() -> None:
    actions.request_login_code(PHONE, DEVICE)
    actions.request_login_code("13900139000", DEVICE)
    one, other = models.Code.objects.order_by("at")
    one.sealed, other.sealed = other.sealed, one.sealed
    for row in (one, other):
        with pytest.raises(Exception, match="^$"):  # cryptography's InvalidTag
            codes.opened(row)


def test_the_database_counts_no_sixth_try() -> None:
    actions.request_login_code(PHONE, DEVICE)
    with pytest.raises(IntegrityError, match="parties_code_tries"), transaction.atomic():
        models.Code.objects.update(tries=6)


@pytest.mark.django_db(transaction=True)
def test_at_once_a_code_signs_in_once_is_tried_five_times_and_sent_six(outside: Outside) -> None:
    code = login(outside)
    answers = together([partial(actions.sign_in, PHONE, DEVICE, code)] * 4)
    assert len([a for a in answers if isinstance(a, Login)]) == 1
    assert {type(e) for e in refused(answers)} == {errors.WrongCode}
    assert models.Seller.objects.count() == 1
    code = login(outside, device="another")
    answers = together([partial(actions.sign_in, PHONE, "another", wrong(code))] * 8)
    assert [type(a) for a in answers].count(errors.WrongCode) == 5
    assert [type(a) for a in answers].count(errors.CodeLocked) == 3
    phone = "13900139000"
    answers = together([partial(actions.request_login_code, phone, f"d{n}") for n in range(10)])
    assert answers.count(None) == rules.CODES_AN_HOUR
    assert {type(e) for e in refused(answers)} == {errors.TooManyCodes}
