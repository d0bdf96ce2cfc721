"""Signing in without a browser: locks, limits, where it leads, what ends it."""

import json
from typing import Any

import pytest
from django.test import Client
from tests.faces.desk.staff.conftest import Person
from tests.faces.desk.staff.helpers import PASSWORD, client, enrolled
from tests.kit.passkeys import SoftKey

from huika.domain.parties import actions as parties
from huika.domain.parties import models, queries
from huika.domain.parties.errors import WrongPassword
from huika.domain.parties.types import Role
from huika.kit import clock
from huika.kit.models import Event
from huika.kit.refusals import NotSignedIn

pytestmark = pytest.mark.django_db
DOOR = "/staff/sign-in"


def by_password(browser: Client, name: str, password: str = PASSWORD, **more: str) -> Any:
    return browser.post(DOOR, {"username": name, "password": password, **more})


def by_passkey(browser: Client, key: SoftKey, **more: Any) -> Any:
    options = json.loads(browser.post(DOOR + "/options").content)
    return browser.post(DOOR + "/passkey", {"credential": json.dumps(key.answer(options, **more))})


def inside(browser: Client) -> bool:
    return browser.get("/staff/").status_code == 200


def test_a_courier_signs_in_by_password_and_out(person: Person) -> None:
    person("cora", Role.COURIER)
    browser = client()
    assert by_password(browser, "cora").headers["Location"] == "/courier/"
    assert inside(browser)
    page = browser.get("/staff/").content.decode()
    assert "cora" in page and "专员" in page
    assert browser.get("/staff/sign-out").status_code == 405
    assert browser.post("/staff/sign-out").headers["Location"] == DOOR
    assert not inside(browser)


@pytest.mark.parametrize("role", [Role.DESK, Role.REGULATOR])
def test_desk_and_regulator_enrol_a_passkey_before_anything_opens(person: Person, role: Role) -> None:
    user = person("dora", role)
    browser = client()
    assert by_password(browser, "dora", next="/staff/approvals").headers["Location"] == "/staff/enrol"
    assert not inside(browser)
    page = browser.get("/staff/enrol")
    key = SoftKey()
    options = json.loads(page.context["options"])
    assert options["publicKey"]["rp"]["id"] == "localhost"
    assert options["publicKey"]["authenticatorSelection"]["residentKey"] == "required"
    assert options["publicKey"]["authenticatorSelection"]["userVerification"] == "required"
    sent = browser.post("/staff/enrol", {"name": " my  phone ", "credential": json.dumps(key.register(options))})
    assert sent.headers["Location"] == "/staff/approvals"
    assert inside(browser)
    assert [k.name for k in queries.passkeys(user.id)] == ["my phone"]
    assert Event.objects.filter(verb="parties.passkey.added", subject=user.party_id).count() == 1
    assert inside_by(key)


def inside_by(key: SoftKey) -> bool:
    """Whether this passkey alone opens a fresh browser."""
    browser = client()
    by_passkey(browser, key)
    return inside(browser)


@pytest.mark.parametrize("why", ["another address", "nobody verified", "challenge of another session", "no JSON"])
def test_a_registration_that_is_no_good_is_not_kept(person: Person, why: str) -> None:
    user = person("dora")
    browser = client()
    by_password(browser, "dora")
    options, key = json.loads(browser.get("/staff/enrol").context["options"]), SoftKey()
    if why == "challenge of another session":
        options["publicKey"]["challenge"] = "A" * 43
    given: Any = key.register(
        options,
        origin="http://files.localhost" if why == "another address" else None,
        verified=why != "nobody verified",
    )
    sent = browser.post("/staff/enrol", {"credential": "[" * 5000 if why == "no JSON" else json.dumps(given)})
    assert sent.status_code == 401
    assert not queries.passkeys(user.id) and not inside(browser)


def test_with_a_passkey_a_password_alone_does_not_open(person: Person) -> None:
    user, other = person("dora"), person("olga")
    key, wrong = enrolled(user), enrolled(other)
    browser = client()
    assert by_password(browser, "dora").headers["Location"] == "/staff/second"
    assert not inside(browser)
    options = json.loads(browser.get("/staff/second").context["options"])
    refused = browser.post("/staff/second", {"credential": json.dumps(wrong.answer(options))})
    assert refused.status_code == 401 and not inside(browser)
    options = json.loads(refused.context["options"])
    assert browser.post("/staff/second", {"credential": json.dumps(key.answer(options))}).status_code == 302
    assert inside(browser)
    assert Event.objects.filter(verb="parties.session.opened").latest("id").facts["by"] == "both"


