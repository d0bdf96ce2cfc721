"""Paper: a PDF or a named refusal; nothing is fetched, nothing is left behind."""

import http.server
import tempfile
import threading
import time
from pathlib import Path

import pytest

from huika.kit import paper

PAGE = "<!doctype html><meta charset=utf-8><title>x</title><p>一页 1,234.50</p>"


@pytest.fixture
def chromium() -> str:
    place = paper.executable()
    if place is None:
        pytest.skip("no Chromium here")
    return place


def script(tmp_path: Path, text: str) -> str:
    """An executable that stands in for Chromium."""
    place = tmp_path / "chromium"
    place.write_text("#!/bin/sh\n" + text)
    place.chmod(0o755)
    return str(place)


def test_a_document_comes_out_and_leaves_nothing(
    chromium: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert paper.pdf(PAGE).startswith(b"%PDF")
    assert list(tmp_path.glob("huika-paper-*")) == []


def test_it_reaches_nobody(chromium: str) -> None:
    asked: list[str] = []

    class Listens(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Listens)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    places = [f"http://{name}:{server.server_port}" for name in ("localhost", "127.0.0.1")]
    try:
        html = PAGE + "".join(f'<img src="{p}/picture"><script>fetch("{p}/script")</script>' for p in places)
        assert paper.pdf(html).startswith(b"%PDF")
    finally:
        server.shutdown()
    assert asked == []


def test_without_chromium_it_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paper.shutil, "which", lambda name: None)
    with pytest.raises(paper.PaperUnavailable) as refusal:
        paper.pdf(PAGE)
    assert refusal.value.code == "paper_unavailable" and refusal.value.status == 503
    assert "没有 Chromium" in refusal.value.message_zh and "no Chromium" in refusal.value.message_en


def test_a_name_alone_is_not_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stub = script(tmp_path, "exit 1\n")
    monkeypatch.setattr(paper.shutil, "which", lambda name: stub)
    assert paper.executable() is None


@pytest.mark.parametrize("text", ["exit 0\n", "sleep 60 & sleep 60\n", "kill -9 $$\n"])
def test_what_does_not_come_out_is_refused_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(paper, "SECONDS", 1)
    monkeypatch.setattr(paper, "executable", lambda: script(tmp_path, text))
    began = time.monotonic()
    with pytest.raises(paper.PaperUnavailable):
        paper.pdf(PAGE)
    assert time.monotonic() - began < 5


def test_one_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paper, "SECONDS", 0.2)
    monkeypatch.setattr(paper, "executable", lambda: script(tmp_path, "exit 0\n"))
    with paper._one_at_a_time, pytest.raises(paper.PaperUnavailable) as refusal:
        paper.pdf(PAGE)
    assert "前面还有一份" in refusal.value.message_zh
