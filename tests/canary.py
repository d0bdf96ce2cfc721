"""A search for PINs in everything that a platform leaves at rest.

Looked through: every row of every table (the vault's too, and the queue's) in two dump formats, texts of running
statements, the write-ahead log since a mark, the server's own log, and whole folders (uploads, public log, process
logs, keys). Looked for: each PIN in UTF-8 and UTF-16, grouped by blanks or dashes, in hexadecimal and base64 at each
alignment, its unsalted digests (a PIN is short: a digest gives it away), all that again inside gzip, zlib and zip
streams and inside base64 and hexadecimal runs; a picture's metadata is part of its file.

Not looked for: pixels (a picture in which the PIN can be read holds no byte of it), memory of running processes,
values that PostgreSQL itself has compressed inside the write-ahead log (pglz; they are seen in the tables).
A PIN has to have 14 digits or more: a shorter one stands in any dump by chance.
"""

import base64
import binascii
import contextlib
import hashlib
import re
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

DEEPEST = 4  # containers within containers
INFLATED = 64 * 1024 * 1024  # bytes that one stream may open to
BLOCK = 4 * 1024 * 1024
_GZIP, _ZIP = b"\x1f\x8b\x08", b"PK\x03\x04"
_ZLIB = re.compile(rb"\x78[\x01\x5e\x9c\xda]")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{24,}")
_HEX = re.compile(rb"[0-9A-Fa-f]{24,}")


@dataclass(frozen=True)
class Find:
    """Where a PIN stands, how it is written, what it is wrapped in, and which one it is. It is not repeated here."""

    place: str
    form: str
    inside: tuple[str, ...] = ()
    which: int = 0


class Canary:
    """The search for some PINs at once."""

    def __init__(self, *pins: str) -> None:
        if min(map(len, pins)) < 14:
            raise ValueError("a PIN this short is found anywhere by chance")
        self.shapes = {shape: (name, n) for n, pin in enumerate(pins) for shape, name in _shapes(pin)}

    def search_bytes(self, data: bytes, place: str, inside: tuple[str, ...] = ()) -> list[Find]:
        """Every form in these bytes, and in what they contain."""
        # One look for each shape is four times faster than one expression for all of them.
        found = [Find(place, form, inside, n) for shape, (form, n) in self.shapes.items() if shape in data]
        if len(inside) < DEEPEST:
            for name, content in _contained(data):
                found += self.search_bytes(content, place, (*inside, name))
        return list(dict.fromkeys(found))

    def search_folder(self, folder: Path, leave_out: Iterable[Path] = ()) -> list[Find]:
        """Every file under a folder, its name too."""
        left_out, found = {p.resolve() for p in leave_out}, []
        for file in sorted(folder.rglob("*")):
            if left_out & {file.resolve(), *file.resolve().parents}:
                continue
            found += self.search_bytes(str(file.relative_to(folder)).encode(), f"the name of {file}")
            if file.is_file() and not file.is_symlink():
                found += self.search_bytes(file.read_bytes(), str(file))
        return found

    def search_database(self, url: str) -> list[Find]:
        """Every row of every table. `url` must name a role that may read all of them: the superuser."""
        found = []
        with psycopg.connect(url) as conn:
            for schema, table in _tables(conn):
                name = sql.Identifier(schema, table)
                # As text numbers read as written; in binary bytea and text are the bytes themselves.
                for how in ("text", "binary"):
                    statement = sql.SQL("COPY (SELECT * FROM {}) TO STDOUT (FORMAT {})").format(name, sql.SQL(how))
                    with conn.cursor() as cursor, cursor.copy(statement) as copy:
                        found += self.search_bytes(b"".join(copy), f"{schema}.{table} ({how})")
            for (query,) in conn.execute("SELECT query FROM pg_stat_activity WHERE pid <> pg_backend_pid()"):
                found += self.search_bytes((query or "").encode(), "pg_stat_activity")
        return found

    def search_server(self, url: str, since: str) -> list[Find]:
        """The write-ahead log from `since` (see `mark`), and the server's log; `url` names a superuser."""
        found = []
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute("SELECT pg_switch_wal()")
            segments = conn.execute(
                "SELECT name, CASE WHEN name = first.file_name THEN first.file_offset ELSE 0 END FROM pg_ls_waldir(),"
                " pg_walfile_name_offset(%s::pg_lsn) AS first WHERE name ~ '^[0-9A-F]{24}$' AND name >= first.file_name"
                " AND name <= pg_walfile_name(pg_current_wal_lsn()) ORDER BY name",
                [since],
            ).fetchall()
            for name, begin in segments:
                found += self.search_bytes(_server_file(conn, f"pg_wal/{name}")[begin:], f"pg_wal/{name}")
            for (name,) in conn.execute("SELECT n FROM pg_ls_dir('.') AS n WHERE n LIKE '%.log'").fetchall():
                found += self.search_bytes(_server_file(conn, name), name)
        return found


