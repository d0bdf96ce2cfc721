"""Route × role × foreign object, generated from the API's own document.

The rule that the code follows, in this order:

1. Each route knows one kind of credential (a bearer token, or a recycler's signed key). Whoever brings none, or the
   other kind, is nobody there: 401. What cannot be read at all is 422 for whoever gets that far.
2. Signed in, but in a role that never does this: 403, before anything is looked up, so that it says nothing about the
   object.
3. In a right role, but the object belongs to somebody else: 404, in every byte the answer for an object that does not
   exist, before the idempotency key is written and whatever state the object is in. The desk and the regulator see
   every order, so nothing of the trade is foreign to them.

Every operation is called as everybody with every order of the first seller; only GRANTS is written by hand, and an
operation, a path parameter or a body that is not known here fails the test.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile as Upload
from django.db import connection, transaction
from django.test import Client, override_settings
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from tests import database
from tests.faces.api import cast

from huika.domain.parties.types import Role
from huika.domain.vault import actions as vault
from huika.faces.api import document
from huika.faces.cli import stack
from huika.kit import ids, ports

SELLER, COURIER, DESK, REGULATOR, RECYCLER = Role.SELLER, Role.COURIER, Role.DESK, Role.REGULATOR, Role.RECYCLER
EVERYBODY = frozenset({*Role, None})
SIGNED_IN = frozenset(Role)

GRANTS: dict[str, frozenset[Role | None]] = {
    "public": EVERYBODY,
    "sessions.request_code": EVERYBODY,
    "sessions.sign_in": EVERYBODY,
    "sessions.sign_in_staff": EVERYBODY,
    "sessions.get_me": SIGNED_IN,
    "sessions.sign_out": SIGNED_IN,
    "sessions": frozenset({SELLER}),
    "orders.quote": frozenset({SELLER}),
    "orders.get_door": frozenset({SELLER}),
    "orders": frozenset({SELLER, DESK}),
    "visits": frozenset({COURIER}),
    "cards.get_card": frozenset({SELLER, COURIER, DESK}),
    "cards.decline": frozenset({SELLER, COURIER}),
    "cards.consent": frozenset({SELLER}),
    "cards.called_back": frozenset({DESK}),
    "cards": frozenset({COURIER}),
    "desk": frozenset({DESK}),
    "bargains": EVERYBODY,
    "recyclers": frozenset({RECYCLER}),
    "pricing": frozenset({RECYCLER}),
    "regulator": frozenset({REGULATOR}),
}
"""Who may ever call an operation (`module.function`, or all the others of a module); None is nobody."""

SEES_ALL = {DESK, REGULATOR}
SIGNED_MODULES = {"recyclers", "pricing"}
"""Routes that know a recycler's signed key; the others know bearer tokens."""

NO_OBJECT = {
    "slug": "walmart", "city": cast.CITY, "kind": "service", "comparison_id": str(UUID(int=0)),
    "bargain_id": str(UUID(int=0)), "recycler_id": str(UUID(int=0)), "month": "2026-11",
}  # fmt: skip
"""Path parameters that name nothing of anybody's: whoever has a comparison's secret reads its record and bargains."""
OF_AN_ORDER = {"order_id", "card_id", "visit_id"}
DESK_ONLY = {"item_id", "seller_id"}


@dataclass(frozen=True)
class Operation:
    """One operation of the document."""

    name: str
    method: str
    path: str
    params: tuple[str, ...]
    media: str
    body: Any  # the document's own example

    @property
    def module(self) -> str:
        """The room of the API it lives in."""
        return self.name.split(".")[0]

    @property
    def roles(self) -> frozenset[Role | None]:
        """Who may ever call it."""
        return GRANTS[self.name] if self.name in GRANTS else GRANTS[self.module]

    @property
    def objects(self) -> set[str]:
        """The objects its path names."""
        return set(self.params) - set(NO_OBJECT)


def operations() -> list[Operation]:
    """Every operation of the API."""
    found = []
    for path, method, o in document.operations(document.openapi()):
        params = tuple(p["name"] for p in o.get("parameters", []) if p["in"] == "path")
        content = o.get("requestBody", {}).get("content", {})
        media = next(iter(content), "")
        name = o["operationId"].replace("_", ".", 1)
        found.append(Operation(name, method.upper(), path, params, media, content.get(media, {}).get("example")))
    return found


