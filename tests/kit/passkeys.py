"""A passkey in software, for tests without a browser: it answers as a browser would, in JSON."""

import hashlib
import json
import os
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import (
    Aaguid,
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

FLAG = AuthenticatorData.FLAG


class SoftKey:
    """One passkey of one site."""

    def __init__(self, rp_id: str = "localhost", origin: str = "http://localhost") -> None:
        self.rp_id, self.origin = rp_id, origin
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.id = os.urandom(32)
        public = ES256.from_cryptography_key(self.private.public_key())
        self.attested = AttestedCredentialData.create(Aaguid.NONE, self.id, public)
        self.user = b""

    def _client(self, kind: str, challenge: str, origin: str | None) -> CollectedClientData:
        said = {"type": kind, "challenge": challenge, "origin": origin or self.origin, "crossOrigin": False}
        return CollectedClientData(json.dumps(said).encode())

    def _data(self, flags: int, **more: Any) -> AuthenticatorData:
        return AuthenticatorData.create(hashlib.sha256(self.rp_id.encode()).digest(), FLAG(flags), 0, **more)

    def _wrapped(self, response: dict[str, Any]) -> dict[str, Any]:
        name = websafe_encode(self.id)
        return {
            "id": name,
            "rawId": name,
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {"credProps": {"rk": True}},
            "response": response,
        }

    def register(self, options: dict[str, Any], origin: str | None = None, verified: bool = True) -> dict[str, Any]:
        """The answer to `navigator.credentials.create(options)`."""
        self.user = websafe_decode(options["publicKey"]["user"]["id"])
        client = self._client("webauthn.create", options["publicKey"]["challenge"], origin)
        flags = FLAG.UP | FLAG.AT | (FLAG.UV if verified else 0)
        attestation = AttestationObject.create("none", self._data(flags, credential_data=self.attested), {})
        return self._wrapped(
            {
                "clientDataJSON": websafe_encode(client),
                "attestationObject": websafe_encode(attestation),
                "transports": ["internal"],
            }
        )

    def answer(self, options: dict[str, Any], origin: str | None = None, verified: bool = True) -> dict[str, Any]:
        """The answer to `navigator.credentials.get(options)`."""
        client = self._client("webauthn.get", options["publicKey"]["challenge"], origin)
        data = self._data(FLAG.UP | (FLAG.UV if verified else 0))
        signature = self.private.sign(bytes(data) + client.hash, ec.ECDSA(SHA256()))
        return self._wrapped(
            {
                "clientDataJSON": websafe_encode(client),
                "authenticatorData": websafe_encode(data),
                "signature": websafe_encode(signature),
                "userHandle": websafe_encode(self.user) if self.user else None,
            }
        )

    def signs(self, challenge: bytes, **more: Any) -> dict[str, Any]:
        """The answer to this challenge."""
        return self.answer({"publicKey": {"challenge": websafe_encode(challenge)}}, **more)
