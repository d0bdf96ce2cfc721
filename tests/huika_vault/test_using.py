"""/use: what the issuer did is found out, never done twice, and the PIN goes when it is spent."""

import asyncio
from uuid import uuid4

import httpx
import pytest
from starlette.testclient import TestClient

from huika_vault.core import canonical


def state(world, claims):
    return world.query("SELECT state FROM vault.use WHERE jti = %s", [claims["jti"]])[0][0]


def code(response, status):
    assert response.status_code == status, response.text
    return response.json()["code"]


def test_balance_answers_and_changes_nothing(world):
    card = world.sealed_card()
    claims = world.use_claims(card, "use.balance", account="")
    expected = {"result": "balance", "amount_fen": 50_000, "reason": "", "reference": "", "state": "active"}
    assert world.post("/use", claims).json() == expected
    world.issuer.balance = 1
    assert world.post("/use", claims).json() == expected
    assert len(world.issuer.requests) == 1
    assert world.issuer.requests[0][2] == {"kind": "walmart", "number": card.number, "pin": card.pin}


@pytest.mark.parametrize(("verb", "result"), [("use.bind", "bound"), ("use.redeem", "redeemed")])
def test_success_wipes_the_pin_and_is_remembered(world, verb, result):
    card = world.sealed_card()
    claims = world.use_claims(card, verb)
    expected = {"result": result, "amount_fen": 50_000, "reason": "", "reference": "REF-1"}
    assert world.post("/use", claims).json() == expected
    assert world.post("/use", claims).json() == expected
    assert len(world.issuer.requests) == 1
    sent = world.issuer.requests[0][2]
    assert sent == {
        "kind": "walmart",
        "number": card.number,
        "pin": card.pin,
        "account": "acct-1",
        "request_no": claims["jti"],
    }
    row = world.query(
        "SELECT state, wrapped_pin, wrapped_number IS NULL FROM vault.card WHERE card_id = %s", [card.card]
    )
    assert row == [("used", None, False)]
    for again in ("use.bind", "use.redeem", "use.balance", "use.pin_change"):
        assert code(world.post("/use", world.use_claims(card, again)), 409) == "card.used"


def test_a_refusal_is_final_for_its_capability_and_leaves_the_card(world):
    card = world.sealed_card()
    world.issuer.pins[card.number] = "another"
    claims = world.use_claims(card)
    answer = world.post("/use", claims)
    assert (answer.status_code, answer.json()["result"], answer.json()["reason"]) == (200, "refused", "wrong_pin")
    world.issuer.pins[card.number] = card.pin
    assert world.post("/use", claims).json() == answer.json()
    assert world.post("/use", world.use_claims(card)).json()["result"] == "bound"
    assert world.issuer.effects == [("bind", card.number)]


def test_an_issuer_cannot_make_the_vault_tell_a_pin(world):
    card = world.sealed_card(pin="84-29 17")
    world.issuer.pins[card.number] = "another"
    world.issuer.reason = "the pin 842917 is wrong"
    assert world.post("/use", world.use_claims(card)).json()["reason"] == "withheld"


@pytest.mark.parametrize("mode", ["down", "unreachable", "slow_no"])
def test_an_issuer_that_did_nothing_is_asked_and_then_sent_to_again(world, mode):
    card = world.sealed_card()
    claims = world.use_claims(card)
    world.issuer.mode = [mode]
    answer = world.post("/use", claims)
    assert (answer.status_code, answer.json()["result"], answer.json()["amount_fen"]) == (202, "unknown", None)
    assert state(world, claims) == "unknown"
    assert world.post("/use", claims).json()["result"] == "bound"
    methods = [(method, path.rsplit("/", 1)[-1]) for method, path, _ in world.issuer.requests]
    assert methods == [("POST", "bind"), ("GET", claims["jti"]), ("POST", "bind")]
    assert {body["request_no"] for method, _, body in world.issuer.requests if method == "POST"} == {claims["jti"]}
    assert world.issuer.effects == [("bind", card.number)]


