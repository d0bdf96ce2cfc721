"""The operators' smaller commands: receipt, log, inspect, field, market, risk, tax, stock, simulate."""

import json
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import django
from django.db import OperationalError

from huika.faces.cli.stack import ROOT
from huika.kit import canonical
from huika.kit.refusals import Refusal

Add = Callable[[str, str], ArgumentParser]


def add_commands(add: Add) -> None:
    """Register the commands."""
    receipt = add("receipt", "verify a receipt offline, or fetch an order's")
    receipt.add_argument("what", choices=("verify", "get"))
    receipt.add_argument("target", help="verify: the file; get: the order's code")
    receipt.add_argument(
        "--key", action="append", default=[], help="a vkey, or a file with vkeys, from outside the receipt"
    )
    receipt.set_defaults(run=guarded(run_receipt))

    log = add("log", "show the public log's head, or check that its tiles make its root")
    log.add_argument("what", choices=("show", "check"), nargs="?", default="show")
    log.set_defaults(run=guarded(run_log))

    inspect = add("inspect", "read a picture of a card and say what was found; nothing is stored")
    inspect.add_argument("front")
    inspect.add_argument("--back")
    inspect.add_argument("--kind", default="", help="kind of card, for its number format")
    inspect.add_argument("--number", default="", help="the number it is said to have")
    inspect.add_argument("--face-value-fen", type=int, default=0)
    inspect.set_defaults(run=guarded(run_inspect))

    field = add("field", "the windows of a day that some courier can still keep")
    field.add_argument("--district", default="shanghai-xuhui")
    field.add_argument("--city", default="shanghai")
    field.add_argument("--day", type=date.fromisoformat, default=None, help="YYYY-MM-DD, default today in Shanghai")
    field.set_defaults(run=guarded(run_field))

    for name, words, run in (
        ("risk", "the risk decision on an order", run_risk),
        ("tax", "the purchase voucher of an order", run_tax),
        ("stock", "where the cards of an order are", run_stock),
    ):
        one = add(name, words)
        one.add_argument("order", help="the order's code")
        one.set_defaults(run=guarded(run))

    simulate = add("simulate", "several whole trades with a seed on a stack of its own, then the oracle")
    simulate.add_argument("--trades", type=_at_least_one, default=5)
    simulate.add_argument("--seed", type=int, default=1)
    simulate.add_argument("--mode", choices=("market", "own"), default="market")
    simulate.set_defaults(run=guarded(run_simulate))


class NoInstallation(Refusal):
    """Nothing was started here and the environment names no database."""

    code, status = "no_installation", 404
    zh = "这里没有在运行的系统：先 `huika up`，或设好 HUIKA_APP_URL 等几项"
    en = "No installation here: start one with `huika up`, or set HUIKA_APP_URL and the others."


def guarded(run: Callable[[Namespace], int]) -> Callable[[Namespace], int]:
    """A refusal is one line on standard error and exit status 1."""

    def guarded_run(args: Namespace) -> int:
        try:
            return run(args)
        except Refusal as refusal:
            print(f"✗ {refusal.message_zh}\n  {refusal.message_en}", file=sys.stderr)
        except BrokenPipeError:  # the reader has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        except OperationalError as problem:
            said = str(problem).strip().splitlines()[0] if str(problem).strip() else ""
            print(f"✗ 数据库没有应答\n  The database does not answer: {said}", file=sys.stderr)
        except (OSError, LookupError, ValueError) as problem:
            print(f"✗ {problem}", file=sys.stderr)
        return 1

    return guarded_run


def connect() -> None:
    """Speak to the installation of the environment, or to the one `huika up` last started here."""
    if "HUIKA_APP_URL" not in os.environ:
        known = sorted((ROOT / "var" / "up").glob("*/addresses.json"), key=lambda p: p.stat().st_mtime)
        if not known:
            raise NoInstallation()
        os.environ.update(json.loads(known[-1].read_text())["environment"])
    django.setup()


def show(args: Namespace, facts: Any, lines: list[str]) -> int:
    """One JSON object, or lines for people."""
    if args.json:
        print(json.dumps(json.loads(canonical.dumps(facts)), ensure_ascii=False))
    else:
        print("\n".join(lines))
    return 0


def run_receipt(args: Namespace) -> int:
    """`receipt verify FILE --key KEY` works without a database and without a network."""
    if args.what == "get":
        connect()
        from huika.domain.evidence import queries as evidence

        text = evidence.receipt(_order(args.target).id, "trade.order.settled")
        return show(args, {"receipt": text}, [text.rstrip("\n")])
    os.environ.setdefault("HUIKA_SETTING", "demo")
    django.setup()
    from huika.domain.evidence import queries as evidence

    keys = [line for key in args.key for line in vkeys(key)]
    if not keys:
        raise ValueError("name the log's key with --key: a key from inside the file would prove nothing")
    found = evidence.verify_receipt(text_of(args.target), keys)
    paid = found.parts.get("money", {})
    lines = [
        f"✓ 核对通过 verified: {found.verb} · {found.at}",
        f"  log {found.origin}, entry {found.index} of {found.log_size}",
        *(f"  {name}: {json.dumps(value, ensure_ascii=False)}" for name, value in sorted(found.parts.items())),
    ]
    return show(args, {"verified": True, **asdict(found), "paid_fen": paid.get("paid_fen")}, lines)


