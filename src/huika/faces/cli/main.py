"""`huika COMMAND`. Each command is a function that prints for people, or one JSON object with --json."""

import argparse
import os
import sys
from pathlib import Path

from huika.faces.cli import demo, market, tools, up


def parser() -> argparse.ArgumentParser:
    """Every command with its options."""
    top = argparse.ArgumentParser(prog="huika", description="回卡: buying back shopping cards at the seller's door.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    mode = os.environ.get("HUIKA_MODE", "market")

    def add(name: str, words: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=words, description=words)
        made.add_argument("--json", action="store_true", help="one JSON object instead of text")
        return made

    run = add("up", "start the platform with the demo city; serves until stopped")
    run.add_argument("--mode", choices=("market", "own"), default=mode)
    run.add_argument("--seed", type=int, default=1, help="seed of the demo city's prices")
    run.add_argument(
        "--lan", nargs="?", const="auto", metavar="ADDRESS", help="serve HTTPS to phones at this private address"
    )
    run.add_argument("--lan-public", action="store_true", help="let --lan serve an address that is not private")
    run.set_defaults(run=up.main)
    story = add("demo", "one whole trade on a stack of its own; exit 0 only if money, log and receipt all check")
    story.add_argument("--mode", choices=("market", "own"), default=mode)
    story.add_argument("--seed", type=int, default=1)
    story.add_argument("--front", help="your own picture of a card's front (JPEG, PNG or WebP)")
    story.add_argument("--back", help="your own picture of its back")
    story.add_argument("--number", help="the number in your own picture, where it cannot be read")
    story.add_argument("--face-value-fen", type=int, default=1000_00, help="face value of your own card")
    story.add_argument("--other-number", action="store_true", help="show a card whose number differs in one digit")
    story.add_argument("--wallet-down", action="store_true", help="the wallet does not answer: the demo must fail")
    story.add_argument("--patience", type=float, default=30, help="seconds to wait for the order to settle")
    story.add_argument("--log-tail", type=int, default=1500, help="characters of each process's log shown on failure")
    story.set_defaults(run=demo.main)
    tools.add_commands(add)
    market.add_commands(add)
    return top


def main(arguments: list[str] | None = None) -> int:
    """Run one command; its exit status."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "huika.config.settings")
    args = parser().parse_args(arguments)
    if args.command == "demo" and bool(args.front) != bool(args.back):
        print("huika demo: --front and --back go together", file=sys.stderr)
        return 2
    for name in ("front", "back"):
        if args.command == "demo" and getattr(args, name) and not Path(getattr(args, name)).is_file():
            print(f"huika demo: no such file: {getattr(args, name)}", file=sys.stderr)
            return 2
    return int(args.run(args))


if __name__ == "__main__":
    sys.exit(main())
