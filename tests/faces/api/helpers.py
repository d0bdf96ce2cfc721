"""What the stories over HTTP share: cards as sellers bring them, people, refusals, and the books of every party."""

import hashlib
import io
import itertools
import json
import random
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from django.db import connection
from PIL import Image

from huika.adapters.signed_json import SignedJson
from huika.domain.inspection import models as inspection
from huika.domain.inspection import sealing
from huika.domain.inspection.reading.types import Barcode, Picture, Reading, TextLine
from huika.domain.ledger import queries as ledger
from huika.domain.ledger.types import Balance
from huika.domain.settlement import actions as settlement
from huika.domain.settlement import queries as money
from huika.kit import clock, safe_files
from huika.kit.models import Event, WorkItem
from huika.sim import day, story
from huika.sim.client import Client, Problem, RecyclerKeys, until
from huika.sim.story import CardSpec, Seller, World

DISTRICT = "shanghai-xuhui"
# Counterparties outlive a test: no phone, card number or bill may come twice in one run.
_turns = itertools.count(1)
_source = random.Random()
# Kind → how its number begins, how many digits follow, digits of its PIN.
NUMBERS = {
    "walmart": ("2326", 16, 6),
    "suning": ("", 16, 6),
    "meituan": ("", 16, 6),
    "china-mobile": ("", 17, 18),
    "jd-ecard": ("JDA", 17, 16),
}


NOTHING_PAID = {"owed_fen": 0, "paid_fen": 0, "kept_fen": 0, "payouts": [], "debts": [], "reserves": []}


def digits(count: int) -> str:
    """So many random digits, the first of them not zero."""
    return str(_source.randrange(10 ** (count - 1), 10**count))


def phone() -> str:
    """A mobile number that this run has not used."""
    return f"136{next(_turns):03d}{digits(5)}"


def brought(
    world: World,
    kind: str = "walmart",
    face_value_fen: int = 500_00,
    form: str = "electronic",
    *,
    balance_fen: int | None = None,
    behaviour: str = "normal",
    unclear: bool = False,
) -> CardSpec:
    """A card that its issuer knows, with two pictures of which it is known beforehand what is read on them.

    The recogniser takes a second a picture; `drawn` is for the stories in which it matters. With `unclear` the
    pictures are too blurred to be sure of.
    """
    prefix, count, pin_digits = NUMBERS[kind]
    number, pin = prefix + digits(count), digits(pin_digits)
    world.sandbox.issue_card(kind, number, pin, face_value_fen, behaviour, balance_fen)
    spec = CardSpec(kind, face_value_fen, form, number, pin, picture(number + "f"), picture(number + "b"))
    read_beforehand(spec, sharpness=20.0 if unclear else 300.0)
    return spec


def read_beforehand(spec: CardSpec, *, sharpness: float = 300.0) -> None:
    """Keep the reading of a card's two pictures: its number in a barcode, its face value in print."""
    picture = Picture(640, 400, sharpness, 0, True, None)
    front = Reading(picture, (Barcode("Code128", spec.number),), (TextLine(f"¥{spec.face_value_fen // 100}", 9900),))
    back = Reading(picture, (), ())
    clean = [safe_files.picture(side).sha256_clean for side in (spec.front, spec.back)]
    inspection.Reading.objects.create(
        pictures=clean[0] + clean[1],
        sealed=sealing.seal([asdict(front), asdict(back)]),
        cpu_ms=0,
        at=clock.now(),
    )


