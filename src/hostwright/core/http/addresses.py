"""Which addresses a vendor may have. Checked on the address that is connected to, so a name cannot hide one."""

from __future__ import annotations

import ipaddress
import socket
from enum import StrEnum
from typing import Any, Final

# Cloud providers hand out credentials at these to whoever can make a machine ask.
METADATA: Final = frozenset({ipaddress.ip_address("fd00:ec2::254"), ipaddress.ip_address("100.100.100.200")})


class Reach(StrEnum):
    """How far a connection may reach.

    Private networks are always allowed, since control systems usually stand in one. ``NETWORK`` refuses what is never
    one: link-local and metadata addresses, this machine itself, multicast, unspecified. ``ANYWHERE`` is for demo,
    development and tests, whose vendors run beside us.
    """

    NETWORK = "network"
    ANYWHERE = "anywhere"


class ForbiddenAddress(OSError):
    """The name leads to an address that no vendor has. An OSError, so that aiohttp carries it out."""


def is_forbidden(address: str) -> bool:
    """Whether an address can never be a vendor's in production."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    return (
        ip.is_link_local
        or ip.is_loopback
        or ip.is_multicast
        or ip.is_unspecified
        or ip in METADATA
        or str(ip) == "255.255.255.255"
    )


def open_socket(info: tuple[Any, ...]) -> socket.socket:
    """Makes the socket of a connection to a resolved address; raises `ForbiddenAddress`."""
    family, kind, protocol, _, target = info
    if is_forbidden(str(target[0])):
        raise ForbiddenAddress
    return socket.socket(family, kind, protocol)
