"""The shared faults file: how each counterparty misbehaves, read again whenever the file changes."""

import json
import logging
import os
import random
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

log = logging.getLogger("huika_sandbox.faults")

COUNTERPARTIES = ("wallet", "custodian", "issuer", "sms", "identity", "alipay", "bank", "ecny", "recyclers")
LIES = ("amount", "state", "sums", "signature", "redirect", "replay", "clock", "ratio", "expired")
MAX_DELAY_MS = 600_000
MAX_REPEAT = 100


class FaultsError(ValueError):
    """The faults document is not of the stated form; the text says where."""


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong at one counterparty.

    down: every call is answered 503, and no callbacks leave. drop: probability 0..1 that the work is done and
    the answer lost (504). delay_ms: milliseconds between the work and its answer. repeat: how often each callback
    is sent. reorder: callbacks leave shuffled, up to 300 ms late. lie: "amount" (callbacks name one fen too many)
    or "state" (callbacks say SUCCESS while a query says PROCESSING); the others are the recyclers' own. seed:
    makes drops and shuffles repeatable.
    """

    down: bool = False
    drop: float = 0.0
    delay_ms: int = 0
    repeat: int = 1
    reorder: bool = False
    lie: str | None = None
    seed: int | None = None


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_probability(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


_VALID = {
    "down": lambda v: isinstance(v, bool),
    "drop": _is_probability,
    "delay_ms": lambda v: _is_int(v) and 0 <= v <= MAX_DELAY_MS,
    "repeat": lambda v: _is_int(v) and 1 <= v <= MAX_REPEAT,
    "reorder": lambda v: isinstance(v, bool),
    "lie": lambda v: v in LIES,
    "seed": _is_int,
}


def parse(document: object) -> dict[str, Faults]:
    """Read a decoded faults document into one `Faults` for each counterparty it names.

    Raises FaultsError on an unknown counterparty, an unknown key, or a value out of its range.
    """
    if not isinstance(document, dict):
        raise FaultsError("the faults document must be a JSON object")
    faults: dict[str, Faults] = {}
    for name, wanted in document.items():
        if name not in COUNTERPARTIES:
            raise FaultsError(f"unknown counterparty {name!r}; known: {', '.join(COUNTERPARTIES)}")
        if not isinstance(wanted, dict):
            raise FaultsError(f"{name}: must be a JSON object")
        for key, value in wanted.items():
            if key not in _VALID:
                raise FaultsError(f"{name}: unknown fault {key!r}; known: {', '.join(_VALID)}")
            if not isinstance(value, str | int | float | bool) or not _VALID[key](value):
                raise FaultsError(f"{name}.{key}: value not allowed")
        faults[name] = Faults(**wanted)
    return faults


class FaultBook:
    """The faults in force. A file that cannot be read changes nothing in force, but shows in `error`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.error: str | None = None
        self._stamp: tuple[int, int, int] | None = None
        self._document: Mapping[str, Any] = {}
        self._faults: dict[str, Faults] = {}
        self._random: dict[str, random.Random] = {}
        self.refresh()

    def of(self, name: str) -> Faults:
        """The faults in force for the counterparty `name`."""
        self.refresh()
        return self._faults.get(name, Faults())

    def random(self, name: str) -> random.Random:
        """The counterparty's own random source, started anew whenever the faults change."""
        if name not in self._random:
            seed = self.of(name).seed
            self._random[name] = random.Random(secrets.randbits(64) if seed is None else seed)  # noqa: S311 a fault, no secret
        return self._random[name]

    def document(self) -> Mapping[str, Any]:
        """The document in force, as it was read."""
        self.refresh()
        return self._document

    def replace(self, document: object) -> None:
        """Put `document` in the file's place, whole. Raises FaultsError and leaves the file as it was."""
        parse(document)
        draft = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps(document, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        draft.replace(self.path)
        self.refresh()

    def refresh(self) -> None:
        """Read the file again if it is another one than last time. A missing file means no faults."""
        stamp = self._look()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            document = json.loads(self.path.read_text(encoding="utf-8")) if stamp else {}
            faults = parse(document)
        except (OSError, ValueError, RecursionError) as problem:
            self.error = f"faults file {self.path} refused: {problem}"
            log.error("%s", self.error)  # noqa: TRY400 the message says all; a traceback would bury it
            return
        self.error = None
        self._document, self._faults, self._random = document, faults, {}

    def _look(self) -> tuple[int, int, int] | None:
        try:
            found = os.stat(self.path)  # noqa: PTH116 asked for on every call, and Path.stat costs twice as much
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino
