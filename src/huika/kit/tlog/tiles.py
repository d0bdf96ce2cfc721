"""C2SP tlog-tiles on a file system: hash tiles of 256, entry bundles, the checkpoint. Writing is idempotent.

Order of a step: entries and tiles (each through a temporary file, synced), then the checkpoint by rename. A crash
between leaves tiles that are longer than the checkpoint says; the next step writes the same bytes again.
"""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from huika.kit.tlog import merkle
from huika.kit.tlog.merkle import SIZE, leaf_hash, node_hash
from huika.kit.tlog.note import Checkpoint, Signer, open_checkpoint

WIDTH = 256
HEIGHT = 8


def tile_path(level: int | str, n: int, width: int = WIDTH) -> str:
    """`tile/<L>/<N>[.p/<W>]` with N in groups of three digits."""
    groups = [f"{n % 1000:03d}"]
    while n := n // 1000:
        groups.append(f"x{n % 1000:03d}")
    partial = "" if width == WIDTH else f".p/{width}"
    return f"tile/{level}/{'/'.join(reversed(groups))}{partial}"


class Tiles:
    """The published log in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def published(self, signer: Signer) -> Checkpoint | None:
        """The newest checkpoint that was published under this key; None before the first."""
        place = self.folder / "checkpoint"
        if not place.exists():
            return None
        return open_checkpoint(place.read_bytes().decode(), signer.name, [signer.verifier])

    def append(self, size: int, entries: Sequence[bytes]) -> int:
        """Write the tiles of a log of `size` leaves that grows by `entries` (each under 64 KiB); the new size."""
        self._grow("entries", size, [len(e).to_bytes(2, "big") + e for e in entries])
        hashes, level, start = [leaf_hash(e) for e in entries], 0, size
        while hashes:
            full = self._grow(level, start, hashes)
            start, hashes, level = start // WIDTH, full, level + 1
        return size + len(entries)

    def publish(self, signer: Signer, size: int) -> str:
        """Sign and publish the checkpoint of the first `size` leaves; the note."""
        note = signer.sign(Checkpoint(signer.name, size, self.root(size)).text)
        self._write("checkpoint", note.encode())
        return note

    def root(self, size: int) -> bytes:
        """Root of the first `size` leaves, from the tiles."""
        return merkle.root(size, _Reader(self, size).subtree)

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """Inclusion proof of leaf `index` in the tree of `size`."""
        return merkle.inclusion_proof(index, size, _Reader(self, size).subtree)

    def consistency(self, old: int, new: int) -> list[bytes]:
        """Consistency proof between two sizes."""
        return merkle.consistency_proof(old, new, _Reader(self, new).subtree)

    def entry(self, index: int, size: int) -> bytes:
        """The bytes of leaf `index` of a log of `size`."""
        n = index // WIDTH
        data = self._read("entries", n, min(WIDTH, size - n * WIDTH))
        at = 0
        for _ in range(index % WIDTH):
            at += 2 + int.from_bytes(data[at : at + 2], "big")
        return data[at + 2 : at + 2 + int.from_bytes(data[at : at + 2], "big")]

    def differing(self, size: int, subtree: merkle.Subtree) -> str:
        """Path of the first hash tile that does not hold these subtrees of the first `size` leaves; empty if none."""
        level = 0
        while count := size >> (HEIGHT * level):
            for start in range(0, count, WIDTH):
                width = min(WIDTH, count - start)
                wanted = b"".join(subtree(HEIGHT * level, i) for i in range(start, start + width))
                if self.hashes(level, start // WIDTH, width) != wanted:
                    return tile_path(level, start // WIDTH, width)
            level += 1
        return ""

    def _grow(self, level: int | str, start: int, items: Sequence[bytes]) -> list[bytes]:
        """Add items to a level whose width is `start`; the roots of the tiles that became full."""
        full: list[bytes] = []
        n, have = divmod(start, WIDTH)
        todo = list(items)
        while todo:
            take, todo = todo[: WIDTH - have], todo[WIDTH - have :]
            old = self._read(level, n, have) if have else b""
            data = old + b"".join(take)
            self._write(tile_path(level, n, have + len(take)), data)
            if have + len(take) == WIDTH:
                # The full tile stands for every narrower one from here on (allowed by the specification).
                shutil.rmtree(self.folder / f"{tile_path(level, n)}.p", ignore_errors=True)
                if isinstance(level, int):
                    full.append(tile_root(data))
            n, have = n + 1, 0
        return full

    def _read(self, level: int | str, n: int, width: int) -> bytes:
        """The first `width` items of a tile, from the partial one or from one that has grown since."""
        place = self.folder / tile_path(level, n, width)
        if place.exists():
            return place.read_bytes()
        data = (self.folder / tile_path(level, n)).read_bytes()
        if isinstance(level, int):
            return data[: width * SIZE]
        end = 0
        for _ in range(width):
            end += 2 + int.from_bytes(data[end : end + 2], "big")
        return data[:end]

    def hashes(self, level: int, n: int, width: int) -> bytes:
        """The first `width` hashes of a tile."""
        return self._read(level, n, width)

    def _write(self, path: str, data: bytes) -> None:
        place = self.folder / path
        if place.exists() and path != "checkpoint" and place.read_bytes() == data:
            return
        place.parent.mkdir(parents=True, exist_ok=True)
        part = place.with_name(place.name + ".new")
        with part.open("wb") as handle:
            handle.write(data)
            handle.flush()
            os.fsync(handle.fileno())
        part.replace(place)


def tile_root(data: bytes) -> bytes:
    """Root of a full tile's hashes."""
    hashes = [data[i : i + SIZE] for i in range(0, len(data), SIZE)]
    while len(hashes) > 1:
        hashes = [node_hash(hashes[i], hashes[i + 1]) for i in range(0, len(hashes), 2)]
    return hashes[0]


class _Reader:
    """Subtree hashes of the first `size` leaves, each tile read once."""

    def __init__(self, tiles: Tiles, size: int) -> None:
        self.tiles, self.size = tiles, size
        self.known: dict[tuple[int, int], bytes] = {}

    def subtree(self, level: int, index: int) -> bytes:
        floor, above = divmod(level, HEIGHT)
        first = index << above
        n = first // WIDTH
        tile = self._tile(floor, n)
        hashes = [tile[i * SIZE : (i + 1) * SIZE] for i in range(first % WIDTH, first % WIDTH + (1 << above))]
        while len(hashes) > 1:
            hashes = [node_hash(hashes[i], hashes[i + 1]) for i in range(0, len(hashes), 2)]
        return hashes[0]

    def _tile(self, floor: int, n: int) -> bytes:
        if (floor, n) not in self.known:
            width = min(WIDTH, (self.size >> (HEIGHT * floor)) - n * WIDTH)
            self.known[floor, n] = self.tiles.hashes(floor, n, width)
        return self.known[floor, n]
