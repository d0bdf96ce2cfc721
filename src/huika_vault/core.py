"""The vault's pure rules: capabilities, what is bound where, plaintext, number form, new PINs. No I/O."""

import base64
import hashlib
import hmac
import json
import re
import secrets
import string
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from huika_vault.problems import Refusal

INFO_PREFIX = "huika-pin/1"
RELEASE_PREFIX = "huika-release/1"
WRAP_PREFIX = "huika-wrap/1"
MAX_LIFE = 300  # seconds a capability may still live when it arrives
MAX_HEADER = 4096  # characters
MAX_PLAINTEXT = 512  # bytes
USE_VERBS = frozenset({"use.balance", "use.bind", "use.redeem", "use.pin_change"})

_SCHEME = "Capability "
_FIELDS = frozenset({"v", "kid", "order", "card", "verb", "picture", "event", "exp", "jti", "args"})
_PICTURE = re.compile(r"(?:[0-9a-f]{64})?")
_UNORDINARY = frozenset({"Cc", "Cs", "Cn", "Co"})  # control, lone surrogate, unassigned, private use


@dataclass(frozen=True)
class Capability:
    """What the platform allowed: one verb on one card, once (`jti`). `exp` in unix seconds."""

    kid: str
    order: UUID
    card: UUID
    verb: str
    picture: str
    event: int
    exp: int
    jti: UUID
    args: Mapping[str, Any]

    def arguments(self, required: Collection[str], optional: Collection[str] = ()) -> dict[str, str]:
        """The bound arguments, optional ones "" when absent. Raises Refusal capability.wrong_args."""
        given = set(self.args)
        if not set(required) <= given or not given <= set(required) | set(optional):
            raise Refusal("capability.wrong_args")
        values = {name: self.args.get(name, "") for name in (*required, *optional)}
        for name, value in values.items():
            if not isinstance(value, str) or not is_plain_text(value, 128) or (name in required and not value):
                raise Refusal("capability.wrong_args", f"Argument {name} is not plain text of at most 128 characters.")
        return values


@dataclass(frozen=True)
class Plain:
    """A card's secrets in memory; never printed, logged or stored in this form."""

    number: str = field(repr=False)
    pin: str = field(repr=False)

    def encoded(self) -> bytes:
        return canonical({"number": self.number, "pin": self.pin})


