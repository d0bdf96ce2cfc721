"""A page of the platform for the frame's tests: it embeds the frame, keeps what it hears, and counts its requests."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>parent</title>
<script>
  window.heard = [];
  addEventListener("message", (e) => heard.push({ origin: e.origin, data: e.data }));
  window.give = (message, origin) => document.getElementById("vault").contentWindow.postMessage(message, origin);
</script>
<iframe id="vault" title="vault" width="375" height="667" src="VAULT/frame?QUERY"></iframe></html>"""
STRANGER = """<!doctype html><meta charset="utf-8"><title>stranger</title><script>
  addEventListener("message", (e) => parent.frames[0].postMessage(e.data, "*"));
</script>"""


class Parent:
    """The server of that page; `requests` holds every path and body that it was sent."""

    def __init__(self, vault: str) -> None:
        self.vault, self.requests = vault, []
        parent = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                length = int(self.headers.get("content-length", 0))
                parent.requests.append(f"{self.path} {self.headers} {self.rfile.read(length)!r}")
                path, _, query = self.path.partition("?")
                text = STRANGER if path == "/stranger" else PAGE.replace("VAULT", vault).replace("QUERY", query)
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write(text.encode())

            do_POST = do_GET

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port

    @property
    def origin(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def strange_origin(self) -> str:
        """The same server under a name that the vault does not know."""
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def serving(self) -> Iterator["Parent"]:
        thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.server.shutdown()
            self.server.server_close()


class Embedded:
    """One browser page with the frame in it, and everything that left it."""

    def __init__(self, context: Any, parent: Parent, query: str = "", origin: str = "") -> None:
        self.parent, self.sent, self.said = parent, [], []
        self.page = context.new_page()
        self.page.on("request", lambda r: self.sent.append((r.method, r.url, str(r.headers), r.post_data or "")))
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.goto(f"{origin or parent.origin}/?{query}")
        self.frame = self.page.frame_locator("#vault")

    @property
    def inner(self) -> Any:
        """The frame itself, for scripts."""
        return self.page.frames[1]

    def heard(self) -> list[dict[str, Any]]:
        return [m["data"] for m in self.page.evaluate("heard")]

    def until(self, huika: str, count: int = 1) -> list[dict[str, Any]]:
        """Messages of this name, once there are so many."""
        self.page.wait_for_function(
            "([n, c]) => heard.filter((m) => m.data.huika === n).length >= c", arg=[huika, count]
        )
        return [m for m in self.heard() if m["huika"] == huika]

    def give(self, *tickets: dict[str, Any], expects: Any = None) -> None:
        self.until("ready")
        message = {"huika": "ticket", "tickets": list(tickets)} | ({"expects": expects} if expects else {})
        self.page.evaluate("([m, o]) => give(m, o)", [message, self.parent.vault])

    def type(self, number: str, pin: str) -> None:
        self.frame.locator("#number").fill(number)
        self.frame.locator("#pin").fill(pin)

    def seal(self, number: str, pin: str) -> None:
        self.type(number, pin)
        self.frame.locator("#seal").click()

    def seal_table(self, text: str) -> None:
        self.frame.locator("#text").fill(text)
        self.frame.locator("#seal-all").click()

    def text(self, selector: str) -> str:
        """What stands in a part of the frame."""
        return str(self.frame.locator(selector).inner_text())

    def posted(self) -> list[dict[str, Any]]:
        """Bodies of the calls of /seal."""
        return [json.loads(body) for method, url, _, body in self.sent if method == "POST" and url.endswith("/seal")]

    def leaked(self, *secrets: str) -> list[str]:
        """Where a secret stands in anything that left the frame, plainly or in base64."""
        places = [*map(str, self.sent), *self.parent.requests, *map(json.dumps, self.heard()), *self.said]
        forms = [form for s in secrets for form in (s, base64.b64encode(s.encode()).decode().rstrip("=")[:-1])]
        return [place for place in places for form in forms if form in place]
