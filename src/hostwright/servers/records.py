"""Rows of the servers feature."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from hostwright.core.providers import Power, ServerState


class ServerKind(StrEnum):
    """What runs a server."""

    VIRTUAL = "virtual"
    GAME = "game"


class ActionKind(StrEnum):
    """What was asked of a server."""

    BOOT = "boot"
    SHUTDOWN = "shutdown"
    RESTART = "restart"
    POWEROFF = "poweroff"
    RESET_PASSWORD = "reset_password"  # noqa: S105  an action's name
    RENAME = "rename"
    SUSPEND = "suspend"
    UNSUSPEND = "unsuspend"
    THROTTLE_CPU = "throttle_cpu"
    CHANGE_OWNER = "change_owner"
    INSTALL = "install"


class ActionDetail(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an action needs to be carried out, and what its pages say about it; each kind has its own part.

    ``template`` names what is installed. ``external_user_id`` is the new owner at the vendor, ``customer_id`` and
    ``customer_name`` who that is here.
    """

    name: str = ""
    reason: str = ""
    percent: int = 0
    external_user_id: int = 0
    customer_id: int = 0
    customer_name: str = ""
    template_id: int = 0
    template: str = ""
    hostname: str = ""
    ssh_key_ids: tuple[int, ...] = ()


class ActionState(StrEnum):
    """How far an action is. ``unknown``: the answer was lost and observation could not settle it."""

    QUEUED = "queued"
    SENDING = "sending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"


class ServerRow(msgspec.Struct, frozen=True):
    """A server as lists show it. ``list_at`` is its connection's last complete list."""

    id: int
    kind: ServerKind
    connection_id: int
    customer_id: int | None
    customer_name: str | None
    name: str
    hostname: str | None
    state: ServerState
    power: Power
    busy: bool
    cores: int | None
    memory_mib: int | None
    disk_gib: int | None
    operating_system: str | None
    location: str | None
    country: str | None
    package: str | None
    primary_ipv4: str | None
    primary_ipv6: str | None
    created_at: datetime
    state_observed_at: datetime
    power_observed_at: datetime | None
    list_at: datetime | None
    suspend_reason: str | None = None
    cpu_throttle: int | None = None


class AddressRow(msgspec.Struct, frozen=True):
    """A current address of a server."""

    server_id: int
    address: str
    version: int
    is_primary: bool


class ActionRow(msgspec.Struct, frozen=True):
    """An action on a server."""

    id: int
    server_id: int
    customer_id: int | None
    kind: ActionKind
    state: ActionState
    progress: int
    attempts: int
    external_queue_id: int | None
    error_code: str | None
    error: str | None
    actor_label: str
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    deadline: datetime
    detail: ActionDetail = ActionDetail()


class LogRow(msgspec.Struct, frozen=True):
    """One line of a server's activity."""

    id: int
    server_id: int
    action: str
    action_type: str
    status: str
    action_id: int | None
    actor_label: str
    error: str | None
    created_at: datetime
    finished_at: datetime | None


class ServerCount(msgspec.Struct, frozen=True):
    """How many servers of one customer have this state and power."""

    state: ServerState
    power: Power
    n: int


class TargetRow(msgspec.Struct, frozen=True):
    """A server to act on: what it is at its vendor, and what decides whether it may be touched."""

    id: int
    connection_id: int
    external_id: int
    customer_id: int | None
    name: str
    state: ServerState
    power: Power
    busy: bool
    operating_system: str | None


class TargetAction(msgspec.Struct, frozen=True):
    """An action with what is needed to carry it out. ``attempts`` fences off an older attempt's outcome."""

    id: int
    server_id: int
    connection_id: int
    external_id: int
    customer_id: int | None
    server_name: str
    operating_system: str | None
    kind: ActionKind
    state: ActionState
    progress: int
    attempts: int
    external_queue_id: int | None
    error_code: str | None
    power: Power
    requested_at: datetime
    sent_at: datetime | None
    deadline: datetime
    detail: ActionDetail


class PaletteRow(msgspec.Struct, frozen=True):
    """A server as the command palette shows it."""

    id: int
    name: str
    state: ServerState
    power: Power
    primary_ipv4: str | None
    customer_name: str | None


class ConnectionRow(msgspec.Struct, frozen=True):
    """How to reach an attached control system. ``token`` is ciphertext."""

    id: int
    kind: str
    name: str
    base_url: str
    token: bytes
    verify_tls: bool
    calls_per_minute: int
    enabled: bool
    updated_at: datetime
    allow_private_targets: bool

    def __repr__(self) -> str:
        """Without the ciphertext: it has no place in a log."""
        return f"ConnectionRow(id={self.id}, name={self.name!r})"


class ConnectionHealth(msgspec.Struct, frozen=True):
    """How an attached control system is doing. ``prune_count`` servers wait for staff since ``prune_stopped_at``."""

    id: int
    name: str
    enabled: bool
    last_list_at: datetime | None
    last_good_at: datetime | None
    last_error: str | None
    last_error_at: datetime | None
    prune_stopped_at: datetime | None
    prune_count: int


class PruneRow(msgspec.Struct, frozen=True):
    """What decides whether servers may be taken for gone."""

    calls_per_minute: int
    enabled: bool
    prune_stopped_at: datetime | None
    prune_count: int
    prune_confirmed_at: datetime | None


class ChangedRow(msgspec.Struct, frozen=True):
    """A server that the mirror changed; what it was before is None for a new one.

    ``acted``: the panel was at work on it. ``ordered``: the panel asked for a change of its state.
    """

    id: int
    customer_id: int | None
    old_customer_id: int | None
    state: ServerState
    old_state: ServerState | None
    power: Power
    old_power: Power | None
    acted: bool
    ordered: bool


class DueRow(msgspec.Struct, frozen=True):
    """A server whose details are to be read."""

    id: int
    external_id: int


class MissingRow(msgspec.Struct, frozen=True):
    """A server that complete lists no longer show."""

    id: int
    external_id: int
    customer_id: int | None
    missing_since: datetime
