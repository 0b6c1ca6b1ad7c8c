"""What our adapter makes of the answers that the vendor's document shows.

The document is not ours to publish: it lies in ``../shared/contracts`` beside the checkout where we develop. Elsewhere
these tests are skipped and say so.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import msgspec
import pytest

from hostwright.core.http import Reach, Settings
from hostwright.core.providers import (
    ActionProgress,
    ActionTicket,
    Capacity,
    ExternalUser,
    InstallSpec,
    ObservedAddress,
    ObservedHypervisor,
    PowerAction,
    ServerState,
)
from hostwright.upstream.virtfusion.adapter import VirtFusionCompute
from hostwright.upstream.virtfusion.client import VirtFusionClient
from tests.support.raw_server import Reply, raw_server
from tests.upstream.contract import Contract, Operation, example_of, vendors_document


@pytest.fixture(scope="session")
def vendor() -> Contract:
    return vendors_document("virtfusion")


def example(vendor: Contract, name: str) -> Reply:
    """The document's own example of an answer."""
    method, _, path = name.partition(" ")
    operation = vendor.at(Operation(path, method.lower(), ""))
    status = next(int(status) for status in operation["responses"] if status.startswith("2"))
    return Reply(status=status, body=msgspec.json.encode(example_of(operation, status)))


async def answered_with_example[T](
    vendor: Contract, name: str, ask: Callable[[VirtFusionCompute], Awaitable[T]], *more: str
) -> T:
    """What our adapter makes of it; ``more`` are the examples of further calls."""
    async with raw_server() as server:
        server.script.extend(example(vendor, one) for one in (name, *more))
        server.usual = Reply(status=403)
        client = VirtFusionClient(server.url, "token", Settings(attempts=1, reach=Reach.ANYWHERE))
        try:
            return await ask(VirtFusionCompute(client))
        finally:
            await client.close()


async def test_the_examples_server(vendor: Contract):
    seen = await answered_with_example(
        vendor, "GET /servers/{serverId}", lambda compute: compute.observe(69, power=True)
    )
    assert (seen.external_id, seen.external_owner_id, seen.name, seen.hostname) == (69, 1, "Elliptical Way", "")
    assert (seen.state, seen.power, seen.busy) == (ServerState.ACTIVE, None, False)
    assert (seen.cores, seen.memory_mib, seen.disk_gib, seen.traffic_limit_gb) == (2, 1024, 11, 20000)
    assert (seen.hypervisor, seen.location_id, seen.location_name) == ("BHV 1", "2", "Test")
    assert seen.addresses is not None
    assert seen.addresses[:3] == [
        ObservedAddress("192.168.4.32", 4, primary=True),
        ObservedAddress("192.168.4.35", 4, primary=False),
        ObservedAddress("2001:db8:abcd:12:2::/80", 6, primary=True),
    ]


async def test_the_examples_list(vendor: Contract):
    page = await answered_with_example(vendor, "GET /servers", lambda compute: compute.client.page(1))
    assert (page.current_page, page.last_page, page.total, len(page.data)) == (1, 2, 27, 20)
    first = page.data[0]
    assert (first.id, first.commissioned, first.owner, first.suspended) == (5, 3, 1, False)


@pytest.mark.parametrize("action", list(PowerAction))
async def test_the_examples_power_actions(vendor: Contract, action: PowerAction):
    name = f"POST /servers/{{serverId}}/power/{action.value}"
    ticket = await answered_with_example(vendor, name, lambda compute: compute.act(69, action))
    assert ticket.queue_id == 171


async def test_the_examples_queue_item(vendor: Contract):
    name = "GET /queue/{queueId}"
    progress = await answered_with_example(vendor, name, lambda compute: compute.action_progress(158))
    assert progress == ActionProgress(finished=True, failed=False, progress=100, error=None)


async def test_the_examples_password(vendor: Contract):
    name = "POST /servers/{serverId}/resetPassword"
    reset = await answered_with_example(vendor, name, lambda compute: compute.reset_password(69, windows=False))
    assert (reset.queue_id, len(reset.password)) == (176, 20)


async def test_the_examples_traffic(vendor: Contract):
    name = "GET /servers/{serverId}/traffic"
    months = await answered_with_example(vendor, name, lambda compute: compute.traffic(69))
    assert [(month.total_bytes, month.limit_gb, month.blocks_gb) for month in months] == [
        (1848380758, 20000, 100),
        (5692929717, 20000, 0),
    ]


async def test_the_examples_catalog(vendor: Contract):
    name = "GET /servers/{serverId}/templates"
    groups = await answered_with_example(vendor, name, lambda compute: compute.client.templates(69))
    assert groups[0].templates[0].id == 8
    packages = await answered_with_example(vendor, "GET /packages", lambda compute: compute.client.packages())
    assert (packages[0].name, packages[0].memory, packages[0].primary_storage) == ("Test", 1024, 10)


