"""What the vendor says no with, and what every path looks at first."""

from __future__ import annotations

from typing import Any, Final, TypeAlias, cast

import msgspec
from litestar import Request

from hostwright.upstream.virtfusion.simulator.answers import Json
from hostwright.upstream.virtfusion.simulator.facts import ServerFact
from hostwright.upstream.virtfusion.simulator.world import World

MOST_RESULTS: Final = 200
USUAL_RESULTS: Final = 20

AnyRequest: TypeAlias = Request[Any, Any, Any]  # noqa: UP040  a `type` statement would hide the class from Litestar


class Refusal(Exception):
    """An answer outside 2xx, in one of the vendor's shapes."""

    def __init__(self, status: int, body: Json) -> None:
        self.status = status
        self.body = body
        super().__init__(str(status))


def unknown(what: str) -> Refusal:
    """404, in the older shape."""
    return Refusal(404, {"msg": f"{what} not found"})


def invalid(field: str, message: str) -> Refusal:
    """422 about a field."""
    return Refusal(422, {"message": "The given data was invalid.", "errors": {field: [message]}})


def known(world: World, server_id: int) -> ServerFact:
    """A server that the vendor admits to."""
    server = world.server(server_id)
    if server is None:
        raise unknown("server")
    return server


def free(world: World, server_id: int) -> ServerFact:
    """A server that nothing is being done with."""
    server = known(world, server_id)
    if world.pending(server_id) is not None:
        raise Refusal(423, {"errors": ["The server has a pending task in its queue."]})
    return server


def usable(world: World, server_id: int) -> ServerFact:
    """A server that takes work: free and not suspended."""
    server = free(world, server_id)
    if server.suspended:
        raise Refusal(409, {"msg": "The server is suspended"})
    return server


def ready(world: World, server_id: int) -> ServerFact:
    """A server that takes work and is built."""
    server = usable(world, server_id)
    if server.state != "complete":
        raise Refusal(409, {"msg": "The server is not built"})
    return server


async def fields(request: AnyRequest) -> dict[str, Any]:
    """The body; empty when it is no object."""
    try:
        found: object = msgspec.json.decode(await request.body())
    except msgspec.DecodeError:
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def text_of(body: dict[str, Any], field: str, most: int) -> str:
    """A text that must be there."""
    value = body.get(field)
    if not isinstance(value, str) or not 1 <= len(value) <= most:
        raise invalid(field, f"The {field} must be between 1 and {most} characters.")
    return value


def paging(request: AnyRequest) -> tuple[int, int]:
    """The wanted page's number and size."""
    return _number(request, "page", 1, 1_000_000), _number(request, "results", USUAL_RESULTS, MOST_RESULTS)


def _number(request: AnyRequest, name: str, default: int, most: int) -> int:
    text = request.query_params.get(name, str(default))
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise invalid(name, f"The {name} must be between 1 and {most}.")
    return int(text)
