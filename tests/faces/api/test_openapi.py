"""The document of the API: valid OpenAPI 3.1, and everything a client needs to know said in it."""

import json
from typing import Any

import jsonschema_rs
import pytest
from django.test import Client
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from huika.faces.api.document import openapi, operations
from huika.kit import ids

DOCUMENT: dict[str, Any] = json.loads(json.dumps(openapi()))
OPERATIONS = [
    pytest.param(path, method, operation, id=operation["operationId"])
    for path, method, operation in operations(DOCUMENT)
]
PROBLEM_REF = {"$ref": "#/components/schemas/Problem"}


def everywhere(value: Any) -> list[dict[str, Any]]:
    """Every object inside a document."""
    if isinstance(value, dict):
        return [value, *(x for v in value.values() for x in everywhere(v))]
    return [x for v in value for x in everywhere(v)] if isinstance(value, list) else []


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema with its reference followed."""
    return DOCUMENT["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]] if "$ref" in schema else schema


def validator(schema: dict[str, Any]) -> Any:
    """A JSON Schema 2020-12 validator that knows the components and checks formats."""
    return jsonschema_rs.Draft202012Validator({**schema, "components": DOCUMENT["components"]}, validate_formats=True)


def test_the_document_is_valid_openapi_3_1() -> None:
    assert DOCUMENT["openapi"].startswith("3.1.")
    assert [str(e) for e in OPENAPI_31_VALIDATOR.iter_errors(DOCUMENT)] == []
    assert len(OPERATIONS) > 50


def test_every_reference_leads_somewhere_and_every_schema_is_json_schema() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    refs = {o["$ref"] for o in everywhere(DOCUMENT) if isinstance(o.get("$ref"), str)}
    assert refs
    assert {r.removeprefix("#/components/schemas/") for r in refs} <= set(schemas)
    for name, schema in schemas.items():
        assert schema["description"].strip(), name
        jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})


def test_ids_are_unique_and_the_served_document_is_this_one() -> None:
    found = [o["operationId"] for _, _, o in operations(DOCUMENT)]
    assert len(set(found)) == len(found)
    answer = Client().get("/v1/openapi.json")
    assert answer.status_code == 200
    assert answer.json() == DOCUMENT


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_an_operation_says_what_it_does_and_takes(path: str, method: str, operation: dict[str, Any]) -> None:
    assert operation["operationId"]
    assert len(operation["summary"]) > 5
    assert operation["summary"] != operation["operationId"].replace("_", " ").title()
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        assert content["schema"], media
        if media == "application/json":
            assert validator(content["schema"]).is_valid(content["example"]), content["example"]
        elif media == "text/csv":
            assert content["example"]
    assert {p for p in path.split("/") if p.startswith("{")} == {
        f"{{{p['name']}}}" for p in operation.get("parameters", []) if p["in"] == "path"
    }


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_every_field_that_is_taken_has_an_example_or_a_closed_list(
    path: str, method: str, operation: dict[str, Any]
) -> None:
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        if media != "application/json":
            continue
        fields = resolved(content["schema"])["properties"]
        for name, field in fields.items():
            inner = resolved(field.get("items", {}))
            assert {"examples", "enum", "const", "default"} & set(field) or "properties" in inner, f"{path} {name}"
            for example in field.get("examples", []):
                assert validator(field).is_valid(example), f"{name}: {example}"


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_answers_are_documented(path: str, method: str, operation: dict[str, Any]) -> None:
    answers = operation["responses"]
    good = [code for code in answers if code.startswith("2")]
    assert len(good) == 1
    assert answers[good[0]]["content"], "an answer says what it is"
    needed = {"422", "503"}
    needed |= {"401", "403"} if operation.get("security") else set()
    needed |= {"404"} if "{" in path else set()
    needed |= {"409", "429"} if method == "post" else set()
    needed |= {"400", "413"} if "requestBody" in operation else set()
    assert needed <= set(answers)
    for code, answer in answers.items():
        assert answer["description"].strip()
        if not code.startswith("2"):
            assert answer["content"] == {"application/problem+json": {"schema": PROBLEM_REF}}, code


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_what_needs_a_caller_says_how_to_be_one(path: str, method: str, operation: dict[str, Any]) -> None:
    """The document and the code agree on who may come without credentials."""
    answer = Client(raise_request_exception=False).generic(
        method.upper(), path.format(order_id=ids.uuid7(), card_id=ids.uuid7(), visit_id=ids.uuid7(),
                                    comparison_id=ids.uuid7(), item_id=ids.uuid7(), seller_id=ids.uuid7(),
                                    bargain_id=ids.uuid7(), recycler_id=ids.uuid7(), month="2026-11",
                                    slug="x", city="x", kind="x"),
        headers={"Idempotency-Key": ids.uuid7().hex, "Authorization": "Basic x"},
    ) if operation.get("security") else None  # fmt: skip
    if answer is not None:
        named = {name for need in operation["security"] for name in need}
        wanted = "key_needed" if named == {"Signed"} else "not_signed_in"
        assert (answer.status_code, answer.json()["code"]) == (401, wanted)
    schemes = DOCUMENT["components"]["securitySchemes"]
    assert {name for need in operation.get("security", []) for name in need} <= set(schemes)


def test_the_two_ways_of_signing_in_are_described() -> None:
    schemes = DOCUMENT["components"]["securitySchemes"]
    assert schemes["Bearer"] == {"type": "http", "scheme": "bearer"}
    assert schemes["Signed"]["type"] == "apiKey"
    assert all(f"X-Huika-{word}" in schemes["Signed"]["description"] for word in ("Timestamp", "Nonce", "Signature"))
    without = {p for p, _, o in operations(DOCUMENT) if not o.get("security")}
    assert without == {
        "/v1/kinds", "/v1/kinds/{slug}", "/v1/cities", "/v1/cities/{city}/districts", "/v1/limits", "/v1/reasons",
        "/v1/keys", "/v1/kinds/{slug}/prices", "/v1/comparisons", "/v1/comparisons/{comparison_id}",
        "/v1/comparisons/{comparison_id}/record", "/v1/recyclers/{recycler_id}/key",
        "/v1/comparisons/{comparison_id}/bargains", "/v1/bargains/{bargain_id}", "/v1/bargains/{bargain_id}/asks",
        "/v1/bargains/{bargain_id}/take", "/v1/bargains/{bargain_id}/leave",
        "/v1/codes", "/v1/sessions", "/v1/staff/sessions",
    }  # fmt: skip


POSTS = [p for p in OPERATIONS if p.values[1] == "post"]


@pytest.mark.parametrize(("path", "method", "operation"), POSTS)
def test_every_post_requires_an_idempotency_key(path: str, method: str, operation: dict[str, Any]) -> None:
    (key,) = [p for p in operation["parameters"] if p["name"] == "Idempotency-Key"]
    assert key["required"] is True
    assert key["in"] == "header"
    assert (key["schema"]["minLength"], key["schema"]["maxLength"]) == (8, 80)


def test_nothing_else_is_changed_without_a_key() -> None:
    """What is no POST is a GET, or a DELETE that may be repeated as it is."""
    assert {m for _, m, _ in operations(DOCUMENT)} == {"get", "post", "delete"}


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["", "short", "x" * 81, "with space", "汉字汉字汉字汉字", "a\tb45678"])
def test_a_key_that_is_missing_or_malformed_is_refused(key: str) -> None:
    body = {"phone": "13800000001", "device": "a device of sixteen or more"}
    headers = {"Idempotency-Key": key} if key else {}
    answer = Client().post("/v1/codes", json.dumps(body), content_type="application/json", headers=headers)
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["data"]["field"] == "Idempotency-Key"


@pytest.mark.django_db
def test_djangos_own_refusals_are_problems_too() -> None:
    client = Client(raise_request_exception=False)
    cases = [
        (client.get("/v1/nothing/here"), 404, "not_found"),
        (client.put("/v1/cities"), 405, "method_not_allowed"),
        (client.get("/v1/orders/not-a-uuid", headers={"Authorization": "Bearer x"}), 401, "not_signed_in"),
        (client.get("/v1/cities", headers={"Host": "evil.example"}), 400, "unreadable"),
        (client.post("/v1/codes", b"{", content_type="application/json",
                     headers={"Idempotency-Key": "12345678"}), 400, "unreadable"),
        (client.post("/v1/codes", b"x" * 64_001, content_type="application/json"), 413, "body_too_large"),
        (client.generic("POST", "/v1/codes", CONTENT_LENGTH="ten"), 400, "unreadable"),
    ]  # fmt: skip
    for answer, status, code in cases:
        assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json"), answer
        body = answer.json()
        assert (body["status"], body["code"], body["type"]) == (status, code, f"urn:huika:problem:{code}")
        assert body["title"]
        assert body["detail"]
    assert cases[1][0].headers["Allow"] == "GET"
