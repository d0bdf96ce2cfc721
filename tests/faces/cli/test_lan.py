"""`huika up --lan`: HTTPS by an authority that signs for private addresses alone; a phone's first minutes with it."""

import json
import os
import shutil
import ssl
import stat
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from tests.browser import ARGS, executable

from huika.faces.cli import authority
from huika.faces.cli.authority import Lan, LanProblem, choose
from huika.kit import postgres

ROOT = Path(__file__).resolve().parents[3]
SERVER = """
import os, sys
from pathlib import Path
from huika.faces.cli import main, up
from huika.faces.cli.stack import Stack
from huika.kit import postgres
name, state, address = sys.argv[1:]
roles = postgres.prepare(up.ROOT, name, fresh=True)
up.installation = lambda mode: Stack(name, Path(state), roles, mode, ports={"web": 0, "vault": 0, "sandbox": 0})
sys.exit(main.main(["up", "--json", "--lan", address]))
"""
PHONE = """
import json, re, ssl, sys
import httpx
about = json.loads(sys.argv[1])
site, vault, files = about["platform"], about["vault"], about["files"]
der = httpx.get(about["authority"], trust_env=False)
trust = ssl.create_default_context(cadata=der.content)
found = {"der": der.content.hex(), "type": der.headers["content-type"]}
with httpx.Client(verify=trust, trust_env=False) as http:
    found["site"] = http.get(f"{site}/v1/cities").status_code
    found["key"] = http.get(f"{vault}/key").json()["suite"]
    frame = http.get(f"{vault}/frame")
    found["frame"] = [frame.status_code, frame.headers["content-security-policy"]]
    found["files"] = [http.get(f"{files}/").status_code, http.get(f"{files}/phone").status_code]
    found["door"] = http.get(f"{site}/courier/nowhere").headers["content-security-policy"]
    page = http.get(f"{site}/phone")
    found["page"] = [page.status_code, page.headers["content-security-policy"]]
    found["cookies"] = [c.lower() for c in page.headers.get_list("set-cookie")]
    token = re.search('csrfmiddlewaretoken" value="([^"]+)"', page.text)
    form = {"csrfmiddlewaretoken": token[1] if token else "", "phone": "1"}
    found["form"] = http.post(f"{site}/phone", data=form, headers={"Origin": site}).status_code
    found["stranger"] = http.post(f"{site}/phone", data=form, headers={"Origin": files}).status_code
    found["call"] = http.post(f"{vault}/seal", headers={"Origin": site}).json()["code"]
    found["plain"] = [http.get(about["authority"].replace("authority.crt", p)).status_code for p in ("", "../secret")]
for name, url in (("untrusted", site), ("untrusted_vault", vault)):
    try:
        httpx.get(f"{url}/key", trust_env=False)
        found[name] = "served"
    except httpx.ConnectError as error:
        found[name] = str(error)
for name, url in (("http", site), ("http_vault", vault), ("http_files", files)):
    try:
        found[name] = httpx.get(url.replace("https", "http"), trust_env=False).status_code
    except httpx.TransportError as error:
        found[name] = "not served"
try:
    httpx.get(about["sandbox"].replace("localhost", sys.argv[2]), trust_env=False)
    found["sandbox"] = "served"
except httpx.TransportError:
    found["sandbox"] = "not served"
print(json.dumps(found))
"""

CHROMIUM = """
import json, sys
from playwright.sync_api import sync_playwright
site, vault, program, *arguments = sys.argv[1:]
embed = '''(url) => new Promise((ready) => {
  addEventListener("message", (e) => ready([e.origin, e.data, isSecureContext]));
  const frame = document.createElement("iframe");
  frame.src = url;
  document.body.append(frame);
  setTimeout(() => ready("nothing came"), 8000);
})'''
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=program, args=[*arguments, "--ignore-certificate-errors"])
    page = browser.new_page()
    page.goto(f"{site}/courier/nowhere")
    print(json.dumps(page.evaluate(embed, f"{vault}/frame")))
    browser.close()
"""