def picture(seed: str) -> bytes:
    """A small picture that no other seed gives."""
    noise = np.random.default_rng(int.from_bytes(seed.encode(), "big")).integers(0, 255, (40, 64, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).resize((640, 400)).save(out, "JPEG", quality=60)
    return out.getvalue()


def drawn(world: World, spec: CardSpec, *, printed: str = "", difficulty: float = 1.0) -> CardSpec:
    """The card with real pictures, on which stands its number, or another one that is `printed`."""
    card: dict[str, Any] = {
        "design": "lanhu", "title": "演示购物卡", "number": printed or spec.number, "pin": spec.pin,
        "face_value_fen": spec.face_value_fen, "difficulty": difficulty,
    }  # fmt: skip
    front, back = (world.sandbox.picture(**card, side=side, seed=n + 7) for n, side in enumerate(("front", "back")))
    return replace(spec, front=front, back=back)


def enrol(world: World, *, name: str = "测试卖家") -> Seller:
    """A signed-in, verified seller with a wallet of their own."""
    turn = next(_turns)
    # The sandbox's identity service holds each number to the first name: 1,000 numbers suffice for one name.
    return story.enrol(world, phone(), name, f"oTEST-{turn}-{digits(6)}", turn)


def alone(compared: dict[str, Any]) -> dict[str, Any]:
    """The best offer of a comparison that one recycler makes for the whole basket."""
    return next(o for o in compared["offers"] if len(o["lots"]) == 1)


def booked(
    world: World, seller: Seller, specs: list[CardSpec], rail: str = "wallet", offer: dict[str, Any] | None = None
) -> dict[str, Any]:
    """An accepted order for these cards, by the best recycler for all of them unless an offer is given."""
    compared = story.compare(world, specs, DISTRICT)
    return story.book(world, seller, compared, offer=(offer or alone(compared))["id"], rail=rail)


def ready(courier: Client, order: dict[str, Any]) -> None:
    """Wait until the order's courier may set out."""
    until(lambda: courier.get(f"/v1/visits/{order['visit']}")["state"] == "ready" or None)


def at_the_door(world: World, seller: Seller, order: dict[str, Any]) -> Client:
    """The order's own courier, once the visit has begun."""
    return story.go_to(world, seller, order, story.find_courier(world, order["visit"]))


def visited(world: World, seller: Seller, specs: list[CardSpec], rail: str = "wallet") -> tuple[dict[str, Any], Client]:
    """An order whose visit has begun and whose cards were all judged clear; and its courier."""
    order = booked(world, seller, specs, rail)
    courier = at_the_door(world, seller, order)
    for card, spec in zip(order["cards"], specs, strict=True):
        judged = story.photograph(courier, card["id"], spec)
        assert judged["state"] == "clear", judged["findings"]
    return order, courier


def sell(world: World, courier: Client, order: dict[str, Any], n: int, spec: CardSpec) -> None:
    """Lock or bag the order's card number `n` (from 0)."""
    story.lock_or_bag(world, courier, order["cards"][n], spec)


def card_in(client: Client, card_id: str, state: str, seconds: float = 20) -> dict[str, Any]:
    """The card, once it has come to `state`."""

    def look() -> dict[str, Any] | None:
        found: dict[str, Any] = client.get(f"/v1/cards/{card_id}")
        return found if found["state"] == state else None

    return until(look, seconds)


@contextmanager
def refused_with(status: int) -> Iterator[Any]:
    """The block is refused with this status, whatever the code; yields the raised info."""
    with pytest.raises(Problem) as caught:
        yield caught
    assert caught.value.status == status, caught.value.body


@contextmanager
def refused(code: str, status: int = 409) -> Iterator[Any]:
    """The block is refused with this code and status, in words for people of both languages; yields the raised info."""
    with pytest.raises(Problem) as caught:
        yield caught
    body = caught.value.body
    assert (caught.value.code, caught.value.status) == (code, status), body
    assert body["type"] == f"urn:huika:problem:{code}" and body["status"] == status
    assert body["title"] and body["detail"]
    assert any("\u4e00" <= letter <= "\u9fff" for letter in body["title"]), body["title"]


def work_items(world: World, kind: str, about: str | UUID) -> list[dict[str, Any]]:
    """The desk's open items of a kind about a subject."""
    found = world.staff("desk1").get(f"/v1/desk/work-items?kind={kind}")
    return [item for item in found if item["subject"] == str(about)]


def work_item(world: World, kind: str, about: str | UUID) -> dict[str, Any]:
    """The one open item of a kind about a subject, once it is there."""
    return until(lambda: next(iter(work_items(world, kind, about)), None))


def decide(world: World, item: dict[str, Any], decision: str) -> None:
    """A person at the desk decides an item."""
    body = {"decision": decision, "reason": "看过照片，和卖家通过电话"}
    world.staff("desk1").post(f"/v1/desk/work-items/{item['id']}/decide", body)


def recycler(world: World, name: str = "", party: str = "") -> tuple[Client, RecyclerKeys]:
    """A recycler of the city, by its English name or its party: a client, and the keys to sign with."""
    every: dict[str, dict[str, str]] = world.city.recyclers
    known = every[name] if name else next(r for r in every.values() if r["party"] == party)
    keys = RecyclerKeys(
        known["kid"],
        Ed25519PrivateKey.from_private_bytes(bytes.fromhex(known["signing"])),
        X25519PrivateKey.from_private_bytes(bytes.fromhex(known["release"])),
    )
    return world.client(), keys


def signed(caller: tuple[Client, RecyclerKeys], method: str, path: str, body: bytes = b"", **more: Any) -> Any:
    """One signed request of a recycler."""
    client, keys = caller
    headers = keys.headers(method, path, body) | {"Content-Type": "text/csv"}
    return client.call(method, path, content=body, headers=headers, **more)


def posted(caller: tuple[Client, RecyclerKeys], path: str, body: dict[str, Any]) -> Any:
    """One signed JSON request of a recycler."""
    client, keys = caller
    content = json.dumps(body).encode()
    headers = keys.headers("POST", path, content) | {"Content-Type": "application/json"}
    return client.call("POST", path, content=content, headers=headers)


def answer_bargain(world: World, party: str, bargain: str, n: int, bonus_bp: int) -> Any:
    """A recycler's step of a bargain."""
    firm = recycler(world, party=party)
    waiting = {b["id"]: b["terms"] for b in signed(firm, "GET", "/v1/recycler/bargains")}
    about = hashlib.sha256(waiting.get(bargain, "").encode()).hexdigest()
    body = {"n": n, "bonus_bp": bonus_bp, "about": about}
    return posted(firm, f"/v1/recycler/bargains/{bargain}/answers", body)


def recyclers(world: World) -> list[str]:
    """The parties of the city's recyclers."""
    return [r["party"] for r in world.city.recyclers.values()]


def party_of(world: World, name: str) -> UUID:
    """The party of a recycler of the city."""
    return UUID(world.city.recyclers[name]["party"])


def escrow(party: str | UUID) -> Balance:
    """What our ledger says of a recycler's money."""
    return ledger.balance(money.escrow_account(UUID(str(party))))


def at_custodian(party: str | UUID) -> tuple[int, int]:
    """What the custodian's own books say of a recycler's money: (available, frozen), fen."""
    path = f"/custodian/accounts/{money.escrow_account(UUID(str(party)))}"
    status, answer = SignedJson.towards("custodian").call("GET", path)
    assert status == 200, answer
    return answer["available_fen"], answer["frozen_fen"]


def payable(seller_party: str) -> int:
    """What is owed to a seller and not yet on its way, fen."""
    return ledger.balance(money.payable_account(UUID(seller_party))).balance_fen


def party_of_seller(seller: Seller) -> str:
    """The seller's own party id."""
    return str(seller.client.get("/v1/me")["party"])


def nothing_held(order: dict[str, Any]) -> None:
    """Every recycler of an order has all its money back: in our ledger at once, at the custodian in a moment."""
    for lot in order["lots"]:
        assert escrow(lot["recycler"]).held_fen == 0
        until(lambda party=lot["recycler"]: at_custodian(party)[1] == 0 or None)
        assert at_custodian(lot["recycler"])[0] == escrow(lot["recycler"]).balance_fen


def all_is_well(world: World, *, receipts: bool = False) -> None:
    """The oracle has nothing to say, and no follower stumbled; with `receipts` they are checked too, once written."""
    assert [w for w in day.oracle(world.sandbox, receipts=receipts) if not _before_this_test(w)] == []
    assert not WorkItem.objects.filter(kind__in=["kit.parked", "kit.job_failed"]).exists()


def _before_this_test(complaint: str) -> bool:
    """The wallet's books outlive a test's database: a bill's number holds when it was made (UUID version 7)."""
    found = re.fullmatch(r"the wallet paid HK([0-9A-F]{12})\w+, which no settled order knows", complaint)
    first = Event.objects.earliest("id").at
    return found is not None and int(found[1], 16) < int(first.timestamp() * 1000)


def hurry() -> None:
    """Let every job that waits for its next try run now."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET scheduled_at = NULL WHERE status = 'todo'")


def sweep_payouts() -> int:
    """What the sweep does a few seconds later: ask about every payout that is still open; how many.

    It leaves alone what a job has in hand at that moment, so it looks again where nothing was to be had.
    """
    for _ in range(20):
        with clock.shifted(timedelta(seconds=10)):
            if found := settlement.sweep():
                return found
        time.sleep(0.1)
    return 0
