"""RFC 9457 problem+json: how a refusal looks over HTTP."""

from typing import Any

from huika.kit import canonical
from huika.kit.refusals import Refusal

MEDIA_TYPE = "application/problem+json"


def problem(refusal: Refusal) -> dict[str, Any]:
    """`type`, `title` (Chinese), `detail` (English), `status`, `code` and the refusal's data."""
    return {
        "type": f"urn:huika:problem:{refusal.code}",
        "title": refusal.message_zh,
        "detail": refusal.message_en,
        "status": refusal.status,
        "code": refusal.code,
        "data": refusal.data,
    }


def body(refusal: Refusal) -> bytes:
    """The problem as JSON."""
    return canonical.dumps(problem(refusal))
