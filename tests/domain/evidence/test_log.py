"""The public log follows the stream, proves what is in it, and refuses to sign another history."""

import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID, uuid4

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import transaction

from huika.domain.evidence import actions, followers, log, queries, receipts
from huika.domain.evidence.errors import LogForked, LogTooLong, ReceiptNotReady, ReceiptNotVerified
from huika.faces.cli import tools
from huika.kit import clock, events, sequencer
from huika.kit import followers as running
from huika.kit.models import Cursor
from huika.kit.postgres import Roles
from huika.kit.refusals import NotFound
from huika.kit.tlog import merkle
from huika.kit.tlog.note import Verifier

NAME = "evidence.log"


def write(n: int = 1, verb: str = "test.done") -> list[UUID]:
    """Record and place `n` events; their subjects."""
    subjects = [uuid4() for _ in range(n)]
    with transaction.atomic():
        for subject in subjects:
            events.record(verb, subject, {"n": 1}, parts={"money": {"paid_fen": 5}})
    while sequencer.sequence():
        pass
    return subjects


def follow(limit: int = running.BATCH) -> int:
    moved = 0
    while step := running.run(running.REGISTRY[NAME], limit):
        moved += step
    return moved


def placed() -> Sequence[events.Placed]:
    return events.read(0, 100_000)


def stopped() -> str:
    return Cursor.objects.get(follower=NAME).stopped_because


def naive_root() -> bytes:
    leaves = [merkle.leaf_hash(receipts.leaf(e)) for e in placed()]
    return merkle.root(len(leaves), merkle.subtrees(leaves))


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.django_db
def test_every_event_is_a_leaf_at_its_place_and_each_batch_a_signed_checkpoint() -> None:
    assert queries.log_size() == 0
    for n in (1, 3, 300, 7):
        write(n)
        follow(90)
        published = log.tiles().published(log.signer())
        assert published is not None
        assert published.size == queries.log_size() == len(placed())
        assert published.root == naive_root()
    assert queries.check_log() == ""
    assert log.tiles().entry(2, queries.log_size()) == receipts.leaf(placed()[2])


@pytest.mark.django_db
def test_a_receipt_verifies_offline_with_the_key_from_outside_only() -> None:
    write(3)
    [subject] = write(1, "trade.order.settled")
    with pytest.raises(ReceiptNotReady):
        queries.receipt(subject, "trade.order.settled")
    follow()
    write(300)
    follow(64)
    text = queries.receipt(subject, "trade.order.settled")
    found = queries.verify_receipt(text, [queries.log_key()])
    assert found.verb == "trade.order.settled" and found.parts == {"money": {"paid_fen": 5}}
    assert found.log_size == queries.log_size() and found.origin == log.signer().name
    other = Verifier(log.signer().name, Ed25519PrivateKey.generate().public_key().public_bytes_raw()).vkey
    with pytest.raises(ReceiptNotVerified):
        queries.verify_receipt(text, [other])
    with pytest.raises(NotFound):
        queries.receipt(subject, "trade.order.closed")


