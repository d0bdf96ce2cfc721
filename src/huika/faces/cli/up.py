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

from huika.faces.cli import authority
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
        lan = authority.Lan(authority.choose(args.lan, public=args.lan_public)) if args.lan else None
        wanted = installation(args.mode)
        wanted.lan = lan
        with alone(wanted), running(wanted) as stack, contextlib.ExitStack() as open_too:
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
            if stack.lan:
                open_too.enter_context(stack.lan.handing_out())
                about |= _on_lan(stack.lan)
            place.touch(mode=0o600)
            place.write_text(json.dumps(about | {"environment": _needed(stack)}))
            _show(about, as_json=args.json)
            if stack.lan and not args.json:
                _show_trust(stack.lan)
            while (dead := stack.dead()) is None:
                time.sleep(0.5)
            print(f"huika up: {dead} has ended; see {stack.state / 'process-logs' / dead}.log", file=sys.stderr)
            return 1
    except (StackProblem, authority.LanProblem, postgres.DatabaseUnavailable) as problem:
        print(f"huika up: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


def _on_lan(lan: authority.Lan) -> dict[str, object]:
    """Addresses for a phone in place of those on localhost."""
    return {
        "platform": lan.origin("site"),
        "vault": lan.origin("vault"),
        "files": lan.origin("files"),
        "authority": lan.authority_url,
        "authority_sha256": lan.fingerprint(),
    }


def _show_trust(lan: authority.Lan) -> None:
    """Two codes for the phone's camera: first the authority, once in 30 days, then the platform."""
    first, second = lan.fingerprint()[:39], lan.fingerprint()[40:]
    print("\n1 手机先信任本机的证书机构（30 天一次） The phone trusts this machine's authority first, once in 30 days")
    print(f"  {lan.authority_url}")
    _show_code(lan.authority_url)
    print(f"  核对指纹 compare SHA-256  {first}\n{'':27}{second}")
    print("  iPhone：设置 › 已下载描述文件 › 安装；再到 通用 › 关于本机 › 证书信任设置 打开它")
    print("    Settings › Profile Downloaded › Install, then General › About › Certificate Trust Settings")
    print("  Android：设置 › 安全 › 加密与凭据 › 安装证书 › CA 证书")
    print("    Settings › Security › Encryption & credentials › Install a certificate › CA certificate")
    print("  用完就删 remove it afterwards: docs/guide/lan.md")
    print("\n2 再打开 then open")
    print(f"  {lan.origin('site')}")
    _show_code(lan.origin("site"))
    print("  任何连上这个网络的人都能打开 Anybody on this network can open it.", flush=True)


def _show_code(text: str) -> None:
    import qrcode  # type: ignore[import-untyped]

    code = qrcode.QRCode(border=2)
    code.add_data(text)
    code.print_ascii(invert=True)


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
    print("  staff     sign in at /staff/sign-in; programs POST /v1/staff/sessions")
    logins = about["logins"]
    for name, password in logins.items() if isinstance(logins, dict) else ():
        print(f"    {name:10} {password}")
    print("  Ctrl-C stops it.", flush=True)