def vkeys(text: str) -> list[str]:
    """A vkey as it is, or the lines of a file of them."""
    if "+" in text and not Path(text).exists():  # a vkey is name+id+key
        return [text]
    return [k.strip() for k in text_of(text).splitlines() if k.strip()]


def text_of(path: str) -> str:
    """A file's text, byte for byte. Raises ValueError for one that is none, OSError for one that is not there."""
    try:
        return Path(path).read_bytes().decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not a text file") from error


def _at_least_one(text: str) -> int:
    """A count on the command line."""
    count = int(text)
    if count < 1:
        raise ValueError(text)
    return count


def run_log(args: Namespace) -> int:
    """Head of the log; `check` recomputes every leaf from the database and the root from the leaves."""
    connect()
    from huika.domain.evidence import queries as evidence

    size, key = evidence.log_size(), evidence.log_key()
    if args.what == "check":
        wrong = evidence.check_log()
        if wrong:
            raise ValueError(f"the log is not what the database says: {wrong}")
    return show(
        args,
        {"size": size, "key": key, "checked": args.what == "check"},
        [f"{size} {'leaf' if size == 1 else 'leaves'}", key],
    )


def run_inspect(args: Namespace) -> int:
    """Exit 0 whatever the verdict; 1 when a file is no picture."""
    os.environ.setdefault("HUIKA_SETTING", "demo")
    django.setup()
    from huika.domain.inspection import queries as inspection
    from huika.kit import safe_files

    files = [args.front, *([args.back] if args.back else [])]
    pictures = [safe_files.picture(Path(f).read_bytes()).jpeg for f in files]
    patterns: tuple[str, ...] = ()
    if args.kind:
        connect()
        from huika.domain.catalog import queries as catalog

        patterns = catalog.kind(args.kind).number_patterns
    verdict, findings = inspection.look(pictures, args.number, patterns, args.face_value_fen)
    lines = [verdict, *(f"  {f.outcome:8} {f.code:22} {f.zh} · {f.en}" for f in findings)]
    return show(args, {"verdict": verdict, "findings": [asdict(f) for f in findings]}, lines)


def run_field(args: Namespace) -> int:
    """Windows of a day."""
    connect()
    from huika.domain.field import queries as field
    from huika.kit import clock

    place = field.area(args.city, args.district)
    day = args.day or clock.now().astimezone(clock.SHANGHAI).date()
    windows = field.windows(args.city, args.district, place, day) if place else []
    lines = [
        f"{w.opens.astimezone(clock.SHANGHAI):%m-%d %H:%M}–{w.closes.astimezone(clock.SHANGHAI):%H:%M}" for w in windows
    ]
    return show(args, [asdict(w) for w in windows], lines or ["没有能守住的时段 no window can be kept"])


def _order(code: str) -> Any:
    from huika.domain.trade import queries as trade

    return trade.order_by_code(trade.DESK, code)


def run_risk(args: Namespace) -> int:
    """Outcome and reasons."""
    connect()
    from huika.domain.risk import queries as risk

    found = risk.decision(_order(args.order).id)
    if found is None:
        raise LookupError("no decision on this order yet")
    return show(args, asdict(found), [found.outcome, *(f"  {r.zh} · {r.en}" for r in found.reasons)])


def run_tax(args: Namespace) -> int:
    """The voucher."""
    connect()
    from huika.domain.tax import queries as tax
    from huika.kit.money import yuan

    found = tax.voucher(_order(args.order).id)
    if found is None:
        raise LookupError("no voucher on this order yet")
    lines = [f"收购凭证 {found.number} · {yuan(found.total_fen)}"]
    lines += [f"  {line.kind} {yuan(line.face_value_fen)} → {yuan(line.paid_fen)}" for line in found.lines]
    return show(args, asdict(found), lines)


def run_stock(args: Namespace) -> int:
    """Custody of each card."""
    connect()
    from huika.domain.stock import queries as stock

    held = {str(c.id): stock.custody(c.id) for c in _order(args.order).cards}
    facts = {card: asdict(ref) if ref else None for card, ref in held.items()}
    return show(
        args, facts, [f"{c}  {r.bag or '—'}  {r.holder}" if r else f"{c}  卖家 the seller's" for c, r in held.items()]
    )


def run_simulate(args: Namespace) -> int:
    """Trades with a seed; the oracle decides the exit status."""
    from huika.faces.cli import simulate

    result = simulate.run(args.trades, args.seed, args.mode)
    print(json.dumps(result, ensure_ascii=False))
    return 0 if result["ok"] else 1
