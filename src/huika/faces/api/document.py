"""The OpenAPI 3.1 document: what ninja writes, and what every operation shares."""

from collections.abc import Iterator
from typing import Any

from huika.faces.api.api import api
from huika.faces.api.schemas import Problem
from huika.kit import problems

PROBLEM = {"content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
WHY = {
    "400": "The request cannot be read.",
    "401": "Nobody is signed in, or what was sent to sign in is wrong.",
    "403": "This role never does this, or this is not who asked.",
    "404": "It does not exist, or it belongs to somebody else.",
    "409": "A rule or the present state forbids it; or the idempotency key was used for something else.",
    "413": "The body is larger than this operation takes.",
    "422": "The input is malformed.",
    "429": "Too often; wait.",
    "503": "Something behind us is out of reach; the same request with the same key may be sent again.",
}
SEALED = ("/receipt", "/record", "/key")  # not there before the log has them
ASKS = ("/prices",)  # about a card, which may be refused as one that cannot be
SIGNS_IN = "/staff/sessions"
ASKERS = "Comparison-Secret"


def openapi() -> dict[str, Any]:
    """The document."""
    document: dict[str, Any] = api.get_openapi_schema()
    components = document.setdefault("components", {}).setdefault("schemas", {})
    components["Problem"] = Problem.model_json_schema()
    for path, method, operation in operations(document):
        operation["operationId"] = operation["operationId"].removeprefix("huika_faces_api_")
        for parameter in operation.get("parameters", []):
            parameter.pop("examples", None)  # of a parameter they are a map; its schema keeps the list
        for media in operation.get("requestBody", {}).get("content", {}).values():
            if "example" not in media and "$ref" in media["schema"]:
                media["example"] = example(media["schema"], components)
        operation["responses"] = {str(code): answer for code, answer in operation["responses"].items()}
        for code in refusals(path, method, operation):
            operation["responses"].setdefault(code, {"description": WHY[code], **PROBLEM})
    return document


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(path, method, operation) of a document."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def refusals(path: str, method: str, operation: dict[str, Any]) -> Iterator[str]:
    """The statuses that an operation may refuse with."""
    yield from ("400", "422", "503")
    if operation.get("security"):
        yield from ("401", "403")
    elif path.endswith(SIGNS_IN):
        yield "401"
    elif any(parameter["name"] == ASKERS for parameter in operation.get("parameters", [])):
        yield "403"
    if "{" in path or method == "post" or path.endswith(SEALED):
        yield "404"
    if "requestBody" in operation:
        yield "413"
    if method == "post":
        yield from ("409", "429")
    elif path.endswith((*SEALED, *ASKS)):
        yield "409"


def example(schema: dict[str, Any], components: dict[str, Any]) -> Any:
    """An example put together from the first example, default or only value of each field."""
    if "$ref" in schema:
        return example(components[schema["$ref"].rsplit("/", 1)[-1]], components)
    for word in ("examples", "enum"):
        if word in schema:
            return schema[word][0]
    for word in ("default", "const"):
        if word in schema:
            return schema[word]
    if schema.get("type") == "array":
        return [example(schema["items"], components)]
    return {name: example(field, components) for name, field in schema["properties"].items()}
