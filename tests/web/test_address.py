"""Where a request comes from: forwarded headers count only from proxies that the operator named."""

from __future__ import annotations

from typing import Any

import pytest

from hostwright.web.address import client_address, counted_address

PROXIES = ("10.0.0.0/8", "2001:db8::/32")


def scope(peer: str | None, *forwarded: str) -> dict[str, Any]:
    return {
        "client": None if peer is None else (peer, 40_000),
        "headers": [(b"x-forwarded-for", value.encode()) for value in forwarded],
    }


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.5", (), "203.0.113.5"),
        ("203.0.113.5", ("192.0.2.1",), "203.0.113.5"),
        ("10.0.0.9", (), "10.0.0.9"),
        ("10.0.0.9", ("192.0.2.1",), "192.0.2.1"),
        ("10.0.0.9", ("198.51.100.7, 192.0.2.1",), "192.0.2.1"),
        ("10.0.0.9", ("192.0.2.1, 10.0.0.8",), "192.0.2.1"),
        ("10.0.0.9", ("192.0.2.1", "10.0.0.8"), "192.0.2.1"),
        ("10.0.0.9", ("10.0.0.7, 10.0.0.8",), "10.0.0.7"),
        ("10.0.0.9", ("192.0.2.1, nonsense",), "10.0.0.9"),
        ("10.0.0.9", ("<script>",), "10.0.0.9"),
        ("10.0.0.9", (" , ,",), "10.0.0.9"),
        ("2001:db8::1", ("2001:db9::7",), "2001:db9::7"),
        (None, ("192.0.2.1",), None),
        ("unix:", ("192.0.2.1",), "unix:"),
        ("::ffff:10.0.0.9", ("192.0.2.1",), "192.0.2.1"),
        ("10.0.0.9", ("203.0.113.5:4711",), "203.0.113.5"),
        ("10.0.0.9", ("[2001:db9::7]:4711",), "2001:db9::7"),
        ("10.0.0.9", ("::ffff:203.0.113.5",), "203.0.113.5"),
    ],
)
def test_the_nearest_address_that_is_not_ours(
    peer: str | None, forwarded: tuple[str, ...], expected: str | None
) -> None:
    assert client_address(scope(peer, *forwarded), PROXIES) == expected


def test_without_proxies_nothing_is_believed() -> None:
    assert client_address(scope("10.0.0.9", "192.0.2.1"), ()) == "10.0.0.9"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("203.0.113.5", "203.0.113.5"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.5", "203.0.113.5"),
        ("nonsense", "unknown"),
        (None, "unknown"),
    ],
)
def test_limits_count_a_whole_ipv6_network(address: str | None, expected: str) -> None:
    assert counted_address(address) == expected
