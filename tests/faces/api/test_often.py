"""How often nobody-in-particular may have a comparison stored: counted by address, a repeat is none."""

import pytest
from django.http import HttpResponse
from django.test import Client
from tests.domain.trade import ground
from tests.faces.api import helpers as h

from huika.domain.market import models
from huika.faces.pages import limits
from huika.kit import ids

pytestmark = pytest.mark.django_db


def compare(client: Client, key: str = "", address: str = "127.0.0.1") -> HttpResponse:
    card = {"kind": "walmart", "face_value_fen": 1000_00, "form": "electronic"}
    body = {"city": ground.CITY, "district": h.DISTRICT, "cards": [card]}
    key = key or ids.uuid7().hex
    return client.post(
        "/v1/comparisons", body, content_type="application/json", REMOTE_ADDR=address, HTTP_IDEMPOTENCY_KEY=key
    )


def test_comparisons_are_limited_by_address_and_a_repeat_is_none(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "COMPARISONS_AN_HOUR", 2)
    ground.operator()
    ground.recycler(ground.book(("walmart", "*", "electronic", "0.9")))
    ground.courier()
    key = ids.uuid7().hex
    assert [compare(client, key).status_code for _ in range(4)] == [201] * 4
    assert compare(client).status_code == 201
    refused = compare(client)
    assert refused.status_code == 429 and refused.json()["code"] == "too_many"
    assert refused.headers["content-type"] == "application/problem+json"
    assert compare(client, key).status_code == 201, "what was answered once is answered again"
    assert compare(client, address="203.0.113.9").status_code == 201, "another address is not held up"
    assert models.Comparison.objects.count() == 3
    assert client.get("/v1/kinds/walmart").status_code == 200, "looking is not limited"