def canonical(value: object) -> bytes:
    """Canonical JSON: keys sorted, no spaces, UTF-8 unescaped, no NaN. Raises ValueError for what is no JSON."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def parse_object(raw: bytes) -> dict[str, Any]:
    """One JSON object. Raises ValueError for anything else, whatever its nesting."""
    try:
        value = json.loads(raw.decode())
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if isinstance(value, dict):
        return value
    raise ValueError("not an object")


def is_plain_text(text: str, limit: int) -> bool:
    """True for at most `limit` characters without controls or code points PostgreSQL or UTF-8 cannot hold."""
    return len(text) <= limit and not any(unicodedata.category(c) in _UNORDINARY for c in text)


def from_base64(text: object) -> bytes:
    """Strict standard base64 of at most 2,048 characters. Raises ValueError."""
    if not isinstance(text, str) or len(text) > 2048:
        raise ValueError("not a base64 text")
    return base64.b64decode(text, validate=True)


def to_base64(raw: bytes) -> str:
    """Standard base64."""
    return base64.b64encode(raw).decode("ascii")


def verify(header: str, signers: Mapping[str, Ed25519PublicKey], verbs: Collection[str], now: float) -> Capability:
    """Read and check `Capability b64url(payload).b64url(signature)`; `now` in unix seconds.

    Raises Refusal capability.*: missing, malformed, unknown_key, bad_signature, expired, too_long, wrong_verb.
    """
    if not header:
        raise Refusal("capability.missing")
    payload, signature = _split(header)
    try:
        claims = parse_object(payload)
        exact = canonical(claims) == payload
    except ValueError:
        raise Refusal("capability.malformed") from None
    kid = claims.get("kid")
    if not isinstance(kid, str):
        raise Refusal("capability.malformed")
    if kid not in signers:
        raise Refusal("capability.unknown_key")
    try:
        signers[kid].verify(signature, payload)
    except InvalidSignature:
        raise Refusal("capability.bad_signature") from None
    if not exact:
        raise Refusal("capability.malformed", "The payload is not canonical JSON.")
    capability = _claims(claims, kid)
    if capability.exp <= now:
        raise Refusal("capability.expired")
    if capability.exp > now + MAX_LIFE:
        raise Refusal("capability.too_long")
    if capability.verb not in verbs:
        raise Refusal("capability.wrong_verb")
    return capability


def _split(header: str) -> tuple[bytes, bytes]:
    payload, dot, signature = header.removeprefix(_SCHEME).partition(".")
    if len(header) > MAX_HEADER or not header.startswith(_SCHEME) or not dot:
        raise Refusal("capability.malformed")
    try:
        return _from_base64url(payload), _from_base64url(signature)
    except ValueError:
        raise Refusal("capability.malformed") from None


def _from_base64url(text: str) -> bytes:
    bare = text.rstrip("=")
    return base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True)


def _claims(claims: dict[str, Any], kid: str) -> Capability:
    numbers = (claims.get("event"), claims.get("exp"))
    verb, picture, args = claims.get("verb"), claims.get("picture"), claims.get("args")
    if (
        claims.keys() != _FIELDS
        or type(claims["v"]) is not int
        or claims["v"] != 1
        or not all(type(n) is int and 0 <= n < 2**63 for n in numbers)
        or not isinstance(verb, str)
        or not isinstance(picture, str)
        or not _PICTURE.fullmatch(picture)
        or not isinstance(args, dict)
    ):
        raise Refusal("capability.malformed")
    order, card, jti = (_uuid(claims[name]) for name in ("order", "card", "jti"))
    return Capability(kid, order, card, verb, picture, claims["event"], claims["exp"], jti, args)


def _uuid(text: object) -> UUID:
    # The text itself goes into the HPKE info, so only its one canonical spelling is taken.
    try:
        value = UUID(text) if isinstance(text, str) else None
    except ValueError:
        value = None
    if value is None or str(value) != text:
        raise Refusal("capability.malformed")
    return value


def request_digest(capability: Capability, body: Mapping[str, Any]) -> bytes:
    """SHA-256 of what a call asks for. Expiry and signing key stay out: the platform may sign the same again."""
    asked = {
        "order": str(capability.order),
        "card": str(capability.card),
        "verb": capability.verb,
        "picture": capability.picture,
        "event": capability.event,
        "args": dict(capability.args),
        "body": dict(body),
    }
    return hashlib.sha256(canonical(asked)).digest()


def same(one: bytes, other: bytes) -> bool:
    """Equality in constant time."""
    return hmac.compare_digest(one, other)


def seal_info(order: UUID, card: UUID, picture: str) -> bytes:
    """The HPKE info a client seals with; `picture` is a hex SHA-256 or ""."""
    return f"{INFO_PREFIX}|{order}|{card}|{picture}".encode("ascii")


def release_info(order: UUID, card: UUID) -> bytes:
    """The HPKE info of what is released to a recipient."""
    return f"{RELEASE_PREFIX}|{order}|{card}".encode("ascii")


def wrap_aad(order: UUID, card: UUID, name: str) -> bytes:
    """What a wrapped field is bound to at rest: form and version, order, card, field ("number" or "pin")."""
    return f"{WRAP_PREFIX}|{order}|{card}|{name}".encode("ascii")


def normalise(number: str) -> str:
    """The one form of a card number that its blind index is made of, whatever the kind.

    NFKC, without spaces, hyphens and dashes of any script and invisible characters, upper case.
    """
    kept = (
        c
        for c in unicodedata.normalize("NFKC", number)
        if not c.isspace() and unicodedata.category(c) not in {"Pd", "Cf"} and c != "\N{MINUS SIGN}"
    )
    return "".join(kept).upper()


def is_number(number: str, salt: str, sha256: str) -> bool:
    """Whether a number is the one that the platform read: hex SHA-256 of salt, a bar and the normalised number."""
    made = hashlib.sha256(f"{salt}|{normalise(number)}".encode()).hexdigest()
    return same(made.encode(), sha256.encode())


def parse_plaintext(raw: bytes) -> Plain:
    """What was sealed: {"number": 1-128 characters, "pin": 0-64}, in at most 512 bytes of JSON.

    Raises Refusal seal.bad_plaintext, which says nothing of the content.
    """
    refusal = Refusal("seal.bad_plaintext")
    try:
        value = parse_object(raw[: MAX_PLAINTEXT + 1])
    except ValueError:
        raise refusal from None
    number, pin = value.get("number"), value.get("pin")
    if (
        len(raw) > MAX_PLAINTEXT
        or value.keys() != {"number", "pin"}
        or not isinstance(number, str)
        or not isinstance(pin, str)
        or not is_plain_text(number, 128)
        or not is_plain_text(pin, 64)
        or not normalise(number)
    ):
        raise refusal
    return Plain(number, pin)


def new_pin(old: str) -> str:
    """A random PIN of the old one's length and kind (digits, or digits and capitals), never the old one.

    Raises ValueError for an empty one.
    """
    if not old:
        raise ValueError("there is no PIN to change")
    alphabet = string.digits if old.isascii() and old.isdigit() else string.digits + string.ascii_uppercase
    while True:
        made = "".join(secrets.choice(alphabet) for _ in old)
        if made != old:
            return made
