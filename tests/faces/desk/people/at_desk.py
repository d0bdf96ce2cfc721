"""A desk person at a browser, or at Django's own test client."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.conf import settings
from django.test import Client
from tests.browser import Chromium

from huika.domain.parties import actions as parties
from huika.domain.parties.models import User
from huika.domain.parties.types import Role


def signed_in(username: str = "desk1", role: Role = Role.DESK) -> Client:
    """A test client of somebody on the staff; made if new."""
    user = User.objects.filter(username=username).first()
    if user is None:
        parties.ensure_staff(username, role, "a long enough password")
        user = User.objects.get(username=username)
    client = Client()
    client.force_login(user)
    return client


@contextmanager
def browser_page(
    chromium: Chromium,
    base: str,
    client: Client,
    *,
    lang: str = "zh",
    dark: bool = False,
    size: tuple[int, int] = (1440, 900),
) -> Iterator[Any]:
    """A Chromium page of this client; every word on the console and every page error fails the test."""
    context = chromium.browser().new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if dark else "light",
        locale="zh-CN" if lang == "zh" else "en-GB",
    )  # fmt: skip
    cookies = [(settings.SESSION_COOKIE_NAME, client.cookies[settings.SESSION_COOKIE_NAME].value), ("hk-lang", lang)]
    context.add_cookies([{"name": n, "value": v, "url": base} for n, v in cookies])
    page: Any = context.new_page()
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(error.stack or str(error)))
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.said = said
    try:
        yield page
    finally:
        context.close()


def party_of(username: str) -> UUID:
    """The party of a login."""
    return User.objects.get(username=username).party_id
