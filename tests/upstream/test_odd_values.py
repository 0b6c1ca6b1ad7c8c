"""Values that no database could hold, and facts that an answer leaves out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from hostwright.core.providers import Ambiguous, ObservedAddress, PowerAction, Refused
from hostwright.upstream.virtfusion.adapter import VirtFusionCompute
from tests.support.raw_server import RawServer
from tests.upstream.vendor import json

CREATED = "2025-01-20T14:00:47+00:00"
BARE: dict[str, Any] = {"id": 69, "commissionStatus": 3, "created": CREATED}
LINE: dict[str, Any] = {"id": 5, "uuid": "u-5", "name": "web", "commissioned": 3, "owner": 1, "created": CREATED}


async def observed(vendor: RawServer, asking: VirtFusionCompute, **facts: Any) -> Any:
    vendor.script.append(json({"data": BARE | facts}))
    return await asking.observe(69, power=False)


async def listed(vendor: RawServer, asking: VirtFusionCompute, *lines: dict[str, Any]) -> Any:
    vendor.script.append(json({"current_page": 1, "last_page": 1, "total": len(lines), "data": list(lines)}))
    return (await asking.list_servers()).servers


async def test_texts_lose_control_characters_and_end_somewhere(vendor: RawServer, asking: VirtFusionCompute):
    seen = await observed(
        vendor,
        asking,
        name="a\0b\x1b[31m\u2028",
        hostname="h\0" + "x" * 500,
        os={"templateName": "Debian\0 13\n"},
        hypervisor={"name": "hv\0", "groupId": 2, "group": {"name": "Frank\x7ffurt"}},
    )
    assert (seen.name, seen.hostname) == ("ab[31m", "h" + "x" * 254)
    assert (seen.operating_system, seen.hypervisor, seen.location_name) == ("Debian 13", "hv", "Frankfurt")
    (line,) = await listed(vendor, asking, LINE | {"name": "\0\x01", "uuid": "u\0"})
    assert (line.name, line.external_uuid) == ("Server 5", "u")


async def test_numbers_that_cannot_be_are_not_known(vendor: RawServer, asking: VirtFusionCompute):
    resources = {"memory": 2**63, "storage": -1, "traffic": 10**30, "cpuCores": 2**31}
    seen = await observed(vendor, asking, ownerId=2**63, settings={"resources": resources})
    assert (seen.cores, seen.memory_mib, seen.disk_gib, seen.traffic_limit_gb, seen.external_owner_id) == (None,) * 5
    (line,) = await listed(vendor, asking, LINE | {"owner": 2**70})
    assert line.external_owner_id is None


@pytest.mark.parametrize("created", ["0000-00-00 00:00:00", "", None, 7.5e300, {"date": CREATED}, [], "yesterday"])
async def test_a_date_that_cannot_be_read_is_not_known(vendor: RawServer, asking: VirtFusionCompute, created: object):
    odd, good = await listed(vendor, asking, LINE | {"created": created}, LINE | {"id": 6})
    assert (odd.external_id, odd.created_at) == (5, None)
    assert good.created_at == datetime(2025, 1, 20, 14, 0, 47, tzinfo=UTC)
    assert (await observed(vendor, asking, created=created)).created_at is None


async def test_a_date_before_all_dates_is_not_known(vendor: RawServer, asking: VirtFusionCompute):
    (line,) = await listed(vendor, asking, LINE | {"created": "0001-01-01T00:00:00+05:00"})
    assert line.created_at is None


@pytest.mark.parametrize("number", [0, -5, 2**63, "x", None])
async def test_a_list_with_an_id_that_is_none_is_no_list(vendor: RawServer, asking: VirtFusionCompute, number: object):
    """Left out, its server would be taken for missing."""
    with pytest.raises(Refused):
        await listed(vendor, asking, LINE, LINE | {"id": number})


async def test_an_action_under_an_impossible_number_is_looked_after_by_its_server(
    vendor: RawServer, asking: VirtFusionCompute
):
    vendor.script.append(json({"data": {"queueId": 2**64}}))
    with pytest.raises(Ambiguous):
        await asking.act(69, PowerAction.BOOT)


async def test_an_error_of_the_vendor_can_be_stored(vendor: RawServer, asking: VirtFusionCompute):
    vendor.script.append(json({"errors": ["No\0 way"]}, 409))
    with pytest.raises(Refused) as caught:
        await asking.act(69, PowerAction.BOOT)
    assert caught.value.message == "VirtFusion refused: No way."


@pytest.mark.parametrize(
    "network", [False, None, [], "", {}, {"secondaryInterfaces": []}, {"interfaces": [{"order": 1, "enabled": True}]}]
)
async def test_a_network_that_is_not_told_is_not_an_empty_one(
    vendor: RawServer, asking: VirtFusionCompute, network: object
):
    assert (await observed(vendor, asking, network=network)).addresses is None


@pytest.mark.parametrize(
    "network",
    [
        {"interfaces": []},
        {"interfaces": [{"enabled": False}]},
        {"interfaces": [{"ipv4": [], "ipv6": []}]},
        {"interfaces": [{"ipv4": []}], "secondaryInterfaces": []},
    ],
)
async def test_an_empty_network_is_empty(vendor: RawServer, asking: VirtFusionCompute, network: object):
    assert (await observed(vendor, asking, network=network)).addresses == []


async def test_older_answers_have_fewer_lists(vendor: RawServer, asking: VirtFusionCompute):
    network = {"interfaces": [{"ipv4": [{"address": "192.0.2.8"}]}]}
    assert (await observed(vendor, asking, network=network)).addresses == [
        ObservedAddress("192.0.2.8", 4, primary=True)
    ]


async def test_no_host_name_is_not_an_unknown_one(vendor: RawServer, asking: VirtFusionCompute):
    assert (await observed(vendor, asking)).hostname is None
    assert (await observed(vendor, asking, hostname=None)).hostname == ""
    assert (await observed(vendor, asking, hostname="")).hostname == ""
