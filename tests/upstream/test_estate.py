"""Hypervisors, systems, users and keys as the adapter reads them, the odd answers too."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from hostwright.core.providers import (
    Capacity,
    ExternalUser,
    Gone,
    ObservedHypervisor,
    Refused,
    SshKey,
    SystemTemplate,
    Transient,
)
from hostwright.upstream.virtfusion.adapter import VirtFusionCompute
from tests.support.raw_server import RawServer, Reply
from tests.support.simulator import RunningSimulator
from tests.upstream.vendor import json

LINE: dict[str, Any] = {
    "id": 1,
    "name": "fra-kvm-01",
    "enabled": True,
    "maintenance": False,
    "encryptedToken": "never",
    "group": {"id": 4, "name": "Frankfurt"},
}


def listing(*entries: dict[str, Any], **facts: Any) -> Reply:
    return json({"current_page": 1, "last_page": 1, "total": len(entries), "data": list(entries)} | facts)


def share(allocated: object, most: object, **more: object) -> dict[str, object]:
    return {"allocated": allocated, "max": most, "units": "#"} | more


def use(hypervisor_id: int, **resources: object) -> dict[str, Any]:
    return {"hypervisor": {"id": hypervisor_id}, "resources": resources}


async def one(vendor: RawServer, asking: VirtFusionCompute, **resources: object) -> ObservedHypervisor:
    vendor.script.extend([listing(LINE), listing(use(1, **resources))])
    (found,) = await asking.hypervisors()
    return found


async def test_a_hypervisor_with_its_figures(vendor: RawServer, asking: VirtFusionCompute):
    found = await one(
        vendor,
        asking,
        servers=share(3, 0),
        memory=share("4096", "65536"),
        cpuCores=share(7, 64),
        localStorage=share(25, 90, enabled=1),
        otherStorage=[share(100.4, 500, enabled=True), share(7, 70, enabled=0)],
    )
    assert found == ObservedHypervisor(
        external_id=1,
        name="fra-kvm-01",
        group_id="4",
        group_name="Frankfurt",
        enabled=True,
        maintenance=False,
        servers=Capacity(3, None),
        memory_mib=Capacity(4096, 65536),
        cores=Capacity(7, 64),
        storage_gib=Capacity(125, 590),
    )
    assert [request.target for request in vendor.requests] == [
        "/api/v1/compute/hypervisors?results=200&page=1",
        "/api/v1/compute/hypervisors/groups/4/resources?results=200&page=1",
    ]


async def test_storage_without_limit_makes_the_whole_so(vendor: RawServer, asking: VirtFusionCompute):
    found = await one(vendor, asking, localStorage=share(25, 90), otherStorage=[share(5, 0)])
    assert found.storage_gib == Capacity(30, None)


@pytest.mark.parametrize(
    "resources",
    [
        {},
        {"servers": [], "memory": False, "cpuCores": None, "localStorage": [], "otherStorage": False},
        {"servers": share(None, 5), "memory": share(-1, 5), "cpuCores": share(1, None), "localStorage": share(1, -2)},
        {"servers": share(10**30, 5), "memory": share(1, 10**30), "localStorage": share(1, 1, enabled=0)},
    ],
)
async def test_figures_that_are_not_told(vendor: RawServer, asking: VirtFusionCompute, resources: dict[str, object]):
    found = await one(vendor, asking, **resources)
    assert (found.servers, found.memory_mib, found.cores, found.storage_gib) == (None, None, None, None)


async def test_a_bare_hypervisor_is_enough(vendor: RawServer, asking: VirtFusionCompute):
    vendor.script.append(listing({"id": 9, "name": "\0", "maintenance": 1, "enabled": 0, "group": []}))
    (found,) = await asking.hypervisors()
    assert (found.external_id, found.name, found.group_id, found.group_name) == (9, "Hypervisor 9", None, None)
    assert (found.enabled, found.maintenance, found.servers) == (False, True, None)
    assert len(vendor.requests) == 1


@pytest.mark.parametrize("reply", [json({"message": "no"}, 403), json({"msg": "no"}, 404), Reply(body=b"<html>")])
async def test_a_group_that_cannot_be_read_costs_only_its_figures(
    vendor: RawServer, asking: VirtFusionCompute, reply: Reply
):
    other = LINE | {"id": 2, "name": "ams-kvm-01", "group": {"id": 5, "name": "Amsterdam"}}
    vendor.script.extend([listing(LINE, other), reply, listing(use(2, servers=share(1, 2)))])
    first, second = await asking.hypervisors()
    assert (first.name, first.servers) == ("fra-kvm-01", None)
    assert (second.name, second.servers) == ("ams-kvm-01", Capacity(1, 2))


async def test_a_group_that_does_not_answer_makes_the_list_fail(vendor: RawServer, asking: VirtFusionCompute):
    vendor.script.extend([listing(LINE), Reply(status=503)])
    with pytest.raises(Transient):
        await asking.hypervisors()


async def test_hypervisors_come_page_by_page_and_whole(vendor: RawServer, asking: VirtFusionCompute):
    pages = {"last_page": 2, "total": 2}
    bare = LINE | {"group": None}
    vendor.script.extend([listing(bare, **pages), listing(bare | {"id": 2}, **pages, current_page=2)])
    assert [found.external_id for found in await asking.hypervisors()] == [1, 2]


async def test_a_list_that_keeps_changing_is_not_taken(vendor: RawServer, asking: VirtFusionCompute):
    vendor.usual = listing(LINE, last_page=1, total=2)
    with pytest.raises(Transient, match="list of hypervisors at VirtFusion kept changing"):
        await asking.hypervisors()


@pytest.mark.parametrize("odd", [0, -1, 2**63])
async def test_an_id_that_cannot_be_one_makes_the_list_unusable(vendor: RawServer, asking: VirtFusionCompute, odd: int):
    vendor.script.append(listing(LINE, LINE | {"id": odd}))
    with pytest.raises(Refused, match="an id that cannot be one"):
        await asking.hypervisors()


async def test_all_of_a_company(compute: VirtFusionCompute, simulator: RunningSimulator):
    found = await compute.hypervisors()
    assert [one.external_id for one in found] == list(simulator.world.hypervisors)
    assert sum(one.servers.allocated for one in found if one.servers) == len(simulator.world.servers)
    assert [one.name for one in found if one.maintenance] == ["syd-kvm-04"]
    assert len(simulator.requests("/compute/")) == 1 + len(simulator.world.locations)


# --- systems


async def test_systems_by_family(vendor: RawServer, asking: VirtFusionCompute):
    linux = {"id": "46", "name": "Debian", "version": "13", "variant": "Minimal", "type": "linux", "eol": 0}
    windows = {"id": 62, "name": "Server", "version": None, "eol": True, "type": "windows"}
    odd = linux | {"id": 0}
    groups = [{"name": "Debian", "templates": [linux, odd]}, {"name": "Micro\0soft", "templates": [windows]}]
    vendor.script.append(json({"data": groups}))
    assert await asking.templates(69) == [
        SystemTemplate(46, "Debian", "Debian", "13", "Minimal", windows=False, ended=False),
        SystemTemplate(62, "Microsoft", "Server", "", "", windows=True, ended=True),
    ]


async def test_a_family_may_have_no_name(vendor: RawServer, asking: VirtFusionCompute):
    vendor.script.append(json({"data": [{"templates": [{"id": 1, "name": "Windows Server"}]}, {"name": "Empty"}]}))
    assert await asking.templates(69) == [
        SystemTemplate(1, "Windows Server", "Windows Server", "", "", windows=True, ended=False)
    ]


# --- users

USER = {"id": 3, "extRelationId": 5001, "name": "Jo", "email": "jo@example.com", "suspended": False}


@pytest.mark.parametrize(
    ("owner", "expected"),
    [
        (USER, ExternalUser(3, 5001, "Jo", "jo@example.com", suspended=False)),
        (USER | {"extRelationId": None, "suspended": 1}, ExternalUser(3, None, "Jo", "jo@example.com", suspended=True)),
        (USER | {"extRelationId": "5001"}, ExternalUser(3, 5001, "Jo", "jo@example.com", suspended=False)),
        (USER | {"extRelationId": "whmcs-9"}, ExternalUser(3, None, "Jo", "jo@example.com", suspended=False)),
        (USER | {"extRelationId": "9" * 40}, ExternalUser(3, None, "Jo", "jo@example.com", suspended=False)),
        ({"id": 3}, ExternalUser(3, None, "User 3", "", suspended=False)),
        (USER | {"id": 0}, None),
        (None, None),
        ([], None),
        (False, None),
    ],
)
async def test_who_has_a_server(
    vendor: RawServer, asking: VirtFusionCompute, owner: object, expected: ExternalUser | None
):
    vendor.script.append(json({"data": {"id": 69, "owner": owner}}))
    assert await asking.user_of_server(69) == expected


async def test_a_user_by_relation(vendor: RawServer, asking: VirtFusionCompute):
    vendor.script.extend([json({"data": USER}), json({"msg": "user not found"}, 404)])
    assert await asking.user_by_relation(5001) == ExternalUser(3, 5001, "Jo", "jo@example.com", suspended=False)
    assert await asking.user_by_relation(5002) is None
    assert vendor.requests[0].target == "/api/v1/users/5001/byExtRelation"


@pytest.mark.parametrize("found", [USER | {"extRelationId": 7}, USER | {"extRelationId": None}, USER | {"id": -3}])
async def test_another_user_than_the_one_asked_for_is_none_at_all(
    vendor: RawServer, asking: VirtFusionCompute, found: dict[str, object]
):
    vendor.script.append(json({"data": found}))
    with pytest.raises(Refused, match="another user"):
        await asking.user_by_relation(5001)


# --- keys


async def test_keys_come_oldest_first(vendor: RawServer, asking: VirtFusionCompute):
    key = {"id": 5, "name": "new", "publicKey": "ssh-rsa AAAA\n", "enabled": 1, "created": "2025-02-01T00:00:00+00:00"}
    old = key | {"id": 9, "name": "", "enabled": False, "created": "2024-02-01T00:00:00.000000Z"}
    vendor.script.append(json({"data": [key, old, key | {"publicKey": None}, key | {"id": 0}]}))
    assert await asking.ssh_keys(3) == [
        SshKey(9, "Key 9", "ssh-rsa AAAA", enabled=False, created_at=datetime(2024, 2, 1, tzinfo=UTC)),
        SshKey(5, "new", "ssh-rsa AAAA", enabled=True, created_at=datetime(2025, 2, 1, tzinfo=UTC)),
    ]
    assert vendor.requests[0].target == "/api/v1/ssh_keys/user/3"


async def test_an_unknown_user_has_no_list_of_keys(vendor: RawServer, asking: VirtFusionCompute):
    vendor.script.append(json({"msg": "user not found"}, 404))
    with pytest.raises(Gone):
        await asking.ssh_keys(3)
