"""Names, consents, payees, recyclers: who may trade and where money may go."""

from datetime import date, timedelta
from functools import partial
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from tests.domain.ledger.together import refused, together
from tests.domain.parties.phone import Outside, dump, outside

from huika.domain.parties import actions, errors, models, queries, rules
from huika.domain.parties.types import Actor, Role
from huika.kit import clock, jobs
from huika.kit.models import Event
from huika.kit.refusals import Malformed, NotFound

pytestmark = pytest.mark.django_db
NUMBER, OTHER = "11010519491231002X", "440524188001010014"
__all__ = ["outside"]


def seller(name: str = "王芳", phone: str = "13800138000") -> Actor:
    party = actions.telephone_seller(phone)
    if name:
        actions.identity_answered(actions.submit_identity(party, name, NUMBER), True)
    return Actor(party, Role.SELLER, uuid4())


def test_a_telephone_seller_exists_without_a_login_and_once() -> None:
    party = actions.telephone_seller("138 0013 8000")
    assert actions.telephone_seller("+8613800138000") == party
    status = queries.seller(party)
    assert (status.verified, status.consents, status.by_telephone) == (False, frozenset(), True)
    assert not models.Session.objects.exists()
    assert "13800138000" not in queries.person(party).alias
    with pytest.raises(NotFound):
        queries.seller(uuid4())


def test_a_name_is_verified_by_the_service_and_the_number_wiped(outside: Outside) -> None:
    party = actions.telephone_seller("13800138000")
    check = actions.submit_identity(party, " 王芳 ", NUMBER.lower())
    assert queries.verification(party) == "pending" and not queries.seller(party).verified
    with connection.cursor() as cursor:
        cursor.execute("SELECT args::text FROM procrastinate_jobs")
        assert cursor.fetchall() == [(f'{{"check_id": "{check}"}}',)]
    jobs.run_pending()
    assert outside.asked == [("王芳", NUMBER)]
    assert queries.seller(party).verified and queries.identity_check(check) is None
    assert NUMBER not in dump(*models.IdentityCheck.objects.all(), *models.Seller.objects.all())
    for event in Event.objects.all():
        assert "王芳" not in str(event.facts) and NUMBER not in str(event.facts)
    actions.identity_answered(check, False)
    assert queries.seller(party).verified


def test_a_name_that_does_not_match_is_not_verified(outside: Outside) -> None:
    outside.says = False
    party = actions.telephone_seller("13800138000")
    actions.submit_identity(party, "王芳", NUMBER)
    jobs.run_pending()
    assert queries.verification(party) == "failed" and not queries.seller(party).verified
    for name, number, refusal in (
        ("王", NUMBER, Malformed),
        ("王" * 41, NUMBER, Malformed),
        ("王芳", NUMBER[:-1] + "1", errors.MalformedIdNumber),
    ):
        with pytest.raises(refusal):
            actions.submit_identity(party, name, number)
    with pytest.raises(IntegrityError, match="verified_has_name"), transaction.atomic():
        models.Seller.objects.update(verification="verified")


def test_a_verified_seller_does_not_become_another_person(outside: Outside) -> None:
    """Else a verified account could be sold on with its payee."""
    who = seller("王芳")
    actions.save_payee(who, "wallet", "openid-1", "王芳")
    actions.submit_identity(who.party, "李强", OTHER)
    jobs.run_pending()
    assert queries.seller(who.party).verified
    with pytest.raises(errors.PayeeNameDiffers):
        actions.save_payee(who, "wallet", "openid-9", "李强")
    assert models.Seller.objects.get().name == "王芳"
    again = actions.submit_identity(who.party, "王芳", NUMBER)
    jobs.run_pending()
    assert queries.identity_check(again) is None and queries.seller(who.party).verified


