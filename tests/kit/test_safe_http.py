import datetime
import ipaddress
import os
import signal
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from huika.kit import safe_http
from huika.kit.refusals import Refusal
from huika.kit.safe_http import (
    Answer,
    AnswerEncoded,
    AnswerTooLarge,
    Caller,
    NoAnswer,
    NotSent,
    Policy,
    UrlForbidden,
    UrlMalformed,
)

SANDBOX = Policy(allow_loopback=True, allow_http=True, connect_seconds=1, read_seconds=1, max_bytes=10_000)
PUBLIC = "93.184.216.34"


def reply(body: bytes = b"ok", *lines: str, status: str = "200 OK") -> bytes:
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *lines, "", ""]
    return "\r\n".join(head).encode() + body


class Server:
    """A counterparty by hand: `serve(server, socket, request)` writes what it likes for each request read."""

    def __init__(
        self,
        serve: Callable[["Server", socket.socket, bytes], None] | None = None,
        tls: ssl.SSLContext | None = None,
        bind: str = "127.0.0.1",
    ) -> None:
        self.serve = serve or (lambda server, sock, request: sock.sendall(reply()))
        self.tls = tls
        self.connections = 0
        self.requests: list[bytes] = []
        self.stop = threading.Event()
        self.listener = socket.create_server((bind, 0))
        self.port: int = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def url(self, path: str = "/", host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    def close(self) -> None:
        self.stop.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self) -> None:
        while not self.stop.is_set():
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._talk, args=(sock,), daemon=True).start()

    def _talk(self, sock: socket.socket) -> None:
        try:
            if self.tls is not None:
                sock = self.tls.wrap_socket(sock, server_side=True)
            with sock:
                while request := self._read(sock):
                    self.requests.append(request)
                    self.serve(self, sock, request)
        except OSError:
            sock.close()

    @staticmethod
    def _read(sock: socket.socket) -> bytes:
        data = b""
        while b"\r\n\r\n" not in data:
            more = sock.recv(65536)
            if not more:
                return b""
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        length = next((int(x[15:]) for x in head.lower().split(b"\r\n") if x.startswith(b"content-length:")), 0)
        while len(body) < length:
            body += sock.recv(65536)
        return head + b"\r\n\r\n" + body


@pytest.fixture
def server() -> Iterator[Server]:
    it = Server()
    yield it
    it.close()


@pytest.fixture
def caller() -> Iterator[Caller]:
    it = Caller()
    yield it
    it.close()


