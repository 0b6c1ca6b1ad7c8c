"""What the API speaks about operations: names, suspensions, owners, installations, many servers at once."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from hostwright.core.db import LARGEST_ID
from hostwright.servers.records import ActionKind, ActionState
from hostwright.servers.schemas.servers import ActionRead

LONGEST_NAME: Final = 63
LONGEST_REASON: Final = 500
MOST_AT_ONCE: Final = 50
MOST_KEYS: Final = 50

type Number = Annotated[int, Meta(ge=1, le=LARGEST_ID)]


class Rename(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """A server's new name: 1 to 63 characters, none of which control how others are shown."""

    name: Annotated[str, Meta(min_length=1, max_length=200)]


class Suspend(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """Why a server is suspended; its customer reads this."""

    reason: Annotated[str, Meta(min_length=1, max_length=1000)]


class Throttle(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """How much of its processor time is taken away from a server, in per cent."""

    percent: Annotated[int, Meta(ge=0, le=99)]


class ChangeOwner(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """Who gets a server. They must have an account at its VirtFusion."""

    customer_id: Number


class Reinstall(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """What to install. Everything on the disk is lost. ``sshKeyIds`` are numbers of the customer's own keys."""

    template_id: Number
    hostname: Annotated[str, Meta(max_length=253)] | None = None
    ssh_key_ids: Annotated[tuple[Number, ...], Meta(max_length=MOST_KEYS)] = ()


class TemplateRead(msgspec.Struct, frozen=True, rename="camel"):
    """A system that fits a server. ``ended``: its makers no longer look after it."""

    id: int
    family: str
    name: str
    version: str
    variant: str
    windows: bool
    ended: bool


class TemplateList(msgspec.Struct, frozen=True):
    """Systems that fit a server."""

    items: list[TemplateRead]


class BulkAction(StrEnum):
    """What can be asked of many servers at once."""

    BOOT = "boot"
    SHUTDOWN = "shutdown"
    RESTART = "restart"
    POWEROFF = "poweroff"


class StaffBulkAction(StrEnum):
    """What staff can ask of many servers at once."""

    BOOT = "boot"
    SHUTDOWN = "shutdown"
    RESTART = "restart"
    POWEROFF = "poweroff"
    SUSPEND = "suspend"
    UNSUSPEND = "unsuspend"


type Selection = Annotated[list[Number], Meta(min_length=1, max_length=MOST_AT_ONCE)]


class Bulk(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """Up to 50 servers and what to do with them. ``dryRun`` only says what would happen.

    ``seen`` of a dry run, given back, makes the call refuse with ``selection_changed`` when any of them changed since.
    """

    ids: Selection
    action: BulkAction
    dry_run: bool = False
    seen: Annotated[str, Meta(max_length=64)] | None = None


class StaffBulk(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """As for customers; suspending needs a reason, which the customers read."""

    ids: Selection
    action: StaffBulkAction
    dry_run: bool = False
    seen: Annotated[str, Meta(max_length=64)] | None = None
    reason: Annotated[str, Meta(max_length=1000)] | None = None


class BulkItem(msgspec.Struct, frozen=True, rename="camel"):
    """What became of one server, or would. ``code`` and ``message`` say why it was refused."""

    server_id: int
    name: str | None
    taken: bool
    code: str | None
    message: str | None
    action: ActionRead | None


class BulkRead(msgspec.Struct, frozen=True, rename="camel"):
    """What became of each server, in the order of the request."""

    dry_run: bool
    seen: str
    taken: int
    refused: int
    items: list[BulkItem]


class QueueItem(msgspec.Struct, frozen=True, rename="camel"):
    """An action of ours in VirtFusion's queue. The last four are VirtFusion's words, null when it forgot the item."""

    queue_id: int
    connection_id: int
    server_id: int
    action_id: int
    kind: ActionKind
    state: ActionState
    requested_at: datetime
    finished: bool | None
    failed: bool | None
    progress: int | None
    error: str | None


class UpstreamRead(msgspec.Struct, frozen=True, rename="camel"):
    """What VirtFusion says about a server, without its secrets."""

    server_id: int
    read_at: datetime
    data: dict[str, Any]
