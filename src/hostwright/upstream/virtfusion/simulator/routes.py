"""The vendor's paths."""

from __future__ import annotations

import secrets
from typing import Any, Final, TypeAlias

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException
from litestar.params import FromPath

from hostwright.upstream.virtfusion.simulator import answers, server_object
from hostwright.upstream.virtfusion.simulator.facts import ServerFact, Work
from hostwright.upstream.virtfusion.simulator.world import World

API: Final = "/api/v1"
MOST_RESULTS: Final = 200
USUAL_RESULTS: Final = 20
POWER: Final = {work.value: work for work in (Work.BOOT, Work.SHUTDOWN, Work.RESTART, Work.POWEROFF)}
MAIN_ACCOUNTS: Final = {"root", "Administrator"}
LETTERS: Final = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"

AnyRequest: TypeAlias = Request[Any, Any, Any]  # noqa: UP040  a `type` statement would hide the class from Litestar


class Refusal(Exception):
    """An answer outside 2xx, in one of the vendor's shapes."""

    def __init__(self, status: int, body: answers.Json) -> None:
        self.status = status
        self.body = body
        super().__init__(str(status))


def _unknown(what: str) -> Refusal:
    return Refusal(404, {"msg": f"{what} not found"})


def _invalid(field: str, message: str) -> Refusal:
    return Refusal(422, {"message": "The given data was invalid.", "errors": {field: [message]}})


def _server(world: World, server_id: int) -> ServerFact:
    server = world.server(server_id)
    if server is None:
        raise _unknown("server")
    return server


def _ready(world: World, server_id: int) -> ServerFact:
    """A server that takes work: free, not suspended, built."""
    server = _server(world, server_id)
    if world.pending(server_id) is not None:
        raise Refusal(423, {"errors": ["The server has a pending task in its queue."]})
    if server.suspended:
        raise Refusal(409, {"msg": "The server is suspended"})
    if server.state != "complete":
        raise Refusal(409, {"msg": "The server is not built"})
    return server


def _number(request: AnyRequest, name: str, default: int, most: int) -> int:
    text = request.query_params.get(name, str(default))
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise _invalid(name, f"The {name} must be between 1 and {most}.")
    return int(text)


@get("/connect")
async def connect() -> dict[str, Any]:
    return {"data": []}


@get("/servers")
async def list_servers(request: AnyRequest, world: NamedDependency[World]) -> dict[str, Any]:
    size = _number(request, "results", USUAL_RESULTS, MOST_RESULTS)
    number = _number(request, "page", 1, 1_000_000)
    servers = world.listed
    shown = servers[(number - 1) * size : number * size]
    address = f"{request.url.scheme}://control.example{request.url.path}"
    lines = [answers.line(server) for server in shown]
    return answers.page(lines, number=number, size=size, total=len(servers), address=address)


@get("/servers/user/{user_id:int}")
async def servers_of_user(world: NamedDependency[World], user_id: FromPath[int]) -> dict[str, Any]:
    if user_id not in world.users:
        raise _unknown("user")
    return {"data": [server_object.of_user(world, one) for one in world.listed if one.owner_id == user_id]}


@get("/servers/{server_id:int}")
async def one_server(request: AnyRequest, world: NamedDependency[World], server_id: FromPath[int]) -> dict[str, Any]:
    remote_state = request.query_params.get("remoteState") == "true"
    return {"data": server_object.full(world, _server(world, server_id), remote_state=remote_state)}


@post("/servers/{server_id:int}/power/{action:str}", status_code=200)
async def power(world: NamedDependency[World], server_id: FromPath[int], action: FromPath[str]) -> dict[str, Any]:
    if action not in POWER:
        raise _unknown("route")
    item = world.begin(_ready(world, server_id), POWER[action])
    return {"data": {"queueId": item.id}}


@post("/servers/{server_id:int}/resetPassword", status_code=200)
async def reset_password(
    request: AnyRequest, world: NamedDependency[World], server_id: FromPath[int]
) -> dict[str, Any]:
    try:
        wanted = msgspec.json.decode(await request.body(), type=dict[str, Any])
    except msgspec.DecodeError:
        wanted = {}
    if wanted.get("user") not in MAIN_ACCOUNTS:
        raise _invalid("user", "The selected user is invalid.")
    item = world.begin(_ready(world, server_id), Work.RESET_PASSWORD)
    password = "".join(secrets.choice(LETTERS) for _ in range(20))
    return {"data": {"queueId": item.id, "expectedPassword": password}}


@get("/servers/{server_id:int}/traffic")
async def traffic(world: NamedDependency[World], server_id: FromPath[int]) -> dict[str, Any]:
    return answers.traffic(world, _server(world, server_id))


@get("/servers/{server_id:int}/templates")
async def templates(world: NamedDependency[World], server_id: FromPath[int]) -> dict[str, Any]:
    _server(world, server_id)
    return answers.templates(list(world.templates.values()))


@get("/packages")
async def packages(world: NamedDependency[World]) -> dict[str, Any]:
    return answers.packages(world)


@get("/queue/{queue_id:int}")
async def queue_item(world: NamedDependency[World], queue_id: FromPath[int]) -> dict[str, Any]:
    world.settle()
    item = world.queue.get(queue_id)
    if item is None:
        raise _unknown("queue item")
    return {"data": answers.queue_item(item, world.clock())}


def _refused(request: AnyRequest, error: Refusal) -> Response[answers.Json]:
    del request
    return Response(error.body, status_code=error.status)


def _no_such_path(request: AnyRequest, error: HTTPException) -> Response[answers.Json]:
    del request
    return Response({"message": error.detail}, status_code=error.status_code)


SHAPES: Final[dict[int | type[Exception], Any]] = {Refusal: _refused, HTTPException: _no_such_path}


def api() -> Router:
    """All of them."""
    handlers = [
        connect,
        list_servers,
        servers_of_user,
        one_server,
        power,
        reset_password,
        traffic,
        templates,
        packages,
        queue_item,
    ]
    return Router(API, route_handlers=handlers)