def mark(url: str) -> str:
    """The place in the write-ahead log at which a search may begin."""
    with psycopg.connect(url) as conn:
        row = conn.execute("SELECT pg_current_wal_insert_lsn()::text").fetchone()
    assert row is not None
    return str(row[0])


def _shapes(pin: str) -> Iterator[tuple[bytes, str]]:
    """Each way of writing the PIN, and what it is called."""
    for size in (3, 4, 6):
        for gap, name in ((" ", "blanks"), ("-", "dashes")):
            yield gap.join(pin[i : i + size] for i in range(0, len(pin), size)).encode(), f"groups of {size} by {name}"
    for coding in ("utf-8", "utf-16-le", "utf-16-be"):
        raw = pin.encode(coding)
        yield raw, coding
        yield raw.hex().encode(), f"hex of {coding}"
        yield raw.hex().upper().encode(), f"hex of {coding}"
        for lead in range(3):
            # Characters at both ends depend on the neighbours and are left out.
            coded = base64.b64encode(b"\0" * lead + raw)
            begin, end = -(-lead * 8 // 6), (lead + len(raw)) * 8 // 6
            yield coded[begin:end], f"base64 of {coding}, alignment {lead}"
            yield coded[begin:end].translate(bytes.maketrans(b"+/", b"-_")), f"base64 of {coding}, alignment {lead}"
    for name in ("md5", "sha1", "sha256", "sha512"):
        digest = hashlib.new(name, pin.encode()).digest()
        yield digest, f"{name}, unsalted"
        yield digest.hex().encode(), f"hex of {name}, unsalted"
        yield base64.b64encode(digest).rstrip(b"="), f"base64 of {name}, unsalted"


def _contained(data: bytes) -> Iterator[tuple[str, bytes]]:
    """What compressed streams and coded runs in these bytes hold."""
    view = memoryview(data)
    for at in _places(data, _GZIP):
        yield from _inflated("gzip", view[at:], 31)
    for at in _places(data, _ZIP):
        if len(data) >= at + 30:
            method, name, extra = struct.unpack_from("<H", data, at + 8)[0], *struct.unpack_from("<HH", data, at + 26)
            if method == 8:
                yield from _inflated("zip", view[at + 30 + name + extra :], -15)
    for found in _ZLIB.finditer(data):
        yield from _inflated("zlib", view[found.start() :], 15)
    for found in _BASE64.finditer(data):
        run = found[0].translate(bytes.maketrans(b"-_", b"+/"))
        # Where a coding begins inside a longer run is not known, so each of the four beginnings is tried.
        for shift in range(4):
            part = run[shift : shift + (len(run) - shift) // 4 * 4]
            if _compressed(raw := binascii.a2b_base64(part)):
                yield "base64", raw
    for found in _HEX.finditer(data):
        for shift in range(2):
            part = found[0][shift : shift + (len(found[0]) - shift) // 2 * 2]
            if _compressed(raw := bytes.fromhex(part.decode())):
                yield "hex", raw


def _compressed(raw: bytes) -> bool:
    """Whether a decoded run may hold a stream; its own text was already looked for in its coded form."""
    return _GZIP in raw[:64] or _ZIP in raw[:64] or _ZLIB.match(raw) is not None


def _places(data: bytes, magic: bytes) -> Iterator[int]:
    at = data.find(magic)
    while at >= 0:
        yield at
        at = data.find(magic, at + 1)


def _inflated(name: str, data: memoryview, window: int) -> Iterator[tuple[str, bytes]]:
    """What a stream holds as far as it goes: a broken end does not hide its beginning."""
    engine, out = zlib.decompressobj(window), b""
    for begin in range(0, len(data), 4096):
        before, block = engine.copy(), data[begin : begin + 4096]
        try:
            out += engine.decompress(block, INFLATED - len(out))
        except zlib.error:
            out += _as_far_as_it_goes(before, block)
            break
        if engine.eof or len(out) >= INFLATED:
            break
    if len(out) >= 8:
        yield name, out


def _as_far_as_it_goes(engine: "zlib._Decompress", block: memoryview) -> bytes:
    """What comes out of a block before the byte that cannot be right."""
    out = b""
    with contextlib.suppress(zlib.error):
        for at in range(len(block)):
            out += engine.decompress(block[at : at + 1])
    return out


def _tables(conn: psycopg.Connection) -> list[tuple[str, str]]:
    """Tables and materialised views of every schema that is not PostgreSQL's own; large objects with them."""
    rows = conn.execute(
        "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'm', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')"
        " ORDER BY 1, 2"
    ).fetchall()
    return [*rows, ("pg_catalog", "pg_largeobject")]


def _server_file(conn: psycopg.Connection, name: str) -> bytes:
    """A file of the server's data folder, in blocks."""
    parts: list[bytes] = []
    while True:
        row = conn.execute(
            "SELECT pg_read_binary_file(%s, %s, %s, true)", [name, len(parts) * BLOCK, BLOCK], binary=True
        ).fetchone()
        block = bytes(row[0]) if row and row[0] is not None else b""
        if block:
            parts.append(block)
        if len(block) < BLOCK:
            return b"".join(parts)
