"""VirtFusion's answers, the odd ones too, in our words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from hostwright.core.providers import (
    ActionTicket,
    Ambiguous,
    ListedServer,
    ObservedAddress,
    Power,
    PowerAction,
    Refused,
    ServerState,
    TrafficMonth,
    Transient,
)
from hostwright.upstream.virtfusion.adapter import VirtFusionCompute
from tests.support.raw_server import RawServer, Reply
from tests.upstream.vendor import json

CREATED = "2025-01-20T14:00:47+00:00"
MADE = datetime(2025, 1, 20, 14, 0, 47, tzinfo=UTC)
BARE: dict[str, Any] = {"id": 69, "commissionStatus": 3, "created": CREATED}


async def observed(vendor: RawServer, asking: VirtFusionCompute, *, power: bool = False, **facts: Any) -> Any:
    vendor.script.append(json({"data": BARE | facts}))
    return await asking.observe(69, power=power)


async def test_a_bare_server_is_enough(vendor: RawServer, asking: VirtFusionCompute):
    seen = await observed(vendor, asking)
    assert (seen.external_id, seen.name, seen.state, seen.power, seen.busy) == (
        69,
        "Server 69",
        ServerState.ACTIVE,
        None,
        False,
    )
    assert (seen.cores, seen.memory_mib, seen.operating_system, seen.addresses) == (None, None, None, None)
    assert seen.created_at == MADE
    assert [request.target for request in vendor.requests] == ["/api/v1/servers/69", "/api/v1/packages"]


async def test_numbers_as_text_and_flags_as_numbers(vendor: RawServer, asking: VirtFusionCompute):
    seen = await observed(
        vendor,
        asking,
        id="69",
        ownerId="3",
        commissionStatus="3",
        suspended=0,
        tasks={"active": 1},
        settings={"resources": {"memory": "2048", "storage": "40", "traffic": "0", "cpuCores": "2"}},
    )
    assert (seen.external_owner_id, seen.cores, seen.memory_mib, seen.disk_gib, seen.traffic_limit_gb, seen.busy) == (
        3,
        2,
        2048,
        40,
        0,
        True,
    )


async def test_empty_objects_written_as_lists_and_absent_ones_as_false(vendor: RawServer, asking: VirtFusionCompute):
    empty: list[object] = []
    seen = await observed(
        vendor,
        asking,
        power=True,
        settings=empty,
        network=empty,
        hypervisor=False,
        tasks=None,
        os=empty,
        qemuAgent=empty,
        remoteState=empty,
    )
    assert (seen.power, seen.busy, seen.hypervisor, seen.location_id, seen.addresses) == (None, False, None, None, None)


@pytest.mark.parametrize(
    ("remote", "power"),
    [
        ({"state": "running"}, Power.RUNNING),
        ({"state": "Running"}, Power.RUNNING),
        ({"state": "blocked"}, Power.RUNNING),
        ({"state": "shutoff"}, Power.STOPPED),
        ({"state": "stopped"}, Power.STOPPED),
        ({"state": "crashed"}, Power.STOPPED),
        ({"state": "paused"}, Power.UNKNOWN),
        ({"state": "shutdown"}, Power.UNKNOWN),
        ({"state": None}, None),
        ({}, None),
        (False, None),
        (None, None),
        ("", None),
    ],
)
async def test_power_comes_from_the_hypervisor_only(
    vendor: RawServer, asking: VirtFusionCompute, remote: object, power: Power | None
):
    seen = await observed(vendor, asking, power=True, state="complete", remoteState=remote)
    assert seen.power is power
    assert vendor.requests[0].target == "/api/v1/servers/69?remoteState=true"


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ({"commissionStatus": 3, "state": "complete"}, ServerState.ACTIVE),
        ({"commissionStatus": 3, "state": "something new"}, ServerState.ACTIVE),
        ({"commissionStatus": 0, "state": "allocated"}, ServerState.BUILDING),
        ({"commissionStatus": 1, "state": "queued"}, ServerState.BUILDING),
        ({"commissionStatus": 2, "state": "failed"}, ServerState.FAILED),
        ({"commissionStatus": 1, "state": "queued", "buildFailed": True}, ServerState.FAILED),
        ({"commissionStatus": 3, "state": "complete", "suspended": True}, ServerState.SUSPENDED),
        ({"commissionStatus": 2, "state": "failed", "suspended": True}, ServerState.SUSPENDED),
    ],
)
async def test_states(vendor: RawServer, asking: VirtFusionCompute, facts: dict[str, Any], state: ServerState):
    assert (await observed(vendor, asking, **facts)).state is state


async def test_addresses_in_use_come_in_order_and_once(vendor: RawServer, asking: VirtFusionCompute):
    first = {
        "order": 2,
        "enabled": True,
        "ipv4": [
            {"order": 2, "enabled": True, "address": "192.0.2.9"},
            {"order": 1, "enabled": True, "address": "192.0.2.8"},
            {"order": 3, "enabled": False, "address": "192.0.2.7"},
            {"order": 4, "enabled": True, "address": "not an address"},
        ],
        "ipv6": [
            {"order": 1, "enabled": True, "subnet": "2001:0DB8:0::", "cidr": 64, "addresses": []},
            {"order": 2, "enabled": True, "subnet": None, "cidr": None},
        ],
    }
    off = {"order": 1, "enabled": False, "ipv4": [{"address": "192.0.2.66"}], "ipv6": []}
    private = {"order": 1, "enabled": True, "ipv4": [{"address": "10.0.0.4"}, {"address": "192.0.2.8"}], "ipv6": []}
    network = {"interfaces": [first, off], "secondaryInterfaces": [private]}
    assert (await observed(vendor, asking, network=network)).addresses == [
        ObservedAddress("192.0.2.8", 4, primary=True),
        ObservedAddress("192.0.2.9", 4, primary=False),
        ObservedAddress("2001:db8::/64", 6, primary=True),
        ObservedAddress("10.0.0.4", 4, primary=False),
    ]


async def test_where_a_server_stands(vendor: RawServer, asking: VirtFusionCompute):
    seen = await observed(
        vendor, asking, hypervisor={"id": 6, "name": "fra-kvm-01", "groupId": 2, "group": {"name": "Frankfurt"}}
    )
    assert (seen.hypervisor, seen.location_id, seen.location_name) == ("fra-kvm-01", "2", "Frankfurt")


TEMPLATES = [{"name": "Debian", "templates": [{"id": 46, "name": "Debian", "version": "13", "variant": "Minimal"}]}]
PACKAGES = [
    {"id": 1, "name": "Small", "memory": 1024, "primaryStorage": 10, "traffic": 200, "cpuCores": 1},
    {"id": 2, "name": "Also small", "memory": 1024, "primaryStorage": 10, "traffic": 200, "cpuCores": 1},
    {"id": 3, "name": "Large", "memory": 8192, "primaryStorage": 10, "traffic": 0, "cpuCores": 4},
]
LARGE = {"memory": 8192, "storage": 10, "traffic": 0, "cpuCores": 4}
SMALL = {"memory": 1024, "storage": 10, "traffic": 200, "cpuCores": 1}


async def test_names_of_system_and_package_are_looked_up_once(vendor: RawServer, asking: VirtFusionCompute):
    server = json({"data": BARE | {"settings": {"osTemplateInstallId": 46, "resources": LARGE}}})
    vendor.script.extend([server, json({"data": TEMPLATES}), json({"data": PACKAGES}), server])
    first = await asking.observe(69, power=False)
    second = await asking.observe(69, power=False)
    assert first == second
    assert (first.operating_system, first.package) == ("Debian 13 Minimal", "Large")
    assert [request.target.removeprefix("/api/v1") for request in vendor.requests] == [
        "/servers/69",
        "/servers/69/templates",
        "/packages",
        "/servers/69",
    ]


async def test_a_package_is_named_only_when_no_other_fits(vendor: RawServer, asking: VirtFusionCompute):
    vendor.script.extend([json({"data": BARE | {"settings": {"resources": SMALL}}}), json({"data": PACKAGES})])
    assert (await asking.observe(69, power=False)).package is None


@pytest.mark.parametrize(
    ("facts", "system"),
    [
        ({"os": {"templateName": "Ubuntu 24.04"}, "settings": {"osTemplateInstallId": 46}}, "Ubuntu 24.04"),
        ({"settings": {"osTemplateInstallId": 0}, "qemuAgent": {"os": {"pretty-name": "Fedora 43"}}}, "Fedora 43"),
        ({"settings": {"osTemplateInstallId": 99}, "qemuAgent": {"os": {"screen": "aGk="}}}, None),
        ({"os": {"screen": "aGk="}}, None),
    ],
)
async def test_the_system_without_its_template(
    vendor: RawServer, asking: VirtFusionCompute, facts: dict[str, Any], system: str | None
):
    assert (await observed(vendor, asking, **facts)).operating_system == system


async def test_a_list_tells_what_it_can(vendor: RawServer, asking: VirtFusionCompute):
    line: dict[str, Any] = {"id": 5, "uuid": "u-5", "name": "web", "commissioned": 3, "owner": 1, "created": CREATED}
    lines = [
        line | {"suspended": False},
        line | {"id": 6, "commissioned": 1, "suspended": True, "name": ""},
        line | {"id": 7, "commissioned": 0, "owner": None, "uuid": None, "created": "2025-01-20T15:00:47.000000Z"},
        line | {"id": 8, "commissioned": "2"},
    ]
    vendor.script.append(json({"current_page": 1, "last_page": 1, "total": 4, "data": lines}))
    listing = await asking.list_servers()
    assert listing.calls == 1
    assert listing.servers == [
        ListedServer(5, "u-5", 1, "web", ServerState.ACTIVE, MADE),
        ListedServer(6, "u-5", 1, "Server 6", ServerState.SUSPENDED, MADE),
        ListedServer(7, None, None, "web", ServerState.BUILDING, MADE.replace(hour=15)),
        ListedServer(8, "u-5", 1, "web", ServerState.FAILED, MADE),
    ]


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"finished": None, "progress": 40}, (False, False, 40, None)),
        ({"finished": False, "progress": None}, (False, False, 0, None)),
        ({"finished": CREATED, "progress": 100}, (True, False, 100, None)),
        ({"finished": CREATED, "progress": "250"}, (True, False, 100, None)),
        ({"finished": None, "failed": True, "progress": 7}, (True, True, 7, "VirtFusion could not do it.")),
        (
            {
                "finished": CREATED,
                "failed": 1,
                "progress": 7,
                "errors": {"exception": {"message": "No space on 10.1.1.9"}},
            },
            (True, True, 7, "No space on [address]"),
        ),
        ({"failed": True, "progress": 0, "errors": []}, (True, True, 0, "VirtFusion could not do it.")),
    ],
)
async def test_progress(vendor: RawServer, asking: VirtFusionCompute, item: dict[str, Any], expected: tuple[Any, ...]):
    vendor.script.append(json({"data": {"id": 158} | item}))
    seen = await asking.action_progress(158)
    assert (seen.finished, seen.failed, seen.progress, seen.error) == expected


async def test_traffic(vendor: RawServer, asking: VirtFusionCompute):
    older = {"start": "2024-12-06 00:00:00", "end": "2025-01-05 23:59:59", "rx": "5", "tx": 6, "total": 11, "limit": 0}
    newer = older | {"start": "2025-01-06 00:00:00", "end": "2025-02-05 23:59:59", "limit": 20000}
    blocks = [{"id": 2, "traffic": 100}, {"id": 3, "traffic": "50"}]
    vendor.script.append(json({"data": {"monthly": [older, newer | {"blocks": blocks}]}}))
    assert await asking.traffic(69) == [
        TrafficMonth(
            datetime(2025, 1, 6, tzinfo=UTC), datetime(2025, 2, 5, 23, 59, 59, tzinfo=UTC), 5, 6, 11, 20000, 150
        ),
        TrafficMonth(
            datetime(2024, 12, 6, tzinfo=UTC), datetime(2025, 1, 5, 23, 59, 59, tzinfo=UTC), 5, 6, 11, None, 0
        ),
    ]


@pytest.mark.parametrize("data", [[], {"monthly": []}, None, False])
async def test_no_traffic_yet(vendor: RawServer, asking: VirtFusionCompute, data: object):
    vendor.script.append(json({"data": data}))
    assert await asking.traffic(69) == []


async def test_a_power_action_is_one_post_without_a_body(vendor: RawServer, asking: VirtFusionCompute):
    vendor.script.append(json({"data": {"queueId": "171"}}))
    assert await asking.act(69, PowerAction.SHUTDOWN) == ActionTicket(171)
    (request,) = vendor.requests
    assert (request.method, request.target, request.body) == ("POST", "/api/v1/servers/69/power/shutdown", b"")


async def test_an_action_may_be_done_at_once(vendor: RawServer, asking: VirtFusionCompute):
    vendor.script.append(json({"data": {"queueId": None}}))
    assert await asking.act(69, PowerAction.BOOT) == ActionTicket(None)


@pytest.mark.parametrize("answer", [{"data": {}}, {"data": []}, {}, {"queueId": 171}, {"data": {"queueId": "x"}}])
async def test_a_taken_action_whose_answer_does_not_fit_is_ambiguous(
    vendor: RawServer, asking: VirtFusionCompute, answer: object
):
    vendor.script.append(json(answer))
    with pytest.raises(Ambiguous):
        await asking.act(69, PowerAction.BOOT)


@pytest.mark.parametrize(("windows", "user"), [(False, "root"), (True, "Administrator")])
async def test_a_reset_sends_no_mail(vendor: RawServer, asking: VirtFusionCompute, windows: bool, user: str):
    vendor.script.append(json({"data": {"queueId": 176, "expectedPassword": "tulip-9zQ"}}))
    reset = await asking.reset_password(69, windows=windows)
    assert (reset.queue_id, reset.password) == (176, "tulip-9zQ")
    assert msgspec.json.decode(vendor.requests[0].body) == {"user": user, "sendMail": False}


async def test_a_reset_without_the_password_is_ambiguous_and_tells_nothing(
    vendor: RawServer, asking: VirtFusionCompute
):
    vendor.script.append(json({"data": {"queueId": "x", "expectedPassword": "tulip-9zQ"}}))
    with pytest.raises(Ambiguous) as caught:
        await asking.reset_password(69, windows=False)
    assert "tulip" not in caught.value.message


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"errors": ["No capacity", "Try later"]}, "VirtFusion refused: No capacity Try later."),
        ({"msg": "The server is suspended"}, "VirtFusion refused: The server is suspended."),
        (
            {"message": "The given data was invalid.", "errors": {"user": ["The selected user is invalid."]}},
            "VirtFusion refused: The selected user is invalid.",
        ),
        ({"message": "Not now."}, "VirtFusion refused: Not now."),
        ({"errors": []}, "VirtFusion refused the request (409)."),
        ({"message": {"a": 1}}, "VirtFusion refused the request (409)."),
        (["No capacity"], "VirtFusion refused the request (409)."),
        ("<html>", "VirtFusion refused the request (409)."),
    ],
)
async def test_the_shapes_of_errors(vendor: RawServer, asking: VirtFusionCompute, body: object, said: str):
    vendor.script.append(json(body, 409))
    with pytest.raises(Refused) as caught:
        await asking.act(69, PowerAction.BOOT)
    assert (caught.value.message, caught.value.status) == (said, 409)


async def test_401_has_no_json(vendor: RawServer, asking: VirtFusionCompute):
    vendor.script.append(Reply(status=401, body=b"401 Unauthorized"))
    with pytest.raises(Refused, match=r"does not accept the API token \(401\)"):
        await asking.list_servers()


async def test_busy_is_transient(vendor: RawServer, asking: VirtFusionCompute):
    vendor.script.append(json({"errors": ["Pending"]}, 423))
    with pytest.raises(Transient, match="is busy"):
        await asking.act(69, PowerAction.BOOT)
