"""What a token may do, area by area, and precisely why not."""

from __future__ import annotations

from pathlib import Path

import pytest

from hostwright.core.http import Reach, Settings
from hostwright.core.providers import AreaProbe
from hostwright.upstream.virtfusion.adapter import VirtFusionCompute
from hostwright.upstream.virtfusion.client import VirtFusionClient
from hostwright.upstream.virtfusion.probing import AREAS, STRANGER
from hostwright.upstream.virtfusion.simulator import WorldPlan
from hostwright.upstream.virtfusion.simulator.permissions import Area
from tests.core.test_http_reach import make_certificate
from tests.support.raw_server import RawServer, Reply, raw_server
from tests.support.simulator import RunningSimulator, running_simulator
from tests.upstream.vendor import json


def problems(found: list[AreaProbe]) -> dict[str, str]:
    """What does not work; every area is told of, in order."""
    assert tuple(probe.area for probe in found) == AREAS
    assert all(probe.ok is (probe.problem is None) for probe in found)
    return {probe.area: probe.problem for probe in found if probe.problem is not None}


async def test_a_full_token_may_do_everything_and_nothing_is_changed(
    compute: VirtFusionCompute, simulator: RunningSimulator
):
    assert problems(await compute.probe()) == {}
    assert {request.method for request in simulator.requests()} == {"GET"}
    assert len(simulator.requests()) == len(AREAS)
    assert simulator.world.effects == []


async def test_areas_are_those_that_a_token_may_be_denied():
    assert set(AREAS) == set(Area)


@pytest.mark.parametrize("area", list(Area))
async def test_each_area_is_told_by_itself(compute: VirtFusionCompute, simulator: RunningSimulator, area: Area):
    simulator.world.denied = frozenset({area})
    assert problems(await compute.probe()) == {
        area: "The API token for VirtFusion lacks the permission for this (403): This action is unauthorized."
    }


async def test_a_token_that_may_do_nothing(compute: VirtFusionCompute, simulator: RunningSimulator):
    simulator.world.denied = frozenset(Area)
    found = problems(await compute.probe())
    assert set(found) == set(AREAS)
    assert all("lacks the permission" in problem for problem in found.values())


async def test_a_company_without_servers_is_no_problem():
    async with running_simulator(WorldPlan(servers=0, users=1)) as simulator:
        client = VirtFusionClient(simulator.url, simulator.token, Settings(attempts=1, reach=Reach.ANYWHERE))
        assert problems(await VirtFusionCompute(client).probe()) == {}
        await client.close()


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        (Reply(status=401, body=b"401 Unauthorized"), "does not accept the API token (401)"),
        (Reply(status=502), "VirtFusion failed (502)."),
        (Reply(drop=True), "broke off"),
        (Reply(status=302, headers={"Location": "/login"}), "redirect (302)"),
        (Reply(status=429), "asks us to slow down"),
    ],
)
async def test_what_is_wrong_with_everything_is_asked_once(
    vendor: RawServer, asking: VirtFusionCompute, reply: Reply, problem: str
):
    vendor.script.append(reply)
    found = problems(await asking.probe())
    assert set(found) == set(AREAS)
    assert all(problem in text for text in found.values())
    assert len(vendor.requests) == 1


@pytest.mark.parametrize(
    "usual",
    [
        Reply(body=b"<html>Welcome</html>"),
        Reply(status=404, body=b"<html>Not found</html>"),
        json({"hello": "world"}),
        json([]),
        Reply(body=b""),
    ],
)
async def test_something_else_answers_there(vendor: RawServer, asking: VirtFusionCompute, usual: Reply):
    vendor.usual = usual
    found = problems(await asking.probe())
    assert found == dict.fromkeys(AREAS, STRANGER)


async def test_an_unreachable_address_and_one_that_is_none():
    for url, problem in (("http://127.0.0.1:1", "the connection was refused"), ("ftp://x", "is not usable")):
        client = VirtFusionClient(url, "token", Settings(attempts=1, reach=Reach.ANYWHERE))
        found = problems(await VirtFusionCompute(client).probe())
        assert set(found) == set(AREAS)
        assert all(problem in text for text in found.values())
        await client.close()


async def test_a_certificate_that_is_not_trusted(tmp_path: Path):
    async with raw_server(make_certificate(tmp_path, "control.example", days=30)) as server:
        client = VirtFusionClient(server.url, "token", Settings(attempts=1, reach=Reach.ANYWHERE))
        found = problems(await VirtFusionCompute(client).probe())
        assert found == dict.fromkeys(AREAS, "The TLS certificate of VirtFusion is not trusted: it is self-signed.")
        assert server.requests == []
        await client.close()


async def test_one_area_may_fail_by_itself(compute: VirtFusionCompute, simulator: RunningSimulator):
    compute.client.settings = Settings(attempts=1, reach=Reach.ANYWHERE)
    simulator.faults(
        [{"mode": "status", "status": 503, "path": "/compute/"}, {"mode": "status", "status": 302, "path": "/packages"}]
    )
    assert problems(await compute.probe()) == {
        "hypervisors": "VirtFusion failed (503).",
        "packages": "VirtFusion answers with a redirect (302), which is not followed. Its address may be wrong.",
    }
