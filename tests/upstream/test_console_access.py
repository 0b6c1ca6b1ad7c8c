"""Which places a screen may have, and what becomes of a way that cannot be gone."""

from __future__ import annotations

import pytest

from hostwright.core.http import Reach, Settings
from hostwright.core.http.addresses import ForbiddenAddress
from hostwright.core.http.streams import may_reach, open_tcp
from hostwright.core.providers import ConsoleTarget, Refused, Transient
from hostwright.upstream.virtfusion.adapter import VirtFusionCompute
from hostwright.upstream.virtfusion.client import VirtFusionClient
from hostwright.upstream.virtfusion.console import Vnc, Wss, target_of
from tests.support.stack import free_port

BASE = "https://control.example.com/api/v1"


@pytest.mark.parametrize(
    ("address", "open_to_all", "with_permission"),
    [
        ("198.18.0.1", False, True),
        ("8.8.8.8", True, True),
        ("2606:4700::1111", True, True),
        ("10.1.2.3", False, True),
        ("172.16.0.1", False, True),
        ("192.168.1.1", False, True),
        ("100.64.0.1", False, True),
        ("fd12::1", False, True),
        ("::ffff:10.0.0.1", False, True),
        ("127.0.0.1", False, False),
        ("::1", False, False),
        ("::ffff:127.0.0.1", False, False),
        ("169.254.169.254", False, False),
        ("fe80::1", False, False),
        ("224.0.0.1", False, False),
        ("0.0.0.0", False, False),
        ("fd00:ec2::254", False, False),
    ],
)
def test_where_a_stream_may_lead(address: str, *, open_to_all: bool, with_permission: bool) -> None:
    assert may_reach(address, Reach.NETWORK, private=False) is open_to_all
    assert may_reach(address, Reach.NETWORK, private=True) is with_permission
    assert may_reach(address, Reach.ANYWHERE, private=False)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
async def test_a_name_hides_no_address(host: str) -> None:
    with pytest.raises(ForbiddenAddress):
        await open_tcp(host, 5900, Reach.NETWORK, private=True)


@pytest.mark.parametrize("port", [0, -1, 65_536])
async def test_odd_ports_are_not_connected_to(port: int) -> None:
    with pytest.raises(ForbiddenAddress):
        await open_tcp("127.0.0.1", port, Reach.ANYWHERE)


def test_the_relay_of_the_control_server_comes_first() -> None:
    both = Vnc(ip="192.0.2.1", port=5900, password="secret12", wss=Wss("/vnc/?token=x"))
    assert target_of(both, BASE) == ConsoleTarget(url="wss://control.example.com/vnc/?token=x", password="secret12")
    assert target_of(Vnc(ip="192.0.2.1", port=5900), BASE) == ConsoleTarget(address="192.0.2.1", port=5900)
    assert target_of(Vnc(hostname="hv.example.com", port=5900), BASE) == ConsoleTarget("hv.example.com", 5900)
    assert target_of(Vnc(), BASE) is None
    assert "secret12" not in repr(target_of(both, BASE))


@pytest.mark.parametrize("private", [True, False])
async def test_production_keeps_to_its_network(*, private: bool) -> None:
    client = VirtFusionClient("https://control.example.com", "token", Settings(reach=Reach.NETWORK))
    compute = VirtFusionCompute(client, allow_private_targets=private)
    for target in (
        ConsoleTarget(address="127.0.0.1", port=5900),
        ConsoleTarget(address="169.254.169.254", port=80),
        ConsoleTarget(url="wss://127.0.0.1/vnc/?token=x"),
        *(() if private else (ConsoleTarget(address="10.0.0.1", port=5900),)),
    ):
        with pytest.raises(Refused, match="may not reach"):
            await compute.reach_console(target)


async def test_nobody_listens() -> None:
    client = VirtFusionClient("http://127.0.0.1", "token", Settings(reach=Reach.ANYWHERE))
    port = free_port()
    for target in (ConsoleTarget(address="127.0.0.1", port=port), ConsoleTarget(url=f"ws://127.0.0.1:{port}/vnc/")):
        with pytest.raises(Transient, match="does not answer"):
            await VirtFusionCompute(client).reach_console(target)
