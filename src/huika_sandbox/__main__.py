"""Command line: `python -m huika_sandbox all|wallet|custodian|issuer|sms|alipay|bank|ecny|keys …`."""

import argparse
import sys
from pathlib import Path

from .faults import COUNTERPARTIES
from .keys import KeyFileError, ensure


def _port(value: str) -> int:
    port = int(value)
    if not 1 <= port <= 65535:
        raise ValueError(value)
    return port


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m huika_sandbox", description="Counterparties for trying out.")
    commands = parser.add_subparsers(dest="command", required=True)
    keys = commands.add_parser("keys", help="make the key files that are missing")
    keys.add_argument("--out", type=Path, required=True, metavar="DIR")
    for name in ("all", *COUNTERPARTIES):
        one = commands.add_parser(
            name, help="serve every counterparty on one port" if name == "all" else "serve it alone"
        )
        one.add_argument("--port", type=_port, required=True)
        one.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder of the SQLite files")
        one.add_argument("--faults", type=Path, required=True, metavar="FILE", help="faults file; need not exist")
        one.add_argument("--keys", type=Path, metavar="DIR", help="folder of the key files (DATA/keys)")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit code. 2 when key files do not fit."""
    given = _parser().parse_args(arguments)
    try:
        if given.command == "keys":
            ensure(given.out)
            return 0
        keys = given.keys or given.data / "keys"
        ensure(keys)
    except KeyFileError as problem:
        print(problem, file=sys.stderr)
        return 2
    from .serve import serve

    names = list(COUNTERPARTIES) if given.command == "all" else [given.command]
    serve(names, given.port, given.data, keys, faults_file=given.faults)
    return 0


if __name__ == "__main__":
    sys.exit(main())
