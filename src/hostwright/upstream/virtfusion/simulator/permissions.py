"""Which part of the API a path belongs to, as a token's permissions see it."""

from __future__ import annotations

from enum import StrEnum


class Area(StrEnum):
    """A part that a token may be denied."""

    CONNECT = "connect"
    SERVERS = "servers"
    TEMPLATES = "templates"
    HYPERVISORS = "hypervisors"
    PACKAGES = "packages"
    SSH_KEYS = "ssh_keys"
    USERS = "users"
    QUEUE = "queue"


def area_of(path: str) -> Area | None:
    """The part of a path below the API; None when there is no such path."""
    first = path.strip("/").partition("/")[0]
    if first == "servers" and path.endswith("/templates"):
        return Area.TEMPLATES
    if first == "compute":
        return Area.HYPERVISORS
    return Area(first) if first in set(Area) else None