def test_consents_one_by_one_given_withdrawn_and_given_again() -> None:
    who = seller().party
    needed = ["service", "identity", "address", "payee"]
    for n, missing in enumerate(needed):
        actions.give_consents(who, needed[:n])
        with pytest.raises(errors.ConsentMissing) as refusal:
            queries.require_consents(queries.seller(who), "wallet")
        assert refusal.value.data["missing"] == rules.CONSENTS[missing][1]
    queries.require_consents(queries.seller(who), "cash")  # no account is named where nothing is sent to one
    actions.give_consents(who, ["payee", "payee", "service"])
    queries.require_consents(queries.seller(who), "wallet")  # recording and statistics change nothing
    assert models.Consent.objects.count() == 4
    actions.withdraw_consent(who, "address")
    actions.withdraw_consent(who, "address")
    with pytest.raises(errors.ConsentMissing):
        queries.require_consents(queries.seller(who), "cash")
    actions.give_consents(who, ["address"], version=2)
    queries.require_consents(queries.seller(who), "wallet")
    rows = models.Consent.objects.filter(kind="address").order_by("given_at")
    assert [(r.version, r.withdrawn_at is None) for r in rows] == [(1, False), (2, True)]
    assert Event.objects.filter(verb="parties.consent.withdrawn").count() == 1
    with pytest.raises(Malformed):
        actions.give_consents(who, ["service", "everything"])


def test_the_payee_s_name_is_the_verified_name() -> None:
    nobody = seller("")
    with pytest.raises(errors.NotVerified):
        actions.save_payee(nobody, "wallet", "openid-1", "王芳")
    who = seller("王芳")
    for name in ("王方", "", "WANG FANG"):
        with pytest.raises(errors.PayeeNameDiffers):
            actions.save_payee(who, "wallet", "openid-1", name)
    for account in ("", " ", "x" * 81):
        with pytest.raises(Malformed):
            actions.save_payee(who, "wallet", account, "王芳")
    payee = actions.save_payee(who, "wallet", " openid-1 ", " 王芳 ")
    assert queries.payee_details(payee).account == "openid-1" and queries.payee_details(payee).name == "王芳"


def test_the_first_payee_at_once_a_changed_one_by_code_and_after_a_day(outside: Outside) -> None:
    who, at = seller(), clock.now()
    with clock.frozen(at):
        first = actions.save_payee(who, "wallet", "openid-1", "王芳")
        assert actions.save_payee(who, "wallet", "openid-1", "王芳") == first
        assert queries.payee(who.party, first).usable_from == at
        with pytest.raises(errors.WrongCode):
            actions.save_payee(who, "wallet", "openid-2", "王芳")
        actions.request_payee_code(who, "wallet", "openid-2")
        code = outside.code("13800138000")
        for actor, account in ((who, "openid-3"), (Actor(who.party, Role.SELLER, uuid4()), "openid-2")):
            with pytest.raises(errors.WrongCode):
                actions.save_payee(actor, "wallet", account, "王芳", code)
        assert [p.id for p in queries.payees(who.party)] == [first]
        second = actions.save_payee(who, "wallet", "openid-2", "王芳", code)
        assert queries.payee(who.party, second).usable_from == at + timedelta(hours=24)
    assert [p.id for p in queries.payees(who.party)] == [second]
    with pytest.raises(NotFound):
        queries.payee(who.party, first)
    with pytest.raises(NotFound):
        queries.payee(actions.telephone_seller("13900139000"), second)
    assert queries.payee_details(first).account == "openid-1"
    with pytest.raises(IntegrityError, match="parties_payee_one_per_rail"), transaction.atomic():
        models.Payee.objects.update(ended_at=None)


def test_a_second_rail_is_a_change_too() -> None:
    who = seller()
    actions.save_payee(who, "wallet", "openid-1", "王芳")
    with pytest.raises(errors.WrongCode):
        actions.save_payee(who, "ecny", "0012345678901234", "王芳")


def test_a_wrong_code_for_a_payee_is_counted_though_refused(outside: Outside) -> None:
    who = seller()
    actions.save_payee(who, "wallet", "openid-1", "王芳")
    actions.request_payee_code(who, "wallet", "openid-2")
    code = outside.code("13800138000")
    for _ in range(5):
        with pytest.raises(errors.WrongCode):
            actions.save_payee(who, "wallet", "openid-2", "王芳", f"{(int(code) + 1) % 10**6:06d}")
    with pytest.raises(errors.CodeLocked):
        actions.save_payee(who, "wallet", "openid-2", "王芳", code)


def test_an_address_is_written_out_to_the_door() -> None:
    who = seller().party
    for line in ("", "  abc ", "x" * 121):
        with pytest.raises(Malformed):
            actions.save_address(who, "shanghai", "shanghai-huangpu", line, 1, 1)
    made = actions.save_address(who, "shanghai", "shanghai-huangpu", " 安福路 1 号 ", 1, 1)
    assert queries.address_line(made) == "黄浦区 安福路 1 号"