def test_a_passkey_alone_signs_in_once_a_challenge(person: Person) -> None:
    user = person("dora")
    key, browser = enrolled(user), client()
    options = json.loads(browser.post(DOOR + "/options").content)
    assert options["publicKey"]["userVerification"] == "required"
    answer = json.dumps(key.answer(options))
    assert browser.post(DOOR + "/passkey", {"credential": answer}).headers["Location"] == "/desk/"
    assert inside(browser)
    assert queries.passkeys(user.id)[0].used_at is not None
    other = client()
    other.post(DOOR + "/options")
    assert other.post(DOOR + "/passkey", {"credential": answer}).status_code == 401
    assert not inside(other)


@pytest.mark.parametrize(
    "why", ["another address", "nobody verified", "never enrolled", "empty", "somebody else's name"]
)
def test_a_passkey_that_does_not_fit(person: Person, why: str) -> None:
    user, other = person("dora"), person("olga")
    key, browser = enrolled(user), client()
    enrolled(other)
    if why == "never enrolled":
        stranger = SoftKey()
        stranger.user = key.user
        key = stranger
    if why == "somebody else's name":
        key.user = enrolled(other).user
    options = json.loads(browser.post(DOOR + "/options").content)
    answer: Any = key.answer(
        options,
        origin="http://vault.localhost" if why == "another address" else None,
        verified=why != "nobody verified",
    )
    sent = browser.post(DOOR + "/passkey", {"credential": "" if why == "empty" else json.dumps(answer)})
    assert sent.status_code == 401 and not inside(browser)
    assert "通行密钥没对上" in sent.content.decode()


def test_a_removed_passkey_signs_in_no_more_and_the_last_one_stays(person: Person) -> None:
    user = person("dora")
    first, second = enrolled(user), enrolled(user)
    browser = client()
    by_passkey(browser, first)
    one, two = queries.passkeys(user.id)
    assert browser.post(f"/staff/passkeys/{two.id}/remove", {"once": "a"}).status_code == 302
    assert [k.id for k in queries.passkeys(user.id)] == [one.id]
    assert not inside_by(second) and inside_by(first)
    kept = browser.post(f"/staff/passkeys/{one.id}/remove", {"once": "b"})
    assert kept.status_code == 409 and "只剩这一把" in kept.content.decode()
    assert inside_by(first)


def test_a_passkey_is_renamed(person: Person) -> None:
    user = person("dora")
    key, browser = enrolled(user), client()
    by_passkey(browser, key)
    passkey = queries.passkeys(user.id)[0].id
    assert browser.post(f"/staff/passkeys/{passkey}/rename", {"name": " 家里的 <b> ", "once": "x"}).status_code == 302
    assert queries.passkeys(user.id)[0].name == "家里的 <b>"
    assert "家里的 &lt;b&gt;" in browser.get("/staff/").content.decode()
    assert inside_by(key)


def test_somebody_else_s_passkeys_and_devices_are_not_found(person: Person) -> None:
    user, other = person("dora"), person("olga")
    key, theirs = enrolled(user), enrolled(other)
    browser, away = client(), client()
    by_passkey(browser, key)
    by_passkey(away, theirs)
    passkey, device = queries.passkeys(other.id)[0].id, queries.devices(other.id)[0].id
    for path in (f"passkeys/{passkey}/rename", f"passkeys/{passkey}/remove", f"devices/{device}/end"):
        assert browser.post(f"/staff/{path}", {"name": "x", "once": path}).status_code == 404
    assert queries.passkeys(other.id)[0].name == "soft" and inside(away)


