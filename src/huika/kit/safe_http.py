"""HTTP towards addresses that others name: callbacks of recyclers, providers, the sandbox.

A host is resolved once, every address it has is checked, and the connection goes to a checked address while SNI and
certificate keep the host's name, so a name that changes its mind between check and connection (DNS rebinding) gains
nothing. Redirects are never followed, proxies of the environment are ignored, answers have a size and a time limit.
Three outcomes that a payment must tell apart: an Answer; NotSent, the request certainly did not leave; NoAnswer, it may
have arrived.
"""

import ipaddress
import os
import re
import select
import socket
import ssl
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import httpcore
import httpx

from huika.kit.refusals import Refusal

Resolver = Callable[[str, int], Sequence[str]]

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
_MAX_URL = 4096
_MAX_IDLE = 64
_MAX_LOOKUPS_AT_ONCE = 32
_MAX_CACHED_HOSTS = 1024
# Shorter than the five seconds after which common servers (uvicorn, Node) hang up: a request sent while they do so
# would end as NoAnswer.
_KEEP_ALIVE_SECONDS = 4.0

_HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
_NUMBER_LABEL = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"(?:[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?)?")
# What frames the message belongs to this module: a second opinion on it is how requests are smuggled.
_FRAMING = "accept-encoding connection content-length expect keep-alive te trailer transfer-encoding upgrade"
_OWN_HEADERS = frozenset(_FRAMING.split())

# IANA IPv4 Special-Purpose Address Registry (RFC 6890), multicast, class E; 192.88.99.0/24 is RFC 7526;
# 168.63.129.16 is the metadata host of Azure, the others' lie in 169.254.0.0/16, 100.64.0.0/10 and 192.0.0.0/24.
_CLOSED_V4 = (
    "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 168.63.129.16/32 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 "
    "192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4"
)
_FORBIDDEN_V4 = tuple(ipaddress.IPv4Network(network) for network in _CLOSED_V4.split())
# Global unicast alone (RFC 4291): that leaves out ::, ::1, mapped IPv4, 64:ff9b::/96, fc00::/7, fe80::/10, ff00::/8.
# Inside it: IETF protocol assignments with Teredo, documentation, and 6to4, which carries an IPv4 address.
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
_FORBIDDEN_V6 = tuple(ipaddress.IPv6Network(net) for net in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))
_LOOPBACK_V4, _LOOPBACK_V6 = ipaddress.IPv4Network("127.0.0.0/8"), ipaddress.IPv6Address("::1")


class NoAnswer(Exception):
    """The request left and no usable answer came: it may have taken effect. Ask again, never assume."""


class AnswerTooLarge(NoAnswer):
    """The body went over `Policy.max_bytes`; the connection was cut."""


class AnswerEncoded(NoAnswer):
    """The body is compressed although identity was asked for; it is not unpacked."""


class NotSent(Exception):
    """Not one byte of the request left this machine: it certainly had no effect."""


class UrlMalformed(Refusal, NotSent):
    """Not a URL that can be called: unreadable, with credentials in it, or an address written in an odd way."""

    code, status = "url_malformed", 422
    zh = "没有连这个网址：{why_zh}。请填 https:// 开头的公网网址"
    en = "This address was not called: {why}. Please give a public address that starts with https://."


class UrlForbidden(Refusal, NotSent):
    """A readable URL whose scheme or address the policy does not allow. The resolved address is not told."""

    code, status = "url_forbidden", 409
    zh = "没有连 {host}：{why_zh}。请填 https:// 开头的公网网址"
    en = "{host} was not called: {why}. Please give a public address that starts with https://."


@dataclass(frozen=True)
class Policy:
    """What a caller allows.

    `connect_seconds` covers name, TCP and TLS together, `read_seconds` runs from the first byte sent to the last byte
    read; `max_bytes` bounds the answer's body. `allow_http` and `allow_loopback` are for the sandbox.
    """

    allow_loopback: bool = False
    allow_http: bool = False
    connect_seconds: float = 3
    read_seconds: float = 5
    max_bytes: int = 1_000_000


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; names of headers in lower case, repeated ones joined by comma (RFC 9110, 5.3)."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class _Target:
    scheme: str
    host: str
    port: int
    netloc: bytes
    path: bytes

    @property
    def literal(self) -> bool:
        return ":" in self.host or bool(_NUMBER_LABEL.fullmatch(self.host.rsplit(".", 1)[-1]))