@pytest.mark.parametrize("mode", ["lost", "garbled"])
def test_a_lost_answer_is_found_without_sending_again(world, mode):
    card = world.sealed_card()
    claims = world.use_claims(card)
    world.issuer.mode = [mode]
    assert world.post("/use", claims).status_code == 202
    assert world.query("SELECT state FROM vault.card WHERE card_id = %s", [card.card]) == [("sealed",)]
    assert world.post("/use", claims).json()["result"] == "bound"
    assert [method for method, _, _ in world.issuer.requests] == ["POST", "GET"]
    assert world.issuer.effects == [("bind", card.number)]
    assert world.query("SELECT state FROM vault.card WHERE card_id = %s", [card.card]) == [("used",)]


def test_only_a_definite_404_permits_sending_again(world):
    card = world.sealed_card()
    claims = world.use_claims(card)
    world.issuer.mode = ["slow_no", "down", "unreachable", "garbled", "lost"]
    answers = [world.post("/use", claims).status_code for _ in range(5)]
    assert answers == [202] * 5
    assert [method for method, _, _ in world.issuer.requests] == ["POST", "GET", "GET", "GET", "GET"]
    assert world.issuer.effects == []
    assert world.post("/use", claims).json()["result"] == "bound"


def test_an_issuer_down_for_long_binds_once_when_it_comes_back(world):
    card = world.sealed_card()
    claims = world.use_claims(card)
    world.issuer.mode = ["lost", *["down"] * 6]
    for _ in range(7):
        assert world.post("/use", claims | {"exp": int(world.now.timestamp()) + 60}).status_code == 202
        world.later(900)
    assert world.post("/use", claims | {"exp": int(world.now.timestamp()) + 60}).json()["result"] == "bound"
    assert world.issuer.effects == [("bind", card.number)]


def test_while_an_operation_is_open_nothing_else_happens_to_the_card(world):
    card = world.sealed_card()
    claims = world.use_claims(card)
    world.issuer.mode = ["lost"]
    assert world.post("/use", claims).status_code == 202
    public = "A" * 43 + "="
    release = world.claims(card, "release", {"recipient_public_key": public, "recipient": "r"})
    assert code(world.post("/use", world.use_claims(card, account="acct-2")), 409) == "card.unsettled"
    assert code(world.post("/use", world.use_claims(card, "use.pin_change")), 409) == "card.unsettled"
    assert code(world.post("/release", release), 409) == "card.unsettled"
    assert code(world.seal(card), 409) == "card.unsettled"
    for mark in ("sold", "returned"):
        assert code(world.post("/mark", world.claims(card, "mark", {"state": mark})), 409) == "card.unsettled"
    assert world.post("/use", claims).json()["result"] == "bound"
    assert world.issuer.effects == [("bind", card.number)]


def test_a_balance_that_was_lost_is_simply_asked_again(world):
    card = world.sealed_card()
    claims = world.use_claims(card, "use.balance")
    world.issuer.mode = ["lost"]
    assert world.post("/use", claims).status_code == 202
    assert world.post("/use", claims).json()["amount_fen"] == 50_000
    assert [path for _, path, _ in world.issuer.requests] == ["/issuer/balance", "/issuer/balance"]


def test_a_vault_that_died_after_the_pending_row_asks_first(world):
    card = world.sealed_card()
    claims = world.use_claims(card)

    def die(request):
        world.issuer(request)
        raise RuntimeError("killed")

    with TestClient(world.make_app(httpx.MockTransport(die))) as client:
        header = {"Authorization": world.signed(canonical(claims))}
        assert client.post("/use", headers=header).status_code == 500
    assert state(world, claims) == "pending"
    # Its lease still runs: it might be alive and asking.
    assert world.post("/use", claims).status_code == 202
    assert len(world.issuer.requests) == 1
    world.later(21)
    assert world.post("/use", claims).json()["result"] == "bound"
    assert world.issuer.effects == [("bind", card.number)]


def test_a_database_lost_after_the_issuer_answered_costs_nothing(world, monkeypatch):
    card = world.sealed_card()
    claims = world.use_claims(card)
    real = world.issuer.work

    def work(path, body):
        answer = real(path, body)
        if body:
            monkeypatch.setattr("huika_vault.store.Transaction.settle_use", broken)
        return answer

    async def broken(*_):
        raise OSError("gone")

    world.issuer.work = work
    assert code(world.post("/use", claims), 500) == "vault.failed"
    assert world.query("SELECT state, wrapped_pin IS NULL FROM vault.card WHERE card_id = %s", [card.card]) == [
        ("sealed", False)
    ]
    monkeypatch.undo()
    world.later(21)
    assert world.post("/use", claims).json()["result"] == "bound"
    assert world.issuer.effects == [("bind", card.number)]


