"""Alipay's papers in certificate mode: a root, Alipay's certificate, the application's certificate, made once.

The operator's side is handed alipay_app_private.pem, alipay_app_cert.pem, alipay_public_cert.pem, alipay_root_cert.pem
and alipay.json; alipay_root_private.pem and alipay_private.pem stay with the sandbox. How a serial (SN) is made:
https://opendocs.alipay.com/common/057k53 (MD5 of the issuer's name, then of the certificate's number in decimals).
"""

import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from .keys import KeyFileError, _load_private, _other_kind, _read, _write_once

RSA_SIGNATURES = "1.2.840.113549.1.1"
"""Object identifiers of RSA signatures begin so; roots signed otherwise do not count in the root's SN."""

VALID_DAYS = 3650


@dataclass(frozen=True, slots=True)
class AlipayKeys:
    """What Alipay's side holds. `partner` is the application owner's user number (2088 and 12 digits)."""

    private: RSAPrivateKey
    cert_sn: str
    root_cert_sn: str
    app_public: RSAPublicKey
    app_cert_sn: str
    app_id: str
    partner: str


def ensure(folder: Path) -> None:
    """Make every file that is missing (mode 0600) and check that those present fit together. Raises KeyFileError."""
    for name in ("alipay_root_private", "alipay_private", "alipay_app_private"):
        _write_once(folder / f"{name}.pem", _new_private)
    _write_once(folder / "alipay.json", _new_partner)
    partner = _about(folder)
    root = folder / "alipay_root_cert.pem"
    _write_once(root, lambda: _certificate(folder, "alipay_root_private", "Huika Sandbox Root", authority=True))
    for file, private, name in (
        ("alipay_public_cert", "alipay_private", f"Alipay (sandbox) {partner['partner']}"),
        ("alipay_app_cert", "alipay_app_private", partner["app_id"]),
    ):
        _write_once(folder / f"{file}.pem", _leaf(folder, private, name))
    alipay_keys(folder)


def alipay_keys(folder: Path) -> AlipayKeys:
    """Read Alipay's part. Raises KeyFileError."""
    about, private = _about(folder), _private(folder / "alipay_private.pem")
    root, own = _load(folder / "alipay_root_cert.pem"), _load(folder / "alipay_public_cert.pem")
    app = _load(folder / "alipay_app_cert.pem")
    app_public = app.public_key()
    if not isinstance(app_public, RSAPublicKey):
        raise _other_kind(folder / "alipay_app_cert.pem")
    for name, certificate in (("alipay_public_cert", own), ("alipay_app_cert", app)):
        try:
            certificate.verify_directly_issued_by(root)
        except (InvalidSignature, ValueError, TypeError):
            raise KeyFileError(f"{folder / name}.pem is not signed by alipay_root_cert.pem") from None
    pairs = (
        ("alipay_public_cert", own, private),
        ("alipay_app_cert", app, _private(folder / "alipay_app_private.pem")),
    )
    for name, certificate, key in pairs:
        if certificate.public_key() != key.public_key():
            raise KeyFileError(f"{folder / name}.pem is not of the private key beside it")
    return AlipayKeys(
        private=private,
        cert_sn=cert_sn(own),
        root_cert_sn=root_cert_sn([root]),
        app_public=app_public,
        app_cert_sn=cert_sn(app),
        app_id=about["app_id"],
        partner=about["partner"],
    )


def cert_sn(certificate: x509.Certificate) -> str:
    """A certificate's SN: 32 lower-case hex digits."""
    named = certificate.issuer.rfc4514_string() + str(certificate.serial_number)
    return hashlib.md5(named.encode(), usedforsecurity=False).hexdigest()


def root_cert_sn(certificates: list[x509.Certificate]) -> str:
    """The SN of a root file: those of its RSA-signed certificates, joined by `_`."""
    kept = [c for c in certificates if c.signature_algorithm_oid.dotted_string.startswith(RSA_SIGNATURES)]
    return "_".join(cert_sn(certificate) for certificate in kept)


def _new_private() -> bytes:
    key = generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _new_partner() -> bytes:
    numbers = {
        "app_id": f"2021{secrets.randbelow(10**12):012d}",
        "partner": f"2088{secrets.randbelow(10**12):012d}",
    }
    return json.dumps(numbers, indent=2).encode() + b"\n"


def _leaf(folder: Path, private: str, name: str) -> Callable[[], bytes]:
    return lambda: _certificate(folder, private, name, authority=False)


def _certificate(folder: Path, private: str, name: str, *, authority: bool) -> bytes:
    subject = _name(name)
    issuer = subject if authority else _load(folder / "alipay_root_cert.pem").subject
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(_private(folder / f"{private}.pem").public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=VALID_DAYS))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .sign(_private(folder / "alipay_root_private.pem"), SHA256())
    )
    return built.public_bytes(Encoding.PEM)


def _name(common: str) -> x509.Name:
    parts = (
        (NameOID.COUNTRY_NAME, "CN"),
        (NameOID.ORGANIZATION_NAME, "Huika Sandbox"),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, "Certification Authority"),
        (NameOID.COMMON_NAME, common),
    )
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts])


def _about(folder: Path) -> dict[str, str]:
    path = folder / "alipay.json"
    try:
        about = json.loads(_read(path))
    except ValueError:
        about = None
    if not isinstance(about, dict) or set(about) != {"app_id", "partner"}:
        raise KeyFileError(f"{path}: a JSON object with the texts app_id, partner is needed")
    if not all(isinstance(value, str) for value in about.values()):
        raise KeyFileError(f"{path}: app_id and partner are texts")
    return about


def _private(path: Path) -> RSAPrivateKey:
    key = _load_private(path)
    if not isinstance(key, RSAPrivateKey):
        raise _other_kind(path)
    return key


def _load(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(_read(path))
    except ValueError:
        raise KeyFileError(f"{path} holds no certificate in PEM") from None
