"""The simulated company behaves as the vendor would, and can be meddled with."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from hostwright.upstream.simulators import create_simulators
from hostwright.upstream.virtfusion.simulator import World, WorldBroken, WorldPlan
from hostwright.upstream.virtfusion.simulator.facts import ServerChange, Work
from tests.support.simulator import RunningSimulator, running_simulator

PLAN = WorldPlan(servers=60, users=8, first_users=(14, 3), seed=5)


class HandTime:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class Caller:
    """Speaks to a simulator as anybody could."""

    def __init__(self, simulator: RunningSimulator, session: aiohttp.ClientSession) -> None:
        self.simulator = simulator
        self.session = session

    async def __call__(
        self, method: str, path: str, body: Any = None, *, token: str | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        known = self.simulator.token if token is None else token
        headers = {"Authorization": f"Bearer {known}"} if known and not path.startswith("/_sim") else {}
        async with self.session.request(method, self.simulator.url + path, json=body, headers=headers) as answer:
            return answer.status, dict(answer.headers), await answer.read()

    async def json(self, method: str, path: str, body: Any = None) -> Any:
        return msgspec.json.decode((await self(method, path, body))[2])


@pytest.fixture
async def call(simulator: RunningSimulator) -> AsyncGenerator[Caller]:
    async with aiohttp.ClientSession() as session:
        yield Caller(simulator, session)


# --- the company


def test_the_same_plan_makes_the_same_company():
    born = WorldPlan(servers=60, users=8, seed=5, born=World(PLAN).born)
    one, other = World(born), World(born)
    assert one.servers == other.servers
    assert one.users == other.users
    differently = World(msgspec.structs.replace(born, seed=6))
    assert differently.servers != one.servers
    assert differently.users == one.users


def test_the_first_users_have_servers_in_every_state():
    world = World(WorldPlan())
    owned = [server for server in world.servers.values() if server.owner_id == 101]
    kinds = Counter(
        "suspended" if one.suspended else one.state if one.state != "complete" else str(one.running) for one in owned
    )
    assert kinds == {"True": 9, "False": 2, "suspended": 1, "queued": 1, "failed": 1}
    assert sum(1 for server in world.servers.values() if server.owner_id == 102) == 3


def test_users_are_keyed_by_their_index():
    users = list(World(WorldPlan()).users.values())
    assert len(users) == 42
    assert [(user.id, user.ext_relation_id) for user in users[:3]] == [(101, 5001), (102, 5002), (103, 5003)]
    assert (users[0].name, users[0].email) == ("Northwind Analytics", "office@northwindanalytics.example")
    assert len({user.email for user in users}) == 42


@pytest.mark.parametrize("servers", [1, 20, 400, 5_000])
def test_a_company_of_any_size_is_consistent(servers: int):
    world = World(WorldPlan(servers=servers, users=60))
    assert len(world.servers) == servers
    addresses = [address for server in world.servers.values() for address in server.ipv4]
    assert len(set(addresses)) == len(addresses)
    assert len({server.ipv6 for server in world.servers.values()}) == servers
    assert len({server.uuid for server in world.servers.values()}) == servers
    for server in world.servers.values():
        assert server.owner_id in world.users
        assert server.hypervisor_id in world.hypervisors
        assert server.package_id in world.packages
        assert server.template_id in world.templates
    names = [(server.owner_id, server.name) for server in world.servers.values()]
    assert len(set(names)) == len(names)


def test_most_servers_run_and_some_do_not():
    world = World(WorldPlan())
    running = sum(server.running for server in world.servers.values())
    assert 300 < running < 380
    assert len({world.hypervisors[server.hypervisor_id].group_id for server in world.servers.values()}) >= 5


def test_a_company_outlives_its_process(tmp_path: Path):
    clock = HandTime()
    world = World(PLAN, clock=clock)
    item = world.begin(world.servers[1001], Work.POWEROFF)
    file = tmp_path / "world.json"
    world.save(file)
    again = World.load(file, clock=clock)
    assert again.servers == world.servers
    assert again.queue == world.queue
    assert again.effects == world.effects
    assert again.plan == PLAN
    clock.now += 60
    again.settle()
    assert not again.servers[1001].running
    assert again.begin(again.servers[1003], Work.BOOT).id == item.id + 1
    assert [path.name for path in tmp_path.iterdir()] == ["world.json"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"version": 1}', b"\x00" * 100])
def test_a_broken_file_is_told_in_one_line(tmp_path: Path, content: bytes):
    file = tmp_path / "world.json"
    file.write_bytes(content)
    with pytest.raises(WorldBroken, match=r"^The simulator's file world\.json cannot be read: [^\n]+$"):
        World.load(file)
    with pytest.raises(WorldBroken):
        create_simulators(file)
    assert file.read_bytes() == content


def test_a_file_of_another_version_is_not_read(tmp_path: Path):
    file = tmp_path / "world.json"
    World(PLAN).save(file)
    file.write_bytes(file.read_bytes().replace(b'"version":1,', b'"version":2,', 1))
    with pytest.raises(WorldBroken, match="is of version 2, this program reads 1"):
        World.load(file)


# --- work


@pytest.mark.parametrize(
    ("work", "at_first", "when_done", "after"),
    [
        (Work.POWEROFF, True, False, False),
        (Work.RESTART, True, True, True),
        (Work.SHUTDOWN, True, True, False),
        (Work.RESET_PASSWORD, True, True, True),
    ],
)
def test_work_takes_its_time(work: Work, at_first: bool, when_done: bool, after: bool):
    clock = HandTime()
    world = World(PLAN, clock=clock)
    server = world.servers[1001]
    item = world.begin(server, work)
    assert world.pending(1001) is item
    assert server.running is at_first
    clock.now = item.ends
    assert world.pending(1001) is None
    assert server.running is when_done
    clock.now += 60
    world.settle()
    assert server.running is after
    assert world.count(1001, work) == 1


def test_a_system_may_ignore_a_shutdown():
    clock = HandTime()
    world = World(PLAN, clock=clock)
    world.change(1001, ServerChange(obeys=False))
    world.begin(world.servers[1001], Work.SHUTDOWN)
    clock.now += 600
    assert world.server(1001) is not None
    assert world.servers[1001].running


def test_a_boot_before_a_shutdown_took_effect_wins():
    clock = HandTime()
    world = World(PLAN, clock=clock)
    item = world.begin(world.servers[1001], Work.SHUTDOWN)
    clock.now = item.ends
    world.begin(world.servers[1001], Work.BOOT)
    clock.now += 600
    world.settle()
    assert world.servers[1001].running


def test_work_can_fail():
    clock = HandTime()
    world = World(PLAN, clock=clock)
    world.change(1001, ServerChange(fails_next="No space left"))
    failing = world.begin(world.servers[1001], Work.POWEROFF)
    clock.now += 600
    world.settle()
    assert (failing.error, world.servers[1001].running) == ("No space left", True)
    assert world.begin(world.servers[1001], Work.POWEROFF).error is None


def test_a_build_ends_with_a_running_server():
    clock = HandTime()
    world = World(msgspec.structs.replace(PLAN, build_minutes=10), clock=clock)
    building = [server for server in world.servers.values() if server.state == "queued"]
    assert building
    assert all(world.pending(server.id) is not None for server in building)
    clock.now += 600
    world.settle()
    assert all((server.state, server.commissioned, server.running) == ("complete", 3, True) for server in building)


# --- over HTTP


@pytest.mark.parametrize("token", ["", "wrong"])
async def test_without_its_token_nothing_is_said(call: Caller, token: str):
    status, headers, body = await call("GET", "/api/v1/servers", token=token)
    assert (status, body) == (401, b"401 Unauthorized")
    assert headers["Content-Type"].startswith("text/plain")


async def test_unknown_paths_are_404(call: Caller):
    assert (await call("GET", "/api/v1/nothing"))[0] == 404
    assert (await call("POST", "/api/v1/servers/1001/power/explode"))[0] == 404


async def test_a_suspended_and_an_unbuilt_server_take_no_work(call: Caller, simulator: RunningSimulator):
    simulator.world.change(1001, ServerChange(state="failed"))
    for server_id in (1001, 1004):
        status, _, _ = await call("POST", f"/api/v1/servers/{server_id}/power/boot")
        assert status == 409
    assert simulator.world.effects == []


async def test_a_server_at_work_is_locked():
    async with running_simulator(msgspec.structs.replace(PLAN, speed=0.01)) as simulator:
        async with aiohttp.ClientSession() as session:
            call = Caller(simulator, session)
            assert (await call("POST", "/api/v1/servers/1001/power/restart"))[0] == 200
            assert (await call("POST", "/api/v1/servers/1001/power/restart"))[0] == 423
            assert (await call("POST", "/api/v1/servers/1003/power/restart"))[0] == 200
        assert simulator.world.count(1001, Work.RESTART) == 1


async def test_a_rate_can_be_set():
    plan = msgspec.structs.replace(PLAN, calls_per_minute=3)
    async with running_simulator(plan) as simulator, aiohttp.ClientSession() as session:
        call = Caller(simulator, session)
        answers = [await call("GET", "/api/v1/connect") for _ in range(4)]
        assert [status for status, _, _ in answers] == [200, 200, 200, 429]
        assert 50 <= int(answers[3][1]["Retry-After"]) <= 60
        assert (await call("GET", "/_sim/world"))[0] == 200


@pytest.mark.parametrize("mode", ["drop_before", "drop_after", "late"])
async def test_losing_an_answer_cuts_the_connection(call: Caller, simulator: RunningSimulator, mode: str):
    simulator.faults([{"mode": mode, "method": "POST"}])
    with pytest.raises(aiohttp.ClientConnectionError):
        await call("POST", "/api/v1/servers/1001/power/poweroff")
    for _ in range(200):
        if not simulator.late:
            break
        await asyncio.sleep(0.01)
    assert simulator.world.count(1001, Work.POWEROFF) == (0 if mode == "drop_before" else 1)
    assert [one.outcome for one in simulator.requests()] == [mode]


async def test_faults_meet_what_they_name_as_often_as_they_say(call: Caller):
    rules = [
        {"mode": "status", "method": "GET", "path": r"/servers/\d+$", "status": 503, "times": 2},
        {"mode": "rate_limit", "path": "/queue/", "delayMs": 2500},
    ]
    status, _, _ = await call("PUT", "/_sim/faults", rules)
    assert status == 200
    assert (await call("GET", "/api/v1/servers"))[0] == 200
    assert [(await call("GET", "/api/v1/servers/1001"))[0] for _ in range(3)] == [503, 503, 200]
    status, headers, _ = await call("GET", "/api/v1/queue/1")
    assert (status, headers["Retry-After"]) == (429, "3")
    left = await call.json("GET", "/_sim/faults")
    assert [rule["mode"] for rule in left] == ["rate_limit"]


@pytest.mark.parametrize(
    "rules",
    [[{"mode": "explode"}], [{"mode": "delay", "path": "("}], [{"mode": "delay", "delay": 1}], {"mode": "delay"}],
)
async def test_faults_that_make_no_sense_are_refused(call: Caller, simulator: RunningSimulator, rules: object):
    simulator.faults([{"mode": "delay"}])
    assert (await call("PUT", "/_sim/faults", rules))[0] == 400
    assert len(simulator._simulator.stage.faults.in_force) == 1


async def test_what_came_in_is_kept_without_tokens(call: Caller, simulator: RunningSimulator):
    await call("POST", "/api/v1/servers/1001/resetPassword", {"user": "root", "sendMail": False})
    await call("GET", "/api/v1/servers?results=5&page=2")
    _, _, body = await call("GET", "/_sim/requests")
    assert simulator.token.encode() not in body
    kept = msgspec.json.decode(body)
    assert [(one["method"], one["path"], one["query"], one["body"], one["outcome"]) for one in kept] == [
        ("POST", "/api/v1/servers/1001/resetPassword", "", {"user": "root", "sendMail": False}, "200"),
        ("GET", "/api/v1/servers", "results=5&page=2", None, "200"),
    ]


async def test_a_reset_begins_anew(call: Caller, simulator: RunningSimulator):
    before = msgspec.json.encode(list(simulator.world.servers.values()))
    simulator.faults([{"mode": "late", "path": "/1001/", "delayMs": 60_000}])
    with pytest.raises(aiohttp.ClientConnectionError):
        await call("POST", "/api/v1/servers/1001/power/poweroff")
    await call("DELETE", "/_sim/servers/1002")
    await call("POST", "/_sim/servers/1003", {"suspended": True, "hidden": True})
    assert await call.json("POST", "/_sim/reset") == {"ok": True}
    for _ in range(200):
        if not simulator.late:
            break
        await asyncio.sleep(0.01)
    assert not simulator.late
    assert msgspec.json.encode(list(simulator.world.servers.values())) == before
    assert await call.json("GET", "/_sim/faults") == []
    assert await call.json("GET", "/_sim/requests") == []


async def test_meddling(call: Caller, simulator: RunningSimulator):
    status, _, _ = await call("POST", "/_sim/servers/1001", {"running": False, "name": "renamed", "ownerId": 102})
    assert status == 200
    seen = (await call.json("GET", "/api/v1/servers/1001?remoteState=true"))["data"]
    assert (seen["name"], seen["ownerId"], seen["remoteState"]["state"]) == ("renamed", 102, "shutoff")
    made = await call.json("POST", "/_sim/servers", {"ownerId": 103, "name": "new-01"})
    listed = (await call.json("GET", "/api/v1/servers?results=200"))["data"]
    assert [one["owner"] for one in listed if one["id"] == made["id"]] == [103]
    assert (await call("DELETE", f"/_sim/servers/{made['id']}"))[0] == 204
    assert (await call("GET", f"/api/v1/servers/{made['id']}"))[0] == 404
    await call("POST", "/_sim/servers/1002", {"hidden": True})
    assert (await call("GET", "/api/v1/servers/1002"))[0] == 404
    assert (await call.json("GET", "/_sim/servers/1002"))["hidden"] is True


@pytest.mark.parametrize(("method", "body"), [("GET", None), ("POST", {"running": True}), ("DELETE", None)])
async def test_meddling_with_what_is_not_there(call: Caller, method: str, body: object):
    assert (await call(method, "/_sim/servers/9", body))[0] == 404


async def test_meddling_is_checked(call: Caller, simulator: RunningSimulator):
    assert (await call("POST", "/_sim/servers/1001", {"running": "maybe"}))[0] == 400
    assert (await call("POST", "/_sim/servers/1001", {"colour": "red"}))[0] == 400
    assert simulator.world.servers[1001].running


async def test_the_company_can_be_looked_at(call: Caller):
    await call("POST", "/api/v1/servers/1001/power/restart")
    seen = await call.json("GET", "/_sim/world")
    assert seen["servers"] == 12
    assert seen["users"][0] == {
        "id": 101,
        "extRelationId": 5001,
        "name": "Northwind Analytics",
        "email": "office@northwindanalytics.example",
        "servers": 5,
    }
    assert [place["country"] for place in seen["locations"]] == ["de", "nl", "gb", "us", "sg", "au"]
    assert [(effect["server_id"], effect["work"]) for effect in seen["effects"]] == [(1001, "restart")]
