"""`huika demo`: one whole trade through the public API against the sandbox, told step by step.

It fails unless money, log and receipt all check: quoted = paid at the wallet's own books = ledger = receipt.
"""

import json
import os
import random
import shutil
import sys
import tempfile
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import django
import httpx

from huika.faces.cli.stack import ROOT, Stack, running
from huika.kit import postgres
from huika.kit.money import yuan, zhe

FACE_FEN = 1000_00
KIND = "walmart"
TITLE = "演示购物卡"


def main(args: Namespace) -> int:
    """Run the demo; the last line on standard output is one JSON object."""
    started = time.monotonic()
    name = f"huika_{postgres.checkout_hash(ROOT)}_demo_{os.getpid()}"
    state = Path(tempfile.mkdtemp(prefix="huika-demo-"))
    result: dict[str, Any] = {
        "ok": False,
        "mode": args.mode,
        "order": None,
        "quoted_net_fen": None,
        "paid_fen": 0,
        "ledger_sum_fen": None,
        "log_size": None,
        "receipt_file": None,
        "receipt_verified": False,
    }
    try:
        stack = Stack(
            name, state, postgres.prepare(ROOT, name, fresh=True), args.mode, ports={"web": 0, "vault": 0, "sandbox": 0}
        )
        with running(stack):
            for part in _trade(stack, args):
                result |= part
            result |= _keep(result.pop("receipt", ""), result.pop("key", ""))
            result["ok"] = bool(result.pop("checks", False))
    except Exception as error:
        result["error"] = f"{type(error).__name__}: {error}"[:500]
        print(f"✗ {type(error).__name__}: {error}", file=sys.stderr)
        for log in sorted((state / "process-logs").glob("*.log")):
            if words := log.read_text(errors="replace")[-args.log_tail :].strip():
                print(f"--- {log.name}\n{words}", file=sys.stderr)
    finally:
        shutil.rmtree(state, ignore_errors=True)
        _forget(name)
    result["seconds"] = round(time.monotonic() - started, 1)
    print(json.dumps(result, ensure_ascii=False))
    return 0 if result["ok"] else 1


def _forget(name: str) -> None:
    """Drop the run's database once this process has let go of it."""
    from django.db import connections

    if "default" in connections.settings:
        connections.close_all()
    postgres.drop(ROOT, name)


def _trade(stack: Stack, args: Namespace) -> Iterator[dict[str, Any]]:
    """The story; what is known so far of the result, so that a failure still says how far it came."""
    os.environ.update(stack.environment())
    os.environ["HUIKA_DB_POOL"] = ""
    django.setup()
    from huika.domain.evidence import queries as evidence
    from huika.domain.ledger import queries as ledger
    from huika.sim import city, story
    from huika.sim.client import Sandbox

    say: Callable[[str], None] = (lambda _: None) if args.json else print
    say(f"回卡 demo · mode={args.mode}")
    made = city.build(seed=args.seed)
    say(f"  城市就绪：上海，{len(made.recyclers)} 家商家，{len(made.couriers)} 位专员（都是演示）")
    stack.start_platform()
    faults = {} if not args.wallet_down else {"wallet": {"down": True}}
    with httpx.Client(timeout=30, trust_env=False) as http:
        token = (stack.state / "keys" / "sandbox" / "issuer_token").read_text().strip()
        sandbox = Sandbox(f"http://127.0.0.1:{stack.ports['sandbox']}", http, token)
        world = story.World(stack.base, sandbox, http, made.logins, made.couriers, say)
        spec = _card(sandbox, story, args)

        seller = story.enrol(world, "13800138000", "王小明", "oDEMO-wang-xiaoming", 7)
        say("1 卖家登录、实名、同意、填好收款账户")
        found = story.compare(world, [spec], "shanghai-xuhui")
        say(f"2 比价：{len(found['offers'])} 家报价，{len(found['absences'])} 家不报价（各有理由）")
        for offer in found["offers"][:3]:
            _tell_offer(say, offer)
        sandbox.faults(**faults)
        order = story.book(world, seller, found)
        say(f"3 订单 {order['code']}：到手 {yuan(order['quoted_net_fen'])}，备款已冻结，时段已约好")
        yield {"order": order["code"], "quoted_net_fen": order["quoted_net_fen"]}
        courier = story.go_to(world, seller, order, story.find_courier(world, order["visit"]))
        say("4 专员到门口，先报他的码，再核卖家的码；上门开始")
        card = story.photograph(courier, order["cards"][0]["id"], spec, declare=not args.front)
        say(f"5 拍照核对：{card['verdict']}")
        for finding in card["findings"]:
            say(f"    {finding['outcome']:8} {finding['zh']} · {finding['en']}")
        if card["state"] != "clear":
            yield {"verdict": card["verdict"], "ledger_sum_fen": ledger.total_fen(), "log_size": evidence.log_size()}
            return
        story.lock_or_bag(world, courier, card, spec)
        say("6 卖家刮开密码，当场封进保险箱；保险箱向发卡方锁卡")
        try:
            ended = story.settled(seller, order["id"], seconds=args.patience)
        except TimeoutError:
            owed = seller.client.get(f"/v1/orders/{order['id']}/money")["owed_fen"]
            say(f"✗ 钱包没有回音：{yuan(owed)} 仍然欠着卖家，会继续追问")
            yield {"owed_fen": owed, "ledger_sum_fen": ledger.total_fen(), "log_size": evidence.log_size()}
            return
        for line in story.money_lines(seller, order["id"]):
            say(f"7 付款：{line}")
        text = story.receipt(seller, order["id"])
        yield _check(say, ended, seller, sandbox, text)


