"""`huika up --lan`: an authority of this installation's own, whose certificates make a phone's camera and crypto work.

It may sign for private addresses, `localhost` and `.local` names alone (name constraints), so that a phone which trusts
it trusts nothing else by it. It lives 30 days; the certificate is made anew at every start.
"""

import contextlib
import hashlib
import os
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# RFC 1918, RFC 3927 and loopback; `ipaddress.is_private` would take documentation and test networks too.
PRIVATE = tuple(
    IPv4Network(n) for n in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8")
)
NAMES = ("localhost", "local")
LIFE, LEFT = timedelta(days=30), timedelta(days=2)
FILE = "/authority.crt"


class LanProblem(Exception):
    """This address cannot be served; the text says why and what to do."""


def is_private(address: IPv4Address) -> bool:
    """Whether only a local network reaches it."""
    return any(address in network for network in PRIVATE)


def addresses() -> list[IPv4Address]:
    """This machine's private addresses off loopback, those first by which it would reach a local network."""
    found: list[str] = []
    for network in PRIVATE[:4]:
        # Connecting a datagram socket sends nothing; it only looks up which address of ours would be used.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
            probe.connect((str(network[-2]), 9))
            found.append(probe.getsockname()[0])
    with contextlib.suppress(OSError):
        found += [str(a[4][0]) for a in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)]
    unique = [IPv4Address(a) for a in dict.fromkeys(found)]
    return [a for a in unique if is_private(a) and not a.is_loopback]


def choose(wanted: str, *, public: bool = False) -> IPv4Address:
    """The address to serve: `wanted`, or this machine's first private one for "auto". Raises LanProblem."""
    if wanted == "auto":
        if not (own := addresses()):
            raise LanProblem("this machine has no private address: name one with --lan ADDRESS")
        return own[0]
    try:
        address = IPv4Address(wanted)
    except ValueError:
        raise LanProblem(f"{wanted} is not an IPv4 address") from None
    if address.is_unspecified or address.is_multicast:
        raise LanProblem(f"{address} is no address of one machine: name the one that the phone reaches")
    if not is_private(address) and not public:
        raise LanProblem(f"{address} is not private: anybody could reach this demonstration (--lan-public allows it)")
    with socket.socket() as probe:
        try:
            probe.bind((str(address), 0))
        except OSError:
            raise LanProblem(f"{address} is not an address of this machine") from None
    return address


