"""C2SP tlog-proof: one file that shows, offline, that a leaf is in a log."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from huika.kit.tlog.merkle import BadProof, leaf_hash, verify_inclusion
from huika.kit.tlog.note import BadNote, Checkpoint, Verifier, b64, open_checkpoint, unb64

HEADER = "c2sp.org/tlog-proof@v1"
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True)
class Proof:
    """Extra data (not authenticated by itself), the leaf's index, its inclusion proof, the checkpoint note."""

    extra: bytes
    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str

    def text(self) -> str:
        """The file."""
        extra = [f"extra {b64(self.extra)}"] if self.extra else []
        lines = [HEADER, *extra, f"index {self.index}", *map(b64, self.hashes)]
        return "\n".join(lines) + "\n\n" + self.checkpoint

    @classmethod
    def from_text(cls, text: str) -> "Proof":
        """Read the file; BadProof unless it is written in exactly the form that `text` writes."""
        head, gap, checkpoint = text.partition("\n\n")
        lines = head.split("\n")
        if not gap or lines.pop(0) != HEADER:
            raise BadProof("not a tlog-proof")
        try:
            extra = unb64(lines.pop(0).removeprefix("extra ")) if lines and lines[0].startswith("extra ") else b""
            if not lines or not lines[0].startswith("index ") or not _NUMBER.fullmatch(lines[0][6:]):
                raise BadProof("the index is missing")
            found = cls(extra, int(lines.pop(0)[6:]), tuple(unb64(line) for line in lines), checkpoint)
        except BadNote as error:
            raise BadProof(str(error)) from error
        if found.text() != text:
            raise BadProof("the file is not in its one form")
        return found

    def verify(self, leaf: bytes, origin: str, trusted: Sequence[Verifier]) -> Checkpoint:
        """BadProof or BadNote unless `leaf` (its bytes) stands at `index` in the log of `origin`; the checkpoint."""
        checkpoint = open_checkpoint(self.checkpoint, origin, trusted)
        verify_inclusion(self.index, checkpoint.size, leaf_hash(leaf), self.hashes, checkpoint.root)
        return checkpoint
