"""`python -m huika_vault serve|migrate|keys`. Exit 0 on success, 2 with one line on standard error otherwise."""

import argparse
import os
import sys
from pathlib import Path

import psycopg

from huika_vault import config
from huika_vault.keys import FileKeys, KeyProblem
from huika_vault.migrate import MigrationProblem, migrate


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit status."""
    parser = argparse.ArgumentParser(prog="huika_vault", description="The process that alone sees PINs.")
    commands = parser.add_subparsers(dest="command", required=True)
    serve_command = commands.add_parser("serve", help="serve the vault on 127.0.0.1, or with TLS elsewhere")
    serve_command.add_argument("--port", type=int, required=True)
    serve_command.add_argument("--address", default="127.0.0.1", help="an IP address; off loopback TLS is needed")
    serve_command.add_argument("--certificate", type=Path, help="PEM chain")
    serve_command.add_argument("--certificate-key", type=Path, help="PEM key, PKCS 8")
    commands.add_parser("migrate", help="bring the schema up to date as the owner in HUIKA_OWNER_URL")
    keys_command = commands.add_parser("keys", help="create a key file if there is none (demo only)")
    keys_command.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args(arguments)
    try:
        if chosen.command == "serve":
            serve(chosen.port, chosen.address, chosen.certificate, chosen.certificate_key)
        elif chosen.command == "migrate":
            run_migrations()
        else:
            make_keys(chosen.out)
    except (config.ConfigProblem, KeyProblem, MigrationProblem) as problem:
        print(f"huika_vault: {problem}", file=sys.stderr)
        return 2
    except psycopg.Error as error:
        print(f"huika_vault: the database refused: {type(error).__name__} {error.sqlstate or ''}", file=sys.stderr)
        return 2
    return 0


def serve(port: int, address: str, certificate: Path | None, key: Path | None) -> None:
    """Serve until stopped. The environment is checked here first, so that a refusal is a line and not a traceback."""
    config.read(os.environ)
    if bool(certificate) != bool(key):
        raise config.ConfigProblem("a certificate and its key go together")
    if not certificate and not config.is_loopback(address):
        raise config.ConfigProblem(f"{address} is not loopback: serving there needs a certificate")
    from granian.constants import Interfaces
    from granian.server import Server

    Server(
        "huika_vault.app:from_env",
        address=address,
        port=port,
        ssl_cert=certificate,
        ssl_key=key,
        interface=Interfaces.ASGI,
        factory=True,
        websockets=False,
    ).serve()


def run_migrations() -> None:
    """Bring the vault's schema up to date as the owner. Raises ConfigProblem, MigrationProblem."""
    url, role = os.environ.get("HUIKA_OWNER_URL", ""), os.environ.get("HUIKA_VAULT_ROLE", "")
    if not url or not role:
        raise config.ConfigProblem("HUIKA_OWNER_URL and HUIKA_VAULT_ROLE must be set")
    for name in migrate(url, role):
        print(f"applied {name}")
    print(f"vault schema is up to date; granted to {role}")


def make_keys(out: Path) -> None:
    """Make a key file for a demo, or keep the one that is there. Raises KeyProblem outside a demo."""
    if not config.is_demo(os.environ):
        raise KeyProblem("a key file is for a demo (HUIKA_SETTING=demo)")
    made = FileKeys.create(out)
    print(f"{'created' if made else 'kept'} {out}, key {FileKeys.load(out).key_id}")


if __name__ == "__main__":
    sys.exit(main())
