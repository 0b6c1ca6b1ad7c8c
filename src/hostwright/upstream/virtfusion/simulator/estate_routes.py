"""The vendor's paths about hypervisors, users and their public keys."""

from __future__ import annotations

from typing import Any, Final

from litestar import delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from hostwright.upstream.virtfusion.simulator import estate
from hostwright.upstream.virtfusion.simulator.answers import page
from hostwright.upstream.virtfusion.simulator.refusals import (
    AnyRequest,
    fields,
    invalid,
    paging,
    text_of,
    unknown,
)
from hostwright.upstream.virtfusion.simulator.world import World

LONGEST_KEY_NAME: Final = 255
LONGEST_KEY: Final = 10_000


def _paged(request: AnyRequest, lines: list[Any]) -> dict[str, Any]:
    number, size = paging(request)
    address = f"{request.url.scheme}://control.example{request.url.path}"
    shown = lines[(number - 1) * size : number * size]
    return page(shown, number=number, size=size, total=len(lines), address=address)


@get("/compute/hypervisors")
async def list_hypervisors(request: AnyRequest, world: NamedDependency[World]) -> dict[str, Any]:
    return _paged(request, [estate.hypervisor(world, one) for one in world.hypervisors.values()])


@get("/compute/hypervisors/groups/{group_id:int}/resources")
async def resources_of_group(
    request: AnyRequest, world: NamedDependency[World], group_id: FromPath[int]
) -> dict[str, Any]:
    if group_id not in world.locations:
        raise unknown("hypervisor group")
    return _paged(request, estate.resources(world, group_id))


@get("/ssh_keys/user/{user_id:int}")
async def keys_of_user(world: NamedDependency[World], user_id: FromPath[int]) -> dict[str, Any]:
    if user_id not in world.users:
        raise unknown("user")
    return {"data": [estate.key(one) for one in world.keys.values() if one.user_id == user_id]}


@post("/ssh_keys", status_code=201)
async def add_key(request: AnyRequest, world: NamedDependency[World]) -> dict[str, Any]:
    body = await fields(request)
    user_id = body.get("userId")
    if user_id not in world.users:
        raise invalid("userId", "The selected user id is invalid.")
    name = text_of(body, "name", LONGEST_KEY_NAME)
    public_key = text_of(body, "publicKey", LONGEST_KEY)
    if not estate.looks_like_a_key(public_key):
        raise invalid("publicKey", "The public key is invalid.")
    return {"data": estate.kept_key(world.add_key(user_id, name, public_key))}


@delete("/ssh_keys/{key_id:int}", status_code=204)
async def delete_key(world: NamedDependency[World], key_id: FromPath[int]) -> None:
    if key_id not in world.keys:
        raise unknown("ssh key")
    world.delete_key(key_id)


@get("/users/{relation_id:int}/byExtRelation")
async def user_by_relation(world: NamedDependency[World], relation_id: FromPath[int]) -> dict[str, Any]:
    user = next((one for one in world.users.values() if one.ext_relation_id == relation_id), None)
    if user is None:
        raise unknown("user")
    return {"data": estate.user(user)}


HANDLERS: Final = (list_hypervisors, resources_of_group, keys_of_user, add_key, delete_key, user_by_relation)
