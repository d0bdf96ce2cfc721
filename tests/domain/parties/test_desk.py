"""What the desk does about people: callers, couriers, papers."""

import pytest
from tests.domain.trade import ground

from huika.domain.parties import actions, errors, models, queries
from huika.domain.parties.types import Role
from huika.kit.refusals import Malformed

pytestmark = pytest.mark.django_db
NEEDED = ["service", "identity", "address"]


def test_a_caller_is_enrolled_in_one_step_or_not_at_all() -> None:
    with pytest.raises(errors.ConsentMissing):
        actions.enrol_caller("13800138000", "王小明", ground.identity_number(1), ["service"])
    with pytest.raises(errors.MalformedIdNumber):
        actions.enrol_caller("13800138000", "王小明", "110105194912310021", NEEDED)
    assert queries.seller_by_phone("13800138000") is None
    seller = actions.enrol_caller("138 0013 8000", "王小明", ground.identity_number(1), NEEDED)
    status = queries.seller_by_phone("+86 13800138000")
    assert status is not None
    assert (status.id, status.verified, status.consents) == (seller, False, frozenset(NEEDED))
    assert queries.verification(seller) == "pending"


def test_a_verified_caller_gives_consents_without_papers() -> None:
    known = ground.seller(consents=False, payee=False)
    assert actions.enrol_caller(known.phone, "", "", [*NEEDED, "payee"]) == known.party
    assert models.IdentityCheck.objects.filter(state="pending").count() == 0
    assert "payee" in queries.seller(known.party).consents


def test_an_unknown_phone_is_nobody_and_a_wrong_one_is_refused() -> None:
    assert queries.seller_by_phone("13900139000") is None
    with pytest.raises(errors.MalformedPhone):
        queries.seller_by_phone("021-64330000")


def test_a_new_courier_has_a_login() -> None:
    party = actions.enrol_courier(" 何师傅 ", "sh0009", "13900139000", "He.Fu", "first password")
    assert [(c.id, c.name, c.badge) for c in queries.couriers()] == [(party, "何师傅", "SH0009")]
    login = actions.sign_in_staff("he.fu", "first password")
    assert (login.party, login.role) == (party, Role.COURIER)


def test_a_badge_or_a_login_that_exists_is_refused_and_nobody_s_password_changes() -> None:
    actions.ensure_staff("desk1", Role.DESK, "the desk's own password")
    actions.enrol_courier("何师傅", "SH0009", "13900139000", "hefu", "first password")
    with pytest.raises(errors.LoginTaken):
        actions.enrol_courier("李师傅", "SH0010", "13900139001", "desk1", "mine now")
    with pytest.raises(errors.BadgeTaken):
        actions.enrol_courier("李师傅", "sh0009", "13900139001", "lifu", "mine now")
    assert len(queries.couriers()) == 1
    assert actions.sign_in_staff("desk1", "the desk's own password").role == Role.DESK


@pytest.mark.parametrize(
    ("name", "badge", "phone", "login"),
    [("何", "SH1", "13900139000", "he1"), ("何师傅", "工号", "13900139000", "he1"), ("何师傅", "SH1", "1", "he1"),
     ("何师傅", "SH1", "13900139000", "h"), ("何师傅", "=A1+", "13900139000", "he1")],
)  # fmt: skip
def test_what_cannot_be_a_courier_is_refused(name: str, badge: str, phone: str, login: str) -> None:
    with pytest.raises((Malformed, errors.MalformedPhone)):
        actions.enrol_courier(name, badge, phone, login, "first password")
    assert queries.couriers() == []


def test_papers_of_recyclers() -> None:
    party = ground.recycler(money_fen=0)
    (licence,) = queries.licences()
    assert (licence.id, licence.kind, licence.active) == (party, "local", True)
    assert licence.licence_until.year == 2099
