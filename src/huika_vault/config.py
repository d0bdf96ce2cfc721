"""What the vault process is told by its environment, checked before anything starts."""

import base64
import ipaddress
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from huika_vault.issuers import check_issuer_url
from huika_vault.keys import KeyProblem, KeyStore, key_store

_ORIGIN = re.compile(r"(https?)://(?:[a-z0-9-]+\.)*[a-z0-9-]+(?::[1-9][0-9]{0,4})?")


class ConfigProblem(Exception):
    """The environment does not allow a start; the message names the variable and holds no secret."""


@dataclass(frozen=True)
class Config:
    """A checked environment. `issuer_url` is "" where no issuer has an interface; pages of `sites` embed the frame."""

    demo: bool
    database_url: str = field(repr=False)
    keys: KeyStore = field(repr=False)
    signers: Mapping[str, Ed25519PublicKey]
    issuer_url: str
    issuer_token: str = field(repr=False)
    origin: str
    sites: tuple[str, ...]


def read(env: Mapping[str, str]) -> Config:
    """Read and check HUIKA_SETTING, HUIKA_SITE_URL, HUIKA_VAULT_*, HUIKA_ISSUER_*. Raises ConfigProblem."""
    demo = is_demo(env)
    try:
        keys = key_store(_needed(env, "HUIKA_VAULT_KEYS"), demo=demo)
    except KeyProblem as problem:
        raise ConfigProblem(f"HUIKA_VAULT_KEYS: {problem}") from None
    issuer_url, token = env.get("HUIKA_ISSUER_URL", ""), ""
    if issuer_url:
        if reason := check_issuer_url(issuer_url, demo=demo):
            raise ConfigProblem(f"HUIKA_ISSUER_URL: {reason}")
        token = _file(env, "HUIKA_ISSUER_TOKEN").strip()
        if not token or not token.isascii() or not token.isprintable():
            raise ConfigProblem("HUIKA_ISSUER_TOKEN: the file does not hold one line of ASCII text")
    return Config(
        demo=demo,
        database_url=_needed(env, "HUIKA_VAULT_URL"),
        keys=keys,
        signers=_signers(_file(env, "HUIKA_VAULT_CAPABILITY_KEYS")),
        issuer_url=issuer_url,
        issuer_token=token,
        origin=env.get("HUIKA_VAULT_ORIGIN", ""),
        sites=_sites(env, demo=demo),
    )


def is_demo(env: Mapping[str, str]) -> bool:
    """HUIKA_SETTING, which has no default: forgetting it must not make a demo. Raises ConfigProblem."""
    setting = env.get("HUIKA_SETTING", "")
    if setting not in {"demo", "production"}:
        raise ConfigProblem("HUIKA_SETTING must be demo or production")
    return setting == "demo"


def is_loopback(address: str) -> bool:
    """True for an IP address that only this machine reaches."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _needed(env: Mapping[str, str], name: str) -> str:
    value = env.get(name, "")
    if not value:
        raise ConfigProblem(f"{name} is not set")
    return value


def _sites(env: Mapping[str, str], *, demo: bool) -> tuple[str, ...]:
    """Origins whose pages may embed the frame, from a list with commas; a path after one is dropped."""
    given = [one.strip() for one in env.get("HUIKA_SITE_URL", "").split(",") if one.strip()]
    if not given and not demo:
        raise ConfigProblem("HUIKA_SITE_URL is not set")
    sites = [re.sub(r"(?<=[^/:])/.*", "", one) for one in given]
    for site in sites:
        found = _ORIGIN.fullmatch(site)
        if not found or (found[1] == "http" and not demo):
            raise ConfigProblem("HUIKA_SITE_URL: each is an origin such as https://huika.example, https in production")
    return tuple(sites)


def _file(env: Mapping[str, str], name: str) -> str:
    path = Path(_needed(env, name))
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigProblem(f"{name}: {path} cannot be read ({type(error).__name__})") from None


def _signers(text: str) -> dict[str, Ed25519PublicKey]:
    problem = ConfigProblem('HUIKA_VAULT_CAPABILITY_KEYS: the file is not {"kid": base64 of a raw Ed25519 public key}')
    try:
        named = json.loads(text)
        signers = {
            kid: Ed25519PublicKey.from_public_bytes(base64.b64decode(key, validate=True)) for kid, key in named.items()
        }
    except (ValueError, TypeError, AttributeError):
        raise problem from None
    if not signers:
        raise problem
    return signers
