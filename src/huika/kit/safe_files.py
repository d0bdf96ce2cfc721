"""Files that strangers send: a picture is decoded in a locked-up process and comes back as a new, plain JPEG.

Nothing reads the file in this process but the hash; nothing of it goes on but its pixels: no EXIF, no place where it
was taken, no second picture or archive behind the first.
"""

import atexit
import contextlib
import hashlib
import math
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import weakref
from dataclasses import dataclass

from huika.kit import picture_child
from huika.kit.picture_child import ANSWER, DONE, NOT_A_PICTURE, ORDER, READY, TOO_MANY_PIXELS
from huika.kit.refusals import Refusal

_START_SECONDS = 30.0
_CHILDREN = 2


class EmptyFile(Refusal):
    """Zero bytes."""

    code, status = "file_empty", 422
    zh = "没有收下：这个文件是空的。请重新拍一张，或另选一张"
    en = "Not taken: this file is empty. Please take the picture again or choose another one."


class TooLarge(Refusal):
    """More bytes than allowed; data: size_bytes, limit_bytes, limit_mb."""

    code, status = "file_too_large", 413
    zh = "没有收下：文件超过 {limit_mb} MB。请重新拍一张，或选小一点的"
    en = "Not taken: the file is over {limit_mb} MB. Please take the picture again or choose a smaller one."


class NotAPicture(Refusal):
    """Not a JPEG, PNG or WebP, whatever its name says."""

    code, status = "not_a_picture", 422
    zh = "没有收下：这不是 JPEG、PNG 或 WebP 图片。请重新拍一张，或换一种格式"
    en = "Not taken: this is no JPEG, PNG or WebP picture. Please take it again or use another format."


class TooManyPixels(Refusal):
    """More pixels or a longer side than allowed; data: width, height (as declared), limit_pixels, limit_side."""

    code, status = "too_many_pixels", 413
    zh = "没有收下：图片 {width}×{height}，尺寸太大。请用手机直接拍一张"
    en = "Not taken: the picture is too large at {width}×{height} pixels. Please take one with the phone's camera."


class PictureFailed(Refusal):
    """It begins like a picture and cannot be decoded to its end within the memory allowed."""

    code, status = "picture_damaged", 422
    zh = "没有收下：图片坏了，或没有传完整。请重新拍一张"
    en = "Not taken: the picture is damaged or incomplete. Please take it again."


class PictureTooSlow(Refusal):
    """Not decoded in time, or no decoder came free in time; data: seconds."""

    code, status = "picture_too_slow", 503
    zh = "图片还没收下：{seconds} 秒里没处理完。再传一次，或重新拍一张小一点的"
    en = "Not taken yet: it was not ready within {seconds} seconds. Please send it again or take a smaller one."


@dataclass(frozen=True)
class CleanPicture:
    """`jpeg` has `width` × `height` pixels, upright, without metadata; `sha256` is of the bytes that came in."""

    jpeg: bytes
    width: int
    height: int
    sha256: bytes
    sha256_clean: bytes


class _Child:
    """One started `picture_child`, used by one thread at a time. Raises RuntimeError when it does not start."""

    def __init__(self) -> None:
        self._orders, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-B", picture_child.__file__],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                env={},
                cwd="/",
                start_new_session=True,
            )
        try:
            self._orders.settimeout(_START_SECONDS)
            ready = self._orders.recv(1) == READY
        except OSError:
            ready = False
        if not ready:
            self.kill()
            raise RuntimeError("the picture process does not start")

    def decode(self, order: bytes, data: bytes, seconds: float, limit_bytes: int) -> bytes:
        """The child's answer. Raises TimeoutError, or OSError when it breaks down; then it must be killed.

        b"" when the fork that decoded died, while the child itself is well.
        """
        deadline = time.monotonic() + seconds
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                self._orders.settimeout(_left(deadline))
                socket.send_fds(self._orders, [order], [theirs.fileno()])
            try:
                rest = memoryview(data)
                while rest:
                    ours.settimeout(_left(deadline))
                    rest = rest[ours.send(rest) :]
                ours.shutdown(socket.SHUT_WR)
                answer = bytearray()
                while len(answer) <= limit_bytes:
                    ours.settimeout(_left(deadline))
                    part = ours.recv(1 << 20)
                    if not part:
                        break
                    answer += part
            except ConnectionError:
                answer = bytearray()
        self._orders.settimeout(_left(deadline))
        ended = self._orders.recv(1)
        if not ended:
            raise ConnectionError("the picture process is gone")
        return bytes(answer) if ended == b"\0" and len(answer) <= limit_bytes else b""

    def alive(self) -> bool:
        """False when the child ended while it stood ready: its side of the socket is closed."""
        self._orders.settimeout(0)
        try:
            return self._orders.recv(1, socket.MSG_PEEK) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False

    def kill(self) -> None:
        """End the child and its fork (the session is theirs alone), and wait until it is gone."""
        self._orders.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def leave(self) -> None:
        """For a forked process, whose parent's the child is: let go of it without ending it."""
        self._orders.close()
        self.process.returncode = 0


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


