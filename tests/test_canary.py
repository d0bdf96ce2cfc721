"""No PIN is at rest anywhere after a trade, and the search that says so finds one wherever it is planted."""

import base64
import gzip
import hashlib
import io
import json
import logging
import os
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from PIL import Image
from psycopg.types.json import Jsonb
from tests import canary
from tests.canary import Canary, Find
from tests.faces.api import helpers as h

from huika.domain.evidence import queries as evidence
from huika.faces.cli.stack import Stack
from huika.kit import postgres
from huika.sim import story
from huika.sim.story import CardSpec, World

PIN = "4830571926640387"


def picture(**metadata: str) -> bytes:
    """A JPEG with this Exif description (UTF-8) or comment."""
    out, exif = io.BytesIO(), Image.Exif()
    if "description" in metadata:
        exif[0x010E] = metadata["description"]
    Image.new("RGB", (8, 8)).save(out, "JPEG", exif=exif, comment=metadata.get("comment", "").encode())
    return out.getvalue()


def zipped(content: bytes) -> bytes:
    """A zip archive with one deflated file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("cards.csv", content * 3)
    return out.getvalue()


RAW = PIN.encode()
LONG = b"number,pin\n2326000000000001," + RAW + b"\n" + b"x" * 200
FORMS = {
    "UTF-8": RAW,
    "UTF-16, little end first": PIN.encode("utf-16-le"),
    "UTF-16, big end first": PIN.encode("utf-16-be"),
    "in fours": b"4830 5719 2664 0387",
    "in fours by dashes": b"4830-5719-2664-0387",
    **{f"base64 behind {n}": base64.b64encode(b"abc"[:n] + RAW + b"tail") for n in range(3)},
    **{f"base64 for addresses behind {n}": base64.urlsafe_b64encode(b"\xff" * n + RAW + b"\xff\xff") for n in range(3)},
    "base64 of UTF-16": base64.b64encode(PIN.encode("utf-16-le")),
    "hexadecimal": RAW.hex().encode(),
    "capital hexadecimal": PIN.encode("utf-16-be").hex().upper().encode(),
    "JSON": json.dumps({"pin": PIN}).encode(),
    "a digest": hashlib.sha256(RAW).digest(),
    "a digest in hexadecimal": hashlib.md5(RAW).hexdigest().encode(),
    "gzip": gzip.compress(LONG),
    "gzip with a torn end": gzip.compress(LONG + os.urandom(500))[:-300],
    "zlib": zlib.compress(LONG, 9),
    "zip": zipped(LONG),
    "gzip in zlib": zlib.compress(gzip.compress(LONG)),
    "base64 of gzip": b"x=" + base64.b64encode(gzip.compress(LONG)),
    "hexadecimal of zlib": zlib.compress(LONG).hex().encode(),
    "base64 in gzip": gzip.compress(b"pin: " + base64.b64encode(b"!" + RAW)),
    "Exif of a picture": picture(description=PIN),
    "comment of a picture": picture(comment=PIN),
    "UTF-16 in a comment": picture(comment=PIN.encode("utf-16-le").decode("latin-1")),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_found_amid_other_bytes(form: str) -> None:
    data = os.urandom(5000) + b"\n" + FORMS[form] + b"\n" + os.urandom(5000)
    assert Canary(PIN).search_bytes(data, "here"), form
    assert Canary("9" + PIN[1:]).search_bytes(data, "here") == [], "another PIN is not there"


def test_a_short_pin_is_refused() -> None:
    with pytest.raises(ValueError, match="by chance"):
        Canary("123456")


def test_every_form_is_found_in_a_folder(tmp_path: Path) -> None:
    for n, (form, data) in enumerate(FORMS.items()):
        place = tmp_path / str(n) / "deep" / "file.bin"
        place.parent.mkdir(parents=True)
        place.write_bytes(b"head " + data + b" tail")
        found = Canary(PIN).search_folder(tmp_path / str(n))
        assert {f.place for f in found} == {str(place)}, form
        assert Canary(PIN).search_folder(tmp_path / str(n), leave_out=[place.parent]) == []
    (tmp_path / f"{PIN}.jpg").touch()
    assert any(f.place.startswith("the name of") for f in Canary(PIN).search_folder(tmp_path))


def superuser(roles: postgres.Roles) -> str:
    """The server's superuser, in this worker's database."""
    return postgres.with_database(os.environ["HUIKA_TEST_PG_URL"], postgres.database_name(roles.owner))


def places(found: list[Find]) -> set[str]:
    """Where something was found."""
    return {f.place for f in found}


def test_every_form_is_found_in_the_database_and_in_its_logs(roles: postgres.Roles) -> None:
    url, search, since = superuser(roles), Canary(PIN), canary.mark(superuser(roles))
    assert search.search_database(url) == []
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("CREATE SCHEMA planted")
        try:
            conn.execute("CREATE TABLE planted.t (form text, raw bytea, words text, doc jsonb, list text[], n bigint)")
            for form, data in FORMS.items():
                conn.execute("INSERT INTO planted.t (form, raw) VALUES (%s, %s)", [form, b"amid " + data + b" others"])
            with conn.cursor() as cursor:
                rows = cursor.execute("SELECT form, raw FROM planted.t").fetchall()
            assert len(rows) == len(FORMS)
            assert {f.form for f in search.search_database(url)} >= {f.form for d in FORMS.values() for f in look(d)}
            conn.execute("TRUNCATE planted.t")
            for column, value in (("words", f"a {PIN}"), ("list", [PIN]), ("n", int(PIN)), ("doc", json.dumps([PIN]))):
                conn.execute(f"INSERT INTO planted.t ({column}) VALUES (%s)", [value])
                assert "planted.t (text)" in places(search.search_database(url)), column
                conn.execute("TRUNCATE planted.t")
        finally:
            conn.execute("DROP SCHEMA planted CASCADE")
        job = {"p": PIN}
        conn.execute("INSERT INTO procrastinate_jobs (queue_name, task_name, args) VALUES ('q', 't', %s)", [Jsonb(job)])
        assert "public.procrastinate_jobs (text)" in places(search.search_database(url))
        conn.execute("DELETE FROM procrastinate_jobs WHERE task_name = 't'")
        conn.execute("INSERT INTO vault.migration (name, digest) VALUES (%s, '')", [PIN])
        assert "vault.migration (text)" in places(search.search_database(url))
        conn.execute("DELETE FROM vault.migration WHERE name = %s", [PIN])
    assert search.search_database(url) == []
    # What was deleted still stands in the write-ahead log.
    found = search.search_server(url, since)
    assert any(place.startswith("pg_wal/") for place in places(found))
    assert {f.form for f in found} >= {"utf-8", "utf-16-le", "utf-16-be"}
    assert not any(place.startswith("pg_wal/") for place in places(search.search_server(url, canary.mark(url))))


def test_a_statement_that_failed_is_found_in_the_servers_log(roles: postgres.Roles) -> None:
    url, pin = superuser(roles), h.digits(17)
    with psycopg.connect(url, autocommit=True) as conn:
        if not conn.execute("SELECT 1 FROM pg_ls_dir('.') AS n WHERE n LIKE '%%.log'").fetchone():
            pytest.skip("this server's log is not in its data folder")
        with pytest.raises(psycopg.errors.UndefinedTable):
            conn.execute(f"SELECT * FROM nowhere WHERE pin = '{pin}'".encode())
    found = Canary(pin).search_server(url, canary.mark(url))
    assert any(place.endswith(".log") for place in places(found))


def look(data: bytes) -> list[Find]:
    """What a search of these bytes alone finds."""
    return Canary(PIN).search_bytes(data, "here")


def uncovered(world: World, spec: CardSpec) -> CardSpec:
    """The same card on pictures of which the back shows the PIN bare."""
    drawn = {
        "design": "lanhu", "title": "演示购物卡", "number": spec.number, "pin": spec.pin,
        "face_value_fen": spec.face_value_fen, "mask_pin": False, "scratched": True,
    }  # fmt: skip
    front, back = (world.sandbox.picture(**drawn, side=side, seed=n + 3) for n, side in enumerate(("front", "back")))
    return replace(spec, front=front, back=back)


@pytest.mark.stack
def test_no_pin_is_at_rest_after_a_trade(
    platform: World,
    counterparties: Stack,
    roles: postgres.Roles,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    url, since = superuser(roles), canary.mark(superuser(roles))
    locked, bare = h.brought(platform, "jd-ecard"), uncovered(platform, h.brought(platform, "jd-ecard"))
    refused = replace(h.brought(platform, "jd-ecard"), pin=h.digits(16))  # its issuer knows another PIN
    seller = h.enrol(platform)
    order = h.booked(platform, seller, [locked, bare, refused])
    courier = h.at_the_door(platform, seller, order)
    cards = [c["id"] for c in order["cards"]]
    for card, spec in zip(cards, (locked, bare, refused), strict=True):
        state = story.photograph(courier, card, spec)["state"]
        if state == "clear":
            story.lock_or_bag(platform, courier, courier.get(f"/v1/cards/{card}"), spec)
    h.card_in(courier, cards[0], "paid")
    h.card_in(courier, cards[2], "returned")  # its issuer refused

    out, err = capfd.readouterr()
    texts = {"standard output": out, "standard error": err, "log records": caplog.text}
    clean = evidence.pictures(UUID(cards[1]))[0].clean_sha256
    # The last two are the control: the same look finds what is meant to be there.
    search = Canary(locked.pin, bare.pin, refused.pin, order["id"], clean)
    found = search.search_database(url) + search.search_server(url, since)
    for folder in (tmp_path, counterparties.state):
        # The issuer knows its own cards' PINs: its store is not the platform's.
        found += search.search_folder(folder, leave_out=[counterparties.state / "sandbox"])
    for name, text in texts.items():
        found += search.search_bytes(text.encode(), name)
    assert [f for f in found if f.which < 3] == []
    orders, pictures = ({f.place for f in found if f.which == n} for n in (3, 4))
    assert "public.kit_event (text)" in orders
    assert any(place.startswith("pg_wal/") for place in orders)
    assert any(place.endswith(".jpg") for place in pictures)
    assert list((counterparties.state / "process-logs").iterdir())
