"""What the adapter sends to change something, and what it makes of the answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from hostwright.core.providers import ActionTicket, Ambiguous, Gone, InstallSpec, Refused, SshKey, Transient
from hostwright.upstream.virtfusion.adapter import VirtFusionCompute
from tests.support.raw_server import RawServer, Reply
from tests.upstream.vendor import json

type Change = Callable[[VirtFusionCompute], Awaitable[Any]]

SERVER = "/api/v1/servers/69"
CREATED = Reply(status=201, body=b"")
DONE = Reply(status=204, body=b"")
NO_SUCH = json({"msg": "not found"}, 404)
CHANGES: dict[str, tuple[Change, Reply, str, str, object]] = {
    "rename": (
        lambda compute: compute.rename(69, "Büro 1"),
        CREATED,
        "PUT",
        f"{SERVER}/modify/name",
        {"name": "Büro 1"},
    ),
    "suspend": (lambda compute: compute.suspend(69), DONE, "POST", f"{SERVER}/suspend", None),
    "unsuspend": (lambda compute: compute.unsuspend(69), DONE, "POST", f"{SERVER}/unsuspend", None),
    "throttle_cpu": (
        lambda compute: compute.throttle_cpu(69, 99),
        CREATED,
        "PUT",
        f"{SERVER}/modify/cpuThrottle?sync=true",
        {"percent": 99},
    ),
    "change_owner": (lambda compute: compute.change_owner(69, 3), CREATED, "PUT", f"{SERVER}/owner/3", None),
    "delete_ssh_key": (lambda compute: compute.delete_ssh_key(7), DONE, "DELETE", "/api/v1/ssh_keys/7", None),
}


@pytest.mark.parametrize("name", CHANGES)
async def test_a_change_is_one_request_and_done_when_it_is_answered(
    vendor: RawServer, asking: VirtFusionCompute, name: str
):
    change, reply, method, target, body = CHANGES[name]
    vendor.script.append(reply)
    assert await change(asking) in (ActionTicket(None), None)
    (request,) = vendor.requests
    assert (request.method, request.target) == (method, target)
    assert request.body == (b"" if body is None else msgspec.json.encode(body))


@pytest.mark.parametrize("answer", [b"", b"null", b'{"data": {"id": 69}}', b"<html>"])
@pytest.mark.parametrize("name", CHANGES)
async def test_what_stands_in_the_answer_to_a_change_does_not_matter(
    vendor: RawServer, asking: VirtFusionCompute, name: str, answer: bytes
):
    vendor.script.append(Reply(status=200, body=answer))
    await CHANGES[name][0](asking)
    assert len(vendor.requests) == 1


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (NO_SUCH, Gone),
        (json({"msg": "The server is suspended"}, 409), Refused),
        (json({"errors": ["Pending"]}, 423), Transient),
        (Reply(status=500), Ambiguous),
        (Reply(drop=True), Ambiguous),
    ],
)
@pytest.mark.parametrize("name", CHANGES)
async def test_how_a_change_fails(
    vendor: RawServer, asking: VirtFusionCompute, name: str, reply: Reply, expected: type[Exception]
):
    # Whether the server is still there is asked for as well, once a change of owner is answered with 404.
    vendor.script.extend([reply, NO_SUCH])
    with pytest.raises(expected) as caught:
        await CHANGES[name][0](asking)
    assert type(caught.value) is expected


async def test_an_owner_who_is_not_known_does_not_make_the_server_gone(vendor: RawServer, asking: VirtFusionCompute):
    vendor.script.extend([NO_SUCH, json({"data": {"id": 69}})])
    with pytest.raises(Refused, match="does not know the user"):
        await asking.change_owner(69, 3)
    assert [request.method for request in vendor.requests] == ["PUT", "GET"]


async def test_whether_the_server_or_its_owner_is_unknown_may_stay_open(vendor: RawServer, asking: VirtFusionCompute):
    vendor.script.extend([NO_SUCH, Reply(status=503)])
    with pytest.raises(Transient):
        await asking.change_owner(69, 3)


# --- installing


@pytest.mark.parametrize(
    ("spec", "body"),
    [
        (
            InstallSpec(22, "web", "web.example.com", (1, 4)),
            {"operatingSystemId": 22, "email": False, "name": "web", "hostname": "web.example.com", "sshKeys": [1, 4]},
        ),
        (InstallSpec(22, "web", "web"), {"operatingSystemId": 22, "email": False, "name": "web"}),
        (InstallSpec(22, "web", None), {"operatingSystemId": 22, "email": False, "name": "web"}),
        (InstallSpec(22, "", "", ()), {"operatingSystemId": 22, "email": False}),
    ],
)
async def test_an_installation_sends_no_mail_and_nothing_empty(
    vendor: RawServer, asking: VirtFusionCompute, spec: InstallSpec, body: dict[str, Any]
):
    vendor.script.append(json({"data": {"id": 69, "state": "queued"}}))
    await asking.install(69, spec)
    (request,) = vendor.requests
    assert (request.method, request.target) == ("POST", f"{SERVER}/build")
    assert msgspec.json.decode(request.body) == body


@pytest.mark.parametrize(
    ("data", "queue_id"),
    [
        ({"id": 69, "state": "queued", "settings": {"decryptedPassword": "tulip-9zQ"}}, None),
        ({"id": 69, "queueId": 171}, 171),
        ({"queueId": "171"}, 171),
        ({"queueId": None}, None),
        ([], None),
        (None, None),
    ],
)
async def test_an_installation_may_name_its_queue_item(
    vendor: RawServer, asking: VirtFusionCompute, data: object, queue_id: int | None
):
    vendor.script.append(json({"data": data}))
    assert await asking.install(69, InstallSpec(22, "web", None)) == ActionTicket(queue_id)


@pytest.mark.parametrize("data", [{"queueId": "tulip-9zQ"}, {"queueId": -1}, {"queueId": 2**70}])
async def test_an_installation_under_an_odd_number_is_ambiguous_and_tells_nothing(
    vendor: RawServer, asking: VirtFusionCompute, data: object
):
    vendor.script.append(json({"data": data}))
    with pytest.raises(Ambiguous) as caught:
        await asking.install(69, InstallSpec(22, "web", None))
    assert "tulip" not in caught.value.message


async def test_an_installation_whose_answer_is_lost_is_not_sent_again(vendor: RawServer, asking: VirtFusionCompute):
    asking.client.settings = msgspec.structs.replace(asking.client.settings, attempts=3)
    vendor.script.append(Reply(drop=True))
    with pytest.raises(Ambiguous):
        await asking.install(69, InstallSpec(22, "web", None))
    assert len(vendor.requests) == 1


# --- keys


async def test_a_key_is_kept_as_it_was_given(vendor: RawServer, asking: VirtFusionCompute):
    vendor.script.append(json({"data": {"id": "2", "createdAt": "2025-01-20T12:16:23.000000Z"}}, 201))
    made = datetime(2025, 1, 20, 12, 16, 23, tzinfo=UTC)
    assert await asking.add_ssh_key(3, "laptop", "ssh-ed25519 AAAA me") == SshKey(
        2, "laptop", "ssh-ed25519 AAAA me", enabled=True, created_at=made
    )
    (request,) = vendor.requests
    assert (request.method, request.target) == ("POST", "/api/v1/ssh_keys")
    assert msgspec.json.decode(request.body) == {"userId": 3, "name": "laptop", "publicKey": "ssh-ed25519 AAAA me"}


@pytest.mark.parametrize("answer", [{"data": {}}, {"data": {"id": 0}}, {"data": {"id": 2**70}}, {"data": None}, {}])
async def test_a_key_without_its_number_is_ambiguous(vendor: RawServer, asking: VirtFusionCompute, answer: object):
    vendor.script.append(json(answer, 201))
    with pytest.raises(Ambiguous):
        await asking.add_ssh_key(3, "laptop", "ssh-ed25519 AAAA")


async def test_a_key_for_an_unknown_user_is_refused(vendor: RawServer, asking: VirtFusionCompute):
    vendor.script.append(json({"message": "Invalid.", "errors": {"userId": ["The selected user id is invalid."]}}, 422))
    with pytest.raises(Refused, match="The selected user id is invalid"):
        await asking.add_ssh_key(3, "laptop", "ssh-ed25519 AAAA")
