"""The API's document is valid, complete, and says of every operation who may call it and how it fails."""

from __future__ import annotations

import re
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from hostwright.app import App
from hostwright.identity.policy import STAFF_SCOPES
from tests.support.app import Client
from tests.support.routes import Route, routes_of

ERROR = {"$ref": "#/components/schemas/ErrorOut"}


@pytest.fixture
async def document(client: Client) -> dict[str, Any]:
    answer = await client.get("/api/openapi.json")
    assert answer.status_code == 200
    return answer.json()


@pytest.fixture
def described(app: App) -> list[Route]:
    return [route for route in routes_of(app) if route.operation]


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }


async def test_the_document_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    errors = [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()]
    assert errors == []


async def test_it_describes_every_operation_and_nothing_else(document: dict[str, Any], described: list[Route]) -> None:
    assert sorted(operations(document)) == sorted(route.label for route in described)


async def test_every_operation_has_an_id_of_its_own_a_summary_and_a_tag(document: dict[str, Any]) -> None:
    found = operations(document)
    ids = [operation["operationId"] for operation in found.values()]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z][A-Za-z]+", each) for each in ids)
    for label, operation in found.items():
        assert operation["summary"], label
        assert operation["description"], label
        assert len(operation["tags"]) == 1, label


async def test_every_operation_says_who_may_call_it(document: dict[str, Any], described: list[Route]) -> None:
    found = operations(document)
    for route in described:
        operation = found[route.label]
        ways = [next(iter(each)) for each in operation.get("security", [])]
        if route.auth == "public":
            assert ways == [], route.label
        elif route.scope is None:
            assert ways == ["session"], route.label
            assert "API keys are refused" in operation["description"], route.label
        else:
            assert route.scope in STAFF_SCOPES, route.label
            assert ways == (["key"] if route.auth == "api-key" else ["session", "key"]), route.label
            assert f"`{route.scope}`" in operation["description"], route.label
    assert set(document["components"]["securitySchemes"]) == {"session", "key"}


async def test_every_operation_names_its_errors_in_the_one_shape(
    document: dict[str, Any], described: list[Route]
) -> None:
    found = operations(document)
    for route in described:
        answers = found[route.label]["responses"]
        errors = {status for status in answers if int(status) >= 400}
        expected = {"400", "401", "429", "503"}
        if route.auth != "public":
            expected |= {"403"}
        if "requestBody" in found[route.label]:
            expected |= {"413", "415"}
        if route.parameters:
            expected |= {"404"}
        assert expected <= errors, route.label
        for status in errors:
            assert answers[status]["content"]["application/json"]["schema"] == ERROR, f"{route.label} {status}"
            assert answers[status]["description"], f"{route.label} {status}"
        assert [status for status in answers if int(status) < 400], route.label


async def test_keys_are_camel_case_but_for_required_scope(document: dict[str, Any]) -> None:
    names = {name for schema in document["components"]["schemas"].values() for name in schema.get("properties", {})}
    assert {name for name in names if not re.fullmatch(r"[a-z][A-Za-z0-9]*", name)} == {"required_scope"}


async def test_no_schema_has_room_for_a_secret(document: dict[str, Any]) -> None:
    """DEFECT-06 and DEFECT-23: answers are models of their own; only these hold a password, or take a token in."""
    with_secrets = {
        schema_name
        for schema_name, schema in document["components"]["schemas"].items()
        for name in schema.get("properties", {})
        if re.search(r"pass|hash|secret|token", name, re.IGNORECASE)
    }
    taken_in = {"ConnectionAdd", "ConnectionChange", "TestConnection"}
    assert with_secrets == {"SignIn", "Register", "NewPassword", "PasswordChange"} | taken_in
