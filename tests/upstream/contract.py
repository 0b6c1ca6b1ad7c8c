"""Holding requests and answers to a contract file, and one contract to another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qsl

import msgspec
import pytest
import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

import hostwright
from hostwright.upstream.simulation.asgi import Answer, Asgi, Message, Receive, Scope, Send, replay, whole_body

CHECKOUT = Path(__file__).parents[2]
SHARED = CHECKOUT.parent / "shared" / "contracts"
METHODS = ("get", "post", "put", "patch", "delete")
URI = "urn:contract"

type Json = dict[str, Any]


class Operation(msgspec.Struct, frozen=True):
    """One method of one path. ``pointer`` leads to it within its document."""

    path: str
    method: str
    pointer: str

    @property
    def name(self) -> str:
        return f"{self.method.upper()} {self.path}"


class Contract:
    """A contract document."""

    def __init__(self, document: Json) -> None:
        self.document = document
        resource: Resource[Any] = Resource.from_contents(document, default_specification=DRAFT202012)
        self._registry: Registry[Any] = Registry().with_resource(URI, resource)

    @classmethod
    @cache
    def ours(cls, vendor: str) -> Contract:
        folder = Path(hostwright.__file__).parent / "upstream" / vendor
        return cls(yaml.safe_load((folder / "contract.yaml").read_text()))

    def operations(self) -> Iterator[Operation]:
        for path, item in self.document["paths"].items():
            for method in METHODS:
                if method in item:
                    escaped = path.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D")
                    yield Operation(path, method, f"{URI}#/paths/{escaped}/{method}")

    def at(self, operation: Operation) -> Json:
        return self.document["paths"][operation.path][operation.method]

    def resolved(self, value: Json) -> Json:
        """Follows one reference within the document."""
        if "$ref" not in value:
            return value
        found: Any = self.document
        for part in value["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return cast("Json", found)

    def parameters(self, operation: Operation, where: str) -> dict[str, Json]:
        found = (self.resolved(one) for one in self.at(operation).get("parameters", []))
        return {one["name"]: one for one in found if one["in"] == where}

    def find(self, method: str, path: str) -> Operation:
        """The operation of a request's path; raises AssertionError when there is none."""
        for operation in self.operations():
            pattern = re.sub(r"\\{\w+\\}", r"[^/]+", re.escape(operation.path))
            if operation.method == method.lower() and re.fullmatch(pattern, path):
                return operation
        message = f"{method} {path} is in no contract"
        raise AssertionError(message)

    def problems(self, schema: Json, value: Any) -> list[str]:
        """What does not fit; references in ``schema`` are to this document."""
        absolute = _absolute(schema)
        errors = Draft202012Validator(absolute, registry=self._registry).iter_errors(value)
        return [f"{error.json_path}: {error.message[:200]}" for error in errors]

    def request_problems(self, operation: Operation, query: str, body: bytes) -> list[str]:
        """What does not fit in a request."""
        known = self.parameters(operation, "query")
        found: list[str] = []
        for name, text in parse_qsl(query, keep_blank_values=True):
            if name not in known:
                found.append(f"query {name} is unknown")
                continue
            schema = known[name]["schema"]
            value: Any = msgspec.convert(text, int | bool, strict=False) if schema["type"] != "string" else text
            found += self.problems(schema, value)
        expected = self.at(operation).get("requestBody")
        if expected is None:
            return found + (["a body is unexpected"] if body else [])
        schema = expected["content"]["application/json"]["schema"]
        return found + (self.problems(schema, msgspec.json.decode(body)) if body else ["the body is missing"])

    def response(self, operation: Operation, status: int) -> Json:
        responses = self.at(operation)["responses"]
        return self.resolved(responses.get(str(status)) or responses["default"])

    def response_problems(self, operation: Operation, status: int, body: bytes) -> list[str]:
        """What does not fit in an answer."""
        content = self.response(operation, status).get("content")
        if content is None:
            try:
                msgspec.json.decode(body)
            except msgspec.DecodeError:
                return []
            return ["the body is JSON, though none is promised"] if body else []
        return self.problems(content["application/json"]["schema"], msgspec.json.decode(body))


def _absolute(schema: Any) -> Any:
    if isinstance(schema, dict):
        items = cast("Json", schema).items()
        return {key: f"{URI}{value}" if key == "$ref" else _absolute(value) for key, value in items}
    if isinstance(schema, list):
        return [_absolute(one) for one in cast("list[Any]", schema)]
    return schema


def vendors_document(vendor: str) -> Contract:
    """The vendor's own document; skips the test where it is not beside the checkout."""
    document = SHARED / f"{vendor}.openapi.yaml"
    if not document.exists():
        pytest.skip("the vendor's document is not beside this checkout")
    return Contract(yaml.safe_load(document.read_text()))


class Checked:
    """Stands before a simulator: notes every request and answer that does not fit, and which operations were seen.

    ``answers`` holds the last body of each operation.
    """

    def __init__(self, app: Asgi, contract: Contract, prefix: str) -> None:
        self._app = app
        self._contract = contract
        self._prefix = prefix
        self.problems: list[str] = []
        self.seen: set[tuple[str, int]] = set()
        self.answers: dict[str, bytes] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await whole_body(receive)
        answer = Answer(status=0)

        async def collect(message: Message) -> None:
            await answer.collect(message)

        await self._app(scope, replay(body), collect)
        path: str = scope["path"].removeprefix(self._prefix)
        if path != scope["path"] and answer.status:
            self._check(scope["method"], path, scope["query_string"].decode(), body, answer)
        await answer.send(send)

    def _check(self, method: str, path: str, query: str, body: bytes, answer: Answer) -> None:
        operation = self._contract.find(method, path)
        self.seen.add((operation.name, answer.status))
        self.answers[operation.name] = answer.body
        found = self._contract.request_problems(operation, query, body)
        found += self._contract.response_problems(operation, answer.status, answer.body)
        self.problems += [f"{operation.name} {answer.status}: {problem}" for problem in found]


def example_of(operation: Json, status: int = 200) -> Any:
    """The vendor's example of an answer, None when there is none."""
    content = operation["responses"].get(str(status), {}).get("content", {}).get("application/json", {})
    return content.get("example")


def shape_problems(ours: Any, theirs: Any, where: str = "$") -> list[str]:
    """Where something of ours has a key or a kind that the example does not show. Lists: by their first element."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        left, right = cast("Json", ours), cast("Json", theirs)
        found = [f"{where}.{key}: unknown" for key in left.keys() - right.keys()]
        for key in left.keys() & right.keys():
            found += shape_problems(left[key], right[key], f"{where}.{key}")
        return found
    if isinstance(ours, list) and isinstance(theirs, list):
        left, right = cast("list[Any]", ours), cast("list[Any]", theirs)
        return [p for one in left[:1] for p in shape_problems(one, right[0], f"{where}[]")] if right else []
    if ours is None or theirs is None or _kind(ours) == _kind(theirs):
        return []
    return [f"{where}: {_kind(ours)} instead of {_kind(theirs)}"]


def _kind(value: Any) -> str:
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__
