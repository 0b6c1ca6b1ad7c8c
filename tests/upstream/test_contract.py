"""The client's requests and the simulator's answers against our contract; our contract against the vendor's document.

The second half needs the vendor's document, which is not ours to publish: it lies in ``../shared/contracts`` beside
the checkout where we develop. Elsewhere those tests are skipped and say so; the first half runs everywhere.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import aiohttp
import msgspec
import pytest
from openapi_spec_validator import validate

from hostwright.core.http import Reach, Settings
from hostwright.core.providers import (
    ActionProgress,
    InstallSpec,
    PowerAction,
    ServerState,
)
from hostwright.upstream.simulation.serving import serving
from hostwright.upstream.simulators import VIRTFUSION, Simulators
from hostwright.upstream.virtfusion.adapter import VirtFusionCompute
from hostwright.upstream.virtfusion.client import VirtFusionClient
from hostwright.upstream.virtfusion.simulator import VirtFusionSimulator, World
from hostwright.upstream.virtfusion.simulator.company import public_key
from hostwright.upstream.virtfusion.simulator.facts import ServerChange, Work
from tests.support.simulator import SMALL
from tests.upstream.contract import Checked, Contract, Operation, example_of, shape_problems, vendors_document

OURS = Contract.ours("virtfusion")
OPERATIONS = {operation.name: operation for operation in OURS.operations()}
SERVER, QUEUE = 1001, 1
SPEC = InstallSpec(22, "web-04", "web-04.example.com", (1, 2))


class Stand:
    """The simulator behind the checks, and a client before them."""

    def __init__(self, world: World, checked: Checked, url: str, compute: VirtFusionCompute) -> None:
        self.world = world
        self.checked = checked
        self.url = url
        self.compute = compute

    async def raw(self, method: str, path: str, *, token: bool = True, body: Any = None) -> tuple[int, bytes]:
        headers = {"Authorization": f"Bearer {self.world.plan.token}"} if token else {}
        url = f"{self.url}/api/v1{path}"
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, url, headers=headers, json=body) as answer,
        ):
            return answer.status, await answer.read()


@pytest.fixture
async def stand() -> AsyncGenerator[Stand]:
    world = World(SMALL)
    world.begin(world.servers[1002], Work.BOOT)
    simulators = Simulators(VirtFusionSimulator(world))
    checked = Checked(simulators, OURS, f"{VIRTFUSION}/api/v1")
    async with serving(checked) as port:
        url = f"http://127.0.0.1:{port}{VIRTFUSION}"
        client = VirtFusionClient(url, world.plan.token, Settings(attempts=1, reach=Reach.ANYWHERE))
        try:
            yield Stand(world, checked, url, VirtFusionCompute(client))
        finally:
            await client.close()


def test_our_contract_is_a_valid_document():
    validate(OURS.document)


CALLS: dict[str, Callable[[Stand], Awaitable[object]]] = {
    "GET /connect": lambda stand: stand.compute.client.connect(),
    "GET /servers": lambda stand: stand.compute.list_servers(),
    "GET /servers/user/{userId}": lambda stand: stand.raw("GET", "/servers/user/101"),
    "GET /servers/{serverId}": lambda stand: stand.compute.client.server(SERVER, remote_state=True),
    "POST /servers/{serverId}/power/boot": lambda stand: stand.compute.act(SERVER, PowerAction.BOOT),
    "POST /servers/{serverId}/power/shutdown": lambda stand: stand.compute.act(SERVER, PowerAction.SHUTDOWN),
    "POST /servers/{serverId}/power/restart": lambda stand: stand.compute.act(SERVER, PowerAction.RESTART),
    "POST /servers/{serverId}/power/poweroff": lambda stand: stand.compute.act(SERVER, PowerAction.POWEROFF),
    "POST /servers/{serverId}/resetPassword": lambda stand: stand.compute.reset_password(SERVER, windows=False),
    "GET /servers/{serverId}/vnc": lambda stand: stand.compute.console(SERVER),
    "POST /servers/{serverId}/vnc": lambda stand: stand.compute.open_console(SERVER),
    "GET /servers/{serverId}/traffic": lambda stand: stand.compute.traffic(SERVER),
    "GET /servers/{serverId}/templates": lambda stand: stand.compute.client.templates(SERVER),
    "GET /packages": lambda stand: stand.compute.client.packages(),
    "GET /queue/{queueId}": lambda stand: stand.compute.action_progress(QUEUE),
    "POST /servers/{serverId}/build": lambda stand: stand.compute.install(SERVER, SPEC),
    "POST /servers/{serverId}/suspend": lambda stand: stand.compute.suspend(SERVER),
    "POST /servers/{serverId}/unsuspend": lambda stand: stand.compute.unsuspend(SERVER),
    "PUT /servers/{serverId}/modify/name": lambda stand: stand.compute.rename(SERVER, "web-04"),
    "PUT /servers/{serverId}/modify/cpuThrottle": lambda stand: stand.compute.throttle_cpu(SERVER, 50),
    "PUT /servers/{serverId}/owner/{newOwnerId}": lambda stand: stand.compute.change_owner(SERVER, 102),
    "GET /compute/hypervisors": lambda stand: stand.compute.client.hypervisors(),
    "GET /compute/hypervisors/groups/{hypervisorGroupId}/resources": lambda stand: stand.compute.client.use_of_group(1),
    "POST /ssh_keys": lambda stand: stand.compute.add_ssh_key(101, "laptop", public_key("laptop", 77)),
    "DELETE /ssh_keys/{keyId}": lambda stand: stand.compute.delete_ssh_key(1),
    "GET /ssh_keys/user/{userId}": lambda stand: stand.compute.ssh_keys(101),
    "GET /users/{extRelationId}/byExtRelation": lambda stand: stand.compute.user_by_relation(5001),
}
# How the vendor says yes, where that is not 200.
YES = {
    "POST /servers/{serverId}/suspend": 204,
    "POST /servers/{serverId}/unsuspend": 204,
    "PUT /servers/{serverId}/modify/name": 201,
    "PUT /servers/{serverId}/modify/cpuThrottle": 201,
    "PUT /servers/{serverId}/owner/{newOwnerId}": 201,
    "POST /ssh_keys": 201,
    "DELETE /ssh_keys/{keyId}": 204,
}


def test_every_operation_of_the_contract_is_tried():
    assert set(CALLS) == set(OPERATIONS)


@pytest.mark.parametrize("name", CALLS)
async def test_request_and_answer_fit(stand: Stand, name: str):
    await CALLS[name](stand)
    assert stand.checked.problems == []
    assert stand.checked.seen == {(name, YES.get(name, 200))}


async def test_every_server_fits_whatever_its_state(stand: Stand):
    stand.world.change(1003, ServerChange(reachable=False, ipv4=[]))
    listing = await stand.compute.list_servers()
    states = {(await stand.compute.observe(one.external_id, power=True)).state for one in listing.servers}
    assert states == {ServerState.ACTIVE, ServerState.SUSPENDED}
    stand.world.change(1001, ServerChange(state="queued", commissioned=1))
    stand.world.change(1005, ServerChange(state="failed", commissioned=2, build_failed=True, hostname=None))
    assert (await stand.compute.observe(1001, power=True)).state is ServerState.BUILDING
    assert (await stand.compute.observe(1005, power=True)).state is ServerState.FAILED
    assert stand.checked.problems == []


async def test_queue_items_fit_from_beginning_to_end(stand: Stand):
    stand.world.change(SERVER, ServerChange(fails_next="No space left on the hypervisor"))
    ticket = await stand.compute.act(SERVER, PowerAction.RESTART)
    seen: list[ActionProgress] = []
    while not seen or not seen[-1].finished:
        seen.append(await stand.compute.action_progress(ticket.queue_id or 0))
    assert not seen[0].finished
    assert (seen[-1].failed, seen[-1].error) == (True, "No space left on the hypervisor")
    assert stand.checked.problems == []


REFUSALS: dict[str, tuple[str, str, bool, Any]] = {
    "401": ("GET", "/servers", False, None),
    "404 server": ("GET", "/servers/9", True, None),
    "404 power": ("POST", "/servers/9/power/boot", True, None),
    "404 queue": ("GET", "/queue/999", True, None),
    "404 user": ("GET", "/servers/user/9", True, None),
    "403 denied": ("GET", "/packages", True, None),
    "404 new owner": ("PUT", "/servers/1001/owner/9", True, None),
    "404 build": ("POST", "/servers/9/build", True, {"operatingSystemId": 22, "email": False}),
    "404 group": ("GET", "/compute/hypervisors/groups/99/resources", True, None),
    "404 key": ("DELETE", "/ssh_keys/999", True, None),
    "404 keys": ("GET", "/ssh_keys/user/9", True, None),
    "404 relation": ("GET", "/users/9/byExtRelation", True, None),
    "409 build": ("POST", "/servers/1003/build", True, {"operatingSystemId": 22, "email": False}),
    "409 suspended": ("POST", "/servers/1003/power/boot", True, None),
    "422 user": ("POST", "/servers/1001/resetPassword", True, {"user": "nobody", "sendMail": False}),
    "422 build": ("POST", "/servers/1001/build", True, {"operatingSystemId": 999, "email": False}),
    "422 key": ("POST", "/ssh_keys", True, {"userId": 101, "name": "a", "publicKey": "a"}),
    "423 busy": ("POST", "/servers/1002/power/boot", True, None),
    "423 suspend": ("POST", "/servers/1002/suspend", True, None),
    "423 throttle": ("PUT", "/servers/1002/modify/cpuThrottle?sync=true", True, {"percent": 5}),
}


@pytest.mark.parametrize("name", REFUSALS)
async def test_refusals_fit(stand: Stand, name: str):
    stand.world.plan = msgspec.structs.replace(stand.world.plan, speed=0.01)
    stand.world.begin(stand.world.servers[1002], Work.RESTART)
    stand.world.change(1003, ServerChange(suspended=True))
    method, path, token, body = REFUSALS[name]
    stand.world.denied = frozenset({"packages"})
    status, _ = await stand.raw(method, path, token=token, body=body)
    assert status == int(name[:3])
    assert [problem for problem in stand.checked.problems if "nobody" not in problem] == []


async def test_a_request_that_does_not_fit_would_be_noticed(stand: Stand):
    await stand.raw("GET", "/servers?results=999&kind=x")
    await stand.raw("POST", "/servers/1001/resetPassword", body={"user": "root"})
    assert [problem.split(": ", 1)[1] for problem in stand.checked.problems] == [
        "$: 999 is greater than the maximum of 200",
        "query kind is unknown",
        "$: 'sendMail' is a required property",
    ]


# --- the vendor's document


@pytest.fixture(scope="session")
def vendor() -> Contract:
    return vendors_document("virtfusion")


# Reviewed 2026-11-24. Where we knowingly differ from the document, and why.
DEVIATIONS = {
    "GET /servers: query page": "the document forgets it, though its answers are paged",
    "GET /compute/hypervisors: query page": "as with the servers",
    "GET /compute/hypervisors/groups/{hypervisorGroupId}/resources: query page": "as with the servers",
    "POST /servers/{serverId}/build: the request example": "it sends mail, and says things that we leave to the vendor",
    "GET /servers/{serverId}/vnc: unknown to the vendor": "newer than the document",
    "POST /servers/{serverId}/vnc: a request body": "newer than the document, which only knows the toggle",
    "POST /servers/{serverId}/resetPassword: the request example": "it sends mail; we never let the vendor do that",
}


def comparison(vendor: Contract, operation: Operation) -> list[str]:
    """Where our operation differs from the vendor's."""
    theirs = vendor.document["paths"].get(operation.path, {}).get(operation.method)
    if theirs is None:
        return [f"{operation.name}: unknown to the vendor"]
    found = [
        f"{operation.name}: {where} {name}"
        for where in ("query", "path")
        for name in OURS.parameters(operation, where).keys() - vendor.parameters(operation, where).keys()
    ]
    statuses = {status for status in OURS.at(operation)["responses"] if status.startswith("2")}
    found += [f"{operation.name}: status {status}" for status in statuses - theirs["responses"].keys()]
    status = YES.get(operation.name, 200)
    example = example_of(theirs, status)
    if example is not None:
        body = msgspec.json.encode(example)
        found += [f"{operation.name}: {p}" for p in OURS.response_problems(operation, status, body)]
    if "requestBody" in OURS.at(operation) and "requestBody" not in theirs:
        found.append(f"{operation.name}: a request body")
    elif "requestBody" in OURS.at(operation):
        request = msgspec.json.encode(theirs["requestBody"]["content"]["application/json"]["example"])
        if OURS.request_problems(operation, "", request):
            found.append(f"{operation.name}: the request example")
    return found


