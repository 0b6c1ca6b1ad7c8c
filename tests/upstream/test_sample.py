"""What a machine does, from words that the vendor does not describe."""

from __future__ import annotations

from typing import Any

import pytest

from hostwright.core.providers import Gone, Power, ResourceSample
from hostwright.upstream.virtfusion.adapter import VirtFusionCompute
from hostwright.upstream.virtfusion.simulator.facts import ServerChange
from tests.support.raw_server import RawServer
from tests.support.simulator import RunningSimulator
from tests.upstream.vendor import json

MIB = 1024  # KiB
GIB = 1024**3
SETTINGS = {"resources": {"memory": 2048, "storage": 40, "traffic": 0, "cpuCores": 2}}


async def sampled(vendor: RawServer, asking: VirtFusionCompute, remote: object, **facts: Any) -> ResourceSample:
    vendor.script.append(json({"data": {"id": 69, "settings": SETTINGS, "remoteState": remote} | facts}))
    return await asking.sample(69)


async def test_all_that_can_be_told(vendor: RawServer, asking: VirtFusionCompute):
    remote = {
        "state": "running",
        "cpu": 12.5,
        "memory": {"actual": 2048 * MIB, "unused": 500 * MIB, "available": 2000 * MIB, "rss": 1900 * MIB},
        "disk": {
            "vda": {"rd.bytes": "1000", "wr.bytes": 2000, "rd.reqs": "9"},
            "vdb": {"rd.bytes": 5, "wr.bytes": "7"},
        },
        "agent": {
            "fsinfo": [
                {"name": "vda1", "mountpoint": "/", "used-bytes": 3 * GIB, "total-bytes": 30 * GIB},
                {"name": "vda1", "mountpoint": "/srv", "used-bytes": 3 * GIB, "total-bytes": 30 * GIB},
                {"name": "vdb1", "mountpoint": "/data", "used-bytes": str(GIB // 2), "total-bytes": 8 * GIB},
                {"name": "sr0", "mountpoint": "/media"},
            ]
        },
    }
    assert await sampled(vendor, asking, remote) == ResourceSample(
        power=Power.RUNNING,
        cpu_percent=12.5,
        memory_used_mib=1500,
        memory_mib=2048,
        disk_read_bytes=1005,
        disk_written_bytes=2007,
        disk_used_gib=3.5,
        disk_gib=40.0,
    )
    assert [request.target for request in vendor.requests] == ["/api/v1/servers/69?remoteState=true"]


@pytest.mark.parametrize("remote", [False, None, [], "", "error", 7, {}])
async def test_a_hypervisor_that_cannot_be_asked(vendor: RawServer, asking: VirtFusionCompute, remote: object):
    assert await sampled(vendor, asking, remote) == ResourceSample(None, None, None, 2048, None, None, None, 40.0)


@pytest.mark.parametrize(
    "remote",
    [
        {"cpu": [], "memory": [], "disk": [], "agent": []},
        {"cpu": True, "memory": {"rss": {}}, "disk": {"vda": []}, "agent": {"fsinfo": {}}},
        {"cpu": "much", "memory": "full", "disk": {"vda": {"rd.bytes": "-"}}, "agent": {"fsinfo": [None, [], {}]}},
        {
            "cpu": -1,
            "memory": {"rss": -5},
            "disk": {"vda": {"rd.bytes": -1}},
            "agent": {"fsinfo": [{"used-bytes": -1}]},
        },
        {"cpu": "nan", "memory": {"rss": 1e300}, "disk": {"vda": {"wr.bytes": 10**40}}, "agent": {"fsinfo": "none"}},
        {"cpu": "inf", "memory": {"available": 5}, "disk": 7, "agent": {"fsinfo": False}},
        {"cpu": 10**400, "memory": None, "disk": None, "agent": None},
    ],
)
async def test_odd_words_are_not_told(vendor: RawServer, asking: VirtFusionCompute, remote: dict[str, object]):
    seen = await sampled(vendor, asking, {"state": "shutoff"} | remote)
    assert seen == ResourceSample(Power.STOPPED, None, None, 2048, None, None, None, 40.0)


@pytest.mark.parametrize(
    ("memory", "used"),
    [
        ({"available": 2000 * MIB, "unused": 100 * MIB, "usable": 900 * MIB}, 1100),
        ({"actual": 2048 * MIB, "rss": 700 * MIB}, 700),
        ({"actual": 2048 * MIB, "rss": 2300 * MIB}, 2048),
        ({"available": 10 * MIB, "unused": 20 * MIB}, 0),
        ({"actual": 2048 * MIB}, None),
    ],
)
async def test_memory_in_use(vendor: RawServer, asking: VirtFusionCompute, memory: object, used: int | None):
    assert (await sampled(vendor, asking, {"state": "running", "memory": memory})).memory_used_mib == used


@pytest.mark.parametrize(("cpu", "expected"), [(0, 0.0), ("7.25", 7.25), (100, 100.0), (180.5, 100.0)])
async def test_processor_time(vendor: RawServer, asking: VirtFusionCompute, cpu: object, expected: float):
    assert (await sampled(vendor, asking, {"state": "running", "cpu": cpu})).cpu_percent == expected


async def test_without_settings_nothing_is_known_of_the_size(vendor: RawServer, asking: VirtFusionCompute):
    seen = await sampled(vendor, asking, {"state": "running", "memory": {"rss": 300 * MIB}}, settings=[])
    assert seen == ResourceSample(Power.RUNNING, None, 300, None, None, None, None, None)


async def test_a_server_that_is_not_there(vendor: RawServer, asking: VirtFusionCompute):
    vendor.script.append(json({"msg": "server not found"}, 404))
    with pytest.raises(Gone):
        await asking.sample(69)


async def test_of_the_simulated_company(compute: VirtFusionCompute, simulator: RunningSimulator):
    running = next(one for one in simulator.world.listed if one.running and one.id % 4)
    seen = await compute.sample(running.id)
    assert seen.power is Power.RUNNING
    assert None not in (seen.cpu_percent, seen.memory_used_mib, seen.disk_read_bytes, seen.disk_used_gib)
    assert 0 < (seen.memory_used_mib or 0) < (seen.memory_mib or 0)
    assert 0 < (seen.disk_used_gib or 0) < (seen.disk_gib or 0)
    again = await compute.sample(running.id)
    assert (again.disk_read_bytes or 0) >= (seen.disk_read_bytes or 0)
    simulator.world.change(running.id, ServerChange(running=False))
    stopped = await compute.sample(running.id)
    assert (stopped.power, stopped.cpu_percent, stopped.disk_used_gib) == (Power.STOPPED, 0.0, None)
    simulator.world.change(running.id, ServerChange(reachable=False))
    assert (await compute.sample(running.id)).power is None