def test_the_same_call_many_times_at_once_acts_once(world):
    card = world.sealed_card()
    claims = world.use_claims(card)

    async def slowly(request):
        await asyncio.sleep(0.05)
        return world.issuer(request)

    async def burst():
        app = world.make_app(httpx.MockTransport(slowly))
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(transport=transport, base_url="http://vault") as client:
                header = {"Authorization": world.signed(canonical(claims))}
                answers = await asyncio.gather(*(client.post("/use", headers=header) for _ in range(12)))
                return answers, await client.post("/use", headers=header)

    answers, last = asyncio.run(burst())
    results = [answer.json()["result"] for answer in answers]
    assert results.count("bound") >= 1 and set(results) <= {"bound", "unknown"}
    assert last.json()["result"] == "bound"
    assert [method for method, _, _ in world.issuer.requests] == ["POST"]


def test_two_accounts_at_once_cannot_both_have_the_card(world):
    card = world.sealed_card()
    calls = [world.use_claims(card, account=f"acct-{n}") for n in range(6)]

    async def slowly(request):
        await asyncio.sleep(0.05)
        return world.issuer(request)

    async def burst():
        app = world.make_app(httpx.MockTransport(slowly))
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(transport=transport, base_url="http://vault") as client:
                headers = [{"Authorization": world.signed(canonical(claims))} for claims in calls]
                return await asyncio.gather(*(client.post("/use", headers=header) for header in headers))

    answers = asyncio.run(burst())
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 5
    assert {answer.json().get("code") for answer in answers} <= {None, "card.unsettled", "card.used"}
    assert world.issuer.effects == [("bind", card.number)]


def test_two_seals_of_one_number_at_once_see_each_other(world):
    one = world.new_card()
    two = world.new_card(number=one.number)
    sent = [(world.claims(card, "seal"), world.sealed_body(card)) for card in (one, two)]

    async def burst():
        app = world.make_app(None)
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(transport=transport, base_url="http://vault") as client:
                calls = []
                for claims, body in sent * 3:
                    header = {"Authorization": world.signed(canonical(claims))}
                    calls.append(client.post("/seal", json=body, headers=header))
                return await asyncio.gather(*calls)

    answers = [answer.json() for answer in asyncio.run(burst())]
    assert sorted(answer["seen_before"] for answer in answers[:2]) == [False, True]
    assert answers[0] == answers[2] == answers[4] and answers[1] == answers[3] == answers[5]
    assert world.query("SELECT seals FROM vault.card WHERE card_id = ANY(%s)", [[one.card, two.card]]) == [(1,), (1,)]


def test_a_changed_pin_is_the_vaults_own_and_survives_a_lost_answer(world):
    card = world.sealed_card(pin="493817")
    claims = world.use_claims(card, "use.pin_change", account="")
    world.issuer.mode = ["lost"]
    assert world.post("/use", claims).status_code == 202
    made = world.issuer.pins[card.number]
    assert made != "493817" and len(made) == 6 and made.isdigit()
    answer = world.post("/use", claims)
    assert answer.json() == {"result": "changed", "amount_fen": 50_000, "reason": "", "reference": "REF-1"}
    assert made not in answer.text
    assert world.query("SELECT next_pin FROM vault.use WHERE jti = %s", [claims["jti"]]) == [(None,)]
    assert world.post("/use", world.use_claims(card)).json()["result"] == "bound"
    assert world.issuer.requests[-1][2]["pin"] == made


def test_a_pin_change_sent_again_asks_for_the_same_pin(world):
    card = world.sealed_card()
    claims = world.use_claims(card, "use.pin_change")
    world.issuer.mode = ["slow_no"]
    assert world.post("/use", claims).status_code == 202
    assert world.post("/use", claims).json()["result"] == "changed"
    sent = [body["new_pin"] for method, _, body in world.issuer.requests if method == "POST"]
    assert len(sent) == 2 and len(set(sent)) == 1


def test_a_refused_pin_change_leaves_the_old_pin(world):
    card = world.sealed_card()
    world.issuer.pins[card.number] = "another"
    claims = world.use_claims(card, "use.pin_change")
    assert world.post("/use", claims).json()["result"] == "refused"
    assert world.query("SELECT next_pin FROM vault.use WHERE jti = %s", [claims["jti"]]) == [(None,)]
    world.issuer.pins[card.number] = card.pin
    assert world.post("/use", world.use_claims(card)).json()["result"] == "bound"


