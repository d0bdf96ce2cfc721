"""Requests for quotes over real sockets: at once, in half a second, never a redirect, never into a closed network."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any
from uuid import UUID

import pytest
from tests.domain.market import quoter as q

from huika.adapters.quotes import HttpQuotes
from huika.domain.market import live, types
from huika.kit import safe_http
from huika.kit.safe_http import UrlForbidden, UrlMalformed


@dataclass
class Recyclers:
    """Each path behaves in its own way."""

    url: str = ""
    asked: list[str] = field(default_factory=list)
    asked_enough: Event = field(default_factory=Event)  # until then the slow one says nothing


@pytest.fixture
def recyclers() -> Iterator[Recyclers]:
    seen = Recyclers()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            seen.asked.append(self.path)
            how = self.path.strip("/")
            if how == "slow":
                seen.asked_enough.wait(60)
            quote = b"x" * (types.MOST_QUOTE_BYTES + 1) if how == "large" else _quote(body)
            self.send_response({"redirect": 307, "broken": 500}.get(how, 200))
            if how == "redirect":
                self.send_header("location", f"{seen.url}/honest")
            self.send_header("content-length", str(len(quote)))
            self.send_header("x-huika-signature", "zz" if how == "garbled" else q.KEY.sign(quote).hex())
            self.end_headers()
            with suppress(ConnectionError):  # the caller has given up
                self.wfile.write(quote)

        def log_message(self, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    seen.url = f"http://127.0.0.1:{server.server_port}"
    Thread(target=server.serve_forever, daemon=True).start()
    yield seen
    seen.asked_enough.set()
    server.shutdown()
    server.server_close()


def _quote(asked: bytes) -> bytes:
    import json

    return json.dumps(q.said(json.loads(asked), 9500)).encode()


def test_all_are_asked_at_once_and_only_what_comes_in_time_counts(recyclers: Recyclers) -> None:
    ways = ("honest", "slow", "redirect", "broken", "large", "garbled")
    questions = [(f"{recyclers.url}/{way}", q.question(UUID(int=n + 1))) for n, way in enumerate(ways)]
    questions.append(("http://127.0.0.1:1/nobody", q.question(UUID(int=77))))
    replies = HttpQuotes().ask(questions, 3.0)  # the slow one would be waited for until the next line
    recyclers.asked_enough.set()
    assert [r.question.recycler for r in replies] == [question.recycler for _, question in questions]
    outcomes = [r.outcome for r in replies]
    assert outcomes == ["answered", "late", "redirected", "status", "too_large", "answered", "unreachable"]
    quote = live.read(replies[0], q.PUBLIC, q.PLATFORM, q.LINES, q.AT)
    assert quote.prices[0].ratio_bp == 9500
    with pytest.raises(live.Refused, match="signature"):
        live.read(replies[5], q.PUBLIC, q.PLATFORM, q.LINES, q.AT)
    assert replies[1].took_ms >= 2_900
    assert recyclers.asked.count("/honest") == 1, "a redirect was followed"


@pytest.mark.parametrize(
    "url", ["https://10.0.0.8/q", "https://[::1]:443/q", "https://169.254.169.254/q", "http://quotes.example/q"]
)
def test_a_closed_address_is_refused_when_it_is_named_and_when_it_is_called(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django.conf.settings.SETTING", "live")
    with pytest.raises(UrlForbidden):
        HttpQuotes().check(url)
    assert [r.outcome for r in HttpQuotes().ask([(url, q.question())], 0.5)] == ["address"]


def test_a_name_that_turns_to_a_closed_address_is_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: public when it was named, this machine when it is called."""
    monkeypatch.setattr("django.conf.settings.SETTING", "live")
    answers = iter([["93.184.216.34"], ["127.0.0.1"]])
    caller = safe_http.Caller(resolver=lambda host, port: next(answers), lookup_seconds=0)
    monkeypatch.setattr(safe_http, "_caller", caller)
    url = "https://quotes.example/q"
    HttpQuotes().check(url)
    next(answers)
    assert [r.outcome for r in HttpQuotes().ask([(url, q.question())], 0.5)] == ["address"]


def test_what_is_no_address_is_refused() -> None:
    for url in ("", "quotes", "ftp://a.example/q", "https://a:b@c.example/"):
        with pytest.raises(UrlMalformed):
            HttpQuotes().check(url)