def test_recyclers_with_a_licence_that_has_run_out_do_not_trade() -> None:
    today = clock.now().astimezone(clock.SHANGHAI).date()
    good = actions.ensure_recycler("青禾", "Qinghe", "vertical", "L1", today, b"k" * 32, ("kid-1", b"p" * 32))
    lapsed = actions.ensure_recycler("蓝湖", "Lanhu", "local", "L2", today - timedelta(days=1))
    assert actions.ensure_recycler("青禾二", "Qinghe", "vertical", "L1", today, b"k" * 32) == good
    assert [r.id for r in queries.recyclers()] == [good]
    assert {r.id: r.active for r in queries.recyclers(active=False)} == {good: True, lapsed: False}
    assert queries.recycler(good).name_zh == "青禾二" and queries.recycler(good).release_key == b"k" * 32
    assert queries.signing_key("kid-1") == (Actor(good, Role.RECYCLER), b"p" * 32)
    models.Party.objects.filter(id=good).update(active=False)
    assert queries.recyclers() == []
    for kid in ("kid-1", "kid-2"):
        with pytest.raises(errors.UnknownKey):
            queries.signing_key(kid)
    with pytest.raises(IntegrityError, match="parties_recycler_kind"), transaction.atomic():
        actions.ensure_recycler("x", "x", "pawnshop", "L3", date(2099, 1, 1))


def test_a_courier_is_made_once_by_badge() -> None:
    first = actions.ensure_courier("李师傅", "SH0001", "13900139000")
    assert actions.ensure_courier("别人", "SH0001", "13900139001") == first
    assert queries.courier_badge(first) == "SH0001"


def test_personal_data_stands_in_parties_alone() -> None:
    who = seller("王芳")
    actions.give_consents(who.party, ["service"])
    actions.save_payee(who, "wallet", "openid-1", "王芳")
    actions.save_address(who.party, "shanghai", "shanghai-huangpu", "安福路 1 号", 1, 1)
    for event in Event.objects.all():
        said = f"{event.facts} {event.parts}"
        assert not any(x in said for x in ("王芳", "13800138000", "openid-1", "安福路", NUMBER))
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        Event.objects.update(verb="x")


@pytest.mark.django_db(transaction=True)
def test_at_once_one_phone_is_one_seller_with_one_payee_and_one_consent_each() -> None:
    answers = together([partial(actions.telephone_seller, "13800138000")] * 8)
    assert len(set(answers)) == 1 and isinstance(answers[0], UUID)
    assert models.Party.objects.count() == models.Seller.objects.count() == 1
    who = seller()
    assert not refused(
        together([partial(actions.give_consents, who.party, ["service", "identity", "address", "payee"])] * 6)
    )
    assert models.Consent.objects.count() == 4
    payees = together([partial(actions.save_payee, who, "wallet", f"openid-{n}", "王芳") for n in range(6)])
    assert len([p for p in payees if isinstance(p, UUID)]) == 1
    assert {type(e) for e in refused(payees)} == {errors.WrongCode}


@pytest.mark.parametrize(
    ("rail", "typed", "kept"),
    [
        ("wallet", " oABC ", "oABC"),
        ("wallet", " ", None),
        ("bank", "6222 0200-0000 0000 000", "6222020000000000000"),
        ("bank", "6222020000000000001", None),
        ("bank", "622202000000000", None),
        ("bank", "６２２２０２０００００００００００００", None),
        ("alipay", "13800138000", "13800138000"),
        ("alipay", "someone@example.com", "someone@example.com"),
        ("alipay", "2088123456789012", "2088123456789012"),
        ("alipay", "2088", None),
        ("alipay", "nobody@example", None),
        ("alipay", "23800138000", None),
        ("ecny", "0012 3456 7890 1234", "0012345678901234"),
        ("ecny", "00123456789", None),
    ],
)
def test_an_account_is_checked_as_its_rail_writes_it(rail: str, typed: str, kept: str | None) -> None:
    if kept is None:
        with pytest.raises(errors.MalformedAccount) as refusal:
            rules.account(rail, typed)
        assert refusal.value.message_zh and refusal.value.message_en and refusal.value.data["field"] == "account"
    else:
        assert rules.account(rail, typed) == kept