OPERATIONS = operations()
OBJECT_OPERATIONS = [o for o in OPERATIONS if o.objects]
CALLERS = {
    "seller": SELLER, "other seller": SELLER, "courier": COURIER, "other courier": COURIER, "recycler": RECYCLER,
    "other recycler": RECYCLER, "recycler at a screen": RECYCLER, "desk": DESK, "regulator": REGULATOR, "nobody": None,
}  # fmt: skip
OWNERS = {"seller", "courier", "recycler"}


@pytest.fixture(scope="module")
def house(
    django_db_setup: Any, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[cast.House]:
    """Built once; every test of the module runs on it in a transaction of its own that is rolled back."""
    state = Path(tmp_path_factory.mktemp("matrix"))
    with django_db_blocker.unblock(), override_settings(STATE=state, FILES=state / "files"):
        try:
            yield cast.build()
        finally:
            database.empty(django_db_setup.owner)


@pytest.fixture(autouse=True)
def nobody_answers(settings: Any, own_state: None) -> Iterator[None]:
    """No counterparty: a call that would leave the house is refused at once; capabilities have a key of ours."""
    settings.SANDBOX_URL = settings.VAULT_URL = "http://127.0.0.1:1"
    stack._capability_keys(settings.KEYS)
    vault._key.cache_clear()
    ports.provider.cache_clear()
    yield
    vault._key.cache_clear()
    ports.provider.cache_clear()


def path_of(operation: Operation, values: dict[str, Any]) -> str:
    """The path with its parameters filled in; a parameter that nobody here knows is an error."""
    unknown = operation.objects - OF_AN_ORDER - DESK_ONLY
    assert not unknown, f"{operation.name}: {unknown} is new; say in test_matrix whose object it is"
    path = operation.path.format(**NO_OBJECT, **values)
    return f"{path}?day=2099-01-01" if operation.name == "orders.list_windows" else path


def body_of(operation: Operation) -> tuple[bytes, str]:
    """A well-formed body and its media type: the example of the document, or two files."""
    if operation.media == "multipart/form-data":
        assert operation.name == "cards.take_pictures", f"{operation.name}: say in test_matrix how its form is filled"
        files = {"front": Upload("f.jpg", b"a file"), "back": Upload("b.jpg", b"a file"), "number": ""}
        return encode_multipart(BOUNDARY, files), MULTIPART_CONTENT
    if operation.media == "text/csv":
        return operation.body.encode(), "text/csv"
    assert operation.body is not None or not operation.media, f"{operation.name}: its body has no example"
    return (json.dumps(operation.body).encode(), "application/json") if operation.media else (b"", "")


def call(caller: cast.Caller, operation: Operation, path: str, key: str = "") -> Any:
    """One call, undone afterwards."""
    body, media = body_of(operation)
    headers = caller.headers(operation.method, path, body) | {"Comparison-Secret": "0" * 32}
    if operation.method == "POST":
        headers["Idempotency-Key"] = key or ids.uuid7().hex
    with transaction.atomic():
        answer = Client(raise_request_exception=False).generic(
            operation.method, path, body, content_type=media or "application/octet-stream", headers=headers
        )
        answer.keys_written = keys_written()
        transaction.set_rollback(True)
    return answer


def keys_written() -> int:
    """Idempotency keys in the table."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM kit_idempotencykey")
        return int(cursor.fetchone()[0])


def objects_of(operation: Operation, house: cast.House) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every way of filling the operation's path with objects of the first of everybody."""
    if operation.objects <= DESK_ONLY:
        yield "the only one", {"item_id": house.item, "seller_id": house.callers["seller"].party}
        return
    for stage, order in house.orders.items():
        if "visit_id" in operation.objects and order.visit is None:
            continue
        for card in order.cards if "card_id" in operation.objects else order.cards[:1]:
            yield f"{stage} {card.n}", {"order_id": order.id, "card_id": card.id, "visit_id": order.visit}


def missing() -> dict[str, Any]:
    """Objects that do not exist."""
    return {name: ids.uuid7() for name in OF_AN_ORDER | DESK_ONLY}


def gate(operation: Operation, caller: cast.Caller, role: Role | None) -> int | None:
    """401 or 403 when the caller does not get in at all."""
    if None in operation.roles:
        return None
    signs = caller.keys is not None
    if role is None or signs != (operation.module in SIGNED_MODULES):
        return 401
    return None if role in operation.roles else 403


def same(one: Any, two: Any) -> bool:
    """Whether two answers cannot be told apart."""
    return (one.status_code, one.content, one.headers) == (two.status_code, two.content, two.headers)


def test_every_operation_is_granted_to_somebody_and_every_grant_is_used() -> None:
    assert len(OPERATIONS) > 50
    assert len(OBJECT_OPERATIONS) > 30
    assert [o.name for o in OPERATIONS if o.name not in GRANTS and o.module not in GRANTS] == []
    assert [g for g in GRANTS if not any(g in (o.name, o.module) for o in OPERATIONS)] == []
    for operation in OPERATIONS:
        path_of(operation, missing())
        body_of(operation)


@pytest.mark.django_db
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: o.name)
def test_who_is_let_in(house: cast.House, operation: Operation) -> None:
    """401 for nobody and for the other kind of credential, 403 for a role that never does this; it says no more."""
    real = [values for _, values in objects_of(operation, house)][-1] if operation.objects else {}
    for name, role in CALLERS.items():
        wanted = gate(operation, house.callers[name], role)
        answer = call(house.callers[name], operation, path_of(operation, real))
        if wanted is None:
            refused = answer.status_code in (401, 403) and answer.json()["code"] != "wrong_password"
            assert not refused and answer.status_code != 500, (name, answer.content)
            continue
        assert answer.status_code == wanted, (name, answer.content)
        assert answer.headers["Content-Type"] == "application/problem+json"
        if operation.objects:
            assert same(answer, call(house.callers[name], operation, path_of(operation, missing()))), name