@contextmanager
def network() -> Iterator[tuple[list[str], str]]:
    """A network of its own with one private address where that is allowed; otherwise a second loopback address.

    Yields what commands begin with and the address.
    """
    name, address = f"huika-{uuid.uuid4().hex[:8]}", "192.168.77.2"
    ip = shutil.which("ip")
    made = ip and os.geteuid() == 0 and subprocess.run([ip, "netns", "add", name], capture_output=True).returncode == 0
    if not made or not ip:
        yield [], "127.0.0.2"
        return
    try:
        subprocess.run([ip, "-n", name, "link", "set", "lo", "up"], check=True)
        subprocess.run([ip, "-n", name, "addr", "add", f"{address}/24", "dev", "lo"], check=True)
        yield [ip, "netns", "exec", name], address
    finally:
        subprocess.run([ip, "netns", "del", name], check=False)


@contextmanager
def served(tmp_path: Path, prefix: list[str], address: str) -> Iterator[dict[str, Any]]:
    """`huika up --lan ADDRESS` on a database of its own; what it printed."""
    name = f"huika_lan_{uuid.uuid4().hex[:8]}"
    kept = ("PATH", "HOME", "DATABASE_URL", "LANG", "TMPDIR")
    env = {k: os.environ[k] for k in kept if k in os.environ} | {"PYTHONPATH": str(ROOT / "src")}
    command = [*prefix, sys.executable, "-c", SERVER, name, str(tmp_path), address]
    process = subprocess.Popen(command, env=env, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout and process.stderr
        first = process.stdout.readline()
        assert first, process.stderr.read()[-3000:]
        yield json.loads(first)
    finally:
        process.terminate()
        process.communicate(timeout=30)
        postgres.drop(ROOT, name)


@pytest.mark.stack
def test_a_phone_trusts_the_authority_and_gets_three_origins(tmp_path: Path) -> None:
    with network() as (prefix, address), served(tmp_path, prefix, address) as about:
        phone = [*prefix, sys.executable, "-c", PHONE, json.dumps(about), address]
        done = subprocess.run(phone, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        arguments = [a for a in ARGS if "resolver" not in a]
        chrome = [*prefix, sys.executable, "-c", CHROMIUM, about["platform"], about["vault"], executable(), *arguments]
        framed = subprocess.run(chrome, capture_output=True, text=True, check=False, timeout=60)
        assert framed.returncode == 0, framed.stderr
    assert json.loads(framed.stdout) == [about["vault"], {"huika": "ready"}, True]
    origins = {about[name] for name in ("platform", "vault", "files")}
    assert len(origins) == 3 and all(o.startswith(f"https://{address}:") for o in origins)
    certificate = x509.load_der_x509_certificate(bytes.fromhex(found["der"]))
    assert found["type"] == "application/x-x509-ca-cert"
    assert certificate.fingerprint(certificate.signature_hash_algorithm).hex() == _digits(about["authority_sha256"])
    assert (found["site"], found["page"][0], found["frame"][0]) == (200, 200, 200)
    assert found["key"].startswith("DHKEM")
    assert (
        f"frame-src {about['vault']};" in found["door"]
        and "frame-src 'none';" in found["page"][1]
        and about["files"] in found["page"][1]
    )
    assert f"frame-ancestors {about['platform']};" in found["frame"][1]
    assert found["cookies"] and all(c.startswith("__host-") and "secure" in c for c in found["cookies"])
    assert found["form"] != 403 and found["stranger"] == 403
    assert found["files"] == [404, 404] and found["plain"] == [404, 404]
    assert found["call"] == "request.origin"
    assert "CERTIFICATE_VERIFY_FAILED" in found["untrusted"] and "CERTIFICATE_VERIFY_FAILED" in found["untrusted_vault"]
    assert [found[k] for k in ("http", "http_vault", "http_files", "sandbox")] == ["not served"] * 4
    for name in ("authority-key.pem", "server-key.pem"):
        assert stat.S_IMODE((tmp_path / "lan" / name).stat().st_mode) == 0o600


def _digits(text: str) -> str:
    return text.replace(" ", "").lower()


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("8.8.8.8", "not private"),
        ("192.0.2.2", "not private"),
        ("100.64.0.1", "not private"),
        ("0.0.0.0", "no address of one machine"),
        ("10.255.255.254", "not an address of this machine"),
        ("huika.local", "not an IPv4 address"),
        ("::1", "not an IPv4 address"),
    ],
)
def test_only_a_private_address_of_this_machine_is_served(wanted: str, said: str) -> None:
    with pytest.raises(LanProblem, match=said):
        choose(wanted)


