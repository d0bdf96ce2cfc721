"""The process that decodes pictures of strangers: `safe_files` runs it, and reads its wire format from here.

It takes orders on the socket that is its standard input: one fixed header with one socket attached, on which the
picture comes in and the answer goes out. Each picture is decoded in a fork of its own that can open no file or socket,
start no process and use only so much memory and time; what takes over a decoder therefore meets one picture, its own.
The parent of the forks never touches a byte of a picture, and reports each fork's end by one byte.
"""

import contextlib
import io
import os
import resource
import socket
import struct

from PIL import (
    Image,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

# All plugins stand ready before the fork, which can open no file and so import nothing. TIFF reads EXIF blocks.
PLUGINS = (JpegImagePlugin, MpoImagePlugin, PngImagePlugin, WebPImagePlugin, TiffImagePlugin)
FORMATS = ("JPEG", "PNG", "WEBP")

READY = b"r"
# max_pixels, max_side, out_side (pixels), CPU seconds, memory bytes
ORDER = struct.Struct(">QIIIQ")
# outcome, width, height; the JPEG follows
ANSWER = struct.Struct(">BII")
DONE, NOT_A_PICTURE, TOO_MANY_PIXELS, DAMAGED = range(4)

_NOBODY = 65534
_QUALITY = 90
_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def clean(data: bytes, max_pixels: int, max_side: int, out_side: int) -> tuple[int, int, int, bytes]:
    """Outcome, width, height and the new JPEG (sides at most `out_side` pixels, upright, on white, no metadata).

    For TOO_MANY_PIXELS the sides are those the file declares; nothing has been decoded then.
    """
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            width, height = picture.size
            if width * height > max_pixels or max(width, height) > max_side:
                return TOO_MANY_PIXELS, width, height, b""
            turn = _UPRIGHT.get(_orientation(picture))
            picture.draft("RGB", (out_side, out_side))
            picture.load()
            flat = _flat(picture)
    except UnidentifiedImageError:
        return NOT_A_PICTURE, 0, 0, b""
    flat.thumbnail((out_side, out_side), Image.Resampling.LANCZOS)
    if turn is not None:
        flat = flat.transpose(turn)
    flat.info.clear()
    out = io.BytesIO()
    flat.save(out, "JPEG", quality=_QUALITY)
    return DONE, flat.width, flat.height, out.getvalue()


def _orientation(picture: Image.Image) -> int:
    try:
        value = picture.getexif().get(_ORIENTATION, 1)
    except Exception:  # EXIF is thrown away in any case, and its parser has many ways to fail
        return 1
    return value if isinstance(value, int) else 1


def _flat(picture: Image.Image) -> Image.Image:
    """RGB, what is transparent on white; 16-bit grey by its upper byte."""
    if picture.mode.startswith("I"):
        return picture.convert("I").point([value >> 8 for value in range(65536)], "L").convert("RGB")
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        white = Image.new("RGB", layer.size, "white")
        white.paste(layer, mask=layer.getchannel("A"))
        return white
    return picture.convert("RGB")


def _shut_in(cpu_seconds: int, memory_bytes: int) -> None:
    # With no descriptor to be had, neither a file nor a socket can be opened; the one already open goes on working.
    os.closerange(0, 3)
    for limit, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_AS, memory_bytes),
    ):
        resource.setrlimit(limit, (value, value))
    # Root lifts every limit again, unless a container has taken that power or even the change of user from it.
    if os.geteuid() == 0:
        with contextlib.suppress(OSError):
            os.setgroups([])
            os.setresgid(_NOBODY, _NOBODY, _NOBODY)
            os.setresuid(_NOBODY, _NOBODY, _NOBODY)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (1, 1))
            raise RuntimeError("the decoder could free itself")


def _serve(line: socket.socket, order: bytes) -> None:
    max_pixels, max_side, out_side, cpu_seconds, memory_bytes = ORDER.unpack(order)
    _shut_in(cpu_seconds, memory_bytes)
    try:
        data = bytearray()
        while part := line.recv(1 << 20):
            data += part
        outcome, width, height, jpeg = clean(bytes(data), max_pixels, max_side, out_side)
    except Exception:  # a decoder may raise anything over a damaged file, MemoryError at its limit among it
        outcome, width, height, jpeg = DAMAGED, 0, 0, b""
    line.sendall(ANSWER.pack(outcome, width, height) + jpeg)


def main() -> None:
    """Serve orders until the other side of standard input closes."""
    Image.preinit()
    Image.MAX_IMAGE_PIXELS = None  # the order's own limit is checked instead
    orders = socket.socket(fileno=0)
    orders.sendall(READY)
    while True:
        order, descriptors, _, _ = socket.recv_fds(orders, ORDER.size, 1)
        if not order:
            return
        with socket.socket(fileno=descriptors[0]) as line:
            pid = os.fork()
            if pid == 0:
                try:
                    _serve(line, order)
                finally:
                    os._exit(0)
        _, status = os.waitpid(pid, 0)
        orders.sendall(bytes([os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0]))


if __name__ == "__main__":
    main()
