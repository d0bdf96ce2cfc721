"""What nobody-in-particular may ask for is counted by address, and the page says so in words."""

import pytest
from django.test import Client
from tests.faces.api import helpers as h

from huika.faces.pages import limits
from huika.kit.models import Event

pytestmark = pytest.mark.django_db


def test_codes_are_limited_by_address_and_nothing_typed_is_lost(client: Client) -> None:
    for _ in range(limits.CODES_AN_HOUR):
        assert client.post("/phone", {"phone": h.phone(), "once": h.digits(9)}).status_code == 200
    mine = h.phone()
    refused = client.post("/phone", {"phone": mine, "once": h.digits(9)})
    assert refused.status_code == 429
    assert "太频繁了" in refused.content.decode() and mine in refused.content.decode()
    # Another address is not held up by this one.
    assert client.post("/phone", {"phone": mine}, REMOTE_ADDR="203.0.113.9").status_code == 200


def test_stored_comparisons_are_limited_and_looking_is_not(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "COMPARISONS_AN_HOUR", 2)
    form = {"kind": "walmart", "face": "500", "n": "1", "address": "徐汇区演示路 1 号 301 室", "district": h.DISTRICT}
    form["opens"] = "2026-01-01T09:00:00+08:00"
    answers = [client.post("/book", {**form, "once": str(n) * 9}).status_code for n in range(4)]
    assert answers[2:] == [429, 429]
    for _ in range(5):
        assert client.get("/sell/walmart?face=500").status_code == 200
    assert not Event.objects.filter(verb="market.comparison.made").exists()  # nobody serves an empty city