def test_a_card_without_pin_has_none_to_change(world):
    card = world.sealed_card(pin="")
    assert code(world.post("/use", world.use_claims(card, "use.pin_change")), 409) == "card.no_pin"
    assert world.post("/use", world.use_claims(card)).json()["result"] == "bound"


def test_arguments_of_use(world):
    card = world.sealed_card()
    for verb, args in (
        ("use.bind", {"kind": "w"}),
        ("use.redeem", {"kind": "w", "account": ""}),
        ("use.balance", {}),
        ("use.balance", {"kind": "w", "pin": "1"}),
    ):
        assert code(world.post("/use", world.claims(card, verb, args)), 403) == "capability.wrong_args"
    assert world.post("/use", world.claims(card, "use.balance", {"kind": "w"})).status_code == 200


def test_another_account_under_the_same_capability_is_refused(world):
    card = world.sealed_card()
    claims = world.use_claims(card)
    world.issuer.mode = ["slow_no"]
    assert world.post("/use", claims).status_code == 202
    thief = claims | {"args": {"kind": "walmart", "account": "thief"}}
    assert code(world.post("/use", thief), 409) == "capability.reused"
    other = world.sealed_card()
    elsewhere = claims | {"card": str(other.card), "order": str(other.order), "picture": other.picture}
    assert code(world.post("/use", elsewhere), 409) == "capability.reused"


def test_without_an_issuer_use_says_so(world):
    card = world.sealed_card()
    header = {"Authorization": world.signed(canonical(world.use_claims(card) | {"jti": str(uuid4())}))}
    with TestClient(world.make_app(None)) as client:
        assert code(client.post("/use", headers=header), 503) == "issuer.none"


def test_calls_that_outlive_their_lease_do_not_disturb_each_other(world):
    card = world.sealed_card()
    claims = world.use_claims(card)
    header = {"Authorization": world.signed(canonical(claims | {"exp": int(world.now.timestamp()) + 200}))}

    async def story():
        gates = [asyncio.Event() for _ in range(2)]

        async def handler(request):
            number = len(world.issuer.requests)
            answer = world.issuer(request)
            if number < 2:
                await gates[number].wait()
            if number == 0:
                raise httpx.ReadError("the first answer never comes", request=request)
            return answer

        async def reach(requests):
            while len(world.issuer.requests) < requests:
                await asyncio.sleep(0.01)

        app = world.make_app(httpx.MockTransport(handler))
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://vault")
        async with app.router.lifespan_context(app), client:
            first = asyncio.create_task(client.post("/use", headers=header))
            await reach(1)
            world.later(21)
            second = asyncio.create_task(client.post("/use", headers=header))
            await reach(2)
            # The first comes home knowing nothing; the second still asks, so a third must wait.
            gates[0].set()
            assert (await first).status_code == 202
            assert (await client.post("/use", headers=header)).status_code == 202
            assert len(world.issuer.requests) == 2
            gates[1].set()
            assert (await second).json()["result"] == "bound"

    asyncio.run(asyncio.wait_for(story(), 10))
    assert world.issuer.effects == [("bind", card.number)]


def test_a_late_comer_tells_what_was_settled_meanwhile(world):
    card = world.sealed_card()
    claims = world.use_claims(card)
    header = {"Authorization": world.signed(canonical(claims | {"exp": int(world.now.timestamp()) + 200}))}

    async def story():
        gate = asyncio.Event()

        async def handler(request):
            first = not world.issuer.requests
            answer = world.issuer(request)
            if first:
                await gate.wait()
                raise httpx.ReadError("the first answer never comes", request=request)
            return answer

        app = world.make_app(httpx.MockTransport(handler))
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://vault")
        async with app.router.lifespan_context(app), client:
            first = asyncio.create_task(client.post("/use", headers=header))
            while not world.issuer.requests:
                await asyncio.sleep(0.01)
            world.later(21)
            second = await client.post("/use", headers=header)
            gate.set()
            return (await first).json(), second.json()

    first, second = asyncio.run(asyncio.wait_for(story(), 10))
    assert first == second and first["result"] == "bound"
    assert world.issuer.effects == [("bind", card.number)]