@pytest.fixture
def dials(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """No connection leaves: the addresses that would have been dialled."""
    seen: list[tuple[str, int]] = []

    def dial(address: tuple[str, int], timeout: float) -> socket.socket:
        seen.append(address)
        raise ConnectionRefusedError("test")

    monkeypatch.setattr(safe_http.socket, "create_connection", dial)
    return seen


class Names:
    """A resolver that gives another list of addresses at each question."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def test_request_and_answer(server: Server, caller: Caller) -> None:
    server.serve = lambda _, sock, request: sock.sendall(reply(b"made", "X-Sign: a", "X-SIGN: b", status="201 Created"))
    answer = caller.request(
        "POST", server.url("/pay?x=1#here"), policy=SANDBOX, headers={"X-Key": "k"}, content=b'{"fen":1}'
    )
    assert (answer.status, answer.body, answer.headers["x-sign"]) == (201, b"made", "a, b")
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"POST /pay?x=1 HTTP/1.1"
    assert b"accept-encoding: identity" in lines and b"x-key: k" in lines and b"content-length: 9" in lines
    assert f"host: 127.0.0.1:{server.port}".encode() in lines and body == b'{"fen":1}'


def test_process_wide_request(server: Server) -> None:
    assert safe_http.request("GET", server.url(), policy=SANDBOX) == Answer(200, {"content-length": "2"}, b"ok")
    safe_http._caller.close()


def test_other_host_header(server: Server, caller: Caller) -> None:
    caller.request("GET", server.url(), policy=SANDBOX, headers={"Host": "vault.localhost"})
    assert server.requests[0].lower().count(b"host:") == 1 and b"host: vault.localhost" in server.requests[0]


def test_connections_are_used_again(server: Server, caller: Caller) -> None:
    for _ in range(20):
        assert caller.request("GET", server.url(), policy=SANDBOX).status == 200
    assert (server.connections, len(server.requests)) == (1, 20)
    caller.request("GET", server.url(), policy=Policy(allow_loopback=True, allow_http=True))
    assert server.connections == 2, "another policy, another connection"


def test_a_connection_the_server_closed_is_not_used_again(server: Server, caller: Caller) -> None:
    def serve(_: Server, sock: socket.socket, request: bytes) -> None:
        sock.sendall(reply())
        sock.shutdown(socket.SHUT_RDWR)

    server.serve = serve
    for _ in range(3):
        assert caller.request("POST", server.url(), policy=SANDBOX, content=b"1").status == 200
        time.sleep(0.02)
    assert server.connections == 3


def test_a_connection_announced_as_last_is_not_used_again(server: Server, caller: Caller) -> None:
    server.serve = lambda _, sock, request: sock.sendall(reply(b"ok", "Connection: close"))
    for _ in range(3):
        assert caller.request("POST", server.url(), policy=SANDBOX, content=b"1").status == 200
        assert caller._idle == []
    assert server.connections == 3


def test_idle_connections_are_bounded(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safe_http, "_MAX_IDLE", 3)
    caller = Caller(resolver=Names(["127.0.0.1"]))
    for number in range(6):
        caller.request("GET", server.url(host=f"h{number}.example"), policy=SANDBOX)
    assert [line.key[1] for line in caller._idle] == ["h3.example", "h4.example", "h5.example"]
    caller.close()
    assert caller._idle == []


def test_many_threads(server: Server, caller: Caller) -> None:
    server.serve = lambda _, sock, request: sock.sendall(reply(request.split(b" ")[1]))
    with ThreadPoolExecutor(8) as pool:
        paths = [f"/{n}" for n in range(200)]
        answers = list(pool.map(lambda path: caller.request("GET", server.url(path), policy=SANDBOX).body, paths))
    assert answers == [path.encode() for path in paths]
    assert server.connections <= 8


def test_forked_child_has_connections_of_its_own(server: Server, caller: Caller) -> None:
    server.serve = lambda _, sock, request: sock.sendall(reply(request.split(b" ")[1]))
    caller.request("GET", server.url(), policy=SANDBOX)
    caller._lock.acquire()  # another thread holds it at the moment of the fork
    pid = os.fork()
    if pid == 0:
        signal.alarm(10)
        try:
            good = caller.request("GET", server.url("/child"), policy=SANDBOX).body == b"/child"
            os._exit(0 if good and len(caller._idle) == 1 else 1)
        finally:
            os._exit(2)
    caller._lock.release()
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert caller.request("GET", server.url("/parent"), policy=SANDBOX).body == b"/parent"
    assert server.connections == 2, "the parent's connection survived its child"


# Where it may not go


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1",
        "100.100.100.200", "169.254.169.254", "168.63.129.16", "192.0.0.192", "192.0.2.1", "192.88.99.1", "198.18.0.1",
        "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
        "[::]", "[::1]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:8.8.8.8]", "[::ffff:7f00:1]", "[::7f00:1]",
        "[64:ff9b::7f00:1]", "[64:ff9b::8.8.8.8]", "[64:ff9b:1::1]", "[fe80::1]", "[fec0::1]", "[fc00::1]",
        "[fd00:ec2::254]", "[ff02::1]", "[2001::1]", "[2001:db8::1]", "[2002:7f00:1::]", "[3fff::1]", "[100::1]",
        "[4000::1]",
    ],
)  # fmt: skip
def test_closed_addresses(host: str, dials: list[tuple[str, int]], caller: Caller) -> None:
    with pytest.raises(UrlForbidden) as refused:
        caller.request("GET", f"https://{host}/", policy=Policy())
    assert isinstance(refused.value, Refusal) and isinstance(refused.value, NotSent)
    named = Caller(resolver=Names([PUBLIC, host.strip("[]")]))
    with pytest.raises(UrlForbidden) as refused:
        named.request("GET", "https://shop.example/", policy=Policy())
    assert "shop.example" in refused.value.message_zh and host not in str(refused.value.data), "not told where"
    assert dials == []


@pytest.mark.parametrize("host", [PUBLIC, "8.8.8.8", "[2606:2800:220:1::1]", "172.32.0.1", "100.128.0.1"])
def test_open_addresses(host: str, dials: list[tuple[str, int]], caller: Caller) -> None:
    with pytest.raises(NotSent) as failed:
        caller.request("GET", f"https://{host}:8443/", policy=Policy())
    assert not isinstance(failed.value, Refusal)
    assert dials == [(str(ipaddress.ip_address(host.strip("[]"))), 8443)]


@pytest.mark.parametrize("host", ["[::ffff:127.0.0.1]", "10.0.0.1", "[64:ff9b::7f00:1]", "0.0.0.0"])
def test_allow_loopback_allows_nothing_else(host: str, dials: list[tuple[str, int]], caller: Caller) -> None:
    with pytest.raises(UrlForbidden):
        caller.request("GET", f"http://{host}/", policy=SANDBOX)
    assert dials == []


@pytest.mark.parametrize(
    "url",
    [
        "https://2130706433/", "https://0x7f000001/", "https://0x7f.1/", "https://127.1/", "https://0177.0.0.1/",
        "https://017700000001/", "https://127.0.0.01/", "https://134744072/", "https://8.8.2056/", "https://x.0x8/",
        "https://1.2.3.4.5/", "https://256.1.1.1/", "https://[fe80::1%25eth0]/", "https://[::1/", "https://[v1.x]/",
        "https://me:secret@shop.example/", "https://me@shop.example/", "https://shop.example:0/",
        "https://shop.example:70000/", "https://shop.example:x/", "https://shop.example./", "https://a..b/",
        "https:///path", "https://", "shop.example", "//shop.example/", "ftp://shop.example/", "file:///etc/passwd",
        "https://shop.example\\@127.0.0.1/", "https://shop.example/a b", "https://shop.example/\r\nX: 1",
        "https://shop.example/\x00", "https://a" + ".a" * 130 + "/", "https://shop.example/" + "a" * 5000, "",
    ],
)  # fmt: skip
def test_malformed_urls(url: str, dials: list[tuple[str, int]]) -> None:
    names = Names([PUBLIC])
    with pytest.raises(UrlMalformed) as refused:
        Caller(resolver=names).request("GET", url, policy=Policy())
    assert refused.value.status == 422 and "secret" not in refused.value.message_en
    assert (names.asked, dials) == ([], [])


def test_plain_http_needs_leave(dials: list[tuple[str, int]], caller: Caller) -> None:
    with pytest.raises(UrlForbidden):
        caller.request("GET", f"http://{PUBLIC}/", policy=Policy())
    assert dials == []


@pytest.mark.parametrize("host", ["\uff11\uff12\uff17.\uff10.\uff10.\uff11", "127\u30020\u30020\u30021"])
def test_full_width_digits_are_no_way_in(host: str, dials: list[tuple[str, int]]) -> None:
    with pytest.raises((UrlMalformed, UrlForbidden)):
        Caller().request("GET", f"https://{host}/", policy=Policy())
    assert dials == []


def test_rebinding_public_then_private(dials: list[tuple[str, int]]) -> None:
    names = Names([PUBLIC], ["127.0.0.1"])
    caller = Caller(resolver=names, lookup_seconds=0)
    with pytest.raises(NotSent) as failed:
        caller.request("GET", "https://shop.example/", policy=Policy())
    assert not isinstance(failed.value, Refusal)
    assert (names.asked, dials) == (["shop.example"], [(PUBLIC, 443)]), "resolved once, dialled what was checked"
    with pytest.raises(UrlForbidden):
        caller.request("GET", "https://shop.example/", policy=Policy())
    assert dials == [(PUBLIC, 443)]


def test_rebinding_between_two_servers(server: Server) -> None:
    inner = Server(bind="127.0.0.2")
    names = Names(["127.0.0.1"], ["127.0.0.2"])
    caller = Caller(resolver=names)
    for _ in range(3):
        assert caller.request("GET", server.url(host="shop.example"), policy=SANDBOX).body == b"ok"
    assert (names.asked, len(server.requests), inner.connections) == (["shop.example"], 3, 0)
    assert b"host: shop.example:" in server.requests[0]
    caller.close()
    inner.close()


def test_next_address_when_one_is_down() -> None:
    server = Server(bind="127.0.0.2")
    caller = Caller(resolver=Names(["127.0.0.1", "127.0.0.2"]))
    assert caller.request("GET", server.url(host="shop.example"), policy=SANDBOX).status == 200
    assert server.connections == 1
    caller.close()
    server.close()


def test_cached_name_is_checked_at_every_call(server: Server) -> None:
    caller = Caller(resolver=Names(["127.0.0.1"]))
    caller.request("GET", server.url(host="shop.example"), policy=SANDBOX)
    with pytest.raises(UrlForbidden):
        caller.request("GET", server.url(host="shop.example"), policy=Policy(allow_http=True))
    assert server.connections == 1
    caller.close()


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"])
def test_redirect_is_not_followed(status: str, server: Server, caller: Caller) -> None:
    inner = Server()
    server.serve = lambda _, sock, request: sock.sendall(reply(b"", f"Location: {inner.url()}", status=status))
    answer = caller.request("GET", server.url(), policy=SANDBOX)
    assert (answer.status, answer.headers["location"]) == (int(status[:3]), inner.url())
    assert inner.connections == 0
    inner.close()


def test_proxies_of_the_environment_are_ignored(
    server: Server, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    assert caller.request("GET", server.url(), policy=SANDBOX).status == 200


# What may not come back


def test_size_cap(server: Server, caller: Caller) -> None:
    server.serve = lambda _, sock, request: sock.sendall(reply(b"x" * int(request.split(b" ")[1][1:])))
    assert len(caller.request("GET", server.url("/10000"), policy=SANDBOX).body) == 10_000
    with pytest.raises(AnswerTooLarge) as failed:
        caller.request("GET", server.url("/10001"), policy=SANDBOX)
    assert isinstance(failed.value, NoAnswer)
    assert caller.request("GET", server.url("/1"), policy=SANDBOX).body == b"x"
    assert server.connections == 2, "the cut connection is not used again"


def test_size_cap_holds_without_length(server: Server, caller: Caller) -> None:
    written = []

    def serve(_: Server, sock: socket.socket, request: bytes) -> None:
        sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _number in range(10_000):
            sock.sendall(b"1000\r\n" + b"x" * 4096 + b"\r\n")
            written.append(4096)

    server.serve = serve
    with pytest.raises(AnswerTooLarge):
        caller.request("GET", server.url(), policy=SANDBOX)
    assert sum(written) < 30_000_000, "it stopped reading"


@pytest.mark.parametrize("packing", ["gzip", "br", "deflate", "identity, gzip", "zstd"])
def test_packed_answers_are_refused(packing: str, server: Server, caller: Caller) -> None:
    server.serve = lambda _, sock, request: sock.sendall(reply(b"\x1f\x8b", f"Content-Encoding: {packing}"))
    with pytest.raises(AnswerEncoded):
        caller.request("GET", server.url(), policy=SANDBOX)


@pytest.mark.parametrize(
    "raw",
    [
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000 + b"\r\n\r\n",
        b"",
    ],
)
def test_broken_answers(raw: bytes, server: Server, caller: Caller) -> None:
    def serve(_: Server, sock: socket.socket, request: bytes) -> None:
        sock.sendall(raw)
        sock.shutdown(socket.SHUT_RDWR)

    server.serve = serve
    with pytest.raises(NoAnswer):
        caller.request("POST", server.url(), policy=SANDBOX, content=b"pay")
    assert len(server.requests) == 1, "a payment is never sent twice by itself"
    assert caller._idle == []


# Time, and the difference between not sent and no answer


QUICK = Policy(allow_loopback=True, allow_http=True, connect_seconds=0.3, read_seconds=0.3)


def test_silent_server(server: Server, caller: Caller) -> None:
    server.serve = lambda it, sock, request: it.stop.wait(5)
    begun = time.monotonic()
    with pytest.raises(NoAnswer):
        caller.request("GET", server.url(), policy=QUICK)
    assert 0.25 < time.monotonic() - begun < 1


def test_dripping_server(server: Server, caller: Caller) -> None:
    def serve(it: Server, sock: socket.socket, request: bytes) -> None:
        for byte in reply(b"x" * 100):
            sock.sendall(bytes([byte]))
            it.stop.wait(0.05)

    server.serve = serve
    begun = time.monotonic()
    with pytest.raises(NoAnswer):
        caller.request("GET", server.url(), policy=QUICK)
    assert time.monotonic() - begun < 1, "each byte in time is not an answer in time"


def test_server_that_does_not_read(caller: Caller) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        begun = time.monotonic()
        with pytest.raises(NoAnswer):
            caller.request("POST", url, policy=QUICK, content=b"x" * 50_000_000)
        assert time.monotonic() - begun < 1.5


def test_nobody_listens(caller: Caller) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(NotSent) as failed:
            caller.request("POST", f"http://127.0.0.1:{free.getsockname()[1]}/?key=secret", policy=QUICK, content=b"x")
    assert "secret" not in str(failed.value)


def test_name_that_does_not_resolve() -> None:
    def fail(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    with pytest.raises(NotSent):
        Caller(resolver=fail).request("GET", "https://nowhere.example/", policy=QUICK)
    with pytest.raises(NotSent):
        Caller(resolver=Names([])).request("GET", "https://nowhere.example/", policy=QUICK)


def test_slow_name_server() -> None:
    done = threading.Event()

    def slow(host: str, port: int) -> list[str]:
        done.wait(5)
        return ["127.0.0.1"]

    begun = time.monotonic()
    with pytest.raises(NotSent):
        Caller(resolver=slow).request("GET", "https://slow.example/", policy=QUICK)
    assert time.monotonic() - begun < 1
    done.set()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-A", "1\r\nX-B: 2"), ("X-A", "1\nX-B: 2"), ("X-A", "a\x00b"), ("X-A\r\nX-B", "1"), ("X A", "1"), ("", "1"),
        ("X-A:", "1"), ("X-A", "卡"), ("X-A", " 1"), ("Content-Length", "0"), ("transfer-encoding", "chunked"),
        ("Accept-Encoding", "gzip"), ("Connection", "close"), ("Host", "a\r\nb: c"),
    ],
)  # fmt: skip
def test_header_injection(name: str, value: str, server: Server, caller: Caller) -> None:
    with pytest.raises(ValueError, match="header"):
        caller.request("GET", server.url(), policy=SANDBOX, headers={name: value})
    assert server.connections == 0


@pytest.mark.parametrize("method", ["CONNECT", "TRACE", "get", "GET / HTTP/1.1\r\nX: 1\r\n\r\nGET", ""])
def test_methods(method: str, server: Server, caller: Caller) -> None:
    with pytest.raises(ValueError, match="method"):
        caller.request(method, server.url(), policy=SANDBOX)
    assert server.connections == 0


# TLS


@pytest.fixture(scope="module")
def shop_tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Server and client context for a certificate that names shop.example alone."""
    folder: Path = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shop.example")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("shop.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "both.pem").write_bytes(pem + secret)
    here = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    here.load_cert_chain(folder / "both.pem")
    there = ssl.create_default_context(cadata=pem.decode())
    return here, there


