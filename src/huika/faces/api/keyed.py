"""Who is calling, and the key that makes a repeated POST harmless."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Any, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.http import HttpRequest
from ninja.params.functions import Header
from ninja.security.base import AuthBase
from ninja.utils import check_csrf

from huika.domain.market.types import SignedRequest
from huika.domain.parties import actions as parties
from huika.domain.parties import queries as people
from huika.domain.parties.errors import BadSignature
from huika.domain.parties.types import Actor, Role
from huika.faces.pages import who
from huika.kit import clock
from huika.kit.change import Claim, claimed, known
from huika.kit.derived import secret_key
from huika.kit.refusals import Malformed, NotAllowed, NotSignedIn, Refusal

FRESH_SECONDS = 300
T = TypeVar("T")


def _shown(examples: list[str]) -> Any:
    """The library hands a list on as it is; its signature says a map."""
    return examples


KEY_HEADER = Header(
    ...,
    alias="Idempotency-Key",
    min_length=8,
    max_length=80,
    pattern=r"^[A-Za-z0-9._:-]+$",
    description="Your own number for this request; repeating it answers the first result and does nothing.",
    examples=_shown(["a3c1f2c6-5b0e-4c1c-9b57-0d6d1c2f8e11"]),
)


SECRET_HEADER = Header(
    ...,
    alias="Comparison-Secret",
    max_length=32,
    description="What POST /v1/comparisons answered as `secret`: recyclers know a comparison's number, and not this.",
    examples=_shown(["00000000000000000000000000000000"]),
)


class Bearer(AuthBase):
    """Session of a seller, courier, desk or regulator: `Authorization: Bearer …`.

    Our own pages send their cookie instead, which counts only beside a token that no other site can read.
    """

    openapi_type, openapi_scheme = "http", "bearer"

    def __call__(self, request: HttpRequest) -> Actor:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() == "bearer" and token:
            return people.actor_of(token.strip())
        actor = who.actor_of(request)
        if actor is None:
            raise NotSignedIn()
        if check_csrf(request) is not None:
            raise NotAllowed()
        return actor


class Signed(AuthBase):
    """A recycler's Ed25519-signed request: X-Huika-Key, -Timestamp (unix seconds), -Nonce, -Signature (base64).

    Signed are `METHOD\\nPATH?QUERY\\nTIMESTAMP\\nNONCE\\n`, the body's bytes, `\\n`; five minutes, each nonce once.
    """

    openapi_type, openapi_in, openapi_name = "apiKey", "header", "X-Huika-Key"
    openapi_description = (
        "The key's id; beside it X-Huika-Timestamp (unix seconds), X-Huika-Nonce (8 to 80 characters, used once) and "
        "X-Huika-Signature: base64 of Ed25519 over METHOD, PATH?QUERY, TIMESTAMP, NONCE and the body's bytes, each "
        "followed by a line feed."
    )

    def __call__(self, request: HttpRequest) -> Actor:
        head = request.headers
        kid, timestamp, nonce = (head.get(f"X-Huika-{name}", "") for name in ("Key", "Timestamp", "Nonce"))
        if not kid:
            raise KeyNeeded() if "Authorization" in head else NotSignedIn()
        actor, public = people.signing_key(kid)
        try:
            age = abs(clock.now().timestamp() - int(timestamp))
            signature = base64.b64decode(head.get("X-Huika-Signature", ""), validate=True)
        except (ValueError, OverflowError) as error:
            raise BadSignature(why="headers are incomplete") from error
        if age > FRESH_SECONDS:
            raise BadSignature(why="the timestamp is more than five minutes off")
        if not 8 <= len(nonce) <= 80:
            raise BadSignature(why="the nonce has 8 to 80 characters")
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(signature, _message(request))
        except InvalidSignature as error:
            raise BadSignature(why="wrong key or content") from error
        parties.use_nonce(kid, nonce)
        return actor


class KeyNeeded(Refusal):
    """A recycler's address was asked with a session instead of a signature."""

    code, status = "key_needed", 401
    zh, en = (
        "这里不认登录，要用商家自己的密钥签名（X-Huika-Key），见接口文档",
        "A session is not enough here: sign the request with the recycler's own key (X-Huika-Key), as documented.",
    )


bearer, signed = Bearer(), Signed()


def actor_of(request: HttpRequest, *roles: Role) -> Actor:
    """The caller, if in one of these roles; NotAllowed otherwise."""
    actor: Actor = request.auth  # type: ignore[attr-defined]
    if roles and actor.role not in roles:
        raise NotAllowed()
    return actor


def signed_request(request: HttpRequest) -> SignedRequest:
    """What a recycler signed, to be kept as evidence: of a request whose signature was found right."""
    head = request.headers
    _, public = people.signing_key(head["X-Huika-Key"])
    return SignedRequest(_message(request), base64.b64decode(head["X-Huika-Signature"]), public)


def _message(request: HttpRequest) -> bytes:
    """The bytes that a signature is over."""
    timestamp, nonce = (request.headers.get(f"X-Huika-{name}", "") for name in ("Timestamp", "Nonce"))
    return f"{request.method}\n{request.get_full_path()}\n{timestamp}\n{nonce}\n".encode() + request.body + b"\n"


def once(request: HttpRequest, key: str, act: Callable[[], T]) -> T:
    """Run one action under the caller's idempotency key; a repeat answers what the first one did."""
    with claimed(_claim(request, key)):
        return act()


def repeated(request: HttpRequest, key: str) -> bool:
    """Whether this was done before under this key: then nobody outside need be asked again for it."""
    return known(_claim(request, key))


def _claim(request: HttpRequest, key: str) -> Claim:
    actor = getattr(request, "auth", None)
    scope = f"{actor.role}:{actor.party}" if isinstance(actor, Actor) else "anyone"
    return Claim(scope, key, _asked(request))


def _asked(request: HttpRequest) -> bytes:
    """Keyed digest of what is asked: the path with its query, and the body; of a form its fields and files, since
    boundaries differ.

    Keyed, because bodies hold passwords, codes and identity numbers, which a bare hash would let somebody guess.
    """
    asked = hmac.new(secret_key("asked"), f"{request.method} {request.get_full_path()}\n".encode(), hashlib.sha256)
    if (request.content_type or "").startswith("multipart/"):
        for name in sorted(request.POST):
            asked.update(f"{name}={request.POST[name]}\n".encode())
        for name in sorted(request.FILES):
            upload: Any = request.FILES[name]
            upload.seek(0)
            asked.update(f"{name}:".encode() + hashlib.sha256(upload.read()).digest())
            upload.seek(0)
    else:
        asked.update(request.body)
    return asked.digest()


def text_of(request: HttpRequest) -> str:
    """The body as UTF-8 text; Malformed otherwise."""
    try:
        return request.body.decode()
    except UnicodeDecodeError as error:
        raise Malformed(field="body", why="not UTF-8", why_zh="不是 UTF-8 文本") from error