def _keep(receipt: str, key: str) -> dict[str, Any]:
    """Leave the receipt and, apart from it, the log's key where the reader can try them."""
    if not receipt:
        return {}
    kept = ROOT / "var" / "demo" / "receipt.tlog-proof"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(receipt)
    kept.with_name("log.vkey").write_text(key + "\n")
    return {"receipt_file": str(kept.relative_to(ROOT))}


def _card(sandbox: Any, story: Any, args: Namespace) -> Any:
    """The demo's card, drawn by the sandbox, or the reader's own pictures; either way the sandbox issues it."""
    source = random.Random(args.seed)  # noqa: S311  a demo card
    pin = "".join(str(source.randrange(10)) for _ in range(6))
    if args.front:
        front, back = Path(args.front).read_bytes(), Path(args.back).read_bytes()
        number = args.number or _read(front, back)
        sandbox.issue_card(KIND, number, pin, args.face_value_fen)
        return story.CardSpec(KIND, args.face_value_fen, "electronic", number, pin, front, back)
    number = "2326" + "".join(str(source.randrange(10)) for _ in range(16))
    shown = number if not args.other_number else number[:-1] + str((int(number[-1]) + 1) % 10)
    drawn = {"design": "lanhu", "title": TITLE, "number": shown, "face_value_fen": FACE_FEN, "pin": pin}
    front = sandbox.picture(**drawn, side="front", seed=args.seed)
    back = sandbox.picture(**drawn, side="back", seed=args.seed + 1)
    sandbox.issue_card(KIND, number, pin, FACE_FEN)
    return story.CardSpec(KIND, FACE_FEN, "electronic", number, pin, front, back)


def _read(front: bytes, back: bytes) -> str:
    """The number in the reader's own pictures. Raises ValueError when there is none to be read."""
    from huika.domain.inspection import queries as inspection
    from huika.kit import safe_files

    number = inspection.number_in([safe_files.picture(p).jpeg for p in (front, back)])
    if not number:
        raise ValueError("no card number could be read in these pictures; name it with --number")
    return number


def _tell_offer(say: Callable[[str], None], offer: dict[str, Any]) -> None:
    lot = offer["lots"][0]
    lower = "到手最高" if not offer["lower_by_fen"] else f"少 {yuan(offer['lower_by_fen'])}："
    names = {"price": "收价", "recycler_fee": "商家手续费", "visit": "上门费", "platform": "平台费"}
    words = {True: ("低", "多"), False: ("高", "少")}  # worse, better than the best: a price, a fee
    why = "，".join(
        f"{names[p['code']]}{words[p['fen'] > 0][p['code'] != 'price']} {yuan(abs(p['fen']))}"
        for p in offer["lower_because"]
    )
    say(f"    {yuan(offer['net_fen']):>10}  {lot['name_zh']}  {zhe(lot['cards'][0]['ratio_bp'])}  {lower}{why}")


def _check(say: Callable[[str], None], order: dict[str, Any], seller: Any, sandbox: Any, text: str) -> dict[str, Any]:
    """quoted = paid at the wallet = ledger = receipt, each from its own source."""
    from huika.domain.evidence import queries as evidence
    from huika.domain.ledger import queries as ledger
    from huika.domain.settlement import queries as settlement
    from huika.domain.trade import queries as trade
    from huika.domain.trade.queries import DESK

    quoted = order["quoted_net_fen"]
    payouts = seller.client.get(f"/v1/orders/{order['id']}/money")["payouts"]
    bills = [sandbox.bill(p["number"]) for p in payouts if p["rail"] == "wallet"]
    at_wallet = sum(b["amount"] for b in bills if b["state"] == "SUCCESS")
    say("8 每一笔钱：")
    moves = ledger.movements([UUID(c["id"]) for c in order["cards"]] + [UUID(order["id"])])
    for move in moves:
        say(f"    {move.amount_fen / 100:>12,.2f}  {move.account.split(':', 1)[1][:52]:52}  {move.kind}")
    payable = settlement.payable_account(trade.order_by_code(DESK, order["code"]).seller)
    in_ledger = sum(m.amount_fen for m in moves if m.account == payable and m.amount_fen > 0)
    left = ledger.balance(payable).balance_fen
    verified = evidence.verify_receipt(text, [evidence.log_key()])
    in_receipt = verified.parts["money"]["paid_fen"]
    broken = text.replace("\nindex ", "\nindex 1", 1)
    refused = _refuses(broken)
    same = quoted == at_wallet == in_ledger == in_receipt and left == 0
    clean = ledger.total_fen() == 0 and not ledger.discrepancies()
    say(
        f"9 报价 {yuan(quoted)} = 钱包账上 {yuan(at_wallet)} = 总账 {yuan(in_ledger)} = 存证 {yuan(in_receipt)}："
        f"{'一致' if same else '不一致'}；总账合计 {ledger.total_fen()}"
    )
    say(f"10 存证核对通过（第 {verified.index} 条，日志 {verified.log_size} 条）；改一个字节就不通过：{refused}")
    return {
        "order": order["code"],
        "quoted_net_fen": quoted,
        "paid_fen": at_wallet,
        "ledger_sum_fen": ledger.total_fen(),
        "log_size": verified.log_size,
        "receipt": text,
        "key": evidence.log_key(),
        "receipt_verified": True,
        "checks": same and clean and refused and order["state"] == "settled",
    }


def _refuses(text: str) -> bool:
    from huika.domain.evidence import queries as evidence
    from huika.domain.evidence.errors import ReceiptNotVerified

    try:
        evidence.verify_receipt(text, [evidence.log_key()])
    except ReceiptNotVerified:
        return True
    return False
