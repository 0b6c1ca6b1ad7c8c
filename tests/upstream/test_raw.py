"""The raw view: the vendor's words, without what nobody may see."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hostwright.core.providers import Gone, Refused
from hostwright.upstream.virtfusion.adapter import VirtFusionCompute
from hostwright.upstream.virtfusion.simulator import server_object
from hostwright.upstream.virtfusion.stripping import stripped
from tests.support.raw_server import RawServer
from tests.support.simulator import RunningSimulator
from tests.upstream.vendor import json

SECRET = "tulip-9zQ"


@pytest.mark.parametrize(
    "field",
    [
        "password",
        "rootPassword",
        "encryptedPassword",
        "decryptedPassword",
        "decrypted_password",
        "PASSWD",
        "passphrase",
        "token",
        "apiToken",
        "encrypted",
        "encryptedToken",
        "client-secret",
        "key",
        "api_key",
        "privateKey",
        "sshKeys",
        "credentials",
        "screen",
        "customXML",
        "qemuCommandline",
        "config",
        "userConfig",
        "userData",
        "vnc",
        "trace",
    ],
)
@pytest.mark.parametrize("value", [SECRET, [SECRET], {"inner": {"value": SECRET}}])
def test_what_is_secret_goes_wherever_it_stands(field: str, value: object):
    server: dict[str, object] = {"id": 1, field: value, "settings": {"list": [{"name": "a", field: value}]}}
    assert stripped(server) == {"id": 1, "settings": {"list": [{"name": "a"}]}}


def test_texts_are_clean_and_short():
    picture = "iVBORw0KGgo" + "A" * 3_000
    seen = stripped(
        {
            "name": "a\0b\x1b[31m",
            "note": "x " * 5_000,
            "picture": picture,
            "said": f"password={SECRET} and Bearer {SECRET}",
            "email": "jo@example.com",
            "n\0ame": 1,
        }
    )
    assert seen["name"] == 1  # a key is cleaned as well
    assert len(str(seen["note"])) == 500
    assert seen["picture"] == "…"
    assert SECRET not in str(seen["said"])
    assert seen["email"] == "jo@example.com"


def test_depth_and_length_end_somewhere():
    deep: dict[str, Any] = {}
    inner = deep
    for _ in range(200):
        inner["more"] = {}
        inner = inner["more"]
    wide = {f"k{number}": list(range(1_000)) for number in range(1_000)}
    seen: dict[str, Any] = stripped({"deep": deep, "wide": wide})
    encoded = msgspec.json.encode(seen)
    assert encoded.count(b"more") < 20
    assert len(seen["wide"]) == 100
    assert len(encoded) < 100_000


def test_plain_values_stay_as_they_are():
    server: dict[str, object] = {"a": 1, "b": 2.5, "c": None, "d": True, "e": ["x", 1, None], "f": {}}
    assert stripped(server) == server


def test_the_address_of_the_machine_is_left_out_and_the_servers_own_stay():
    seen = stripped(
        {
            "hypervisor": {"id": 6, "name": "hv", "ip": "10.1.1.1", "hostname": "hv.internal", "port": 8892},
            "network": {"interfaces": [{"ipv4": [{"address": "192.0.2.8"}]}]},
            "hostname": "web.example.com",
        }
    )
    assert seen == {
        "hypervisor": {"id": 6, "name": "hv"},
        "network": {"interfaces": [{"ipv4": [{"address": "192.0.2.8"}]}]},
        "hostname": "web.example.com",
    }


async def test_a_whole_server(compute: VirtFusionCompute, simulator: RunningSimulator):
    server = simulator.world.servers[1001]
    whole = server_object.built(simulator.world, server, None)
    seen = await compute.raw(1001)
    assert (seen["id"], seen["uuid"], seen["state"]) == (1001, server.uuid, "complete")
    assert simulator.requests("/servers/1001")[0].query == "remoteState=true"
    encoded = msgspec.json.encode(seen)
    for secret in (
        whole["settings"]["encryptedPassword"],
        whole["qemuAgent"]["os"]["screen"],
        simulator.world.hypervisors[server.hypervisor_id].ip,
        "ssh-ed25519",
        simulator.token,
    ):
        assert secret.encode() not in encoded
    assert len(encoded) < 6_000


async def test_what_cannot_be_shown(vendor: RawServer, asking: VirtFusionCompute):
    vendor.script.extend([json({"msg": "server not found"}, 404), json({"data": []})])
    with pytest.raises(Gone):
        await asking.raw(69)
    with pytest.raises(Refused):
        await asking.raw(69)