def test_changing_passkeys_wants_a_fresh_confirmation(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    user = person("dora")
    key, browser = enrolled(user), client()
    enrolled(user)
    by_passkey(browser, key)
    assert browser.get("/staff/passkeys/add").status_code == 200
    session = browser.session
    session["account_authentication_methods"] = [
        {**r, "at": r["at"] - 301} for r in session["account_authentication_methods"]
    ]
    session.save()
    moved = browser.get("/staff/passkeys/add")
    assert moved.headers["Location"] == "/staff/confirm?next=%2Fstaff%2Fpasskeys%2Fadd"
    assert browser.post(f"/staff/passkeys/{queries.passkeys(user.id)[0].id}/remove").status_code == 302
    assert len(queries.passkeys(user.id)) == 2
    options = json.loads(browser.get(moved.headers["Location"]).context["options"])
    sent = browser.post(moved.headers["Location"], {"credential": json.dumps(key.answer(options))})
    assert sent.headers["Location"] == "/staff/passkeys/add"
    assert browser.get("/staff/passkeys/add").status_code == 200


def test_five_wrong_passwords_lock_pages_and_programs_alike(person: Person) -> None:
    person("cora", Role.COURIER)
    for n in range(5):
        refused = by_password(client(), "cora", f"wrong {n}")
        assert refused.status_code == 401 and "账号或密码不对" in refused.content.decode()
    browser = client()
    assert by_password(browser, "cora").status_code == 401
    assert not inside(browser)
    with pytest.raises(Exception, match="wrong_password"):
        parties.sign_in_staff("cora", PASSWORD)
    from datetime import timedelta

    with clock.shifted(timedelta(minutes=15, seconds=1)):
        assert by_password(browser, "cora").status_code == 302


def test_what_was_typed_stays_but_the_password(person: Person) -> None:
    page = by_password(client(), "nobody <b>", "secret words", next="/courier/x").content.decode()
    assert 'value="nobody &lt;b&gt;"' in page and 'value="/courier/x"' in page
    assert "secret words" not in page


@pytest.mark.parametrize(
    ("wanted", "led"),
    [
        ("/courier/visits?day=1", "/courier/visits?day=1"),
        ("https://evil.example/", "/courier/"),
        ("//evil.example/", "/courier/"),
        ("/\\evil.example/", "/courier/"),
        ("http://files.localhost:8000/", "/courier/"),
        ("javascript:alert(1)", "/courier/"),
        ("/staff/sign-in?next=/", "/courier/"),
        ("", "/courier/"),
    ],
)
def test_next_leads_to_our_own_pages_alone(person: Person, wanted: str, led: str) -> None:
    person("cora", Role.COURIER)
    assert by_password(client(), "cora", next=wanted).headers["Location"] == led
    browser = client()
    sent = browser.post(f"{DOOR}?next={wanted}", {"username": "cora", "password": PASSWORD})
    assert sent.headers["Location"] == led


def test_a_program_s_token_in_a_cookie_opens_no_page_of_the_account(person: Person, settings: Any) -> None:
    person("dora")
    browser = client()
    token = queries.token_of(parties.sign_in_staff("dora", PASSWORD).session)
    browser.cookies[settings.SELLER_COOKIE_NAME] = token
    assert not inside(browser) and browser.get("/staff/approvals").status_code == 302
    person("cora", Role.COURIER)
    by_password(browser, "cora")
    assert "cora" in browser.get("/staff/").content.decode()
    assert browser.get("/staff/approvals").status_code == 403


def test_who_is_not_signed_in_is_asked_and_comes_back() -> None:
    assert client().get("/staff/approvals").headers["Location"] == "/staff/sign-in?next=%2Fstaff%2Fapprovals"


def test_signing_out_everywhere_ends_other_browsers_and_programs(person: Person) -> None:
    user = person("cora", Role.COURIER)
    one, two = client(), client()
    by_password(one, "cora")
    by_password(two, "cora")
    token = queries.token_of(parties.sign_in_staff("cora", PASSWORD).session)
    assert len(queries.devices(user.id)) == 2 and queries.tokens(user.party_id) == 1
    assert one.post("/staff/sign-out-everywhere").headers["Location"] == DOOR
    assert not inside(one) and not inside(two)
    with pytest.raises(NotSignedIn):
        queries.actor_of(token)
    assert Event.objects.filter(verb="parties.session.ended_everywhere", subject=user.party_id).count() == 1
    assert by_password(two, "cora").status_code == 302 and inside(two)


def test_a_seller_signs_out_everywhere_too() -> None:
    from django.db import transaction

    from huika.domain.parties.actions.people import seller_of
    from huika.domain.parties.actions.sessions import _session

    with transaction.atomic():
        party = seller_of("13800000001").party
        tokens = [queries.token_of(_session(party, 3600).session) for _ in range(2)]
    assert queries.actor_of(tokens[0]).party == party.id
    parties.sign_out_everywhere(party.id)
    for token in tokens:
        with pytest.raises(NotSignedIn):
            queries.actor_of(token)


def test_another_device_is_signed_out_by_hand(person: Person) -> None:
    user = person("cora", Role.COURIER)
    one, two = client(), client()
    by_password(one, "cora")
    by_password(two, "cora")
    other = next(d for d in queries.devices(user.id) if d.session_key == two.session.session_key)
    assert one.post(f"/staff/devices/{other.id}/end", {"once": "x"}).status_code == 302
    assert inside(one) and not inside(two)


@pytest.mark.parametrize("what", ["login", "party"])
def test_who_is_no_longer_active_is_out(person: Person, what: str) -> None:
    user = person("cora", Role.COURIER)
    key, browser = enrolled(user), client()
    by_passkey(browser, key)
    assert inside(browser)
    if what == "login":
        models.User.objects.update(is_active=False)
    else:
        models.Party.objects.update(active=False)
    assert not inside(browser) and not inside_by(key)
    assert by_password(client(), "cora").status_code == 401


@pytest.mark.parametrize("host", ["127.0.0.1", "192.168.1.9:8443"])
def test_where_passkeys_cannot_work_only_couriers_go_on(person: Person, host: str, settings: Any) -> None:
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "192.168.1.9"]
    person("cora", Role.COURIER)
    person("dora")
    careful = person("carl", Role.COURIER)
    enrolled(careful)
    browser = Client(headers={"host": host})
    page = browser.get(DOOR).content.decode()
    assert "这个地址用不了通行密钥" in page and "data-passkey" not in page
    for name in ("dora", "carl"):
        refused = by_password(browser, name)
        assert refused.status_code == 409 and settings.SITE_URL in refused.content.decode()
        assert not inside(browser)
    assert by_password(browser, "cora").status_code == 302 and inside(browser)


