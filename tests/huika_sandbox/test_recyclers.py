"""Recyclers that quote live: what an honest one answers is believed, and every lie is found by its name."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from huika.domain.market import live
from huika.domain.market.types import Line, Question, Reply
from huika_sandbox import recyclers

pytestmark = pytest.mark.anyio
LINES = [Line(1, "walmart", 1000_00, "electronic"), Line(2, "hema", 333_33, "physical")]


def asked(now: datetime) -> Question:
    until = now + timedelta(minutes=15)
    return live.question(uuid4(), "huika.test/log", UUID(int=3), "k", "shanghai", "visit", LINES, now, until)


async def replied(sandbox, question: Question, name: str = "lanhu") -> tuple[int, Reply]:
    answer = await sandbox.http.post(f"/recyclers/{name}/quotes", content=question.body)
    signature = bytes.fromhex(answer.headers.get("x-huika-signature", ""))
    return answer.status_code, Reply(question, "answered", 1, answer.content, signature)


async def test_an_honest_quote_is_believed_and_repeats(sandbox, keys):
    public, now = recyclers.private_key(keys).public_key().public_bytes_raw(), datetime.now(UTC)
    found = []
    for name in ("lanhu", "lanhu", "bailu"):
        status, reply = await replied(sandbox, asked(now), name)
        quote = live.read(reply, public, "huika.test/log", LINES, now)
        found.append([p.ratio_bp for p in quote.prices])
        assert status == 200 and quote.fees[0].code == "handling"
    assert found[0] == found[1] != found[2]


@pytest.mark.parametrize("lie", ["sums", "signature", "clock", "ratio", "expired"])
async def test_each_lie_is_found(sandbox, keys, lie):
    public, now = recyclers.private_key(keys).public_key().public_bytes_raw(), datetime.now(UTC)
    await sandbox.http.post("/faults", json={"recyclers": {"lie": lie}})
    _, reply = await replied(sandbox, asked(now))
    with pytest.raises(live.Refused) as found:
        live.read(reply, public, "huika.test/log", LINES, now)
    assert found.value.reason == lie


async def test_it_redirects_and_repeats_its_nonce_when_asked_to(sandbox, keys):
    public, now = recyclers.private_key(keys).public_key().public_bytes_raw(), datetime.now(UTC)
    await sandbox.http.post("/faults", json={"recyclers": {"lie": "redirect"}})
    status, _ = await replied(sandbox, asked(now))
    assert status == 307
    await sandbox.http.post("/faults", json={"recyclers": {"lie": "replay"}})
    nonces = set()
    for _ in range(2):
        _, reply = await replied(sandbox, asked(now))
        nonces.add(live.read(reply, public, "huika.test/log", LINES, now).nonce)
    assert nonces == {recyclers.NONCE}
