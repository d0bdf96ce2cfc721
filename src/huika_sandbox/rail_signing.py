"""How the bank and the e-CNY operator sign: requests and answers as the custodian's, callbacks with lines of their own.

A callback is signed over `CALLBACK\\nTIMESTAMP\\nNONCE\\nBODY\\n`, so that no answer can be passed off as one.
"""

import base64
import secrets
import time

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from .keys import CustodianKeys
from .rail_keys import RailKeys
from .signing import CustodianSeal, _lines


class RailSeal(CustodianSeal):
    """Verifies the operator, signs answers and callbacks. Ed25519 throughout."""

    def __init__(self, keys: RailKeys) -> None:
        super().__init__(CustodianKeys(keys.private, keys.operator_public))
        self._forger = Ed25519PrivateKey.generate()

    def callback(self, body: bytes, *, forged: bool = False) -> dict[str, str]:
        """X-Huika-* headers of a callback. `forged` signs with a key nobody knows."""
        timestamp, nonce = str(int(time.time())), secrets.token_hex(16)
        key = self._forger if forged else self._private
        signature = key.sign(_lines("CALLBACK", timestamp, nonce, body=body))
        return {
            "X-Huika-Timestamp": timestamp,
            "X-Huika-Nonce": nonce,
            "X-Huika-Signature": base64.b64encode(signature).decode(),
        }
