"""Paths under ``/_sim/``: faults, what came in, and the company behind the vendor's back."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
from litestar import Response, Router, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from hostwright.upstream.simulation.faults import Fault
from hostwright.upstream.simulation.stage import Stage
from hostwright.upstream.virtfusion.simulator.facts import ServerChange
from hostwright.upstream.virtfusion.simulator.permissions import Area
from hostwright.upstream.virtfusion.simulator.refusals import Refusal
from hostwright.upstream.virtfusion.simulator.world import World


class Restart(msgspec.Struct, frozen=True):
    """Begins the simulation anew."""

    run: Callable[[], None]


class NewServer(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """A server to add."""

    owner_id: int
    name: str


class Permissions(msgspec.Struct, forbid_unknown_fields=True):
    """What the token may not do, by the words of `permissions`."""

    denied: list[Area]


def _json(content: object, status: int = 200) -> Response[bytes]:
    return Response(msgspec.json.encode(content), status_code=status, media_type="application/json")


@put("/faults")
async def replace_faults(stage: NamedDependency[Stage], data: JSONBody[list[Fault]]) -> Response[bytes]:
    """Put faults into force instead of those before."""
    try:
        stage.faults.replace(data)
    except re.error as error:
        raise Refusal(400, {"message": f"A path is no regular expression: {error}"}) from error
    return _json(stage.faults.in_force)


@get("/faults")
async def faults(stage: NamedDependency[Stage]) -> Response[bytes]:
    """Those that can still happen."""
    return _json(stage.faults.in_force)


@get("/requests")
async def requests(stage: NamedDependency[Stage]) -> Response[bytes]:
    """What was received, oldest first, without headers."""
    return _json(list(stage.requests))


@post("/reset", status_code=200)
async def reset(restart: NamedDependency[Restart]) -> dict[str, Any]:
    """No faults, nothing received, and the company as it was made."""
    restart.run()
    return {"ok": True}


@put("/permissions")
async def permissions(world: NamedDependency[World], data: JSONBody[Permissions]) -> dict[str, Any]:
    """Take permissions from the token instead of those before. They are not kept in the company's file."""
    world.denied = frozenset(data.denied)
    return {"denied": sorted(world.denied)}


@get("/world")
async def summary(world: NamedDependency[World]) -> dict[str, Any]:
    """The company in figures, its users, and the work it took on."""
    servers = world.listed
    owned = Counter(server.owner_id for server in servers)
    return {
        "servers": len(servers),
        "states": Counter("suspended" if one.suspended else one.state for one in servers),
        "running": sum(one.running for one in servers),
        "locations": msgspec.to_builtins(list(world.locations.values())),
        "users": [
            {
                "id": user.id,
                "extRelationId": user.ext_relation_id,
                "name": user.name,
                "email": user.email,
                "servers": owned[user.id],
            }
            for user in world.users.values()
        ],
        "effects": msgspec.to_builtins(world.effects),
    }


@get("/servers/{server_id:int}")
async def show_server(world: NamedDependency[World], server_id: FromPath[int]) -> Response[bytes]:
    """A server as it really is."""
    world.settle()
    if server_id not in world.servers:
        raise Refusal(404, {"message": "There is no such server."})
    return _json(world.servers[server_id])


@post("/servers/{server_id:int}", status_code=200)
async def change_server(
    world: NamedDependency[World], server_id: FromPath[int], data: JSONBody[ServerChange]
) -> Response[bytes]:
    """Change a server behind everybody's back."""
    if server_id not in world.servers:
        raise Refusal(404, {"message": "There is no such server."})
    return _json(world.change(server_id, data))


@post("/servers", status_code=201)
async def add_server(world: NamedDependency[World], data: JSONBody[NewServer]) -> Response[bytes]:
    """A further server."""
    return _json(world.add(data.owner_id, data.name), 201)


@delete("/servers/{server_id:int}", status_code=204)
async def remove_server(world: NamedDependency[World], server_id: FromPath[int]) -> None:
    """Delete a server for good."""
    if server_id not in world.servers:
        raise Refusal(404, {"message": "There is no such server."})
    world.remove(server_id)


def control() -> Router:
    """All of them."""
    return Router(
        "/_sim",
        route_handlers=[
            replace_faults,
            faults,
            requests,
            reset,
            permissions,
            summary,
            show_server,
            change_server,
            add_server,
            remove_server,
        ],
    )
