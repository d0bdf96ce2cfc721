"""C2SP signed notes and checkpoints, Ed25519 (signature type 0x01)."""

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_NAME = re.compile(r"[^\s+]+")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")


class BadNote(ValueError):
    """The note cannot be read, or no trusted key signed it."""


def b64(data: bytes) -> str:
    """Standard base64 with padding."""
    return base64.b64encode(data).decode()


def unb64(text: str) -> bytes:
    """Strict base64: only what `b64` would write, so that no two texts mean the same bytes."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadNote("not base64") from error
    if b64(data) != text:
        raise BadNote("base64 is not in its one form")
    return data


def key_id(name: str, public: bytes) -> bytes:
    """The 4-byte key id of an Ed25519 key under a name."""
    return hashlib.sha256(name.encode() + b"\n\x01" + public).digest()[:4]


@dataclass(frozen=True)
class Verifier:
    """A key that is trusted, from outside the file that is checked."""

    name: str
    public: bytes

    @property
    def vkey(self) -> str:
        """`name+hash+key`, as the Go and C2SP tools write it."""
        typed = b"\x01" + self.public
        return f"{self.name}+{key_id(self.name, self.public).hex()}+{b64(typed)}"

    @classmethod
    def from_vkey(cls, text: str) -> "Verifier":
        """Read a vkey; BadNote when its parts do not belong together."""
        name, _, rest = text.strip().partition("+")
        hashed, _, key = rest.partition("+")
        raw = unb64(key)
        if not _NAME.fullmatch(name) or len(raw) != 33 or raw[0] != 1 or key_id(name, raw[1:]).hex() != hashed:
            raise BadNote("not an Ed25519 vkey")
        return cls(name, raw[1:])


@dataclass(frozen=True)
class Signer:
    """The log's own key."""

    name: str
    private: Ed25519PrivateKey

    @property
    def verifier(self) -> Verifier:
        return Verifier(self.name, self.private.public_key().public_bytes_raw())

    def sign(self, text: str) -> str:
        """The note: text, an empty line, our signature line."""
        own = self.verifier
        signature = b64(key_id(self.name, own.public) + self.private.sign(text.encode()))
        return f"{text}\n— {self.name} {signature}\n"


def open_note(note: str, trusted: Sequence[Verifier]) -> str:
    """The signed text; BadNote unless a trusted key signed it. Signatures of unknown keys are ignored."""
    text, gap, lines = note.rpartition("\n\n")
    if not gap or not lines.endswith("\n"):
        raise BadNote("not a signed note")
    text += "\n"
    signed = False
    for line in lines[:-1].split("\n"):
        dash, _, rest = line.partition(" ")
        name, _, encoded = rest.partition(" ")
        if dash != "—" or not _NAME.fullmatch(name):
            raise BadNote("not a signature line")
        raw = unb64(encoded)
        if len(raw) < 5:
            raise BadNote("a signature is too short")
        for key in trusted:
            if (key.name, key_id(key.name, key.public)) == (name, raw[:4]):
                try:
                    Ed25519PublicKey.from_public_bytes(key.public).verify(raw[4:], text.encode())
                except InvalidSignature as error:
                    raise BadNote("the signature does not verify") from error
                signed = True
    if not signed:
        raise BadNote("no trusted key signed this note")
    return text


@dataclass(frozen=True)
class Checkpoint:
    """A tree head: origin, number of leaves, root hash."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{b64(self.root)}\n"

    @classmethod
    def from_text(cls, text: str) -> "Checkpoint":
        """Read a checkpoint's body; extension lines are allowed and ignored."""
        lines = text.split("\n")
        if len(lines) < 4 or lines[-1] or not lines[0] or not _NUMBER.fullmatch(lines[1]) or "" in lines[:-1]:
            raise BadNote("not a checkpoint")
        root = unb64(lines[2])
        if len(root) != 32:
            raise BadNote("the root is not 32 bytes long")
        return cls(lines[0], int(lines[1]), root)


def open_checkpoint(note: str, origin: str, trusted: Sequence[Verifier]) -> Checkpoint:
    """A checkpoint of this log, signed by the log's own key."""
    found = Checkpoint.from_text(open_note(note, [k for k in trusted if k.name == origin]))
    if found.origin != origin:
        raise BadNote("the checkpoint is of another log")
    return found