@pytest.mark.django_db
def test_the_command_line_reads_the_file_byte_for_byte(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A newline turned into a carriage return is one changed byte too, whatever Python's text mode makes of it."""
    [subject] = write(1, "trade.order.settled")
    follow()
    place = tmp_path / "receipt"
    args = SimpleNamespace(what="verify", target=str(place), key=[queries.log_key()], json=True)
    verify = tools.guarded(tools.run_receipt)
    raw = queries.receipt(subject, "trade.order.settled").encode()
    place.write_bytes(raw)
    assert verify(args) == 0
    assert json.loads(capsys.readouterr().out)["verified"] is True
    broken = [raw.replace(b"\n", b"\r", 1), raw.replace(b"\n", b"\r\n", 1), raw[:-1] + b"\r", raw[:-1], raw + b"\xff"]
    for altered in broken:
        place.write_bytes(altered)
        assert verify(args) == 1
        assert capsys.readouterr().out == ""


@pytest.mark.django_db
def test_the_follower_refuses_to_sign_when_the_published_log_is_longer_than_the_database() -> None:
    """As after a restore from an older copy: the projection stops, nothing is published or written over."""
    write(3)
    follow()
    tiles, signer = log.tiles(), log.signer()
    size = queries.log_size()
    tiles.append(size, [b"of a future that the database forgot"] * 5)
    tiles.publish(signer, size + 5)
    before = files(tiles.folder)
    write(2)
    assert follow() == 0
    assert "log_longer_than_database" in stopped()
    assert LogTooLong.status == 409
    assert files(tiles.folder) == before
    write(10)
    assert follow() == 0 and files(tiles.folder) == before  # it stays stopped


@pytest.mark.django_db
@pytest.mark.parametrize("published", [1, 5, 300])
def test_a_restored_history_that_has_grown_past_the_published_one_writes_over_nothing(published: int) -> None:
    write(2)
    follow()
    tiles, signer = log.tiles(), log.signer()
    size = queries.log_size()
    tiles.append(size, [b"of a future that the database forgot"] * published)
    tiles.publish(signer, size + published)
    before = files(tiles.folder)
    write(published + 10)
    assert follow(7) == 0
    assert "log_forked" in stopped() and LogForked.status == 409
    assert files(tiles.folder) == before


@pytest.mark.django_db
def test_a_rebuild_from_zero_writes_the_same_log_again_and_goes_on() -> None:
    write(270)
    follow(100)
    before = {name: data for name, data in files(log.tiles().folder).items() if ".p/" not in name}
    running.restart(NAME, from_zero=True)
    follow(77)
    after = files(log.tiles().folder)
    assert {name: after[name] for name in before} == before
    assert stopped() == "" and queries.check_log() == ""
    write(5)
    follow()
    assert queries.log_size() == len(placed()) and queries.check_log() == ""


@pytest.mark.django_db
def test_a_lost_log_is_written_anew_from_zero_and_not_from_the_middle() -> None:
    write(5)
    follow()
    folder = log.tiles().folder
    for place in sorted(folder.rglob("*"), reverse=True):
        place.unlink() if place.is_file() else place.rmdir()
    write(1)
    follow()
    assert stopped() and queries.log_size() == 0
    running.restart(NAME, from_zero=True)
    follow()
    assert queries.check_log() == "" and queries.log_size() == len(placed())
    assert log.tiles().root(len(placed())) == naive_root()


@pytest.mark.django_db
@pytest.mark.parametrize("when", ["before the checkpoint", "after the checkpoint"])
def test_death_in_the_middle_is_made_good_by_the_next_run(when: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write(3)
    follow()
    write(300)
    tiles = type(log.tiles())
    publish = tiles.publish

    def die(self: object, *args: object) -> str:
        if when == "after the checkpoint":
            publish(self, *args)
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(tiles, "publish", die)
        with pytest.raises(SystemExit):
            follow()
    write(4)
    follow()
    assert stopped() == "" and queries.log_size() == len(placed()) and queries.check_log() == ""


@pytest.mark.django_db
def test_the_same_batch_twice_changes_nothing() -> None:
    write(40)
    follow()
    before = files(log.tiles().folder)
    followers.write_leaves(placed())
    assert files(log.tiles().folder) == before


# check_log.


@pytest.fixture
def kept(roles: Roles, transactional_db: None) -> int:
    """A published log of committed events; its size."""
    write(300)
    follow()
    assert queries.check_log() == ""
    return queries.log_size()


def as_owner(roles: Roles, statement: str) -> None:
    """What somebody with the owner's password and no scruples could do."""
    with psycopg.connect(roles.owner, autocommit=True) as owner:
        for table in ("kit_event", "kit_eventplace"):
            owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        owner.execute(statement)
        for table in ("kit_event", "kit_eventplace"):
            owner.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "change",
    ["facts = '{\"n\": 2}'", "subject = gen_random_uuid()", "verb = 'test.other'", "salt = '\\x00'", "parts = '{}'"],
)
def test_a_changed_event_is_found(kept: int, roles: Roles, change: str) -> None:
    event = placed()[260]
    as_owner(roles, f"UPDATE kit_event SET {change} WHERE id = {event.id}")
    assert queries.check_log() == "leaf 260 differs"


@pytest.mark.django_db(transaction=True)
def test_a_missing_event_is_found(kept: int, roles: Roles) -> None:
    last = placed()[-1]
    as_owner(roles, f"DELETE FROM kit_eventplace WHERE place = {last.place}")
    assert queries.check_log() == f"the database lacks the event of leaf {last.place}"
    as_owner(roles, "DELETE FROM kit_eventplace WHERE place = 5")
    assert queries.check_log() == "the database lacks the event of leaf 5"


@pytest.mark.django_db(transaction=True)
def test_event_and_entry_changed_together_are_found_by_the_root(kept: int, roles: Roles) -> None:
    """The database and the entry bundle agree again; only the hashes above them tell."""
    event, tiles = placed()[10], log.tiles()
    as_owner(roles, f"UPDATE kit_event SET facts = '{{\"n\": 7}}' WHERE id = {event.id}")
    old, new = receipts.leaf(event), receipts.leaf(placed()[10])
    assert old != new and len(old) == len(new)
    bundle = tiles.folder / "tile/entries/000"
    bundle.write_bytes(bundle.read_bytes().replace(old, new))
    assert queries.check_log() == "the leaves do not make the root"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("tile", ["tile/entries/000", "tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1"])
def test_a_tile_that_rots_is_found(kept: int, tile: str) -> None:
    place = log.tiles().folder / tile
    raw = bytearray(place.read_bytes())
    raw[20] ^= 1
    place.write_bytes(raw)
    assert queries.check_log() == ("leaf 0 differs" if "entries" in tile else f"{tile} differs")


# The key and the files.


def test_the_log_s_key_is_made_once_and_for_its_owner_only(settings: object) -> None:
    first = log.signer().verifier
    place = Path(settings.KEYS) / "log.json"
    assert place.stat().st_mode & 0o077 == 0
    log.signer.cache_clear()
    assert log.signer().verifier == first
    assert [p.name for p in place.parent.iterdir()] == ["log.json"]


@pytest.mark.django_db
def test_only_published_files_are_served(tmp_path: Path) -> None:
    write(3)
    follow()
    folder = log.tiles().folder
    assert queries.log_file("checkpoint").read_bytes() == (folder / "checkpoint").read_bytes()
    assert queries.log_file(f"tile/entries/000.p/{queries.log_size()}").is_file()
    (tmp_path / "secret").write_text("x")
    (folder / "tile" / "0" / "half.new").write_text("x")
    (folder / "link").symlink_to(tmp_path / "secret")
    outside = ("../secret", "tile/../../secret", str(tmp_path / "secret"), "link")
    for path in (*outside, "tile", "", "nothing", "tile/0/half.new"):
        with pytest.raises(NotFound):
            queries.log_file(path)


# Pictures.


@pytest.mark.django_db
def test_a_picture_is_kept_by_its_hash_and_the_event_holds_what_the_device_sent() -> None:
    card, by, jpeg = uuid4(), uuid4(), b"\xff\xd8 a picture"
    for side, clean in (("front", b"\x01" * 32), ("front", b"\x01" * 32), ("back", b"\x02" * 32)):
        actions.keep_picture(card, side, by, jpeg=jpeg, sha256=b"\x09" * 32, clean_sha256=clean, width=4, height=3)
    found = queries.pictures(card)
    assert (found[0].side, found[0].sha256, found[0].clean_sha256) == ("back", "09" * 32, "02" * 32)
    assert len(found) == 3 and queries.pictures(uuid4()) == []
    assert queries.picture_bytes("01" * 32) == jpeg
    assert not [p for p in actions.file_of(b"\x01" * 32).parent.iterdir() if p.suffix != ".jpg"]
    while sequencer.sequence():
        pass
    told = events.last_about(card, "evidence.picture.kept")
    assert told is not None and told.facts == {"picture": str(found[0].id), "side": "back", "sha256": "09" * 32}
    with pytest.raises(NotFound):
        queries.picture_bytes("03" * 32)
    assert told.at <= clock.now()