def test_too_many_tries_from_one_address(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    from huika.faces.desk.staff import entry

    monkeypatch.setattr(entry, "BY_ADDRESS", (3, 900))
    for n in range(3):
        assert by_password(client(), f"nobody {n}").status_code == 401
    refused = by_password(client(), "nobody 9")
    assert refused.status_code == 429 and "秒后再试" in refused.content.decode()
    assert client().post(DOOR + "/options").status_code == 429
    elsewhere = Client(SERVER_NAME="localhost", REMOTE_ADDR="203.0.113.9")
    assert by_password(elsewhere, "nobody").status_code == 401


def test_too_many_tries_for_one_account(monkeypatch: pytest.MonkeyPatch) -> None:
    from huika.faces.desk.staff import entry

    monkeypatch.setattr(entry, "BY_ACCOUNT", (2, 900))
    for n in range(3):
        sent = by_password(Client(SERVER_NAME="localhost", REMOTE_ADDR=f"203.0.113.{n}"), "nobody")
        assert sent.status_code == (401 if n < 2 else 429)


def test_of_allauth_s_own_pages_none_exists() -> None:
    from django.urls import get_resolver

    names = {n for n in get_resolver().reverse_dict if isinstance(n, str)}
    assert {n for n in names if n.startswith(("account_", "mfa_", "usersessions_", "socialaccount_"))} == {
        "account_login",
        "mfa_authenticate",
    }
    for path in ("/accounts/login/", "/accounts/signup/", "/staff/signup", "/staff/password/reset", "/staff/2fa/"):
        assert client().get(path).status_code == 404


def test_forms_need_a_token_of_this_site(person: Person) -> None:
    person("cora", Role.COURIER)
    strict = Client(SERVER_NAME="localhost", enforce_csrf_checks=True)
    assert by_password(strict, "cora").status_code == 403
    assert strict.post(DOOR + "/options").status_code == 403
    assert not inside(strict)


def test_a_password_alone_opens_no_desk_by_program_once_there_is_a_passkey(person: Person) -> None:
    user, cora = person("dora"), person("cora", Role.COURIER)
    assert queries.actor_of(queries.token_of(parties.sign_in_staff("dora", PASSWORD).session)).party == user.party_id
    for one in (user, cora):
        enrolled(one)
    with pytest.raises(WrongPassword):
        parties.sign_in_staff("dora", PASSWORD)
    assert queries.actor_of(queries.token_of(parties.sign_in_staff("cora", PASSWORD).session)).party == cora.party_id
