"""The vendor's paths."""

from __future__ import annotations

import secrets
from typing import Any, Final

from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException
from litestar.params import FromPath

from hostwright.upstream.virtfusion.simulator import answers, estate_routes, screen_routes, server_object, server_routes
from hostwright.upstream.virtfusion.simulator.facts import Work
from hostwright.upstream.virtfusion.simulator.refusals import (
    AnyRequest,
    Refusal,
    fields,
    invalid,
    known,
    paging,
    ready,
    unknown,
)
from hostwright.upstream.virtfusion.simulator.world import World

API: Final = "/api/v1"
POWER: Final = {work.value: work for work in (Work.BOOT, Work.SHUTDOWN, Work.RESTART, Work.POWEROFF)}
MAIN_ACCOUNTS: Final = {"root", "Administrator"}
LETTERS: Final = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


@get("/connect")
async def connect() -> dict[str, Any]:
    return {"data": []}


@get("/servers")
async def list_servers(request: AnyRequest, world: NamedDependency[World]) -> dict[str, Any]:
    number, size = paging(request)
    servers = world.listed
    shown = servers[(number - 1) * size : number * size]
    address = f"{request.url.scheme}://control.example{request.url.path}"
    lines = [answers.line(server) for server in shown]
    return answers.page(lines, number=number, size=size, total=len(servers), address=address)


@get("/servers/user/{user_id:int}")
async def servers_of_user(world: NamedDependency[World], user_id: FromPath[int]) -> dict[str, Any]:
    if user_id not in world.users:
        raise unknown("user")
    return {"data": [server_object.of_user(world, one) for one in world.listed if one.owner_id == user_id]}


@get("/servers/{server_id:int}")
async def one_server(request: AnyRequest, world: NamedDependency[World], server_id: FromPath[int]) -> dict[str, Any]:
    remote_state = request.query_params.get("remoteState") == "true"
    return {"data": server_object.full(world, known(world, server_id), remote_state=remote_state)}


@post("/servers/{server_id:int}/power/{action:str}", status_code=200)
async def power(world: NamedDependency[World], server_id: FromPath[int], action: FromPath[str]) -> dict[str, Any]:
    if action not in POWER:
        raise unknown("route")
    item = world.begin(ready(world, server_id), POWER[action])
    return {"data": {"queueId": item.id}}


@post("/servers/{server_id:int}/resetPassword", status_code=200)
async def reset_password(
    request: AnyRequest, world: NamedDependency[World], server_id: FromPath[int]
) -> dict[str, Any]:
    wanted = await fields(request)
    if wanted.get("user") not in MAIN_ACCOUNTS:
        raise invalid("user", "The selected user is invalid.")
    item = world.begin(ready(world, server_id), Work.RESET_PASSWORD)
    password = "".join(secrets.choice(LETTERS) for _ in range(20))
    return {"data": {"queueId": item.id, "expectedPassword": password}}


@get("/servers/{server_id:int}/traffic")
async def traffic(world: NamedDependency[World], server_id: FromPath[int]) -> dict[str, Any]:
    return answers.traffic(world, known(world, server_id))


@get("/servers/{server_id:int}/templates")
async def templates(world: NamedDependency[World], server_id: FromPath[int]) -> dict[str, Any]:
    known(world, server_id)
    return answers.templates(list(world.templates.values()))


@get("/packages")
async def packages(world: NamedDependency[World]) -> dict[str, Any]:
    return answers.packages(world)


@get("/queue/{queue_id:int}")
async def queue_item(world: NamedDependency[World], queue_id: FromPath[int]) -> dict[str, Any]:
    world.settle()
    item = world.queue.get(queue_id)
    if item is None:
        raise unknown("queue item")
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
        *server_routes.HANDLERS,
        *estate_routes.HANDLERS,
        *screen_routes.HANDLERS,
    ]
    return Router(API, route_handlers=handlers)
