"""How an issuer's answers map, and where a PIN may be sent at all."""

import asyncio
import json
from uuid import UUID

import httpx
import pytest

from huika_vault.issuers import HttpIssuer, Operation, check_issuer_url, read_answer

NO = UUID(int=9)


def operation(verb="use.bind", pin="493817"):
    return Operation(verb, NO, "walmart", "acct", "2326555", pin, "778899" if verb == "use.pin_change" else "")


def read(status, body, verb="use.bind"):
    return read_answer(operation(verb), status, body if isinstance(body, bytes) else json.dumps(body).encode())


BOUND = {"result": "bound", "amount_fen": 100, "reference": "R1"}


def test_success_and_refusal_are_final():
    assert read(200, BOUND).answer == {"result": "bound", "amount_fen": 100, "reason": "", "reference": "R1"}
    assert read(409, {"result": "refused", "reason": "frozen"}).answer["reason"] == "frozen"
    assert read(200, {"result": "refused", "reason": "frozen"}).state == "refused"
    assert read(200, {"result": "changed"}, "use.pin_change").answer["result"] == "changed"
    assert read(200, {"balance_fen": 0, "state": "used"}, "use.balance").answer["amount_fen"] == 0
    assert read(200, BOUND | {"request_no": str(NO)}).state == "done"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (0, b""),
        (201, BOUND),
        (302, BOUND),
        (400, BOUND),
        (401, {"result": "refused"}),
        (404, {}),
        (429, {}),
        (500, BOUND),
        (503, b"busy"),
        (409, BOUND),
        (409, {"code": "REQUEST_NO_REUSED"}),
        (200, b"\xff"),
        (200, b"[" * 5000),
        (200, []),
        (200, {}),
        (200, BOUND | {"result": "redeemed"}),
        (200, BOUND | {"amount_fen": -1}),
        (200, BOUND | {"amount_fen": "100"}),
        (200, BOUND | {"amount_fen": True}),
        (200, BOUND | {"amount_fen": 1.0}),
        (200, BOUND | {"amount_fen": 10**12}),
        (200, BOUND | {"request_no": str(UUID(int=8))}),
    ],
)
def test_everything_else_is_unknown(status, body):
    assert read(status, body).state == "unknown"


def test_a_balance_needs_an_amount():
    assert read(200, {"state": "active"}, "use.balance").state == "unknown"
    assert read(200, BOUND, "use.balance").state == "unknown"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("wrong_pin", "wrong_pin"),
        ("pin 493817", "withheld"),
        ("4 9-3 8 1 7", "withheld"),
        ("card ２３２６５５５", "withheld"),
        ("x" * 201, ""),
        ("a\u0000b", ""),
        (5, ""),
        (None, ""),
    ],
)
def test_free_text_of_an_issuer_is_no_way_out_for_a_secret(text, told):
    assert read(409, {"result": "refused", "reason": text}).answer["reason"] == told
    assert read(200, BOUND | {"reference": text}).answer["reference"] == told
    new = read(200, {"result": "changed", "reference": "778899"}, "use.pin_change")
    assert new.answer["reference"] == "withheld"


def test_secrets_do_not_print():
    shown = repr(operation("use.pin_change"))
    assert "493817" not in shown and "2326555" not in shown and "778899" not in shown


@pytest.mark.parametrize(
    ("url", "demo", "production"),
    [
        ("http://127.0.0.1:8010/issuer", True, False),
        ("https://127.0.0.1/issuer", True, False),
        ("http://localhost:8010/issuer", True, False),
        ("https://issuer.localhost/", True, False),
        ("https://[::1]/", True, False),
        ("https://10.1.2.3/", True, False),
        ("https://169.254.169.254/", True, False),
        ("http://issuer.example/", True, False),
        ("https://issuer.example/v1", True, True),
        ("ftp://issuer.example/", False, False),
        ("https://", False, False),
        ("https://user@issuer.example/", False, False),
        ("https://issuer.example/?a=b", False, False),
        ("https://issuer.example:port/", False, False),
        ("issuer", False, False),
    ],
)
def test_where_an_issuer_may_stand(url, demo, production):
    assert (check_issuer_url(url, demo=True) == "") is demo
    assert (check_issuer_url(url, demo=False) == "") is production


def call(handler):
    async def run():
        issuer = HttpIssuer("http://127.0.0.1:9/issuer/", "t", httpx.MockTransport(handler))
        try:
            return await issuer.send(operation()), await issuer.recorded(operation())
        finally:
            await issuer.close()

    return asyncio.run(run())


def test_redirects_are_not_followed():
    hosts = []

    def handler(request):
        hosts.append(request.url.host)
        return httpx.Response(307, headers={"Location": "http://evil.example/bind"})

    assert [outcome.state for outcome in call(handler)] == ["unknown", "unknown"]
    assert hosts == ["127.0.0.1", "127.0.0.1"]


def test_an_endless_answer_is_cut_off():
    sent = []

    async def endless():
        while True:
            sent.append(1)
            yield b" " * 16384

    assert [outcome.state for outcome in call(lambda _: httpx.Response(200, content=endless()))] == ["unknown"] * 2
    assert len(sent) <= 12


def test_a_trickling_answer_is_cut_off(monkeypatch):
    monkeypatch.setattr("huika_vault.issuers.WHOLE_TIMEOUT", 0.1)

    async def trickle():
        while True:
            await asyncio.sleep(0.02)
            yield b" "

    assert [outcome.state for outcome in call(lambda _: httpx.Response(200, content=trickle()))] == ["unknown"] * 2


def test_only_404_means_that_it_never_came():
    assert call(lambda _: httpx.Response(404, json={}))[1] is None
    assert call(lambda _: httpx.Response(410, json={}))[1].state == "unknown"