def test_a_public_address_has_to_be_asked_for_twice() -> None:
    assert choose("127.0.0.2") == IPv4Address("127.0.0.2")
    with pytest.raises(LanProblem, match="not an address of this machine"):
        choose("8.8.8.8", public=True)


def test_without_a_private_address_one_has_to_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authority, "addresses", list)
    with pytest.raises(LanProblem, match="--lan ADDRESS"):
        choose("auto")
    monkeypatch.setattr(authority, "addresses", lambda: [IPv4Address("192.168.1.5"), IPv4Address("10.0.0.1")])
    assert choose("auto") == IPv4Address("192.168.1.5")


def lan(folder: Path, address: str = "192.168.1.5") -> Lan:
    made = Lan(IPv4Address(address))
    made.prepare(folder)
    return made


def test_the_authority_is_kept_and_the_certificate_made_anew(tmp_path: Path) -> None:
    first = lan(tmp_path)
    before, leaf = first.fingerprint(), first.certificate.read_bytes()
    again = lan(tmp_path, "10.1.2.3")
    assert again.fingerprint() == before and again.certificate.read_bytes() != leaf
    names = _leaf(again).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = names.get_values_for_type(x509.IPAddress)
    assert IPv4Address("10.1.2.3") in addresses and names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert all(authority.is_private(a) for a in addresses if isinstance(a, IPv4Address))


def test_the_authority_lives_thirty_days_and_signs_for_private_addresses_alone(tmp_path: Path) -> None:
    made = lan(tmp_path)
    root = x509.load_pem_x509_certificate(made.authority.read_bytes())
    assert root.not_valid_after_utc - datetime.now(UTC) <= timedelta(days=30)
    limits = root.extensions.get_extension_for_class(x509.NameConstraints)
    assert limits.critical and {str(n.value) for n in limits.value.permitted_subtrees or []} == {
        *map(str, authority.PRIVATE),
        "localhost",
        "local",
    }
    assert _leaf(made).not_valid_after_utc <= root.not_valid_after_utc


@pytest.mark.parametrize("harm", ["old", "lost", "other", "narrow"])
def test_an_authority_that_no_longer_serves_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    if harm == "old":
        monkeypatch.setattr(authority, "LIFE", timedelta(days=1))
    before = lan(tmp_path).fingerprint()
    monkeypatch.undo()
    if harm == "lost":
        (tmp_path / "authority-key.pem").unlink()
    if harm == "other":
        other = lan(tmp_path / "other")
        shutil.copy(other.folder / "authority-key.pem", tmp_path / "authority-key.pem")
    made = lan(tmp_path, "203.0.113.7" if harm == "narrow" else "192.168.1.5")
    assert made.fingerprint() != before
    if harm == "narrow":
        root = x509.load_pem_x509_certificate(made.authority.read_bytes())
        limits = root.extensions.get_extension_for_class(x509.NameConstraints).value
        assert IPv4Network("203.0.113.7/32") in [n.value for n in limits.permitted_subtrees or []]


def test_its_constraints_are_kept_by_those_who_check(tmp_path: Path) -> None:
    """A certificate of this authority for an address outside its constraints does not verify, one inside does."""
    made = lan(tmp_path)
    signer = authority._kept(tmp_path, made.address)
    assert signer
    outside = Lan(IPv4Address("203.0.113.7"), folder=tmp_path)
    trust = ssl.create_default_context(cafile=made.authority)
    for served, address, verifies in ((made, "192.168.1.5", True), (outside, "203.0.113.7", False)):
        authority._new_certificate(served, *signer)
        assert _shakes_hands(trust, served, address) is verifies


def _shakes_hands(trust: ssl.SSLContext, served: Lan, address: str) -> bool:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(served.certificate, served.key)
    here, there = (ssl.MemoryBIO(), ssl.MemoryBIO()), (ssl.MemoryBIO(), ssl.MemoryBIO())
    one = trust.wrap_bio(*here, server_hostname=address)
    other = server.wrap_bio(*there, server_side=True)
    for _ in range(6):
        for side in (one, other):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLCertVerificationError:
                return False
            there[0].write(here[1].read())
            here[0].write(there[1].read())
    return one.version() is not None


def _leaf(made: Lan) -> x509.Certificate:
    return x509.load_pem_x509_certificate(made.certificate.read_bytes())
