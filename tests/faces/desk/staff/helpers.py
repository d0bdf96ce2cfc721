"""What staff tests share: a browser's passkey device, a passkey in software, a client."""

import json
from typing import Any

from allauth.account.utils import user_pk_to_url_str
from django.test import Client
from fido2.utils import websafe_encode
from playwright.sync_api import CDPSession, Page
from tests.kit.passkeys import SoftKey

from huika.domain.parties import actions as parties
from huika.domain.parties import models

PASSWORD = "a long enough password"


class Authenticator:
    """A virtual authenticator of one page: it holds passkeys and confirms the person by itself."""

    def __init__(self, page: Page) -> None:
        self.cdp: CDPSession = page.context.new_cdp_session(page)
        self.cdp.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        self.id = self.cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]

    def keys(self) -> list[dict[str, Any]]:
        """The passkeys in it."""
        found = self.cdp.send("WebAuthn.getCredentials", {"authenticatorId": self.id})
        return list(found["credentials"])

    def put(self, key: dict[str, Any]) -> None:
        """Put a passkey into it."""
        self.cdp.send("WebAuthn.addCredential", {"authenticatorId": self.id, "credential": key})

    def take(self, key: dict[str, Any]) -> None:
        """Take a passkey out of it."""
        self.cdp.send("WebAuthn.removeCredential", {"authenticatorId": self.id, "credentialId": key["credentialId"]})

    def verifies(self, yes: bool) -> None:
        """Whether the person's finger fits."""
        self.cdp.send("WebAuthn.setUserVerified", {"authenticatorId": self.id, "isUserVerified": yes})


def enrolled(user: models.User) -> SoftKey:
    """A passkey in software, enrolled for this login."""
    key = SoftKey()
    handle = websafe_encode(user_pk_to_url_str(user).encode())
    options = {"publicKey": {"challenge": websafe_encode(bytes(32)), "user": {"id": handle}}}
    parties.add_passkey(user.id, "soft", json.loads(json.dumps(key.register(options))))
    return key


def client() -> Client:
    """A browser without pages, at the site's own name."""
    return Client(SERVER_NAME="localhost", enforce_csrf_checks=False)
