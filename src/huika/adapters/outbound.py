"""What the adapters share: the policy of calls (loopback for the sandbox alone) and reading JSON answers."""

import json
from typing import Any

from django.conf import settings

from huika.kit.safe_http import Answer, NoAnswer, Policy


def policy(read_seconds: float = 5) -> Policy:
    """Public https only; in the demo setting the sandbox on this machine."""
    demo = settings.SETTING == "demo"
    return Policy(allow_loopback=demo, allow_http=demo, read_seconds=read_seconds)


def sandbox(path: str) -> str:
    """A URL of the sandbox."""
    return f"{settings.SANDBOX_URL}{path}"


def document(answer: Answer) -> dict[str, Any]:
    """The JSON object of an answer; NoAnswer when there is none or the other side is in trouble (5xx)."""
    if answer.status >= 500:
        raise NoAnswer(f"status {answer.status}")
    try:
        value = json.loads(answer.body)
    except ValueError as error:
        raise NoAnswer("the answer is not JSON") from error
    if not isinstance(value, dict):
        raise NoAnswer("the answer is not an object")
    return value