class Decoders:
    """Children that stand ready, at most `children` at work at once; thread-safe, and empty again in a forked process.

    One that is late or breaks down is killed and replaced at the next picture.
    """

    def __init__(self, children: int = _CHILDREN) -> None:
        self._children = children
        self._fresh()
        itself = weakref.ref(self)

        def in_child() -> None:
            decoders = itself()
            if decoders is not None:
                idle = decoders._idle
                decoders._fresh()
                for one in idle:
                    one.leave()

        os.register_at_fork(after_in_child=in_child)

    def _fresh(self) -> None:
        self._gate = threading.BoundedSemaphore(self._children)
        self._lock = threading.Lock()
        self._idle: list[_Child] = []

    def picture(
        self,
        data: bytes,
        *,
        max_bytes: int = 12_000_000,
        max_pixels: int = 40_000_000,
        max_side: int = 12_000,
        out_side: int = 2400,
        seconds: float = 8,
        memory_bytes: int = 1_000_000_000,
    ) -> CleanPicture:
        """A JPEG, PNG or WebP (its first picture) as a new JPEG with sides of at most `out_side` pixels.

        `seconds` bounds the wait for a free decoder, and again the decoding; `memory_bytes` is the decoder's address
        space. The same bytes give the same JPEG as long as Pillow stays the same. Raises EmptyFile, TooLarge,
        NotAPicture, TooManyPixels, PictureFailed, PictureTooSlow; RuntimeError when no decoder can be started.
        """
        if not data:
            raise EmptyFile
        if len(data) > max_bytes:
            raise TooLarge(size_bytes=len(data), limit_bytes=max_bytes, limit_mb=f"{max_bytes / 1_000_000:g}")
        order = ORDER.pack(max_pixels, max_side, out_side, math.ceil(seconds) + 1, memory_bytes)
        # A JPEG is far below its pixels' three bytes each; the million is for pictures of few pixels.
        answer = self._decode(order, data, seconds, 3 * out_side * out_side + 1_000_000)
        if len(answer) < ANSWER.size:
            raise PictureFailed
        outcome, width, height = ANSWER.unpack_from(answer)
        jpeg = answer[ANSWER.size :]
        if outcome == NOT_A_PICTURE:
            raise NotAPicture
        if outcome == TOO_MANY_PIXELS:
            raise TooManyPixels(width=width, height=height, limit_pixels=max_pixels, limit_side=max_side)
        # The decoder is not believed: what it returns is looked at from outside.
        framed = jpeg.startswith(b"\xff\xd8\xff") and jpeg.endswith(b"\xff\xd9")
        if outcome != DONE or not framed or not (0 < width <= out_side and 0 < height <= out_side):
            raise PictureFailed
        return CleanPicture(jpeg, width, height, hashlib.sha256(data).digest(), hashlib.sha256(jpeg).digest())

    def close(self) -> None:
        """End the children that stand ready; those at work end with their picture's process."""
        with self._lock:
            idle, self._idle = self._idle, []
        for one in idle:
            one.kill()

    def _take(self) -> _Child | None:
        while True:
            with self._lock:
                if not self._idle:
                    return None
                one = self._idle.pop()
            if one.alive():
                return one
            one.kill()

    def _decode(self, order: bytes, data: bytes, seconds: float, limit_bytes: int) -> bytes:
        gate = self._gate
        if not gate.acquire(timeout=seconds):
            raise PictureTooSlow(seconds=f"{seconds:g}")
        try:
            one = self._take() or _Child()
            try:
                answer = one.decode(order, data, seconds, limit_bytes)
            except BaseException as error:
                one.kill()
                if isinstance(error, TimeoutError):
                    raise PictureTooSlow(seconds=f"{seconds:g}") from error
                if isinstance(error, OSError):
                    raise PictureFailed from error
                raise
            with self._lock:
                self._idle.append(one)
            return answer
        finally:
            gate.release()


_decoders = Decoders()
atexit.register(_decoders.close)


def picture(
    data: bytes,
    *,
    max_bytes: int = 12_000_000,
    max_pixels: int = 40_000_000,
    max_side: int = 12_000,
    out_side: int = 2400,
    seconds: float = 8,
    memory_bytes: int = 1_000_000_000,
) -> CleanPicture:
    """`Decoders.picture` on the process's own decoders."""
    return _decoders.picture(
        data,
        max_bytes=max_bytes,
        max_pixels=max_pixels,
        max_side=max_side,
        out_side=out_side,
        seconds=seconds,
        memory_bytes=memory_bytes,
    )