@pytest.mark.parametrize("name", OPERATIONS)
def test_our_contract_agrees_with_the_vendors_document(vendor: Contract, name: str):
    found = set(comparison(vendor, OPERATIONS[name]))
    assert found == {deviation for deviation in DEVIATIONS if deviation.startswith(f"{name}:")}


# Reviewed 2026-11-24. What the simulator's answers have and the document's examples do not show.
UNSEEN = {
    "GET /servers/{serverId}: $.data.remoteState: dict instead of bool": "the example was taken without asking for it",
    "GET /servers/{serverId}: $.data.settings.config: list instead of dict": "PHP writes an empty object so",
    "GET /queue/{queueId}: $.data.errors.exception.message": "the example has no failure",
    "POST /servers/{serverId}/vnc: $.data.vnc.wss: unknown": "newer than the document",
    "POST /servers/{serverId}/build: $.data.queueId: unknown": "switched off by the plan's ``tells_build``",
    "POST /servers/{serverId}/build: $.data.settings.config: list instead of dict": "PHP writes an empty object so",
}
WITHOUT_AN_EXAMPLE = {"GET /connect", *(YES.keys() - {"POST /ssh_keys"})}


@pytest.mark.parametrize("name", OPERATIONS)
async def test_the_simulators_answers_look_like_the_vendors_examples(vendor: Contract, stand: Stand, name: str):
    if f"{name}: unknown to the vendor" in DEVIATIONS:
        return
    example = example_of(vendor.at(OPERATIONS[name]), YES.get(name, 200))
    if example is None:
        assert name in WITHOUT_AN_EXAMPLE
        return
    await CALLS[name](stand)
    found = {
        f"{name}: {problem}" for problem in shape_problems(msgspec.json.decode(stand.checked.answers[name]), example)
    }
    assert found <= set(UNSEEN)
