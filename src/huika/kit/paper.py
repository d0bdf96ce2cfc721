"""Paper: one self-contained HTML document as a PDF, by this machine's Chromium, which reaches no network.

A document says its own page size and page numbers (`@page`). One is made at a time in a process: a browser is large.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import threading
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import structlog

from huika.kit.refusals import Refusal

SECONDS = 30
NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--headless=new",
    "--disable-gpu",
    "--disable-extensions",
    "--disable-sync",
    "--disable-component-update",
    "--disable-background-networking",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-pdf-header-footer",
    # No name resolves, and what is asked for by number goes to a port where nobody listens.
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--proxy-server=http://127.0.0.1:9",
    "--proxy-bypass-list=<-loopback>",
)
_one_at_a_time = threading.BoundedSemaphore(1)
log = structlog.get_logger()


class PaperUnavailable(Refusal):
    code, status = "paper_unavailable", 503
    zh, en = (
        "现在做不出 PDF：{why_zh}。同样的内容可以先下载 CSV",
        "No PDF can be made now: {why}. The same is there as CSV.",
    )


def pdf(html: str) -> bytes:
    """The document on paper. Raises PaperUnavailable: no Chromium here, somebody else's paper takes too long, or it
    did not come out within 30 s."""
    browser = executable()
    if browser is None:
        raise PaperUnavailable(why_zh="这台机器上没有 Chromium", why="there is no Chromium on this machine")
    if not _one_at_a_time.acquire(timeout=SECONDS):
        raise PaperUnavailable(why_zh="前面还有一份没做完", why="another one is still being made")
    try:
        with tempfile.TemporaryDirectory(prefix="huika-paper-", ignore_cleanup_errors=True) as place:
            return _printed(browser, html, Path(place))
    finally:
        _one_at_a_time.release()


def executable() -> str | None:
    """Where Chromium is; None where there is none that runs."""
    return next((place for name in NAMES if (place := shutil.which(name)) and _runs(place)), None)


@lru_cache
def _runs(place: str) -> bool:
    # A name alone is not enough: Ubuntu's chromium-browser is a stub that asks for snap.
    try:
        return subprocess.run([place, "--version"], capture_output=True, timeout=SECONDS, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _printed(browser: str, html: str, place: Path) -> bytes:
    page, paper = place / "page.html", place / "paper.pdf"
    page.write_text(html, encoding="utf-8")
    flags = [*_FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    command = [browser, *flags, f"--user-data-dir={place / 'profile'}", f"--print-to-pdf={paper}", page.as_uri()]
    # A session of its own: at the end none of its processes is left.
    child = subprocess.Popen(
        command,
        env={**os.environ, "HOME": str(place), "XDG_CONFIG_HOME": str(place), "XDG_CACHE_HOME": str(place)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        child.wait(SECONDS)
    except subprocess.TimeoutExpired:
        log.warning("paper took too long", seconds=SECONDS)
    finally:
        _end(child)
    made = paper.read_bytes() if paper.exists() else b""
    if not (made.startswith(b"%PDF") and child.returncode == 0):
        raise PaperUnavailable(why_zh="Chromium 没有交出文件", why="Chromium did not deliver it")
    return made


def _end(child: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
