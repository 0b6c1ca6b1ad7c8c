"""Where a request comes from. Forwarded headers count only from proxies that the operator named."""

from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any


@lru_cache(maxsize=16)
def networks(trusted: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    """The trusted proxies as networks; raises `ValueError` for what is neither address nor network."""
    return tuple(ip_network(word, strict=False) for word in trusted)


def _plain(text: str) -> str | None:
    """An address in its usual form, without the port and brackets that some proxies write; None when it is none."""
    host = text.strip()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        parsed = ip_address(host)
    except ValueError:
        return None
    return str((parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None) or parsed)


@lru_cache(maxsize=1024)
def _peer(text: str) -> str:
    """Whom the connection is from. Most requests come from few addresses, and reading one takes as long as a route."""
    return _plain(text) or text


def _trusted(address: str, trusted: tuple[str, ...]) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False  # a socket in the file system
    return any(parsed in network for network in networks(trusted))


def client_address(scope: Any, trusted: tuple[str, ...]) -> str | None:
    """The nearest address that is not one of our proxies, walking ``X-Forwarded-For`` from the right."""
    client = scope.get("client")
    peer = _peer(client[0]) if client else None
    if peer is None or not trusted or not _trusted(peer, trusted):
        return peer
    forwarded = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
    hops = [_plain(hop) for hop in ",".join(forwarded).split(",") if hop.strip()]
    for hop in reversed(hops):
        if hop is None:
            return peer
        if not _trusted(hop, trusted):
            return hop
    return hops[0] if hops else peer


def counted_address(address: str | None) -> str:
    """What limits count: an IPv4 address, or the /64 of an IPv6 address, since one host owns a whole /64."""
    if address is None:
        return "unknown"
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ip_network((int(parsed) >> 64 << 64, 64)))
    return str(parsed)
