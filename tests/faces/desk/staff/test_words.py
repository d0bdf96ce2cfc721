"""Every staff page in both languages: nothing is left in the other one."""

import re

import pytest
from django.utils.html import strip_tags
from tests.faces.desk.staff.conftest import Person
from tests.faces.desk.staff.helpers import PASSWORD, client, enrolled
from tests.faces.desk.staff.test_sign_in import by_passkey, by_password
from tests.faces.desk.staff.test_two_people import Desk, link_on

from huika.domain.parties.types import Role

pytestmark = pytest.mark.django_db
HAN = re.compile(r"[\u3400-\u9fff]+")
OURS = {"中", "中文"}
"""The link to the Chinese pages."""


def chinese(page: str) -> set[str]:
    """Chinese in the text of a page and in what its attributes say."""
    said = re.findall(r'(?:aria-label|title|placeholder|data-[a-z]+)="([^"]*)"', page)
    return set(HAN.findall(" ".join([strip_tags(page), *said]))) - OURS


def test_the_english_pages_hold_no_chinese(person: Person) -> None:
    desk = Desk(person)
    enrolled(desk.users["ann"])
    person("cora", Role.COURIER)
    person("rita", Role.REGULATOR)
    done, waits = desk.asks("ann", "eve"), desk.asks("ben", "ann")
    pages: list[tuple[object, str]] = []
    cora, rita, nobody = client(), client(), client()
    by_password(cora, "cora")
    by_password(rita, "rita")
    for where in ("/staff/", "/staff/colleagues", "/staff/approvals", "/staff/passkeys/add", "/staff/confirm", waits):
        pages.append((desk.browsers["ann"], where))
    pages += [(desk.browsers["ben"], waits), (desk.browsers["ben"], done), (cora, "/staff/"), (cora, "/staff/confirm")]
    pages += [(rita, "/staff/enrol"), (nobody, "/staff/sign-in"), (nobody, "/staff/sign-in?enrolled=1")]
    pages += [(nobody, "/staff/link/x")]
    desk.approves("ben", done)
    link = link_on(desk.browsers["ann"], done)
    assert link is not None
    pages += [(desk.browsers["ann"], done), (desk.browsers["ben"], "/staff/approvals"), (nobody, link)]
    found = {}
    for browser, where in pages:
        english = browser.get(where, {"lang": "en"}).content.decode()
        assert 'lang="en"' in english
        if left := chinese(english):
            found[where] = left
        assert HAN.search(strip_tags(browser.get(where, {"lang": "zh"}).content.decode()))
    wrong = client().post("/staff/sign-in?lang=en", {"username": "ann", "password": "x"}).content.decode()
    assert not chinese(wrong) and "Wrong account or password" in wrong
    assert found == {}


def test_a_password_is_never_sent_back(person: Person) -> None:
    person("cora", Role.COURIER)
    assert PASSWORD not in by_password(client(), "nobody", PASSWORD).content.decode()
    browser = client()
    by_passkey(browser, enrolled(person("dora")))
    assert browser.get("/staff/").headers["Cache-Control"] == "no-cache, private"
