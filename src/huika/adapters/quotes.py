"""Requests for live quotes over HTTP: all at once, one deadline, never a redirect."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cached_property
from typing import Final

from huika.adapters.outbound import policy
from huika.domain.market.types import MOST_QUOTE_BYTES, Question, Reply
from huika.kit import safe_http
from huika.kit.safe_http import Answer, AnswerTooLarge, NoAnswer, NotSent, Policy, UrlForbidden, UrlMalformed

AT_ONCE: Final = 32
"""Threads that ask; recyclers that never answer hold one for a second each."""


class HttpQuotes:
    """Asks by POST; the signature comes as hex in X-Huika-Signature."""

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(AT_ONCE, "quotes")

    def check(self, url: str) -> None:
        """Raise UrlMalformed or UrlForbidden for an address that is never called."""
        safe_http.check(url, _policy(1.0))

    def ask(self, questions: Sequence[tuple[str, Question]], within_seconds: float) -> list[Reply]:
        """One reply a question, in their order."""
        began = time.monotonic()
        running = [self._pool.submit(self._one, url, question, within_seconds) for url, question in questions]
        done, _ = wait(running, timeout=within_seconds)
        late = round((time.monotonic() - began) * 1000)
        return [
            task.result() if task in done else Reply(question, "late", late)
            for task, (_, question) in zip(running, questions, strict=True)
        ]

    def _one(self, url: str, question: Question, within_seconds: float) -> Reply:
        began = time.monotonic()
        outcome, answer = _call(url, question, within_seconds)
        took = time.monotonic() - began
        if took > within_seconds and outcome in ("answered", "unreachable"):
            outcome = "late"
        if answer is None or outcome != "answered":
            return Reply(question, outcome, round(took * 1000))
        try:
            signature = bytes.fromhex(answer.headers.get("x-huika-signature", ""))
        except ValueError:
            signature = b""
        return Reply(question, outcome, round(took * 1000), answer.body, signature)


def _policy(seconds: float) -> Policy:
    usual = policy(seconds)
    return Policy(usual.allow_loopback, usual.allow_http, seconds, seconds, MOST_QUOTE_BYTES)


def _call(url: str, question: Question, within_seconds: float) -> tuple[str, Answer | None]:
    headers = {"content-type": "application/json"}
    try:
        answer = safe_http.request("POST", url, policy=_policy(within_seconds), headers=headers, content=question.body)
    except (UrlForbidden, UrlMalformed):
        return "address", None
    except AnswerTooLarge:
        return "too_large", None
    except (NoAnswer, NotSent):
        return "unreachable", None
    if 300 <= answer.status < 400:
        return "redirected", None
    return ("answered", answer) if answer.status == 200 else ("status", None)
