"""The frame's page and files over HTTP, and the size of what sees PINs."""

from pathlib import Path

import pytest

from huika_vault.app import create_app
from huika_vault.frame import policy

FOLDER = Path(__file__).resolve().parents[2] / "src" / "huika_vault"
FILES = {
    "frame.js": "text/javascript",
    "sealing.js": "text/javascript",
    "table.js": "text/javascript",
    "words.js": "text/javascript",
    "hpke.js": "text/javascript",
    "frame.css": "text/css",
}


def test_the_page_allows_itself_its_own_files_and_calls_alone():
    assert policy(["https://a.example", "https://b.example"]) == (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
        "frame-ancestors https://a.example https://b.example; base-uri 'none'; form-action 'none'; "
        "require-trusted-types-for 'script'"
    )
    assert "frame-ancestors 'none'" in policy([])


@pytest.mark.parametrize(
    ("query", "language", "view"),
    [
        ("", "zh-CN", ""),
        ("?lang=en&view=care", "en", "care"),
        ("?lang=zh&view=care-30", "zh-CN", "care-30"),
        ("?lang=%22%3E%3Cscript%3E&view=%22%3E%3Cscript%3E", "zh-CN", ""),
    ],
)
def test_the_page_takes_language_and_size_from_its_address(world, query, language, view):
    answer = world.client.get(f"/frame{query}")
    assert answer.status_code == 200 and answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"] == policy([])
    assert answer.headers["cache-control"] == "no-store"
    assert f'<html class="hk" lang="{language}" data-mode="{view}" data-sites="">' in answer.text
    assert (
        "$" not in answer.text and "style=" not in answer.text and " on" not in answer.text.lower().replace(" one", "")
    )


@pytest.mark.parametrize(("name", "kind"), FILES.items())
def test_files_have_their_type_and_are_asked_for_again(world, name, kind):
    answer = world.client.get(f"/static/{name}")
    assert answer.status_code == 200 and answer.headers["content-type"].split(";")[0] == kind
    assert answer.headers["cache-control"] == "no-cache" and answer.headers["x-content-type-options"] == "nosniff"
    again = world.client.get(f"/static/{name}", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_nothing_else_is_served(world):
    assert {p.name for p in (FOLDER / "static").iterdir()} == set(FILES)
    for path in ("/static", "/static/", "/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fframe.html", "/x"):
        answer = world.client.get(path, follow_redirects=False)
        assert answer.status_code in {307, 404}, path
        assert "import" not in answer.text
    assert world.client.post("/frame").json()["code"] == "request.method"
    assert world.client.post("/static/frame.js").json()["code"] == "request.method"


def test_the_pages_of_another_origin_still_may_not_call(world):
    card = world.new_card()
    headers = {"Authorization": "Capability x", "Origin": "http://localhost:8000"}
    answer = world.client.post("/seal", json=world.sealed_body(card), headers=headers)
    assert answer.json()["code"] == "request.origin"
    assert create_app(world.keys, None, {}, sites=["https://a.example"]).routes


def test_both_languages_say_the_same_things():
    text = (FOLDER / "static" / "words.js").read_text()
    chinese, english = (part.split("\n};")[0] for part in text.split("= {\n")[1:3])
    keys = [[line.split(":")[0].strip() for line in part.splitlines() if ":" in line] for part in (chinese, english)]
    assert set(keys[0]) == {k for k in keys[1] if not k.endswith("_1")}
    used = set((FOLDER / "frame.html").read_text().split('data-t="')[1:])
    assert {u.split('"')[0] for u in used} <= set(keys[0])
    assert not any("\u4e00" <= c <= "\u9fff" for c in english)


def test_the_core_stays_small():
    """What sees a PIN, without the adapters for keys and issuers: at most 1,500 lines of Python."""
    core = [p for p in FOLDER.glob("*.py") if p.name not in {"keys.py", "issuers.py"}]
    assert sum(len(p.read_text().splitlines()) for p in core) <= 1500
