"""What features and vendors agree on: specifications, observations, and the four ways an upstream call can fail.

Ports are typed with these; `upstream/<vendor>/adapter.py` matches a port structurally, so vendors' own names, units and
types stop there.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

import msgspec


class ProviderError(Exception):
    """An upstream call that did not give what was asked. ``message`` names no secret and no address."""

    code = "upstream_error"

    def __init__(self, message: str, *, status: int | None = None, retry_after: float | None = None) -> None:
        self.message = message
        self.status = status
        self.retry_after = retry_after
        super().__init__(message)


class Transient(ProviderError):
    """Nothing was done; trying again later can help (connect failure, 423, 429, an open circuit, a failing read)."""

    code = "upstream_unavailable"


class Refused(ProviderError):
    """The upstream understood and said no; trying again does not help."""

    code = "upstream_refused"


class Ambiguous(ProviderError):
    """The answer to a write was lost: it may or may not have been done. Observe before anything else."""

    code = "upstream_answer_lost"


class Gone(ProviderError):
    """The object is not there (404 for its id). One such answer is a hint, not yet proof."""

    code = "upstream_gone"


class PowerAction(StrEnum):
    """What can be asked of a server's power."""

    BOOT = "boot"
    SHUTDOWN = "shutdown"
    RESTART = "restart"
    POWEROFF = "poweroff"


class Power(StrEnum):
    """Whether a machine runs, as last observed."""

    RUNNING = "running"
    STOPPED = "stopped"
    UNKNOWN = "unknown"


class ServerState(StrEnum):
    """Where a server stands in its life."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    BUILDING = "building"
    FAILED = "failed"
    GONE = "gone"


class ListedServer(msgspec.Struct, frozen=True):
    """A server as a listing shows it. ``state`` holds only what a listing can tell; None is not known."""

    external_id: int
    external_uuid: str | None
    external_owner_id: int | None
    name: str
    state: ServerState
    created_at: datetime | None


class Listing(msgspec.Struct, frozen=True):
    """All servers of a connection, fetched completely, and what that cost in calls."""

    servers: list[ListedServer]
    calls: int


class ObservedAddress(msgspec.Struct, frozen=True):
    """One address of a server, in its usual text form (an IPv6 subnet as ``prefix/length``)."""

    address: str
    version: Literal[4, 6]
    primary: bool


class ObservedServer(msgspec.Struct, frozen=True):
    """A server in detail; None is always "not told", never "has none". Sizes in MiB and GiB.

    Having none is said otherwise: an empty ``hostname``, no ``addresses``, a ``traffic_limit_gb`` of 0 (unmetered).
    """

    external_id: int
    external_owner_id: int | None
    name: str
    hostname: str | None
    state: ServerState
    power: Power | None
    busy: bool
    cores: int | None
    memory_mib: int | None
    disk_gib: int | None
    traffic_limit_gb: int | None
    operating_system: str | None
    package: str | None
    hypervisor: str | None
    location_id: str | None
    location_name: str | None
    addresses: list[ObservedAddress] | None
    created_at: datetime | None


class ActionTicket(msgspec.Struct, frozen=True):
    """An action that the upstream took; ``queue_id`` follows its progress, None when it is already done."""

    queue_id: int | None


class ActionProgress(msgspec.Struct, frozen=True):
    """How far an action is; ``progress`` in per cent. ``error`` is safe to show."""

    finished: bool
    failed: bool
    progress: int
    error: str | None


class ResetPassword(msgspec.Struct, frozen=True):
    """A reset that the upstream took. The password is shown once and stored nowhere."""

    queue_id: int | None
    password: str

    def __repr__(self) -> str:
        """Without the password, so that a log or a traceback cannot show it."""
        return f"ResetPassword(queue_id={self.queue_id!r})"


class TrafficMonth(msgspec.Struct, frozen=True):
    """Traffic of one period in bytes; ``limit_gb`` None is unmetered, ``blocks_gb`` is what was bought on top."""

    start: datetime
    end: datetime
    received_bytes: int
    sent_bytes: int
    total_bytes: int
    limit_gb: int | None
    blocks_gb: int


class ConnectionCheck(msgspec.Struct, frozen=True):
    """Whether a connection works; ``problem`` says precisely what does not."""

    ok: bool
    problem: str | None


class SystemTemplate(msgspec.Struct, frozen=True):
    """A system that can be installed. ``family`` groups them; ``ended``: its makers no longer look after it."""

    external_id: int
    family: str
    name: str
    version: str
    variant: str
    windows: bool
    ended: bool


class InstallSpec(msgspec.Struct, frozen=True):
    """What to install on a server: everything on its disk goes. ``ssh_key_ids`` are the vendor's numbers."""

    template_id: int
    name: str
    hostname: str | None
    ssh_key_ids: tuple[int, ...] = ()


class SshKey(msgspec.Struct, frozen=True):
    """A public key that the vendor puts on new systems."""

    external_id: int
    name: str
    public_key: str
    enabled: bool
    created_at: datetime | None


class ResourceSample(msgspec.Struct, frozen=True):
    """What a machine does at one moment; None is "not told". Disk and network counters grow until the next start."""

    power: Power | None
    cpu_percent: float | None
    memory_used_mib: int | None
    memory_mib: int | None
    disk_read_bytes: int | None
    disk_written_bytes: int | None
    disk_used_gib: float | None
    disk_gib: float | None


class Capacity(msgspec.Struct, frozen=True):
    """How much of something is given away; ``limit`` None is without limit."""

    allocated: int
    limit: int | None


class ObservedHypervisor(msgspec.Struct, frozen=True):
    """A machine that carries servers. None is "not told"; memory in MiB, storage in GiB."""

    external_id: int
    name: str
    group_id: str | None
    group_name: str | None
    enabled: bool
    maintenance: bool
    servers: Capacity | None
    memory_mib: Capacity | None
    cores: Capacity | None
    storage_gib: Capacity | None


class ExternalUser(msgspec.Struct, frozen=True):
    """A user at the vendor. ``relation_id`` is the number by which another system knows it."""

    external_id: int
    relation_id: int | None
    name: str
    email: str
    suspended: bool


class ConsoleTarget(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a server's screen is: at ``url`` or, when that is empty, at an address and a port. Never for a log."""

    address: str = ""
    port: int = 0
    url: str = ""
    password: str = ""

    def __repr__(self) -> str:
        """Nothing of it."""
        return "ConsoleTarget()"


class ConsoleState(msgspec.Struct, frozen=True):
    """Whether a server's screen is enabled, as far as the vendor says, and where it is, if anywhere."""

    enabled: bool | None
    target: ConsoleTarget | None


class AreaProbe(msgspec.Struct, frozen=True):
    """Whether the token may do what one part of the product needs. ``area`` is our word for that part."""

    area: str
    ok: bool
    problem: str | None
