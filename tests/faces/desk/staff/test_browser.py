"""Passkeys in a real browser: enrol, sign in, the wrong device, recovery by two, approval."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.faces.desk.staff.conftest import Person
from tests.faces.desk.staff.helpers import PASSWORD, Authenticator

from huika.domain.parties import models, queries
from huika.domain.parties.types import Role
from huika.kit.models import Approval

pytestmark = pytest.mark.stack


def fill_password(page: Page, name: str) -> None:
    page.goto("/staff/sign-in?next=/staff/")
    page.get_by_label("账号").fill(name)
    page.get_by_label("密码", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="用密码登录").click()


def enrol(page: Page, name: str) -> Authenticator:
    """Sign in for the first time, by password, and enrol a passkey."""
    device = Authenticator(page)
    fill_password(page, name)
    page.wait_for_url("**/staff/enrol")
    page.get_by_label("给它起个名字").fill("测试设备")
    page.get_by_role("button", name="登记").click()
    page.wait_for_url("**/staff/")
    return device


def by_passkey(page: Page, after: str = "/staff/") -> None:
    page.goto(f"/staff/sign-in?next={after}")
    page.get_by_role("button", name="用通行密钥登录").click()


def test_enrol_sign_out_and_in_again_by_passkey(site: str, browser_page: Any, person: Person) -> None:
    user = person("dora")
    page = browser_page("desk")
    device = enrol(page, "dora")
    expect(page.get_by_text("测试设备")).to_be_visible()
    (key,) = device.keys()
    assert key["rpId"] == "localhost" and key["isResidentCredential"]
    page.get_by_role("button", name="退出登录").click()
    page.wait_for_url("**/staff/sign-in")
    by_passkey(page)
    page.wait_for_url("**/staff/")
    expect(page.get_by_role("heading", name="dora")).to_be_visible()
    # By password the passkey is asked for as well.
    page.get_by_role("button", name="退出登录").click()
    fill_password(page, "dora")
    page.wait_for_url("**/staff/second")
    page.get_by_role("button", name="用通行密钥").click()
    page.wait_for_url("**/staff/")
    # One more is confirmed by the sign-in just now; the device knows that it has one already.
    page.get_by_role("link", name="加一把").click()
    page.get_by_role("button", name="登记").click()
    expect(page.get_by_role("alert")).to_contain_text("已经登记过了")
    assert len(queries.passkeys(user.id)) == 1


def test_the_wrong_device_and_the_wrong_finger_do_not_sign_in(site: str, browser_page: Any, person: Person) -> None:
    person("dora")
    first = browser_page("phone")
    device = enrol(first, "dora")
    stranger = browser_page("phone")
    Authenticator(stranger)
    by_passkey(stranger)
    expect(stranger.get_by_role("alert")).to_contain_text("没有用上通行密钥")
    stranger.get_by_label("账号").fill("dora")
    stranger.get_by_label("密码", exact=True).fill(PASSWORD)
    stranger.get_by_role("button", name="用密码登录").click()
    stranger.wait_for_url("**/staff/second")
    stranger.get_by_role("button", name="用通行密钥").click()
    expect(stranger.get_by_role("alert")).to_contain_text("没有用上通行密钥")
    stranger.goto("/staff/")
    stranger.wait_for_url("**/staff/sign-in?next=**")
    # A copy of the passkey with another private key: the device answers, the signature does not fit.
    (key,) = device.keys()
    other = browser_page("phone")
    person("olga")
    theirs = enrol(other, "olga")
    other.get_by_role("button", name="退出登录").click()
    other.wait_for_url("**/staff/sign-in")
    (own,) = theirs.keys()
    theirs.take(own)
    theirs.put({**key, "privateKey": own["privateKey"]})
    by_passkey(other)
    expect(other.get_by_role("alert").first).to_contain_text("通行密钥没对上")
    # The right device without the person.
    first.get_by_role("button", name="退出登录").click()
    first.wait_for_url("**/staff/sign-in")
    device.verifies(False)
    by_passkey(first)
    expect(first.get_by_role("alert")).to_contain_text("没有用上通行密钥")
    device.verifies(True)
    first.get_by_role("button", name="用通行密钥登录").click()
    first.wait_for_url("**/staff/")


def test_a_removed_passkey_no_longer_signs_in(site: str, browser_page: Any, person: Person) -> None:
    user = person("cora", Role.COURIER)
    page = browser_page("phone")
    device = Authenticator(page)
    fill_password(page, "cora")
    page.wait_for_url("**/staff/")
    page.get_by_role("link", name="加一把").click()
    page.get_by_role("button", name="登记").click()
    page.wait_for_url("**/staff/")
    assert len(device.keys()) == 1 and len(queries.passkeys(user.id)) == 1
    page.goto("/staff/confirm?next=/staff/")
    page.get_by_role("button", name="用通行密钥确认").click()
    page.wait_for_url("**/staff/")
    page.locator("summary").click()
    page.get_by_role("button", name="删除").click()
    expect(page.get_by_text("还没有。登记一把")).to_be_visible()
    page.get_by_role("button", name="退出登录").click()
    page.wait_for_url("**/staff/sign-in")
    by_passkey(page)
    expect(page.get_by_role("alert").first).to_contain_text("通行密钥没对上")
    assert "sessionid" not in page.context.cookies()


def test_recovery_by_two_in_the_browser(site: str, browser_page: Any, person: Person) -> None:
    for name in ("ann", "ben", "eve"):
        person(name)
    ann, ben, eve = (browser_page("desk") for _ in range(3))
    for name, page in (("ann", ann), ("ben", ben), ("eve", eve)):
        enrol(page, name)
    ann.goto("/staff/colleagues")
    ann.get_by_role("listitem").filter(has_text="eve").get_by_role("button", name="提重新登记").click()
    ann.wait_for_url("**/staff/approvals/*")
    expect(ann.get_by_text("你自己不能批")).to_be_visible()
    ben.goto("/staff/approvals")
    ben.get_by_role("link", name="让 eve 重新登记通行密钥").click()
    expect(ben.get_by_text("签的就是这些")).to_be_visible()
    ben.get_by_role("button", name="用通行密钥批准").click()
    expect(ben.get_by_text("ben 批准")).to_be_visible()
    assert ben.get_by_label("一次性链接").count() == 0
    row = Approval.objects.get()
    assert row.approved and row.used_at and row.proof
    ann.reload()
    link = ann.get_by_label("一次性链接", exact=True).inner_text()
    eve.goto("/staff/")
    eve.wait_for_url("**/staff/sign-in?next=**")  # signed out everywhere
    fresh = browser_page("phone")
    Authenticator(fresh)
    fresh.goto(link)
    fresh.get_by_label("你自己的密码").fill(PASSWORD)
    fresh.get_by_role("button", name="登记").click()
    fresh.wait_for_url("**/staff/sign-in?enrolled=1")
    by_passkey(fresh)
    fresh.wait_for_url("**/staff/")
    expect(fresh.get_by_role("heading", name="eve")).to_be_visible()
    again = fresh.goto(link)
    assert again is not None and again.status == 409
    assert not models.User.objects.get(username="eve").enrol_by_link


def test_signing_out_everywhere_ends_the_other_browser(site: str, browser_page: Any, person: Person) -> None:
    person("cora", Role.COURIER)
    one, two = browser_page("phone"), browser_page("desk", "en")
    fill_password(one, "cora")
    one.wait_for_url("**/staff/")
    two.goto("/staff/sign-in?next=/staff/")
    two.get_by_label("Account").fill("cora")
    two.get_by_label("Password", exact=True).fill(PASSWORD)
    two.get_by_role("button", name="Sign in by password").click()
    two.wait_for_url("**/staff/")
    two.get_by_role("button", name="Sign out everywhere").click()
    two.wait_for_url("**/staff/sign-in")
    one.reload()
    one.wait_for_url("**/staff/sign-in?next=**")