@pytest.mark.django_db
@pytest.mark.parametrize("operation", OBJECT_OPERATIONS, ids=lambda o: o.name)
def test_a_foreign_object_is_as_if_it_did_not_exist(house: cast.House, operation: Operation) -> None:
    """404, byte for byte as for a missing one, in every state; the key stays free; repeating it changes nothing."""
    seen = 0
    for name, role in CALLERS.items():
        caller = house.callers[name]
        if name in OWNERS or role in SEES_ALL or gate(operation, caller, role):
            continue
        for stage, values in objects_of(operation, house):
            if (
                name == "other recycler"
                and stage.startswith("settled")
                and not foreign_to_other_recycler(operation, house, values)
            ):
                continue
            seen += 1
            key, before = ids.uuid7().hex, keys_written()
            foreign = call(caller, operation, path_of(operation, values), key)
            absent = call(caller, operation, path_of(operation, missing()), key)
            assert foreign.status_code == 404, (name, stage, foreign.content)
            assert same(foreign, absent), (name, stage)
            assert same(foreign, call(caller, operation, path_of(operation, values), key)), (name, stage)
            assert foreign.keys_written == before, (name, stage)
    right_roles = {r for r in operation.roles if r not in SEES_ALL}
    assert seen or not right_roles, f"nobody foreign has called {operation.name}"


def foreign_to_other_recycler(operation: Operation, house: cast.House, values: dict[str, Any]) -> bool:
    """The settled order has a lot of each recycler; of its cards only the second one's own is not foreign."""
    card = next((c for c in house.orders["settled"].cards if c.id == values["card_id"]), None)
    return "card_id" in operation.objects and card is not None and card.kind != "yonghui"


@pytest.mark.django_db
@pytest.mark.parametrize("operation", OBJECT_OPERATIONS, ids=lambda o: o.name)
def test_the_owner_finds_it(house: cast.House, operation: Operation) -> None:
    """The control: with the same path and body its owner, or the desk, is not told that it does not exist."""
    for role in operation.roles:
        name = {SELLER: "seller", COURIER: "courier", RECYCLER: "recycler", DESK: "desk"}[role]
        answers = {
            stage: call(house.callers[name], operation, path_of(operation, values)).status_code
            for stage, values in objects_of(operation, house)
        }
        assert set(answers.values()) - {404}, f"{name} finds none of them: {answers}"
        assert not set(answers.values()) & {401, 403, 422, 500} or body_is_read_first(operation, answers), answers


def body_is_read_first(operation: Operation, answers: dict[str, int]) -> bool:
    """The one body that cannot be well-formed without a real photograph."""
    return operation.name == "cards.take_pictures" and set(answers.values()) == {404, 422}


