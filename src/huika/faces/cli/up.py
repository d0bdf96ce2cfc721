"""`huika up`: the platform with the demo city, until stopped."""

import contextlib
import fcntl
import json
import os
import signal
import sys
import time
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

import django

from huika.faces.cli.stack import ROOT, Stack, StackProblem, running
from huika.kit import postgres


def installation(mode: str) -> Stack:
    """This checkout's own installation: its database and its state folder, one a mode."""
    name = f"huika_{postgres.checkout_hash(ROOT)}_{mode}"
    given = os.environ.get("DATABASE_URL")
    roles = postgres.prepare(ROOT, postgres.database_name(given) if given else name)
    state = Path(os.environ.get("HUIKA_STATE", ROOT / "var" / "up" / (postgres.database_name(roles.owner))))
    return Stack(name, state, roles, mode)


@contextlib.contextmanager
def alone(stack: Stack) -> Iterator[Stack]:
    """Hold this installation for one `huika up`. Raises StackProblem when another one runs it."""
    stack.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (stack.state / "up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            place = stack.state / "addresses.json"
            where = json.loads(place.read_text())["platform"] if place.exists() else "elsewhere"
            raise StackProblem(f"it already runs from this checkout, at {where}") from error
        yield stack


def main(args: Namespace) -> int:
    """Start, print addresses and logins, serve until stopped; exit 1 when a process dies."""
    # A closed terminal ends it like Ctrl-C; a shell's background job inherits SIGINT ignored.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with alone(installation(args.mode)) as wanted, running(wanted) as stack:
            os.environ.update({**stack.environment(), "HUIKA_DB_POOL": ""})
            django.setup()
            from huika.sim import city

            made = city.build(seed=args.seed)
            stack.start_platform()
            place = stack.state / "addresses.json"
            about = {
                "platform": f"http://localhost:{stack.ports['web']}",
                "vault": f"http://localhost:{stack.ports['vault']}",
                "sandbox": f"http://localhost:{stack.ports['sandbox']}",
                "mode": args.mode,
                "logins": made.logins,
            }
            place.touch(mode=0o600)
            place.write_text(json.dumps(about | {"environment": _needed(stack)}))
            _show(about, as_json=args.json)
            while (dead := stack.dead()) is None:
                time.sleep(0.5)
            print(f"huika up: {dead} has ended; see {stack.state / 'process-logs' / dead}.log", file=sys.stderr)
            return 1
    except (StackProblem, postgres.DatabaseUnavailable) as problem:
        print(f"huika up: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


def _needed(stack: Stack) -> dict[str, str]:
    """What another `huika` command needs to speak to this installation."""
    return {k: v for k, v in stack.environment().items() if k.startswith("HUIKA_") and k != "HUIKA_DB_POOL"}


def _show(about: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(about, ensure_ascii=False), flush=True)
        return
    print(f"回卡 huika · mode={about['mode']} · 演示环境 demonstration")
    for name in ("platform", "vault", "sandbox"):
        print(f"  {name:9} {about[name]}")
    print("  sellers   sign in by phone code; the sandbox shows it at /sms/messages?to=PHONE")
    print("  logins    POST /v1/staff/sessions")
    logins = about["logins"]
    for name, password in logins.items() if isinstance(logins, dict) else ():
        print(f"    {name:10} {password}")
    print("  Ctrl-C stops it.", flush=True)
