"""A day of trades drawn from a seed, and the oracle that judges any installation from the counterparties' own books."""

import random
from collections import Counter
from typing import Any

from huika.domain.evidence import queries as evidence
from huika.domain.evidence.errors import ReceiptNotReady
from huika.domain.ledger import queries as ledger
from huika.domain.settlement import queries as settlement
from huika.domain.trade import queries as trade
from huika.kit.money import ceil_yuan_fen
from huika.sim import story
from huika.sim.client import Sandbox, until
from huika.sim.story import CardSpec, Seller, World

KINDS = (
    ("walmart", "electronic", "2326", 16, 6),
    ("suning", "electronic", "", 16, 6),
    ("meituan", "electronic", "", 16, 6),
)
FACES_FEN = (200_00, 500_00, 1000_00)
OUTCOMES = ("sold", "sold", "sold", "cancelled", "declined", "cash")


def draw_card(sandbox: Sandbox, source: random.Random, *, pictures: bool = True) -> CardSpec:
    """A card of a kind that can be locked, issued and photographed."""
    kind, form, prefix, digits, pin_digits = source.choice(KINDS)
    number = prefix + "".join(str(source.randrange(10)) for _ in range(digits))
    pin = "".join(str(source.randrange(10)) for _ in range(pin_digits))
    face = source.choice(FACES_FEN)
    sandbox.issue_card(kind, number, pin, face)
    front = back = b""
    if pictures:
        drawn = {"design": "lanhu", "title": "演示购物卡", "number": number, "face_value_fen": face, "pin": pin}
        seed = source.randrange(10_000)
        front, back = (sandbox.picture(**drawn, side=s, seed=seed + n) for n, s in enumerate(("front", "back")))
    return CardSpec(kind, face, form, number, pin, front, back)


def live(world: World, trades: int, source: random.Random) -> dict[str, int]:
    """Sellers come one after another; how many trades ended how."""
    districts = [d["slug"] for d in world.client().get("/v1/cities/shanghai/districts")]
    counts: Counter[str] = Counter()
    for n in range(trades):
        seller = story.enrol(world, f"1370000{n:04d}", "演示卖家", f"oSIM-{n}", n)
        counts[_trade(world, seller, source.choice(OUTCOMES), source.choice(districts), source)] += 1
    return dict(counts)


def _trade(world: World, seller: Seller, outcome: str, district: str, source: random.Random) -> str:
    spec = draw_card(world.sandbox, source)
    order = story.book(
        world, seller, story.compare(world, [spec], district), rail="cash" if outcome == "cash" else "wallet"
    )
    if outcome == "cancelled":
        seller.client.post(f"/v1/orders/{order['id']}/cancel")
        return str(story.settled(seller, order["id"])["state"])
    courier = story.go_to(world, seller, order, story.find_courier(world, order["visit"]))
    card = story.photograph(courier, order["cards"][0]["id"], spec)
    if outcome == "declined" or card["state"] != "clear":
        seller.client.post(f"/v1/orders/{order['id']}/decline")
        return str(story.settled(seller, order["id"])["state"])
    story.lock_or_bag(world, courier, card, spec)
    if outcome == "cash":
        until(lambda: courier.get(f"/v1/cards/{card['id']}")["state"] == "credited" or None)
        due = ceil_yuan_fen(order["quoted_net_fen"])
        courier.post(f"/v1/visits/{order['visit']}/cash", {"counted_fen": due})
    return str(story.settled(seller, order["id"])["state"])


def oracle(sandbox: Sandbox, *, receipts: bool = True) -> list[str]:
    """Every settled order: accepted net = paid at the wallet's own books = ledger = receipt; and the ledger as a whole.

    The wallet's books are the wallet's own store, read through its own door under our payout numbers. Cash has no books
    but our own, so an order in cash is held against its posting and receipt.
    """
    wrong = list(ledger.discrepancies())
    if ledger.total_fen():
        wrong.append(f"the ledger sums to {ledger.total_fen()}")
    bills = _bills(sandbox)
    for order_id in trade.settled_orders():
        order = trade.order_for(trade.DESK, order_id)
        due = sum(c.net_fen for c in order.cards if c.state == "paid")
        cards = [c.id for c in order.cards]
        moves = [
            m for m in ledger.movements([*cards, order.id]) if m.account == settlement.payable_account(order.seller)
        ]
        credited, left = sum(m.amount_fen for m in moves if m.amount_fen > 0), sum(m.amount_fen for m in moves)
        numbers = [p.number for p in settlement.payouts(order.id) if p.rail == "wallet"]
        at_wallet = sum(bills.get(n, 0) for n in numbers) if order.rail == "wallet" else settlement.paid_fen(order.id)
        found: dict[str, Any] = {"due": due, "wallet": at_wallet, "ledger": credited}
        if receipts:
            try:
                shown = evidence.verify_receipt(evidence.receipt(order.id, "trade.order.settled"), [evidence.log_key()])
                found["receipt"] = shown.parts["money"]["paid_fen"]
            except ReceiptNotReady:
                found["receipt"] = None
        if len(set(found.values())) != 1 or left:
            wrong.append(f"{order.code}: {found}, left {left}")
    ours = {p for order_id in trade.settled_orders() for p in (x.number for x in settlement.payouts(order_id))}
    wrong += [
        f"the wallet paid {n}, which no settled order knows"
        for n, fen in bills.items()
        if fen and n not in ours and not settlement.payout_is_known(n)
    ]
    return wrong


def _bills(sandbox: Sandbox) -> dict[str, int]:
    """What the wallet's own books say was paid, by our number; fen."""
    found: dict[str, int] = {}
    after: Any = None
    while True:
        params = {"limit": 1000} | ({"after": after} if after else {})
        page = sandbox.http.get(f"{sandbox.base}/wallet/sandbox/bills", params=params).json()
        for bill in page["bills"]:
            found[bill["out_bill_no"]] = bill["amount"] if bill["state"] == "SUCCESS" else 0
        after = page.get("next_after")
        if not after:
            return found