@pytest.mark.django_db
@pytest.mark.parametrize("operation", [o for o in OBJECT_OPERATIONS if DESK in o.roles], ids=lambda o: o.name)
def test_the_desk_is_told_that_a_missing_object_is_missing(house: cast.House, operation: Operation) -> None:
    answer = call(house.callers["desk"], operation, path_of(operation, missing()))
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def post(caller: cast.Caller, path: str, body: dict[str, Any]) -> Any:
    """One POST of JSON, undone afterwards."""
    raw = json.dumps(body, default=str).encode()
    headers = caller.headers("POST", path, raw) | {"Idempotency-Key": ids.uuid7().hex}
    with transaction.atomic():
        answer = Client(raise_request_exception=False).generic(
            "POST", path, raw, content_type="application/json", headers=headers
        )
        transaction.set_rollback(True)
    return answer


@pytest.mark.django_db
def test_objects_named_in_a_body_are_judged_like_those_in_a_path(house: cast.House) -> None:
    """Somebody else's payee, and a party that is no seller, are as if they did not exist."""
    own = house.callers["seller"]
    how = {"opens": "2099-01-01T01:00:00Z", "address": "测试路 1 号 301 室", "rail": "wallet"}
    path = f"/v1/orders/{house.orders['quoted'].id}/accept"
    foreign = post(own, path, how | {"payee": house.payees["other seller"]})
    absent = post(own, path, how | {"payee": ids.uuid7()})
    assert foreign.status_code == 404
    assert same(foreign, absent)
    assert post(own, path, how | {"payee": house.payees["seller"]}).status_code != 404

    desk, comparison = house.callers["desk"], comparison_now()
    asked: dict[str, Any] = {"comparison": comparison[0], "offer": comparison[1]}
    not_a_seller = post(desk, "/v1/desk/orders", asked | {"seller": house.callers["courier"].party})
    nobody = post(desk, "/v1/desk/orders", asked | {"seller": ids.uuid7()})
    assert nobody.status_code == 404
    assert same(not_a_seller, nobody)
    assert post(desk, "/v1/desk/orders", asked | {"seller": own.party}).status_code == 201


def comparison_now() -> tuple[UUID, str]:
    """A comparison that stands, and its best offer."""
    asked = {"city": cast.CITY, "district": cast.DISTRICT,
             "cards": [{"kind": "walmart", "face_value_fen": 1000_00, "form": "electronic"}]}  # fmt: skip
    answer = Client().post("/v1/comparisons", json.dumps(asked), content_type="application/json",
                           headers={"Idempotency-Key": ids.uuid7().hex}).json()  # fmt: skip
    return UUID(answer["id"]), answer["offers"][0]["id"]


@pytest.mark.django_db
def test_a_recycler_sees_its_own_share_of_an_order_alone(house: cast.House) -> None:
    """An order of two recyclers: each sees its lot, its cards and their net, nothing of the other's."""
    order = house.orders["settled"]
    shares = {}
    for name, kind in (("recycler", "walmart"), ("other recycler", "yonghui")):
        path = f"/v1/recycler/orders/{order.id}"
        seen = Client().get(path, headers=house.callers[name].headers("GET", path, b"")).json()
        assert [c["kind"] for c in seen["cards"]] == [kind]
        assert [lot["recycler"] for lot in seen["lots"]] == [str(house.callers[name].party)]
        shares[name] = seen["quoted_net_fen"]
        assert shares[name] == sum(c["accepted_net_fen"] for c in seen["cards"])
    assert sum(shares.values()) == order.quoted_net_fen


@pytest.mark.django_db
def test_lists_hold_nothing_foreign(house: cast.House) -> None:
    own = {str(o.id) for o in house.orders.values()}
    visits = {str(o.visit) for o in house.orders.values() if o.visit}

    def listed(name: str, path: str) -> list[dict[str, Any]]:
        return list(Client().get(path, headers=house.callers[name].headers("GET", path, b"")).json())

    assert {o["id"] for o in listed("seller", "/v1/orders")} == own
    assert listed("other seller", "/v1/orders") == []
    assert {o["id"] for o in listed("desk", "/v1/desk/orders")} == own
    assert {v["id"] for v in listed("courier", "/v1/visits")} == visits
    assert listed("other courier", "/v1/visits") == []
    assert listed("other seller", "/v1/me/payees")[0]["id"] == str(house.payees["other seller"])
    kinds = {c["kind"] for lot in listed("other recycler", "/v1/recycler/lots") for c in lot["cards"]}
    assert kinds == {"yonghui"}
    rows = listed("regulator", "/v1/regulator/trades")
    assert len(rows) == len(own)
    shown = json.dumps(rows, ensure_ascii=False)
    assert not [x for x in ("13800000001", "测试卖家", str(house.callers["seller"].party)) if x in shown]
