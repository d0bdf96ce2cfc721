"""Who said it: signatures over requests and answers, encrypted names, encrypted callbacks.

Wallet: WeChat Pay API v3, RSA-2048 PKCS#1 v1.5 with SHA-256; names are RSAES-OAEP with SHA-1, callbacks AES-256-GCM
(https://pay.weixin.qq.com/doc/v3/merchant/4012365336 and pages beneath). Custodian: Ed25519.
"""

import base64
import binascii
import re
import secrets
import time

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from .keys import CustodianKeys, WalletKeys
from .store import Store
from .web import Call, Refusal

MAX_SKEW_SECONDS = 300
SCHEME = "WECHATPAY2-SHA256-RSA2048"
_PAIR = re.compile(r'([a-z_]+)="([^"]*)"')
_NONCE = re.compile(r"[0-9A-Za-z_\-]{1,64}")
_AUTHORIZATION_PARTS = {"mchid", "nonce_str", "signature", "timestamp", "serial_no"}
_SHA1 = SHA1()  # noqa: S303 the padding of the real interface; OAEP does not rest on collisions
_OAEP = OAEP(MGF1(_SHA1), _SHA1, None)


def _refused(why: str) -> Refusal:
    return Refusal(401, "SIGN_ERROR", why)


def _fresh(timestamp: str, nonce: str) -> None:
    if not re.fullmatch(r"[0-9]{1,12}", timestamp) or abs(time.time() - int(timestamp)) > MAX_SKEW_SECONDS:
        raise _refused(f"the timestamp is more than {MAX_SKEW_SECONDS} s off")
    if not _NONCE.fullmatch(nonce):
        raise _refused("the nonce is not of 1 to 64 letters and digits")


def _unbase64(value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise _refused("the signature is not base64") from None


def _lines(*parts: str, body: bytes) -> bytes:
    return "".join(f"{part}\n" for part in parts).encode("latin-1") + body + b"\n"


class WalletSeal:
    """The wallet service's side of API v3: verifies the merchant, signs answers and callbacks, opens names."""

    def __init__(self, keys: WalletKeys) -> None:
        self._keys = keys
        self._aes = AESGCM(keys.apiv3_key)
        self._forger: RSAPrivateKey | None = None

    def verify(self, call: Call, store: Store) -> None:
        """Check the Authorization header over `METHOD\\nPATH?QUERY\\nTIMESTAMP\\nNONCE\\nBODY\\n`.

        Raises Refusal 401 SIGN_ERROR: other scheme, merchant or serial, stale, wrong signature, nonce used before.
        """
        scheme, _, rest = call.headers.get("authorization", "").partition(" ")
        pairs = [_PAIR.fullmatch(part.strip()) for part in rest.split(",")]
        parts = {pair[1]: pair[2] for pair in pairs if pair}
        if scheme != SCHEME or set(parts) != _AUTHORIZATION_PARTS or len(pairs) != len(parts):
            raise _refused(f"an Authorization header of the form {SCHEME} is needed")
        if parts["mchid"] != self._keys.mchid or parts["serial_no"] != self._keys.merchant_serial:
            raise _refused("unknown merchant or serial")
        timestamp, nonce = parts["timestamp"], parts["nonce_str"]
        _fresh(timestamp, nonce)
        message = _lines(call.method, call.target, timestamp, nonce, body=call.body)
        self._check(self._keys.merchant_public, _unbase64(parts["signature"]), message)
        if not store.use_nonce(nonce, time.time()):
            raise _refused("the nonce was used before")

    @staticmethod
    def _check(key: RSAPublicKey, signature: bytes, message: bytes) -> None:
        try:
            key.verify(signature, message, PKCS1v15(), SHA256())
        except InvalidSignature:
            raise _refused("the signature does not fit the request") from None

    def headers(self, body: bytes, *, forged: bool = False) -> dict[str, str]:
        """Wechatpay-* headers over `TIMESTAMP\\nNONCE\\nBODY\\n`. `forged` signs with a key nobody knows."""
        timestamp, nonce = str(int(time.time())), secrets.token_hex(16)
        key = self._keys.platform_private
        if forged:
            self._forger = self._forger or generate_private_key(public_exponent=65537, key_size=2048)
            key = self._forger
        signature = key.sign(_lines(timestamp, nonce, body=body), PKCS1v15(), SHA256())
        return {
            "Wechatpay-Timestamp": timestamp,
            "Wechatpay-Nonce": nonce,
            "Wechatpay-Signature": base64.b64encode(signature).decode(),
            "Wechatpay-Signature-Type": SCHEME,
            "Wechatpay-Serial": self._keys.platform_serial,
        }

    def open_name(self, ciphertext: str) -> str:
        """Decrypt a base64 RSA-OAEP name. Raises Refusal 400 PARAM_ERROR."""
        try:
            return self._keys.platform_private.decrypt(base64.b64decode(ciphertext, validate=True), _OAEP).decode()
        except ValueError:
            raise Refusal(400, "PARAM_ERROR", "user_name: cannot be decrypted with the platform's key") from None

    def encrypt(self, plaintext: bytes, associated_data: str) -> tuple[str, str]:
        """AES-256-GCM with the API v3 key: base64 ciphertext and its nonce of 12 characters."""
        nonce = secrets.token_hex(6)
        sealed = self._aes.encrypt(nonce.encode(), plaintext, associated_data.encode())
        return base64.b64encode(sealed).decode(), nonce


class CustodianSeal:
    """The custodian's side of its interface: verifies the operator, signs answers. Ed25519 both ways."""

    def __init__(self, keys: CustodianKeys) -> None:
        self._operator: Ed25519PublicKey = keys.operator_public
        self._private: Ed25519PrivateKey = keys.custodian_private

    def verify(self, call: Call, store: Store) -> None:
        """Check the X-Huika-* headers over `METHOD\\nPATH?QUERY\\nTIMESTAMP\\nNONCE\\nBODY\\n`.

        Raises Refusal 401 SIGN_ERROR: stale, wrong signature, nonce used before.
        """
        timestamp, nonce = call.headers.get("x-huika-timestamp", ""), call.headers.get("x-huika-nonce", "")
        _fresh(timestamp, nonce)
        message = _lines(call.method, call.target, timestamp, nonce, body=call.body)
        try:
            self._operator.verify(_unbase64(call.headers.get("x-huika-signature", "")), message)
        except InvalidSignature:
            raise _refused("the signature does not fit the request") from None
        if not store.use_nonce(nonce, time.time()):
            raise _refused("the nonce was used before")

    def headers(self, status: int, body: bytes) -> dict[str, str]:
        """X-Huika-* headers over `STATUS\\nTIMESTAMP\\nNONCE\\nBODY\\n`."""
        timestamp, nonce = str(int(time.time())), secrets.token_hex(16)
        signature = self._private.sign(_lines(str(status), timestamp, nonce, body=body))
        return {
            "X-Huika-Timestamp": timestamp,
            "X-Huika-Nonce": nonce,
            "X-Huika-Signature": base64.b64encode(signature).decode(),
        }
