"""The vendor's paths that change a server, or install a system on it."""

from __future__ import annotations

from typing import Any, Final, cast

from litestar import Response, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath

from hostwright.upstream.virtfusion.simulator import server_object
from hostwright.upstream.virtfusion.simulator.facts import ServerFact, Work
from hostwright.upstream.virtfusion.simulator.refusals import (
    AnyRequest,
    fields,
    free,
    invalid,
    known,
    text_of,
    unknown,
    usable,
)
from hostwright.upstream.virtfusion.simulator.world import World

LONGEST_NAME: Final = 63
LONGEST_HOSTNAME: Final = 253
MOST_THROTTLE: Final = 99


def _created() -> Response[bytes]:
    """What the vendor answers a change with: 201 and nothing else."""
    return Response(b"", status_code=201)


@post("/servers/{server_id:int}/suspend", status_code=204)
async def suspend(world: NamedDependency[World], server_id: FromPath[int]) -> None:
    world.at_once(free(world, server_id), Work.SUSPEND, suspended=True, running=False)


@post("/servers/{server_id:int}/unsuspend", status_code=204)
async def unsuspend(world: NamedDependency[World], server_id: FromPath[int]) -> None:
    world.at_once(free(world, server_id), Work.UNSUSPEND, suspended=False)


@put("/servers/{server_id:int}/modify/name", status_code=201)
async def rename(request: AnyRequest, world: NamedDependency[World], server_id: FromPath[int]) -> Response[bytes]:
    server = known(world, server_id)
    name = text_of(await fields(request), "name", LONGEST_NAME)
    world.at_once(server, Work.RENAME, name=name)
    return _created()


@put("/servers/{server_id:int}/modify/cpuThrottle", status_code=201)
async def throttle(request: AnyRequest, world: NamedDependency[World], server_id: FromPath[int]) -> Response[bytes]:
    """Without ``sync`` the figure is noted and the machine goes on as before: here the two are one."""
    server = free(world, server_id)
    percent = (await fields(request)).get("percent")
    if not isinstance(percent, int) or isinstance(percent, bool) or not 0 <= percent <= MOST_THROTTLE:
        raise invalid("percent", f"The percent must be between 0 and {MOST_THROTTLE}.")
    world.at_once(server, Work.THROTTLE, throttle=percent)
    return _created()


@put("/servers/{server_id:int}/owner/{user_id:int}", status_code=201)
async def change_owner(
    world: NamedDependency[World], server_id: FromPath[int], user_id: FromPath[int]
) -> Response[bytes]:
    server = known(world, server_id)
    if user_id not in world.users:
        raise unknown("user")
    world.at_once(server, Work.CHANGE_OWNER, owner_id=user_id)
    return _created()


@post("/servers/{server_id:int}/build", status_code=200)
async def build(request: AnyRequest, world: NamedDependency[World], server_id: FromPath[int]) -> dict[str, Any]:
    server = usable(world, server_id)
    wanted = await fields(request)
    template_id = wanted.get("operatingSystemId")
    if template_id not in world.templates:
        raise invalid("operatingSystemId", "The selected operating system id is invalid.")
    name = text_of(wanted, "name", LONGEST_NAME) if "name" in wanted else server.name
    hostname = text_of(wanted, "hostname", LONGEST_HOSTNAME) if "hostname" in wanted else server.hostname
    if hostname is not None and "." not in hostname:
        raise invalid("hostname", "The hostname must be a fully qualified domain name.")
    _keys_of_its_owner(world, server, wanted.get("sshKeys", []))
    item = world.build(server, template_id, name, hostname)
    return {"data": server_object.built(world, server, item.id if world.plan.tells_build else None)}


def _keys_of_its_owner(world: World, server: ServerFact, wanted: object) -> None:
    owned = [key.id for key in world.keys.values() if key.user_id == server.owner_id]
    if not isinstance(wanted, list) or any(one not in owned for one in cast("list[object]", wanted)):
        raise invalid("sshKeys", "The selected ssh keys are invalid.")


HANDLERS: Final = (suspend, unsuspend, rename, throttle, change_owner, build)
