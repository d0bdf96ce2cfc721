"""Text, numbers and times that nobody can mean: each gets a clear answer, none a server error."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.test import Client, override_settings
from tests import database
from tests.faces.api import cast

from huika.kit import ids

NUL, LONE = "\x00abcdefghijklmnopqrs", "\ud800abcdefghijklmnopqrs"
HEADER = "kind,face_value,city,form,condition,channel,ratio\n"


@pytest.fixture(scope="module")
def house(
    django_db_setup: Any, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[cast.House]:
    """Built once; each call is undone."""
    state = Path(tmp_path_factory.mktemp("hostile"))
    with django_db_blocker.unblock(), override_settings(STATE=state, FILES=state / "files"):
        try:
            yield cast.build()
        finally:
            database.empty(django_db_setup.owner)


def call(
    caller: cast.Caller, method: str, path: str, raw: bytes = b"", media: str = "application/json", **more: str
) -> Any:
    """One call, undone afterwards; it never is a server error and always a problem."""
    headers = caller.headers(method, path, raw) | {"Idempotency-Key": ids.uuid7().hex} | more
    with transaction.atomic():
        answer = Client(raise_request_exception=False).generic(method, path, raw, content_type=media, headers=headers)
        transaction.set_rollback(True)
    assert answer.status_code < 500, answer.content
    if answer.status_code >= 400:
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["status"] == answer.status_code
    return answer


def post(caller: cast.Caller, path: str, body: dict[str, Any]) -> Any:
    """One POST of JSON with `\\u` escapes, as a program would send it."""
    return call(caller, "POST", path, json.dumps(body).encode())


def texts(house: cast.House, bad: str) -> Iterator[tuple[str, str, dict[str, Any], str]]:
    """(caller, path, body, field) of every operation that takes free text."""
    order, cards = house.orders["quoted"].id, house.orders["at the door"].cards
    yield "nobody", "/v1/staff/sessions", {"username": bad, "password": "x"}, "username"
    yield "nobody", "/v1/staff/sessions", {"username": "x", "password": bad}, "password"
    yield "nobody", "/v1/codes", {"phone": "13800000001", "device": bad}, "device"
    yield "nobody", "/v1/codes", {"phone": bad[:20], "device": "x" * 16}, "phone"
    yield "nobody", "/v1/sessions", {"phone": "13800000001", "device": bad, "code": "123456"}, "device"
    yield "seller", "/v1/me/identity", {"name": bad, "id_number": "11010519491231002X"}, "name"
    yield "seller", "/v1/me/payees", {"rail": "wallet", "account": bad, "name": "测试卖家"}, "account"
    yield "seller", "/v1/me/payees", {"rail": "wallet", "account": "x", "name": bad}, "name"
    yield "seller", "/v1/me/payee-codes", {"rail": "wallet", "account": bad}, "account"
    yield "seller", "/v1/orders", {"comparison": str(ids.uuid7()), "offer": bad, "secret": "0" * 32}, "offer"
    accept = {"opens": "2099-01-01T01:00:00Z", "rail": "cash"}
    yield "seller", f"/v1/orders/{order}/accept", accept | {"address": bad}, "address"
    yield "courier", f"/v1/cards/{cards[0].id}/balance", {"balance_fen": 1, "channel": bad[:20]}, "channel"
    yield "desk", f"/v1/cards/{cards[1].id}/requote/called-back", {"note": bad}, "note"
    yield "desk", f"/v1/desk/work-items/{house.item}/decide", {"decision": "clear", "reason": bad}, "reason"
    yield "desk", "/v1/desk/sellers", {"phone": bad[:20]}, "phone"


@pytest.mark.django_db
@pytest.mark.parametrize("bad", [NUL, LONE, "line\nfeed and \x7f delete"], ids=["NUL", "surrogate", "control"])
def test_text_that_cannot_be_written_is_malformed(house: cast.House, bad: str) -> None:
    for caller, path, body, name in texts(house, bad):
        answer = post(house.callers[caller], path, body)
        assert answer.status_code == 422, (path, answer.content)
        assert answer.json()["data"]["field"].endswith(name), answer.content


@pytest.mark.django_db
def test_a_nul_in_an_address_names_nothing(house: cast.House) -> None:
    desk, seller = house.callers["desk"], house.callers["seller"]
    for path in ("/v1/desk/work-items?kind=%00", "/v1/kinds?q=a%00", "/v1/kinds/%00", "/v1/cities/%00/districts"):
        assert call(desk, "GET", path).json()["code"] == "unreadable", path
    assert call(seller, "DELETE", "/v1/me/consents/%00").json()["code"] == "unreadable"
    for path in ("/v1/kinds/%ED%A0%80", "/v1/cities/%ED%A0%80/districts", "/v1/kinds/" + "x" * 5000):
        assert call(desk, "GET", path).status_code == 404, path
    assert call(desk, "GET", "/v1/desk/work-items?kind=%ED%A0%80").json() == []
    assert call(seller, "DELETE", "/v1/me/consents/%ED%A0%80").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"[" * 20_000, b'{"a":' + b"9" * 5000 + b"}", b'{"city":1e400}',
     b'{"city":NaN}', b"{}" * 2],
    ids=lambda raw: raw[:8],
)  # fmt: skip
def test_a_body_that_is_no_object_is_refused(house: cast.House, raw: bytes) -> None:
    assert call(house.callers["nobody"], "POST", "/v1/comparisons", raw).status_code in (400, 422)


@pytest.mark.django_db
def test_credentials_that_cannot_be_right_are_nobody(house: cast.House) -> None:
    nobody = house.callers["nobody"]
    for token in ("Bearer é", "Bearer " + "x" * 5000, "Bearer", "bearer  ", "Basic eDp4", "Bearer \x01"):
        assert call(nobody, "GET", "/v1/me", Authorization=token).status_code == 401, token
    good = house.callers["recycler"].headers("GET", "/v1/recycler/lots", b"")
    for name, value in (
        ("X-Huika-Key", "\x01"), ("X-Huika-Key", "nobody's"), ("X-Huika-Timestamp", "9" * 400),
        ("X-Huika-Timestamp", "soon"), ("X-Huika-Timestamp", "-1"), ("X-Huika-Nonce", "short"),
        ("X-Huika-Nonce", "another nonce"), ("X-Huika-Signature", "é"), ("X-Huika-Signature", ""),
        ("X-Huika-Signature", "AAAA"),
    ):  # fmt: skip
        answer = call(nobody, "GET", "/v1/recycler/lots", **(good | {name: value}))
        assert answer.status_code == 401, (name, value, answer.content)
    assert call(nobody, "GET", "/v1/recycler/lots", **good).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("day", ["0", "20261123", "2026-02-30", "1764000000", "tomorrow", "2026-13-01", "-5", "1e-5"])
def test_a_day_is_a_date(house: cast.House, day: str) -> None:
    order = house.orders["quoted"].id
    assert call(house.callers["seller"], "GET", f"/v1/orders/{order}/windows?day={day}").status_code == 422
    assert call(house.callers["courier"], "GET", f"/v1/visits?day={day}").status_code == 422


@pytest.mark.django_db
def test_a_day_at_the_end_of_time_has_no_window(house: cast.House) -> None:
    order = house.orders["quoted"].id
    for day in ("0001-01-01", "9999-12-31", "1970-01-01"):
        assert call(house.callers["seller"], "GET", f"/v1/orders/{order}/windows?day={day}").json() == []
        assert call(house.callers["courier"], "GET", f"/v1/visits?day={day}").json() == []


@pytest.mark.django_db
def test_a_time_is_a_text_with_its_zone(house: cast.House) -> None:
    path, rest = f"/v1/orders/{house.orders['quoted'].id}/accept", {"address": "测试路 1 号", "rail": "cash"}
    for opens in (1764000000, 1.5, "1764000000", "2026-11-23T01:00:00", "2026-11-23", "now", None, True):
        answer = post(house.callers["seller"], path, rest | {"opens": opens})
        assert (answer.status_code, answer.json()["data"]["field"].split(".")[-1]) == (422, "opens"), opens
    for opens in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-11-23T01:00:00+23:59"):
        answer = post(house.callers["seller"], path, rest | {"opens": opens})
        assert (answer.status_code, answer.json()["code"]) == (409, "window_gone"), opens


@pytest.mark.django_db
@pytest.mark.parametrize("amount", ["5", True, 5.0, 5.5, -1, 10**12, None, [5], "五"])
def test_an_amount_is_a_whole_number(house: cast.House, amount: Any) -> None:
    card, visit = house.orders["at the door"].cards[0].id, house.orders["at the door"].visit
    courier = house.callers["courier"]
    assert post(courier, f"/v1/cards/{card}/balance", {"balance_fen": amount, "channel": "pos"}).status_code == 422
    assert post(courier, f"/v1/visits/{visit}/cash", {"counted_fen": amount}).status_code == 422
    body = {"reason": "face_value_lower", "deduction_fen": amount}
    assert post(courier, f"/v1/cards/{card}/requote", body).status_code == 422


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("media", "raw"),
    [("multipart/form-data; boundary=x", b"--x\r\nfoo"), ("multipart/form-data", b"x"), ("application/json", b"{}"),
     ("multipart/form-data; boundary=" + "x" * 300, b""), ("application/x-www-form-urlencoded", b"front=a&back=b")],
)  # fmt: skip
def test_a_form_that_is_none_is_refused(house: cast.House, media: str, raw: bytes) -> None:
    card = house.orders["at the door"].cards[0].id
    answer = call(house.callers["courier"], "POST", f"/v1/cards/{card}/pictures", raw, media)
    assert answer.status_code in (400, 422)


@pytest.mark.django_db
def test_digits_of_other_scripts_are_no_digits(house: cast.House) -> None:
    assert post(house.callers["desk"], "/v1/desk/sellers", {"phone": "１３８００１３８０００"}).status_code == 422
    assert post(house.callers["desk"], "/v1/desk/sellers", {"phone": "1380013800٣"}).status_code == 422
    identity = {"name": "王小明", "id_number": "１１０１０５１９４９１２３１００２X"}
    assert post(house.callers["seller"], "/v1/me/identity", identity).status_code == 422
    sign_in = {"phone": "13800000001", "device": "x" * 20, "code": "１２３４５６"}
    assert post(house.callers["nobody"], "/v1/sessions", sign_in).status_code == 422


@pytest.mark.django_db
@pytest.mark.parametrize(
    "book",
    [b"", b"\xff", HEADER.encode(), (HEADER + "\x00,1,shanghai,electronic,intact,visit,0.9\n").encode(),
     (HEADER + "walmart,１０００,shanghai,electronic,intact,visit,0.9\n").encode(),
     (HEADER + "walmart,1e400,shanghai,electronic,intact,visit,0.9\n").encode(),
     (HEADER + "walmart,NaN,shanghai,electronic,intact,visit,sNaN\n").encode(),
     (HEADER + "walmart,1000,shanghai,electronic,intact,visit,1E999999999\n").encode(),
     (HEADER + 'walmart,"' + "9" * 200_000 + '",shanghai,electronic,intact,visit,0.9\n').encode(),
     HEADER.encode() + b"a" * 100],
    ids=lambda raw: str(len(raw)),
)  # fmt: skip
def test_a_book_that_is_none_is_refused_with_its_row(house: cast.House, book: bytes) -> None:
    answer = call(house.callers["recycler"], "POST", "/v1/recycler/books", book, "text/csv")
    assert answer.status_code == 422, answer.content
    assert answer.json()["code"] in ("bad_book", "malformed")