TLS_POLICY = Policy(allow_loopback=True, connect_seconds=2, read_seconds=2)


def test_tls_name_is_the_hosts(shop_tls: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    names: list[str] = []
    shop_tls[0].sni_callback = lambda sock, name, context: names.append(name)
    server = Server(tls=shop_tls[0])
    caller = Caller(resolver=Names(["127.0.0.1"]), tls=shop_tls[1])
    for _ in range(5):
        answer = caller.request("GET", server.url(host="shop.example", scheme="https"), policy=TLS_POLICY)
        assert answer.body == b"ok"
    assert (names, server.connections) == (["shop.example"], 1)
    with pytest.raises(NotSent):
        caller.request("POST", server.url(host="other.example", scheme="https"), policy=TLS_POLICY, content=b"pay")
    with pytest.raises(NotSent):
        caller.request("POST", server.url(scheme="https"), policy=TLS_POLICY, content=b"pay")
    assert len(server.requests) == 5, "nothing left before the certificate was checked"
    caller.close()
    server.close()


def test_unknown_authority(shop_tls: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    server = Server(tls=shop_tls[0])
    with pytest.raises(NotSent, match="certificate"):
        Caller(resolver=Names(["127.0.0.1"])).request(
            "GET", server.url(host="shop.example", scheme="https"), policy=TLS_POLICY
        )
    assert server.requests == []
    server.close()


def test_tls_towards_a_server_without_it(server: Server, caller: Caller) -> None:
    with pytest.raises(NotSent):
        caller.request("GET", server.url(scheme="https"), policy=QUICK)


def test_tls_handshake_that_never_ends(caller: Caller) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        begun = time.monotonic()
        with pytest.raises(NotSent):
            caller.request("GET", f"https://127.0.0.1:{listener.getsockname()[1]}/", policy=QUICK)
        assert time.monotonic() - begun < 1
