"""Tiles on disk: whatever the batches and wherever a crash comes, the same files and the same roots."""

import random
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.kit.tlog.naive import Tree

from huika.kit.tlog import merkle, tiles
from huika.kit.tlog.note import BadNote, Signer
from huika.kit.tlog.tiles import Tiles, tile_path

SIGNER = Signer("localhost/huika/log", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
ENTRIES = [f"entry {n}".encode() * (1 + n % 3) for n in range(1000)]
NAIVE = Tree(ENTRIES)


@pytest.fixture(autouse=True)
def no_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk's own promises are not tried here."""
    monkeypatch.setattr(tiles.os, "fsync", lambda handle: None)


def grow(log: Tiles, start: int, *widths: int) -> int:
    for width in widths:
        start = log.append(start, ENTRIES[start : start + width])
    return start


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def full_files(folder: Path) -> dict[str, bytes]:
    return {name: data for name, data in files(folder).items() if ".p/" not in name}


@pytest.mark.parametrize(
    ("level", "n", "width", "path"),
    [
        (0, 0, 256, "tile/0/000"),
        (0, 0, 1, "tile/0/000.p/1"),
        (3, 999, 256, "tile/3/999"),
        (0, 1000, 256, "tile/0/x001/000"),
        (1, 1234067, 256, "tile/1/x001/x234/067"),
        (1, 1234067, 255, "tile/1/x001/x234/067.p/255"),
        ("entries", 1000000, 7, "tile/entries/x001/x000/000.p/7"),
    ],
)
def test_names_of_tiles(level: int | str, n: int, width: int, path: str) -> None:
    assert tile_path(level, n, width) == path


@given(st.lists(st.integers(1, 300), min_size=1, max_size=12))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_batches_roots_entries_and_proofs_are_those_of_the_tree(
    tmp_path_factory: pytest.TempPathFactory, widths: list[int]
) -> None:
    log, size, ends = Tiles(tmp_path_factory.mktemp("log")), 0, []
    for width in widths:
        if size + width > len(ENTRIES):
            break
        size = grow(log, size, width)
        ends.append(size)
        assert log.root(size) == NAIVE.root(size)
    source = random.Random(size)
    for _ in range(5):
        old = source.choice(ends)
        index = source.randrange(old)
        assert log.entry(index, old) == ENTRIES[index]
        assert log.root(old) == NAIVE.root(old)  # also from tiles that have grown since
        assert log.inclusion(index, old) == NAIVE.path(index, 0, old)
        any_size = source.randint(1, size)
        assert log.consistency(any_size, size) == NAIVE.proof(any_size, size)
    at_once = Tiles(tmp_path_factory.mktemp("fresh"))
    grow(at_once, 0, size)
    assert full_files(at_once.folder) == full_files(log.folder)


@pytest.mark.parametrize("size", [1, 255, 256, 257, 511, 512, 513, 1000])
def test_around_full_tiles(tmp_path: Path, size: int) -> None:
    log = Tiles(tmp_path)
    assert grow(log, 0, *[1] * min(size, 3), max(0, size - 3)) == size
    assert log.root(size) == NAIVE.root(size)
    wanted = {f"tile/entries/{n:03d}" for n in range(size // 256)} | {f"tile/0/{n:03d}" for n in range(size // 256)}
    assert set(full_files(tmp_path)) == wanted
    assert not [p for n in range(size // 256) for p in tmp_path.glob(f"tile/*/{n:03d}.p") if "tile/1" not in str(p)]
    if size >= 256:
        assert len((tmp_path / f"tile/1/000.p/{size // 256}").read_bytes()) == 32 * (size // 256)


def test_past_65536_leaves_into_the_third_level(tmp_path: Path) -> None:
    """Cheap entries: the tree is checked against hashes made level by level."""
    size = 256 * 256 + 300
    entries = [n.to_bytes(3, "big") for n in range(size)]
    subtree = merkle.subtrees([merkle.leaf_hash(e) for e in entries])
    log, at = Tiles(tmp_path), 0
    for end in (30_000, 65_535, 65_536, 65_537, size):
        at = log.append(at, entries[at:end])
        assert at == end and log.root(end) == merkle.root(end, subtree)
    for index in (0, 65_535, 65_536, size - 1):
        assert log.entry(index, size) == entries[index]
        assert log.inclusion(index, size) == merkle.inclusion_proof(index, size, subtree)
    for old in (1, 65_535, 65_536, 65_537):
        assert log.consistency(old, size) == merkle.consistency_proof(old, size, subtree)
    assert (tmp_path / "tile/1/000").stat().st_size == 256 * 32
    assert (tmp_path / "tile/2/000.p/1").read_bytes() == subtree(16, 0)
    assert (tmp_path / "tile/0/256.p/44").exists() is False and (tmp_path / "tile/0/257.p/44").exists()


class Crash(BaseException):
    """The power goes."""


@pytest.mark.parametrize("start", [0, 100, 255, 256, 300])
def test_after_a_crash_at_any_write_the_same_step_is_done_again(
    tmp_path: Path, start: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    end, write = 700, Tiles._write
    wanted = Tiles(tmp_path / "wanted")
    grow(wanted, 0, start, end - start)
    writes = 0
    while True:
        log = Tiles(tmp_path / f"crash{writes}")
        grow(log, 0, start)
        log.publish(SIGNER, start)
        left = iter(range(writes))

        def failing(self: Tiles, path: str, data: bytes, left: object = left) -> None:
            if next(left, None) is None:
                raise Crash
            write(self, path, data)

        with monkeypatch.context() as patch:
            patch.setattr(Tiles, "_write", failing)
            try:
                log.append(start, ENTRIES[start:end])
                crashed = False
            except Crash:
                crashed = True
        published = log.published(SIGNER)
        assert published is not None and published.size == start
        assert log.root(start) == published.root == NAIVE.root(start)  # what is published stays readable
        for again in (end, 400, end):  # the same step, a shorter one (its tiles are there already), the same again
            log.append(start, ENTRIES[start:again])
            assert log.root(again) == NAIVE.root(again)
        assert full_files(log.folder).items() >= full_files(wanted.folder).items()
        assert all(log.entry(n, end) == ENTRIES[n] for n in (0, start, 255, 256, 699))
        if not crashed:
            break
        writes += 1
    assert writes >= 4


def test_a_step_whose_partial_tile_was_already_replaced_by_the_full_one(tmp_path: Path) -> None:
    log = Tiles(tmp_path)
    grow(log, 0, 100)
    log.publish(SIGNER, 100)
    grow(log, 100, 200)
    assert not (tmp_path / "tile/0/000.p").exists() and not (tmp_path / "tile/entries/000.p").exists()
    before = files(tmp_path)
    assert log.root(100) == NAIVE.root(100) and log.entry(99, 100) == ENTRIES[99]
    grow(log, 100, 200)
    assert files(tmp_path) == before
    assert log.inclusion(50, 100) == NAIVE.path(50, 0, 100)


def test_nothing_new_writes_nothing(tmp_path: Path) -> None:
    log = Tiles(tmp_path)
    assert log.append(0, []) == 0 and files(tmp_path) == {}
    assert log.root(0) == merkle.EMPTY_ROOT


def test_entry_bundles_are_length_prefixed(tmp_path: Path) -> None:
    log = Tiles(tmp_path)
    log.append(0, [b"", b"ab", b"x" * 65_535])
    raw = (tmp_path / "tile/entries/000.p/3").read_bytes()
    assert raw[:6] == b"\x00\x00\x00\x02ab" and raw[6:8] == b"\xff\xff" and len(raw) == 8 + 65_535
    assert [log.entry(n, 3) for n in range(3)] == [b"", b"ab", b"x" * 65_535]
    with pytest.raises(OverflowError):
        log.append(3, [b"x" * 65_536])


def test_a_checkpoint_is_published_whole_and_read_with_the_log_s_key(tmp_path: Path) -> None:
    log = Tiles(tmp_path)
    assert log.published(SIGNER) is None
    grow(log, 0, 5)
    note = log.publish(SIGNER, 5)
    assert (tmp_path / "checkpoint").read_bytes().decode() == note
    found = log.published(SIGNER)
    assert found is not None and (found.size, found.root) == (5, NAIVE.root(5))
    assert not [name for name in files(tmp_path) if name.endswith(".new")]
    with pytest.raises(BadNote):
        log.published(Signer(SIGNER.name, Ed25519PrivateKey.generate()))
