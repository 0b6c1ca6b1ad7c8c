"""What the servers API speaks. Rows are read straight into the structs that are sent: a list costs no second shape."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from hostwright.core.paging import Pagination
from hostwright.core.providers import Power, ServerState
from hostwright.servers.records import ActionKind, ActionState, ServerKind


class Sort(StrEnum):
    """Orders of a list; ``-`` turns one round."""

    NAME = "name"
    NAME_DOWN = "-name"
    CREATED = "createdAt"
    CREATED_DOWN = "-createdAt"
    STATE = "state"
    STATE_DOWN = "-state"


class ActionType(StrEnum):
    """Kinds of activity."""

    POWER = "power"
    SECURITY = "security"
    NETWORK = "network"
    STORAGE = "storage"
    VNC = "vnc"
    CONFIG = "config"
    STATE = "state"


class AddressRead(msgspec.Struct, frozen=True):
    """A current address; an IPv6 subnet reads ``prefix/length``."""

    address: str
    version: int
    primary: bool


class ServerRead(msgspec.Struct, frozen=True, rename="camel"):
    """A server. Sizes in MiB and GiB. ``busy``: something goes on with it. ``cpuThrottle``: per cent taken away."""

    id: int
    kind: ServerKind
    name: str
    hostname: str | None
    state: ServerState
    power: Power
    busy: bool
    cores: int | None
    memory_mib: int | None
    disk_gib: int | None
    addresses: list[AddressRead]
    operating_system: str | None
    location: str | None
    package: str | None
    created_at: datetime
    state_observed_at: datetime
    power_observed_at: datetime | None
    suspend_reason: str | None
    cpu_throttle: int | None


class AdminServerRead(ServerRead, frozen=True, rename="camel"):
    """A server as staff see it."""

    customer_id: int | None
    customer_name: str | None
    connection_id: int
    external_id: int
    hypervisor: str | None


class ActionRead(msgspec.Struct, frozen=True, rename="camel"):
    """Something that was asked of a server. ``progress`` in per cent; ``error`` is safe to show."""

    id: int
    server_id: int
    kind: ActionKind
    state: ActionState
    progress: int
    error_code: str | None
    error: str | None
    actor: str
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class ServerDetail(ServerRead, frozen=True, rename="camel"):
    """A server and what goes on with it."""

    pending_action: ActionRead | None


class AdminServerDetail(AdminServerRead, frozen=True, rename="camel"):
    """A server and what goes on with it, as staff see it."""

    pending_action: ActionRead | None


class Statistics(msgspec.Struct, frozen=True, rename="camel"):
    """How many servers there are, whatever the filter, gone ones apart: all, by state, and active ones by power."""

    total: int
    states: dict[ServerState, int]
    power: dict[Power, int]


class ServerList(msgspec.Struct, frozen=True):
    """A page of servers."""

    items: list[ServerRead]
    pagination: Pagination
    statistics: Statistics


class AdminServerList(msgspec.Struct, frozen=True):
    """A page of servers of all customers."""

    items: list[AdminServerRead]
    pagination: Pagination
    statistics: Statistics


class LogRead(msgspec.Struct, frozen=True, rename="camel"):
    """One line of a server's activity."""

    id: int
    action: str
    action_type: ActionType
    status: str
    action_id: int | None
    actor: str
    error: str | None
    created_at: datetime
    finished_at: datetime | None


class LogCursor(msgspec.Struct, frozen=True, rename="camel"):
    """Pass ``next`` as ``cursor`` to go on; null at the end."""

    next: str | None


class LogList(msgspec.Struct, frozen=True):
    """Activity, newest first."""

    items: list[LogRead]
    pagination: LogCursor


class TrafficPeriod(msgspec.Struct, frozen=True, rename="camel"):
    """Traffic of one period in bytes. ``limitGb`` null: unmetered; ``blocksGb``: bought on top."""

    start: datetime
    end: datetime
    received_bytes: int
    sent_bytes: int
    total_bytes: int
    limit_gb: int | None
    blocks_gb: int


class TrafficRead(msgspec.Struct, frozen=True):
    """Traffic by period, newest first."""

    periods: list[TrafficPeriod]


class NewPassword(msgspec.Struct, frozen=True, rename="camel"):
    """A new password. It is shown here once and stored nowhere; it works as soon as the action is done."""

    username: str
    password: str
    action_id: int

    def __repr__(self) -> str:
        """Without the password, so that a log or a traceback cannot show it."""
        return f"NewPassword(action_id={self.action_id!r})"
