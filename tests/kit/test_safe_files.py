import hashlib
import io
import os
import signal
import struct
import subprocess
import sys
import threading
import time
import zipfile
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image, ImageOps, PngImagePlugin

from huika.kit import picture_child, safe_files
from huika.kit.refusals import Refusal
from huika.kit.safe_files import (
    Decoders,
    EmptyFile,
    NotAPicture,
    PictureFailed,
    PictureTooSlow,
    TooLarge,
    TooManyPixels,
)


@pytest.fixture(scope="module")
def decoders() -> Iterator[Decoders]:
    it = Decoders()
    yield it
    it.close()


def encode(picture: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def corners(width: int = 64, height: int = 32) -> Image.Image:
    """Each quarter in a colour of its own, so that a turn shows."""
    picture = Image.new("RGB", (width, height))
    for place, colour in enumerate(((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0))):
        picture.paste(colour, (place % 2 * width // 2, place // 2 * height // 2, *_end(place, width, height)))
    return picture


def _end(place: int, width: int, height: int) -> tuple[int, int]:
    return width // 2 * (place % 2 + 1), height // 2 * (place // 2 + 1)


def quarters(picture: Image.Image) -> list[tuple[int, ...]]:
    """The four quarters' colours, each channel as 0 or 1."""
    width, height = picture.size
    spots = [(width * x // 4, height * y // 4) for y in (1, 3) for x in (1, 3)]
    return [tuple(round(value / 255) for value in picture.convert("RGB").getpixel(spot)) for spot in spots]


def segments(jpeg: bytes) -> list[int]:
    """Marker bytes of a JPEG's segments before the scan."""
    place, found = 2, []
    while jpeg[place + 1] != 0xDA:
        assert jpeg[place] == 0xFF
        found.append(jpeg[place + 1])
        place += 2 + int.from_bytes(jpeg[place + 2 : place + 4], "big")
    return found


def png(width: int, height: int, depth: int, idat: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    """A grey PNG made by hand, whatever its header claims."""
    header = struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks, (b"IDAT", idat), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in parts
    )


def zeros(size: int) -> bytes:
    packer = zlib.compressobj(1)
    block = bytes(1 << 20)
    return b"".join([packer.compress(block) for _ in range(size >> 20)]) + packer.flush()


# What comes out


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_clean_picture(kind: str, decoders: Decoders) -> None:
    data = encode(corners(), kind)
    clean = decoders.picture(data)
    with Image.open(io.BytesIO(clean.jpeg)) as seen:
        assert (seen.format, seen.mode, seen.size) == ("JPEG", "RGB", (64, 32))
        assert quarters(seen) == quarters(corners())
    assert (clean.width, clean.height) == (64, 32)
    assert clean.sha256 == hashlib.sha256(data).digest()
    assert clean.sha256_clean == hashlib.sha256(clean.jpeg).digest()
    assert decoders.picture(data) == clean, "the same bytes give the same picture"


def test_process_wide_picture() -> None:
    assert safe_files.picture(encode(corners())).width == 64
    safe_files._decoders.close()


@pytest.mark.parametrize(("size", "expected"), [((4000, 1000), (2400, 600)), ((1000, 4000), (600, 2400))])
def test_large_sides_shrink(size: tuple[int, int], expected: tuple[int, int], decoders: Decoders) -> None:
    clean = decoders.picture(encode(corners(*size)))
    assert (clean.width, clean.height) == expected
    with Image.open(io.BytesIO(clean.jpeg)) as seen:
        assert seen.size == expected and quarters(seen) == quarters(corners(*size))
    small = decoders.picture(encode(corners(*size)), out_side=100)
    assert max(small.width, small.height) == 100


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied(orientation: int, decoders: Decoders) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encode(corners(), exif=exif)
    with Image.open(io.BytesIO(data)) as turned:
        expected = ImageOps.exif_transpose(turned)
    clean = decoders.picture(data)
    with Image.open(io.BytesIO(clean.jpeg)) as seen:
        assert seen.size == expected.size == (clean.width, clean.height)
        assert quarters(seen) == quarters(expected)
        assert seen.getexif().get(0x0112) is None


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_metadata_is_gone(kind: str, decoders: Decoders) -> None:
    exif = Image.Exif()
    exif[0x010F] = "SECRETMAKER"
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2] = "N", (31.0, 14.0, 5.0)
    options: dict[str, object] = {"exif": exif, "xmp": b"<x:xmpmeta SECRETXMP>", "icc_profile": b"SECRETICC" * 20}
    if kind == "JPEG":
        options["comment"] = b"SECRETCOMMENT"
    if kind == "PNG":
        info = PngImagePlugin.PngInfo()
        info.add_text("Comment", "SECRETTEXT")
        options["pnginfo"] = info
    data = encode(corners(), kind, **options)
    with Image.open(io.BytesIO(data)) as before:
        assert before.getexif().get_ifd(0x8825)[2] == (31.0, 14.0, 5.0)
    jpeg = decoders.picture(data).jpeg
    with Image.open(io.BytesIO(jpeg)) as after:
        assert not after.getexif() and not {"exif", "icc_profile", "comment", "xmp"} & set(after.info)
    assert b"SECRET" in data and b"SECRET" not in jpeg
    # JFIF header, tables, frame: no APP1-15, no comment
    assert set(segments(jpeg)) <= {0xE0, 0xDB, 0xC0, 0xC4}


def test_broken_exif_is_dropped(decoders: Decoders) -> None:
    data = encode(corners(), exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff" + b"\xff" * 40)
    assert decoders.picture(data).width == 64


def test_transparent_becomes_white(decoders: Decoders) -> None:
    for mode, kind in (("RGBA", "PNG"), ("RGBA", "WEBP"), ("LA", "PNG")):
        clean = decoders.picture(encode(Image.new(mode, (16, 16)), kind))
        with Image.open(io.BytesIO(clean.jpeg)) as seen:
            assert seen.getpixel((8, 8)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("mode", "colour", "kind", "grey"),
    [
        ("L", 90, "JPEG", 90),
        ("CMYK", (0, 0, 0, 255), "JPEG", 0),
        ("1", 1, "PNG", 255),
        ("P", 0, "PNG", 0),
        ("I;16", 40_000, "PNG", 156),
        ("L", 90, "PNG", 90),
    ],
)
def test_other_modes(mode: str, colour: int | tuple[int, ...], kind: str, grey: int, decoders: Decoders) -> None:
    clean = decoders.picture(encode(Image.new(mode, (32, 32), colour), kind))
    with Image.open(io.BytesIO(clean.jpeg)) as seen:
        assert all(abs(channel - grey) <= 3 for channel in seen.getpixel((16, 16)))


def test_first_of_several_pictures(decoders: Decoders) -> None:
    second = Image.new("RGB", (64, 32), "white")
    for kind in ("MPO", "WEBP", "PNG"):
        clean = decoders.picture(encode(corners(), kind, save_all=True, append_images=[second]))
        with Image.open(io.BytesIO(clean.jpeg)) as seen:
            assert quarters(seen) == quarters(corners()) and getattr(seen, "n_frames", 1) == 1


def test_polyglot(decoders: Decoders) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("run.html", "<script>PAYLOAD</script>")
    data = encode(corners(), comment=b"<html><script>PAYLOAD</script>") + archive.getvalue()
    assert zipfile.is_zipfile(io.BytesIO(data))
    jpeg = decoders.picture(data).jpeg
    assert b"PAYLOAD" not in jpeg and not zipfile.is_zipfile(io.BytesIO(jpeg)) and jpeg.endswith(b"\xff\xd9")


# What is not taken


def test_refused_before_any_process() -> None:
    idle = Decoders()
    with pytest.raises(EmptyFile):
        idle.picture(b"")
    with pytest.raises(TooLarge) as refused:
        idle.picture(encode(corners()) + bytes(40_000_000))
    assert refused.value.status == 413 and "12 MB" in refused.value.message_zh
    assert idle._idle == []


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "BMP", "PPM", "ICO", "PDF", "JPEG2000"])
def test_other_formats(kind: str, decoders: Decoders) -> None:
    with pytest.raises(NotAPicture):
        decoders.picture(encode(corners(), kind))


@pytest.mark.parametrize(
    "data",
    [
        b"hello", b"\x00", b"\xff" * 1000, "卡号 123".encode(), b"PK\x03\x04" + bytes(100), b"RIFF\x00\x00\x00\x00WEBP",
        b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>1</script></svg>',
        b"<?xml version='1.0'?><!DOCTYPE svg [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><svg>&a;</svg>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff",
    ],
)  # fmt: skip
def test_no_pictures(data: bytes, decoders: Decoders) -> None:
    with pytest.raises(NotAPicture):
        decoders.picture(data)


def test_truncated(decoders: Decoders) -> None:
    whole = encode(Image.effect_noise((400, 300), 80).convert("RGB"))
    for part in (0.5, 0.9, 0.99):
        with pytest.raises(PictureFailed):
            decoders.picture(whole[: int(len(whole) * part)])
    for kind in ("PNG", "WEBP"):
        packed = encode(Image.effect_noise((400, 300), 80).convert("RGB"), kind)
        with pytest.raises(Refusal):
            decoders.picture(packed[: len(packed) // 2])
    assert decoders.picture(whole).width == 400


def test_flipped_bytes_never_break_the_decoders(decoders: Decoders) -> None:
    outcomes = {True: 0, False: 0}
    for kind in ("JPEG", "PNG", "WEBP"):
        whole = encode(Image.effect_noise((60, 60), 80).convert("RGB"), kind)
        for place in range(4, len(whole), len(whole) // 40):
            bent = bytearray(whole)
            bent[place] ^= 0xFF
            try:
                outcomes[decoders.picture(bytes(bent)).width > 0] += 1
            except Refusal:
                outcomes[False] += 1
    assert outcomes[True] > 10 and outcomes[False] > 10
    assert decoders.picture(encode(corners())).width == 64


def test_png_bomb(decoders: Decoders) -> None:
    side = 30_000
    bomb = png(side, side, 1, zeros(side * (side // 8 + 1)))
    assert len(bomb) < 1_000_000
    begun = time.monotonic()
    with pytest.raises(TooManyPixels) as refused:
        decoders.picture(bomb)
    assert time.monotonic() - begun < 2 and refused.value.status == 413
    assert (refused.value.data["width"], refused.value.data["height"]) == (side, side)


@pytest.mark.parametrize(("width", "height"), [(12_001, 1), (1, 12_001), (6_500, 6_500), (2**31 - 1, 2**31 - 1)])
def test_declared_size_is_enough_to_refuse(width: int, height: int, decoders: Decoders) -> None:
    with pytest.raises(TooManyPixels):
        decoders.picture(png(width, height, 8, zlib.compress(b"")))


def test_limits_hold_to_the_pixel(decoders: Decoders) -> None:
    data = encode(corners(40, 20))
    assert decoders.picture(data, max_pixels=800, max_side=40).width == 40
    for limits in ({"max_pixels": 799}, {"max_side": 39}):
        with pytest.raises(TooManyPixels):
            decoders.picture(data, **limits)
    assert decoders.picture(data, max_bytes=len(data)).width == 40
    with pytest.raises(TooLarge):
        decoders.picture(data, max_bytes=len(data) - 1)


def test_headers_that_lie(decoders: Decoders) -> None:
    with pytest.raises(PictureFailed):
        decoders.picture(png(6000, 6000, 8, zlib.compress(bytes(10))))
    begun = time.monotonic()
    # 300 MB of pixels behind a header that declares 100 × 100: no more is unpacked than declared.
    assert decoders.picture(png(100, 100, 8, zeros(300 << 20))).width == 100
    assert time.monotonic() - begun < 4


def test_bomb_in_a_comment(decoders: Decoders) -> None:
    text = b"Comment\x00\x00" + zeros(200 << 20)
    with pytest.raises(PictureFailed):
        decoders.picture(png(9, 9, 8, zlib.compress(bytes(90)), (b"zTXt", text)))


def test_memory_limit(decoders: Decoders) -> None:
    data = encode(Image.new("RGB", (6000, 6000)), "PNG")
    with pytest.raises(PictureFailed):
        decoders.picture(data, memory_bytes=150_000_000)
    assert decoders.picture(encode(corners()), memory_bytes=150_000_000).width == 64


# The process around the decoder


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_decoder_is_shut_in() -> None:
    script = f"""
import os, resource, runpy, socket, sys
shut_in = runpy.run_path({picture_child.__file__!r})["_shut_in"]
out = int(sys.argv[1])
shut_in(5, 10**9)
def tell(what, act):
    try:
        act()
        os.write(out, f"{{what}} worked;".encode())
    except (OSError, ValueError) as error:
        os.write(out, f"{{what}} refused;".encode())
tell("orders", lambda: os.fstat(0))
tell("read", lambda: open("/etc/passwd"))
tell("write", lambda: open("/tmp/x", "w"))
tell("socket", socket.socket)
tell("pipe", os.pipe)
tell("fork", lambda: os.fork() or os._exit(0))
tell("limit", lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (9, 9)))
tell("root", lambda: os.seteuid(0))
tell("kill", lambda: os.kill(1, 0))
tell("memory", lambda: resource.setrlimit(resource.RLIMIT_AS, (2 * 10**9, 2 * 10**9)))
"""
    read, write = os.pipe()
    with os.fdopen(read, "rb") as answers:
        subprocess.run([sys.executable, "-I", "-c", script, str(write)], pass_fds=[write], check=True, env={})
        os.close(write)
        words = answers.read().decode().rstrip(";").split(";")
    names = ["orders", "read", "write", "socket", "pipe", "fork", "limit", "root", "kill", "memory"]
    assert words == [f"{name} refused" for name in names]


def test_child_has_no_environment_and_a_session_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://secret")
    one = Decoders(1)
    one.picture(encode(corners()))
    pid = one._idle[0].process.pid
    assert Path(f"/proc/{pid}/environ").read_bytes() == b""
    assert os.getsid(pid) == pid != os.getsid(0)
    descriptors = {str(path.readlink()) for path in Path(f"/proc/{pid}/fd").iterdir()}
    assert sum(name.startswith("socket:") for name in descriptors) == 1
    one.close()
    assert gone(pid)


def test_child_is_used_again_and_each_picture_forks() -> None:
    one = Decoders(1)
    one.picture(encode(corners()))
    child = one._idle[0]
    for _ in range(5):
        one.picture(encode(corners()))
    assert one._idle == [child] and child.alive()
    one.close()
    assert one._idle == []


def test_hanging_child_is_killed_and_replaced() -> None:
    one = Decoders(1)
    one.picture(encode(corners()))
    pid = one._idle[0].process.pid
    os.kill(pid, signal.SIGSTOP)
    begun = time.monotonic()
    with pytest.raises(PictureTooSlow) as refused:
        one.picture(encode(corners()), seconds=0.3)
    assert 0.25 < time.monotonic() - begun < 1.5 and refused.value.status == 503
    assert gone(pid) and one._idle == []
    assert one.picture(encode(corners())).width == 64
    one.close()


def test_hanging_decoder_is_killed_with_its_parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    note = tmp_path / "fork"
    script = tmp_path / "child.py"
    script.write_text(
        "import os, socket, time\n"
        "orders = socket.socket(fileno=0)\norders.sendall(b'r')\nsocket.recv_fds(orders, 99, 1)\n"
        f"if os.fork() == 0:\n open({str(note)!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)\n"
    )
    monkeypatch.setattr(picture_child, "__file__", str(script))
    one = Decoders(1)
    with pytest.raises(PictureTooSlow):
        one.picture(encode(corners()), seconds=0.5)
    fork = int(note.read_text())
    until = time.monotonic() + 2
    while time.monotonic() < until and not _ended(fork):
        time.sleep(0.01)
    assert _ended(fork)


def _ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_child_that_died_idle_is_replaced() -> None:
    one = Decoders(1)
    one.picture(encode(corners()))
    child = one._idle[0]
    os.kill(child.process.pid, signal.SIGKILL)
    until = time.monotonic() + 2
    while child.alive() and time.monotonic() < until:
        time.sleep(0.01)
    assert one.picture(encode(corners())).width == 64
    assert one._idle != [child] and gone(child.process.pid)
    one.close()


LYING = """
import os, socket, struct
orders = socket.socket(fileno=0)
orders.sendall(b"r")
while True:
    order, fds, _, _ = socket.recv_fds(orders, 99, 1)
    if not order:
        break
    with socket.socket(fileno=fds[0]) as line:
        while line.recv(1 << 20):
            pass
        try:
            ANSWER
        except OSError:
            pass
    orders.sendall(bytes([END]))
"""


@pytest.mark.parametrize(
    ("answer", "end"),
    [
        ('line.sendall(struct.pack(">BII", 0, 9, 9) + b"<html>")', 0),
        ('line.sendall(struct.pack(">BII", 0, 9, 9) + b"\\xff\\xd8\\xff open")', 0),
        ('line.sendall(struct.pack(">BII", 0, 9999, 9) + b"\\xff\\xd8\\xff \\xff\\xd9")', 0),
        ('line.sendall(struct.pack(">BII", 0, 0, 9) + b"\\xff\\xd8\\xff \\xff\\xd9")', 0),
        ('line.sendall(struct.pack(">BII", 77, 9, 9) + b"\\xff\\xd8\\xff \\xff\\xd9")', 0),
        ('line.sendall(struct.pack(">BII", 0, 9, 9) + b"\\xff\\xd8\\xff \\xff\\xd9")', 9),
        ("while True: line.sendall(bytes(1 << 20))", 0),
        ('line.sendall(b"x")', 0),
        ("pass", 0),
        ("os._exit(1)", 0),
    ],
)
def test_decoder_is_not_believed(answer: str, end: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "child.py"
    script.write_text(LYING.replace("ANSWER", answer).replace("END", str(end)))
    monkeypatch.setattr(picture_child, "__file__", str(script))
    one = Decoders(1)
    with pytest.raises(PictureFailed):
        one.picture(encode(corners()), out_side=1000)
    one.close()


def test_child_that_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_child, "__file__", str(tmp_path / "missing.py"))
    one = Decoders(1)
    for _ in range(2):
        with pytest.raises(RuntimeError):
            one.picture(encode(corners()))


def test_threads_share_few_children() -> None:
    two = Decoders(2)
    with ThreadPoolExecutor(8) as pool:
        sides = list(range(20, 60))
        widths = list(pool.map(lambda side: two.picture(encode(corners(side, side))).width, sides))
    assert widths == sides and 1 <= len(two._idle) <= 2
    two.close()


def test_waiting_for_a_free_decoder_is_bounded() -> None:
    one = Decoders(1)
    one.picture(encode(corners()))
    pid = one._idle[0].process.pid
    os.kill(pid, signal.SIGSTOP)
    late: list[BaseException] = []

    def first() -> None:
        try:
            one.picture(encode(corners()), seconds=1.5)
        except PictureTooSlow as error:
            late.append(error)

    thread = threading.Thread(target=first)
    thread.start()
    while one._idle:
        time.sleep(0.005)
    begun = time.monotonic()
    with pytest.raises(PictureTooSlow):
        one.picture(encode(corners()), seconds=0.2)
    assert time.monotonic() - begun < 1
    thread.join()
    assert len(late) == 1 and one.picture(encode(corners())).width == 64
    one.close()


def test_forked_process_has_children_of_its_own() -> None:
    one = Decoders(1)
    one.picture(encode(corners()))
    mine = one._idle[0].process.pid
    one._lock.acquire()  # another thread holds it at the moment of the fork
    pid = os.fork()
    if pid == 0:
        signal.alarm(20)
        try:
            fine = one._idle == [] and one.picture(encode(corners())).width == 64
            other = one._idle[0].process.pid != mine
            one.close()
            os._exit(0 if fine and other else 1)
        finally:
            os._exit(2)
    one._lock.release()
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert one.picture(encode(corners())).width == 64 and one._idle[0].process.pid == mine
    one.close()


def test_child_ends_with_its_owner() -> None:
    script = (
        "import io, os, sys; from PIL import Image; from huika.kit.safe_files import _decoders;"
        "out = io.BytesIO(); Image.new('RGB', (9, 9)).save(out, 'JPEG'); _decoders.picture(out.getvalue());"
        "print(_decoders._idle[0].process.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(safe_files.__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, env=environment, check=False)
    pid = int(done.stdout)
    until = time.monotonic() + 3
    while time.monotonic() < until and not _ended(pid):
        time.sleep(0.01)
    assert _ended(pid)