def _aim(url: str, policy: Policy) -> _Target:
    if len(url) > _MAX_URL or any(char <= " " or char in "\\\x7f" for char in url):
        raise UrlMalformed(why="too long, or with spaces or control characters", why_zh="太长，或夹有空格和控制字符")
    try:
        parsed = httpx.URL(url)
        host, port = parsed.raw_host.decode("ascii").lower(), parsed.port
    except (httpx.InvalidURL, ValueError) as error:
        raise UrlMalformed(why="it cannot be read", why_zh="看不懂") from error
    if parsed.userinfo:
        raise UrlMalformed(why="a name or password stands in it", why_zh="里面带了账号或密码")
    if parsed.scheme not in ("https", "http"):
        raise UrlMalformed(why="not a web address", why_zh="不是网页地址")
    if port is None:
        port = 443 if parsed.scheme == "https" else 80
    target = _Target(parsed.scheme, host, port, parsed.netloc, parsed.raw_path)
    try:
        # The C library would also read 2130706433, 0x7f.1 and 0177.0.0.1; ipaddress takes dotted decimals alone.
        if target.literal:
            ipaddress.ip_address(host)
        readable = "%" not in host and (":" in host or bool(_HOST.fullmatch(host))) and 0 < port < 65536
    except ValueError:
        readable = False
    if not readable:
        raise UrlMalformed(why="host or port cannot be read", why_zh="主机名或端口看不懂")
    if target.scheme == "http" and not policy.allow_http:
        raise UrlForbidden(host=host, why="it is not encrypted", why_zh="没有加密")
    return target


def _forbidden(text: str, policy: Policy) -> bool:
    address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv4Address):
        if policy.allow_loopback and address in _LOOPBACK_V4:
            return False
        return any(address in network for network in _FORBIDDEN_V4)
    if policy.allow_loopback and address == _LOOPBACK_V6:
        return False
    return address not in _GLOBAL_V6 or any(address in network for network in _FORBIDDEN_V6)


def _wire_headers(target: _Target, method: str, headers: Mapping[str, str], content: bytes | None) -> list[Any]:
    """Raises ValueError for a name or value that cannot stand in one header line, and for framing headers."""
    lines = {"host": target.netloc.decode("ascii"), "user-agent": "huika", "accept": "*/*"}
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
            raise ValueError(f"header {name!r} cannot be sent as it is")
        if name.lower() in _OWN_HEADERS:
            raise ValueError(f"header {name!r} is set by safe_http")
        lines[name.lower()] = value
    lines["accept-encoding"] = "identity"
    if content is not None or method in ("POST", "PUT", "PATCH"):
        lines["content-length"] = str(len(content or b""))
    return [(name.encode(), value.encode()) for name, value in lines.items()]