@dataclass
class Lan:
    """What a phone on the local network reaches: site, vault and files, each an origin, and the authority's file."""

    address: IPv4Address
    ports: dict[str, int] = field(default_factory=dict)
    folder: Path = Path()

    def origin(self, service: str) -> str:
        """The https origin of `site`, `vault` or `files`."""
        return f"https://{self.address}:{self.ports[service]}"

    @property
    def authority(self) -> Path:
        """The authority's certificate, PEM."""
        return self.folder / "authority.pem"

    @property
    def certificate(self) -> Path:
        """The servers' certificate, PEM."""
        return self.folder / "server.pem"

    @property
    def key(self) -> Path:
        """The servers' key, PEM."""
        return self.folder / "server-key.pem"

    @property
    def authority_url(self) -> str:
        """Where a phone gets the authority's certificate, over plain HTTP: it is public, its fingerprint is printed."""
        return f"http://{self.address}:{self.ports['plain']}{FILE}"

    def environment(self) -> dict[str, str]:
        """What the processes are told instead of the addresses on localhost."""
        return {
            "HUIKA_SITE_URL": self.origin("site"),
            "HUIKA_FILES_ORIGIN": self.origin("files"),
            "HUIKA_VAULT_ORIGIN": self.origin("vault"),
            "HUIKA_HOSTS": ",".join(dict.fromkeys(["localhost", "127.0.0.1", str(self.address)])),
        }

    def prepare(self, folder: Path) -> None:
        """The authority, kept in `folder` while it lasts, and a fresh certificate for this machine's addresses."""
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        signer = _kept(folder, self.address) or _new_authority(folder, self.address)
        _new_certificate(self, *signer)

    def fingerprint(self) -> str:
        """SHA-256 of the authority's certificate, as phones show it."""
        digest = hashlib.sha256(self.authority_der()).hexdigest().upper()
        return " ".join(digest[n : n + 4] for n in range(0, 64, 4))

    def authority_der(self) -> bytes:
        """The authority's certificate as phones take it."""
        return _read(self.authority).public_bytes(serialization.Encoding.DER)

    @contextlib.contextmanager
    def handing_out(self) -> Iterator[None]:
        """Within the block the plain port hands out the authority's certificate and nothing else."""
        der = self.authority_der()

        class Handler(BaseHTTPRequestHandler):
            timeout = 10
            server_version, sys_version = "huika", ""

            def do_GET(self) -> None:
                found = self.path == FILE
                self.send_response(200 if found else 404)
                self.send_header("Content-Type", "application/x-x509-ca-cert" if found else "text/plain")
                self.send_header("Content-Length", str(len(der) if found else 0))
                self.send_header("X-Content-Type-Options", "nosniff")
                self.end_headers()
                self.wfile.write(der if found else b"")

            def log_message(self, *_: object) -> None:
                """Who fetched it is not kept."""

        with ThreadingHTTPServer((str(self.address), self.ports["plain"]), Handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            try:
                yield
            finally:
                server.shutdown()


Signer = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def _kept(folder: Path, address: IPv4Address) -> Signer | None:
    """The authority of an earlier start, if it lasts, is whole and may sign for this address."""
    try:
        certificate = _read(folder / "authority.pem")
        key = serialization.load_pem_private_key((folder / "authority-key.pem").read_bytes(), None)
        constraints = certificate.extensions.get_extension_for_class(x509.NameConstraints).value
    except (OSError, ValueError, x509.ExtensionNotFound):
        return None
    allowed = [name.value for name in constraints.permitted_subtrees or [] if isinstance(name, x509.IPAddress)]
    lasts = certificate.not_valid_after_utc - datetime.now(UTC) > LEFT
    covers = any(isinstance(n, IPv4Network) and address in n for n in allowed)
    fits = isinstance(key, ec.EllipticCurvePrivateKey) and key.public_key() == certificate.public_key()
    return (certificate, key) if lasts and covers and fits and isinstance(key, ec.EllipticCurvePrivateKey) else None


def _new_authority(folder: Path, address: IPv4Address) -> Signer:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"huika LAN {now:%Y-%m-%d} {os.urandom(2).hex()}")])
    networks = [*PRIVATE, *([] if is_private(address) else [IPv4Network(address)])]
    allowed: list[x509.GeneralName] = [x509.IPAddress(n) for n in networks]
    allowed += [x509.DNSName(n) for n in NAMES]
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        _builder(name, name, key, now, now + LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.NameConstraints(allowed, None), critical=True)
        .sign(key, hashes.SHA256())
    )
    _write(folder / "authority-key.pem", _pem(key))
    _write(folder / "authority.pem", certificate.public_bytes(serialization.Encoding.PEM))
    return certificate, key


def _new_certificate(lan: Lan, authority: x509.Certificate, signer: ec.EllipticCurvePrivateKey) -> None:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    own = dict.fromkeys([lan.address, *addresses(), IPv4Address("127.0.0.1")])
    names = [x509.DNSName("localhost"), *(x509.IPAddress(a) for a in own)]
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "huika")])
    signer_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    certificate = (
        _builder(subject, authority.subject, key, now, authority.not_valid_after_utc)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(signer_id, critical=False)
        .sign(signer, hashes.SHA256())
    )
    _write(lan.key, _pem(key))
    _write(lan.certificate, certificate.public_bytes(serialization.Encoding.PEM))


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, end: datetime
) -> x509.CertificateBuilder:
    # A phone's clock may be a little behind.
    return (
        x509.CertificateBuilder(issuer_name=issuer, subject_name=subject, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=10))
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _read(place: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(place.read_bytes())


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(place: Path, content: bytes) -> None:
    """Write anew, readable by the owner alone from the first byte on."""
    place.unlink(missing_ok=True)
    with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