async def test_the_examples_templates(vendor: Contract):
    name = "GET /servers/{serverId}/templates"
    found = await answered_with_example(vendor, name, lambda compute: compute.templates(69))
    first = found[0]
    assert (first.external_id, first.family, first.name, first.version) == (8, "Debian", "Debian", "11 (Bullseye)")
    assert (first.variant, first.windows, first.ended) == ("Minimal", False, False)
    assert len({one.external_id for one in found}) == len(found)


async def test_the_examples_build_gives_no_queue_item_and_its_password_is_not_kept(vendor: Contract):
    name = "POST /servers/{serverId}/build"
    assert b"decryptedPassword" in example(vendor, name).body
    ticket = await answered_with_example(vendor, name, lambda compute: compute.install(9, InstallSpec(1, "a", None)))
    assert ticket == ActionTicket(None)


async def test_the_examples_hypervisors(vendor: Contract):
    found = await answered_with_example(
        vendor, "GET /compute/hypervisors", lambda compute: compute.client.hypervisor_page(1)
    )
    assert (found.current_page, found.last_page, found.total, len(found.data)) == (1, 3, 14, 5)
    assert (found.data[0].id, found.data[0].name, found.data[0].enabled, found.data[0].maintenance) == (
        1,
        "PHV 1 (RED)",
        True,
        False,
    )


async def test_the_examples_resources_with_its_hypervisors(vendor: Contract):
    lists = "GET /compute/hypervisors"
    resources = "GET /compute/hypervisors/groups/{hypervisorGroupId}/resources"
    lines = msgspec.json.decode(example(vendor, lists).body)
    lines |= {"last_page": 1, "total": len(lines["data"])}
    async with raw_server() as server:
        server.script.extend([Reply(body=msgspec.json.encode(lines)), example(vendor, resources)])
        server.usual = Reply(status=403)
        client = VirtFusionClient(server.url, "token", Settings(attempts=1, reach=Reach.ANYWHERE))
        try:
            found = await VirtFusionCompute(client).hypervisors()
        finally:
            await client.close()
    assert found[0] == ObservedHypervisor(
        external_id=1,
        name="PHV 1 (RED)",
        group_id="1",
        group_name="Default",
        enabled=True,
        maintenance=False,
        servers=Capacity(1, None),
        memory_mib=Capacity(4096, 6004),
        cores=Capacity(3, 4),
        storage_gib=Capacity(25, 90),
    )


async def test_the_examples_users(vendor: Contract):
    name = "GET /users/{extRelationId}/byExtRelation"
    user = await answered_with_example(vendor, name, lambda compute: compute.user_by_relation(1))
    assert user == ExternalUser(3, 1, "jon Doe", "jon@doe.com", suspended=False)
    name = "GET /servers/{serverId}"
    owner = await answered_with_example(vendor, name, lambda compute: compute.user_of_server(69))
    assert owner == ExternalUser(1, None, "Jon Doe", "jon@doe.com", suspended=False)


async def test_the_examples_keys(vendor: Contract):
    (key,) = await answered_with_example(vendor, "GET /ssh_keys/user/{userId}", lambda compute: compute.ssh_keys(1))
    assert (key.external_id, key.name, key.enabled) == (1, "My SSH Key", True)
    assert key.public_key.startswith("ssh-rsa AAAAB3")
    assert key.created_at == datetime(2024, 3, 13, 20, 28, 32, tzinfo=UTC)
    kept = await answered_with_example(
        vendor, "POST /ssh_keys", lambda compute: compute.add_ssh_key(1, "Key 1", "ssh-rsa AAAA")
    )
    assert (kept.external_id, kept.name, kept.public_key) == (2, "Key 1", "ssh-rsa AAAA")
    assert kept.created_at == datetime(2025, 1, 20, 12, 16, 23, tzinfo=UTC)


async def test_nothing_secret_of_the_examples_server_is_left_in_the_raw_view(vendor: Contract):
    whole = msgspec.json.decode(example(vendor, "GET /servers/{serverId}").body)["data"]
    raw = await answered_with_example(vendor, "GET /servers/{serverId}", lambda compute: compute.raw(69))
    assert (raw["id"], raw["name"], raw["state"]) == (69, "Elliptical Way", "complete")
    text = msgspec.json.encode(raw).decode()
    assert whole["settings"]["encryptedPassword"] not in text
    assert whole["qemuAgent"]["os"]["screen"][:60] not in text
    for word in ("assword", "oken", "ecret", "ncrypted", "customXML", "runcmd", '192.168.4.2"', "5903"):
        assert word not in text, word
    assert "192.168.4.32" in text
    assert len(text) < 12_000