def system_resolver(host: str, port: int) -> list[str]:
    """Every address the system knows for `host`. Raises OSError."""
    return [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


class _Wire(httpcore.NetworkBackend):
    """The way out of one connection: to checked addresses alone; keeps its time, knows whether anything was sent."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self.addresses = addresses
        self.sent = False
        self._deadline = 0.0
        self._read_seconds = 0.0

    def begin(self, deadline: float, read_seconds: float) -> None:
        self.sent, self._deadline, self._read_seconds = False, deadline, read_seconds

    def sending(self) -> None:
        if not self.sent:
            self.sent, self._deadline = True, time.monotonic() + self._read_seconds

    def left(self) -> float:
        """Seconds left; raises httpcore.TimeoutException when none are."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise httpcore.TimeoutException("out of time")
        return left

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """`host` is not looked at: it was resolved and checked before. Addresses share the time that is left."""
        failure: OSError | None = None
        for place, address in enumerate(self.addresses):
            share = self.left() / (len(self.addresses) - place)
            try:
                sock = socket.create_connection((address, port), share)
            except OSError as error:
                failure = error
                continue
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return _Stream(sock, self)
        raise httpcore.ConnectError(str(failure))


class _Stream(httpcore.NetworkStream):
    def __init__(self, sock: socket.socket, wire: _Wire) -> None:
        self._sock = sock
        self._wire = wire

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._sock.settimeout(self._wire.left())
        try:
            return self._sock.recv(max_bytes)
        except TimeoutError as error:
            raise httpcore.ReadTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._wire.sending()
        rest = memoryview(buffer)
        while rest:
            self._sock.settimeout(self._wire.left())
            try:
                rest = rest[self._sock.send(rest) :]
            except TimeoutError as error:
                raise httpcore.WriteTimeout(str(error)) from error
            except OSError as error:
                raise httpcore.WriteError(str(error)) from error

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        try:
            self._sock.settimeout(self._wire.left())
            return _Stream(ssl_context.wrap_socket(self._sock, server_hostname=server_hostname), self._wire)
        except OSError as error:
            self.close()
            raise httpcore.ConnectError(str(error)) from error
        except BaseException:
            self.close()
            raise

    def get_extra_info(self, info: str) -> Any:
        if info == "ssl_object":
            return self._sock if isinstance(self._sock, ssl.SSLSocket) else None
        if info == "is_readable":
            poll = select.poll()
            poll.register(self._sock, select.POLLIN)
            return bool(poll.poll(0))
        return None

    def close(self) -> None:
        self._sock.close()


@dataclass(frozen=True)
class _Line:
    key: tuple[Any, ...]
    wire: _Wire
    connection: httpcore.HTTPConnection


class Caller:
    """Makes requests and keeps their connections; one a process. Thread-safe, and empty again in a forked child.

    A connection is used again only for the same scheme, host, port, checked addresses and policy. Names are kept for
    `lookup_seconds`; what they resolve to is checked at every call.
    """

    def __init__(
        self, resolver: Resolver = system_resolver, tls: ssl.SSLContext | None = None, lookup_seconds: float = 30.0
    ) -> None:
        self._resolver = resolver
        self._given_tls = tls
        self._lookup_seconds = lookup_seconds
        self._fresh()
        itself = weakref.ref(self)

        def in_child() -> None:
            caller = itself()
            if caller is not None:
                # Closing without a word: the connections go on living in the parent.
                idle = caller._idle
                caller._fresh()
                for line in idle:
                    line.connection.close()

        os.register_at_fork(after_in_child=in_child)

    def _fresh(self) -> None:
        self._lock = threading.Lock()
        self._lookups = threading.BoundedSemaphore(_MAX_LOOKUPS_AT_ONCE)
        self._idle: list[_Line] = []
        self._names: dict[tuple[str, int], tuple[float, tuple[str, ...]]] = {}

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return self._given_tls or httpx.create_ssl_context()

    def request(
        self,
        method: str,
        url: str,
        *,
        policy: Policy,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> Answer:
        """One request, one answer, whatever its status (3xx too).

        `headers` may name another Host; SNI and certificate stay with the URL's. Raises UrlMalformed, UrlForbidden
        (both Refusal and NotSent), NotSent, NoAnswer, and ValueError for a method or header that is never sent.
        """
        if method not in _METHODS:
            raise ValueError(f"method {method!r} is not sent")
        target = _aim(url, policy)
        request = httpcore.Request(
            method.encode(),
            httpcore.URL(
                scheme=target.scheme.encode(), host=target.host.encode(), port=target.port, target=target.path
            ),
            headers=_wire_headers(target, method, headers or {}, content),
            content=content or b"",
        )
        deadline = time.monotonic() + policy.connect_seconds
        line = self._take(target, self._addresses(target, policy, deadline), policy)
        line.wire.begin(deadline, policy.read_seconds)
        try:
            answer = _exchange(line.connection, request, policy.max_bytes)
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
            line.connection.close()
            what = f"{method} {target.scheme}://{target.netloc.decode()}: {type(error).__name__} {error}"
            if line.wire.sent:
                raise NoAnswer(what) from error
            with self._lock:
                self._names.pop((target.host, target.port), None)
            raise NotSent(what) from error
        except BaseException:
            line.connection.close()
            raise
        self._give_back(line)
        return answer

    def close(self) -> None:
        """Close the idle connections; the caller may be used again afterwards."""
        with self._lock:
            idle, self._idle = self._idle, []
        for line in idle:
            line.connection.close()

    def _addresses(self, target: _Target, policy: Policy, deadline: float) -> tuple[str, ...]:
        if target.literal:
            found: tuple[str, ...] = (target.host,)
        else:
            found = self._look_up(target.host, target.port, deadline)
        # One forbidden address condemns the name: which of them would be used is chance.
        if any(_forbidden(address, policy) for address in found):
            raise UrlForbidden(host=target.host, why="it leads into a closed network", why_zh="它指向内部网络")
        return found

    def _look_up(self, host: str, port: int, deadline: float) -> tuple[str, ...]:
        with self._lock:
            until, known = self._names.get((host, port), (0.0, ()))
        if time.monotonic() < until:
            return known
        # getaddrinfo knows no time limit and a name's owner can make it wait half a minute: hence a thread.
        found: list[str] = []
        failure: list[Exception] = []
        if not self._lookups.acquire(timeout=max(0.0, deadline - time.monotonic())):
            raise NotSent(f"{host}: too many names are being looked up")

        def look_up(gate: threading.BoundedSemaphore) -> None:
            try:
                found.extend(dict.fromkeys(self._resolver(host, port)))
            except (OSError, UnicodeError) as error:
                failure.append(error)
            finally:
                gate.release()

        thread = threading.Thread(target=look_up, args=(self._lookups,), daemon=True, name=f"resolve {host}")
        thread.start()
        thread.join(max(0.0, deadline - time.monotonic()))
        if thread.is_alive() or failure or not found:
            raise NotSent(f"{host}: name not resolved, {failure[0] if failure else 'no address in time'}")
        known = tuple(sorted(found))
        with self._lock:
            if len(self._names) >= _MAX_CACHED_HOSTS:
                self._names.clear()
            self._names[host, port] = (time.monotonic() + self._lookup_seconds, known)
        return known

    def _take(self, target: _Target, addresses: tuple[str, ...], policy: Policy) -> _Line:
        key = (target.scheme, target.host, target.port, addresses, policy)
        with self._lock:
            stale = [line for line in self._idle if line.connection.has_expired()]
            self._idle = [line for line in self._idle if line not in stale]
            place = next((n for n in reversed(range(len(self._idle))) if self._idle[n].key == key), None)
            line = None if place is None else self._idle.pop(place)
        for old in stale:
            old.connection.close()
        if line is not None:
            return line
        wire = _Wire(addresses)
        origin = httpcore.Origin(target.scheme.encode(), target.host.encode(), target.port)
        tls = self._tls if target.scheme == "https" else None
        return _Line(
            key,
            wire,
            httpcore.HTTPConnection(
                origin, ssl_context=tls, keepalive_expiry=_KEEP_ALIVE_SECONDS, network_backend=wire
            ),
        )

    def _give_back(self, line: _Line) -> None:
        if not line.connection.is_idle():
            line.connection.close()
            return
        with self._lock:
            self._idle.append(line)
            surplus = self._idle.pop(0) if len(self._idle) > _MAX_IDLE else None
        if surplus is not None:
            surplus.connection.close()


def _exchange(connection: httpcore.HTTPConnection, request: httpcore.Request, max_bytes: int) -> Answer:
    response = connection.handle_request(request)
    try:
        headers: dict[str, str] = {}
        for raw_name, raw_value in response.headers:
            name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        encoding = headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ("", "identity"):
            raise AnswerEncoded(f"the answer is packed as {encoding[:40]!r}")
        body = bytearray()
        for chunk in response.iter_stream():
            body += chunk
            if len(body) > max_bytes:
                raise AnswerTooLarge(f"the answer is over {max_bytes} bytes")
        return Answer(response.status, headers, bytes(body))
    finally:
        response.close()


def check(url: str, policy: Policy) -> None:
    """Raise UrlMalformed or UrlForbidden for a URL that would never be called, as far as its own text shows.

    A name is not resolved: what it leads to is looked at whenever it is called.
    """
    target = _aim(url, policy)
    if target.literal and _forbidden(target.host, policy):
        raise UrlForbidden(host=target.host, why="it leads into a closed network", why_zh="它指向内部网络")


_caller = Caller()


def request(
    method: str,
    url: str,
    *,
    policy: Policy,
    headers: Mapping[str, str] | None = None,
    content: bytes | None = None,
) -> Answer:
    """`Caller.request` on the process's own caller."""
    return _caller.request(method, url, policy=policy, headers=headers, content=content)
