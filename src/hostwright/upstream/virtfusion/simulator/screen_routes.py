"""The vendor's paths about a server's screen."""

from __future__ import annotations

from typing import Any, Final

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from hostwright.upstream.virtfusion.simulator.facts import ServerFact
from hostwright.upstream.virtfusion.simulator.refusals import AnyRequest, Refusal, fields, known
from hostwright.upstream.virtfusion.simulator.screen import Screen, Screens
from hostwright.upstream.virtfusion.simulator.world import World

ACTIONS: Final = {"enable": True, "disable": False}


def _vnc(world: World, screens: Screens, server: ServerFact, screen: Screen) -> dict[str, Any]:
    here = bool(screens.port)
    found: dict[str, Any] = {
        "ip": "127.0.0.1" if here else world.hypervisors[server.hypervisor_id].ip,
        "hostname": None,
        "port": screens.port if here else 5900 + server.id % 100,
        "password": screen.password,
        "enabled": screen.enabled,
    }
    if screens.with_wss:
        found["wss"] = {"token": screen.token, "url": f"/vnc/?token={screen.token}"}
    return found | screens.lies


@get("/servers/{server_id:int}/vnc")
async def read_vnc(
    world: NamedDependency[World], screens: NamedDependency[Screens], server_id: FromPath[int]
) -> dict[str, Any]:
    server = known(world, server_id)
    return {"data": {"vnc": _vnc(world, screens, server, screens.of(server))}}


@post("/servers/{server_id:int}/vnc", status_code=200)
async def set_vnc(
    request: AnyRequest, world: NamedDependency[World], screens: NamedDependency[Screens], server_id: FromPath[int]
) -> dict[str, Any]:
    """Without a word about it the screen is toggled, as by older versions."""
    server = known(world, server_id)
    if server.suspended:
        raise Refusal(409, {"msg": "The server is suspended"})
    body = await fields(request)
    on = ACTIONS.get(body.get("action", ""), body.get("vnc", not screens.of(server).enabled))
    screen = screens.enable(server, on=bool(on))
    return {"data": {"vnc": _vnc(world, screens, server, screen), "queueId": None}}


HANDLERS: Final = [read_vnc, set_vnc]
