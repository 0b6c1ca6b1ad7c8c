"""The simulated company's machines, keys, changes and installations."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from hostwright.core.providers import ActionTicket, InstallSpec, Power, ServerState, Transient
from hostwright.upstream.virtfusion.adapter import VirtFusionCompute
from hostwright.upstream.virtfusion.simulator import World, WorldPlan
from hostwright.upstream.virtfusion.simulator.company import public_key
from hostwright.upstream.virtfusion.simulator.estate import looks_like_a_key, resources
from hostwright.upstream.virtfusion.simulator.facts import ServerChange, Work
from hostwright.upstream.virtfusion.simulator.machine import cpu, remote_state
from tests.support.simulator import RunningSimulator
from tests.upstream.test_simulator import PLAN, Caller, HandTime


@pytest.fixture
async def call(simulator: RunningSimulator) -> AsyncGenerator[Caller]:
    async with aiohttp.ClientSession() as session:
        yield Caller(simulator, session)


# --- the company


@pytest.mark.parametrize("servers", [60, 400, 5_000])
def test_machines_have_room_for_what_they_carry(servers: int):
    world = World(WorldPlan(servers=servers))
    carried = 0
    for group_id in world.locations:
        for found in resources(world, group_id):
            shares = found["resources"]
            carried += shares["servers"]["allocated"]
            for name in ("memory", "cpuCores", "localStorage"):
                assert 0 <= shares[name]["allocated"] <= shares[name]["max"]
                assert shares[name]["free"] == shares[name]["max"] - shares[name]["allocated"]
    assert carried == servers


def test_systems_come_in_families_and_one_has_ended():
    world = World(WorldPlan())
    assert {one.family for one in world.templates.values()} >= {"Ubuntu", "Debian", "Rocky Linux", "Windows"}
    ended = {one.id for one in world.templates.values() if one.ended}
    assert ended
    assert not any(server.template_id in ended for server in world.servers.values())


def test_users_have_keys_that_look_like_keys():
    world = World(PLAN)
    assert [key.name for key in world.keys.values() if key.user_id == 101] == ["workstation", "deploy"]
    assert all(looks_like_a_key(key.public_key) for key in world.keys.values())
    assert len({key.public_key for key in world.keys.values()}) == len(world.keys)
    for text in ("", "ssh-ed25519", "ssh-ed25519 AAAA", "ssh-rsa " + public_key("x", 1).split()[1], "ssh-rsa !!"):
        assert not looks_like_a_key(text)


def test_a_company_of_before_is_still_read(tmp_path: Path):
    file = tmp_path / "world.json"
    World(PLAN).save(file)
    saved: dict[str, Any] = msgspec.json.decode(file.read_bytes())
    del saved["keys"], saved["plan"]["tells_build"]
    for server in saved["servers"]:
        del server["throttle"], server["started"]
    for machine in saved["hypervisors"]:
        for name in ("servers", "memory", "cores", "storage", "enabled", "maintenance"):
            del machine[name]
    for template in saved["templates"]:
        del template["ended"]
    file.write_bytes(msgspec.json.encode(saved))
    world = World.load(file)
    assert world.keys == {}
    assert world.servers[1001].throttle == 0
    shares = resources(world, 1)[0]["resources"]
    assert (shares["memory"]["max"], shares["memory"]["percent"]) == (0, None)


def test_changes_outlive_the_process(tmp_path: Path):
    world = World(PLAN)
    world.at_once(world.servers[1001], Work.THROTTLE, throttle=70)
    key = world.add_key(101, "new", public_key("new", 99))
    world.delete_key(1)
    world.denied = frozenset({"users"})
    file = tmp_path / "world.json"
    world.save(file)
    again = World.load(file)
    assert again.servers[1001].throttle == 70
    assert again.keys == world.keys
    assert again.denied == frozenset()
    assert again.add_key(101, "newer", public_key("newer", 98)).id == key.id + 1


# --- what machines do


def test_figures_are_smooth_and_the_same_for_everybody():
    world = World(PLAN)
    server = world.servers[1001]
    at = 1_800_000_000.0
    seen = [cpu(server, at + second) for second in range(600)]
    assert seen == [cpu(server, at + second) for second in range(600)]
    assert all(0 < one <= 100 for one in seen)
    assert max(seen) - min(seen) > 0.5
    assert max(abs(one - other) for one, other in pairwise(seen)) < 5
    server.throttle = 99
    assert all(cpu(server, at + second) <= 1 for second in range(600))


def test_counters_grow_until_the_next_start():
    clock = HandTime()
    world = World(PLAN, clock=clock)
    server = world.servers[1001]
    package = world.packages[server.package_id]

    def counters() -> tuple[int, int]:
        state = remote_state(server, package, clock.now)
        assert isinstance(state, dict)
        disk = state["disk"]["vda"]
        return int(disk["rd.bytes"]), int(disk["wr.bytes"])

    last = counters()
    for _ in range(200):
        clock.now += 7
        here = counters()
        assert here[0] >= last[0]
        assert here[1] >= last[1]
        last = here
    world.begin(server, Work.RESTART)
    clock.now += 10
    world.settle()
    assert counters()[0] < last[0]


def test_a_machine_that_stands_still_or_cannot_be_asked_tells_little():
    world = World(PLAN)
    server = world.servers[1001]
    package = world.packages[server.package_id]
    server.running = False
    stopped = remote_state(server, package, 0.0)
    assert isinstance(stopped, dict)
    assert (stopped["state"], stopped["cpu"], stopped["disk"]) == ("shutoff", 0, {})
    server.reachable = False
    assert remote_state(server, package, 0.0) is False


# --- changes


async def test_a_suspended_server_stops_and_takes_no_work(compute: VirtFusionCompute, call: Caller):
    world = call.simulator.world
    assert world.servers[1001].running
    await compute.suspend(1001)
    assert (world.servers[1001].suspended, world.servers[1001].running) == (True, False)
    for method, path, body in (
        ("POST", "power/boot", None),
        ("POST", "resetPassword", {"user": "root", "sendMail": False}),
        ("POST", "build", {"operatingSystemId": 22}),
    ):
        status, _, _ = await call(method, f"/api/v1/servers/1001/{path}", body)
        assert status == 409
    assert [effect.work for effect in world.effects] == [Work.SUSPEND]
    await compute.unsuspend(1001)
    assert not world.servers[1001].running
    assert (await call("POST", "/api/v1/servers/1001/power/boot"))[0] == 200


async def test_what_a_busy_server_refuses(call: Caller):
    world = call.simulator.world
    world.plan = msgspec.structs.replace(world.plan, speed=0.01)
    world.begin(world.servers[1001], Work.RESTART)
    for method, path, body in (
        ("POST", "suspend", None),
        ("POST", "unsuspend", None),
        ("PUT", "modify/cpuThrottle", {"percent": 5}),
        ("POST", "build", {"operatingSystemId": 22}),
    ):
        status, _, _ = await call(method, f"/api/v1/servers/1001/{path}", body)
        assert status == 423
    assert (await call("PUT", "/api/v1/servers/1001/modify/name", {"name": "still"}))[0] == 201
    assert [effect.work for effect in world.effects] == [Work.RESTART, Work.RENAME]


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("PUT", "/servers/1001/modify/name", {"name": ""}, "name"),
        ("PUT", "/servers/1001/modify/name", {"name": "x" * 64}, "name"),
        ("PUT", "/servers/1001/modify/name", {}, "name"),
        ("PUT", "/servers/1001/modify/name", [], "name"),
        ("PUT", "/servers/1001/modify/cpuThrottle", {"percent": 100}, "percent"),
        ("PUT", "/servers/1001/modify/cpuThrottle", {"percent": -1}, "percent"),
        ("PUT", "/servers/1001/modify/cpuThrottle", {"percent": True}, "percent"),
        ("POST", "/servers/1001/build", {"operatingSystemId": 999}, "operatingSystemId"),
        ("POST", "/servers/1001/build", {}, "operatingSystemId"),
        ("POST", "/servers/1001/build", {"operatingSystemId": 22, "hostname": "plain"}, "hostname"),
        ("POST", "/servers/1001/build", {"operatingSystemId": 22, "sshKeys": [3]}, "sshKeys"),
        ("POST", "/servers/1001/build", {"operatingSystemId": 22, "sshKeys": "1"}, "sshKeys"),
        ("POST", "/ssh_keys", {"userId": 9, "name": "a", "publicKey": "ssh-rsa AAAA"}, "userId"),
        ("POST", "/ssh_keys", {"userId": 101, "name": "", "publicKey": "ssh-rsa AAAA"}, "name"),
        ("POST", "/ssh_keys", {"userId": 101, "name": "a", "publicKey": "ssh-rsa AAAA"}, "publicKey"),
    ],
)
async def test_what_makes_no_sense_is_refused_and_not_done(
    call: Caller, method: str, path: str, body: object, field: str
):
    before = msgspec.json.encode(list(call.simulator.world.servers.values()))
    status, _, answer = await call(method, f"/api/v1{path}", body)
    assert status == 422
    assert set(msgspec.json.decode(answer)["errors"]) == {field}
    assert call.simulator.world.effects == []
    assert msgspec.json.encode(list(call.simulator.world.servers.values())) == before


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/servers/9/suspend"),
        ("POST", "/servers/9/unsuspend"),
        ("POST", "/servers/9/build"),
        ("PUT", "/servers/9/modify/name"),
        ("PUT", "/servers/9/modify/cpuThrottle"),
        ("PUT", "/servers/9/owner/101"),
        ("PUT", "/servers/1001/owner/9"),
        ("DELETE", "/ssh_keys/999"),
        ("GET", "/ssh_keys/user/9"),
        ("GET", "/users/9/byExtRelation"),
        ("GET", "/compute/hypervisors/groups/99/resources"),
    ],
)
async def test_what_is_not_there(call: Caller, method: str, path: str):
    assert (await call(method, f"/api/v1{path}", {"name": "a", "percent": 1}))[0] == 404
    assert call.simulator.world.effects == []


async def test_keys_are_kept_and_forgotten(compute: VirtFusionCompute, simulator: RunningSimulator):
    added = await compute.add_ssh_key(101, "new", public_key("new", 99))
    kept = await compute.ssh_keys(101)
    assert [key.name for key in kept] == ["workstation", "deploy", "new"]
    assert kept[-1] == added
    await compute.delete_ssh_key(added.external_id)
    assert [key.name for key in await compute.ssh_keys(101)] == ["workstation", "deploy"]
    assert [effect.work for effect in simulator.world.effects] == [Work.ADD_KEY, Work.DELETE_KEY]


# --- installing


def test_an_installation_goes_on_in_per_cent_and_ends_with_a_running_server():
    clock = HandTime()
    world = World(msgspec.structs.replace(PLAN, speed=2.0), clock=clock)
    server = world.servers[1001]
    item = world.build(server, 61, "renamed", "renamed.example.com")
    assert (server.state, server.commissioned, server.running, server.template_id) == ("queued", 1, False, 61)
    assert item.ends - item.starts == 15
    clock.now += 14.9
    assert world.pending(1001) is item
    assert server.state == "queued"
    clock.now += 0.1
    assert world.pending(1001) is None
    assert (server.state, server.commissioned, server.running) == ("complete", 3, True)
    assert (server.name, server.hostname) == ("renamed", "renamed.example.com")
    assert world.count(1001, Work.BUILD) == 1


def test_an_installation_can_fail_and_be_tried_again():
    clock = HandTime()
    world = World(PLAN, clock=clock)
    server = world.servers[1001]
    world.change(1001, ServerChange(fails_next="No space left"))
    world.build(server, 22, "web", None)
    clock.now += 60
    world.settle()
    assert (server.state, server.commissioned, server.build_failed, server.running) == ("failed", 2, True, False)
    world.build(server, 22, "web", None)
    assert not server.build_failed
    clock.now += 60
    world.settle()
    assert (server.state, server.running) == ("complete", True)


@pytest.mark.parametrize("tells", [True, False])
async def test_an_installation_is_followed_by_the_queue_or_by_the_server(
    compute: VirtFusionCompute, simulator: RunningSimulator, tells: bool
):
    simulator.world.plan = msgspec.structs.replace(simulator.world.plan, tells_build=tells, speed=60.0)
    ticket = await compute.install(1001, InstallSpec(61, "win-01", "win-01.example.com", (1, 2)))
    assert (ticket.queue_id is not None) is tells
    assert (await compute.observe(1001, power=True)).state is ServerState.BUILDING
    seen: list[int] = []
    while tells and (not seen or seen[-1] < 100):
        seen.append((await compute.action_progress(ticket.queue_id or 0)).progress)
        await asyncio.sleep(0.02)
    assert seen == sorted(seen)
    assert not tells or any(0 < one < 100 for one in seen)
    while (server := await compute.observe(1001, power=True)).busy:
        await asyncio.sleep(0.02)
    assert (server.state, server.power, server.name, server.hostname) == (
        ServerState.ACTIVE,
        Power.RUNNING,
        "win-01",
        "win-01.example.com",
    )
    assert server.operating_system == "Windows Server 2022 Standard"


async def test_of_two_installations_at_once_one_is_done(compute: VirtFusionCompute, simulator: RunningSimulator):
    simulator.world.plan = msgspec.structs.replace(simulator.world.plan, speed=0.01)
    specs = [InstallSpec(22, "one", None), InstallSpec(61, "two", None)]
    outcomes = await asyncio.gather(*(compute.install(1001, spec) for spec in specs), return_exceptions=True)
    done = [outcome for outcome in outcomes if isinstance(outcome, ActionTicket)]
    refused = [outcome for outcome in outcomes if isinstance(outcome, Transient)]
    assert (len(done), [error.status for error in refused]) == (1, [423])
    assert simulator.world.count(1001, Work.BUILD) == 1
    assert simulator.world.servers[1001].name == specs[outcomes.index(done[0])].name


# --- permissions


async def test_permissions_can_be_taken_from_the_token(call: Caller):
    assert await call.json("PUT", "/_sim/permissions", {"denied": ["hypervisors", "users"]}) == {
        "denied": ["hypervisors", "users"]
    }
    assert (await call("GET", "/api/v1/compute/hypervisors"))[0] == 403
    assert (await call("GET", "/api/v1/users/5001/byExtRelation"))[0] == 403
    assert (await call("GET", "/api/v1/servers"))[0] == 200
    assert (await call("PUT", "/_sim/permissions", {"denied": ["everything"]}))[0] == 400
    assert (await call("GET", "/api/v1/compute/hypervisors"))[0] == 403
    await call("POST", "/_sim/reset")
    assert (await call("GET", "/api/v1/compute/hypervisors"))[0] == 200
