"""What may be done with a server, and what an observation says about an action. Pure functions."""

from __future__ import annotations

from datetime import timedelta
from enum import Enum, auto
from typing import Final, Protocol

from hostwright.core.errors import Conflict
from hostwright.core.providers import Power, ServerState
from hostwright.servers.records import ActionKind

ACTION_DEADLINE: Final = timedelta(minutes=10)
SETTLE_WITHIN: Final = timedelta(minutes=2)  # after the vendor is done, or after a lost answer
LOST_SETTLES_AFTER: Final = timedelta(seconds=15)  # what was sent may still be acted on for a while
SENDING_IS_LOST_AFTER: Final = timedelta(minutes=2)  # longer than any call with its retries
CLAIM_HOLDS: Final = timedelta(seconds=2)  # from the claim to the call: less than it takes to give a worker up
OVERDUE_AFTER: Final = timedelta(minutes=1)  # past the deadline: nobody looks any more, else it would have ended
GONE_AFTER: Final = timedelta(minutes=10)
PRUNE_AT_LEAST: Final = 5
PRUNE_SHARE: Final = 0.02

EXPECTED: Final = {
    ActionKind.BOOT: Power.RUNNING,
    ActionKind.RESTART: Power.RUNNING,
    ActionKind.SHUTDOWN: Power.STOPPED,
    ActionKind.POWEROFF: Power.STOPPED,
}


class ServerSuspended(Conflict):
    code = "server_suspended"
    default_message = "This server is suspended, so this cannot be done."


class ServerBuilding(Conflict):
    code = "server_building"
    default_message = "This server is still being built. Wait until it is ready."


class ServerFailed(Conflict):
    code = "server_failed"
    default_message = "Building this server failed, so this cannot be done."


class ServerGone(Conflict):
    code = "server_gone"
    default_message = "This server no longer exists."


class ActionPending(Conflict):
    code = "action_pending"
    default_message = "Something else is being done with this server. Wait until it has ended."


class PruningChanged(Conflict):
    code = "pruning_changed"
    default_message = "The number changed. Look again."


class HasState(Protocol):
    """Anything with a server's state."""

    @property
    def state(self) -> ServerState: ...


def require_operable(server: HasState) -> None:
    """Only an active server can be operated; raises the `Conflict` that says why not."""
    match server.state:
        case ServerState.ACTIVE:
            return
        case ServerState.SUSPENDED:
            raise ServerSuspended
        case ServerState.BUILDING:
            raise ServerBuilding
        case ServerState.FAILED:
            raise ServerFailed
        case ServerState.GONE:
            raise ServerGone


def is_windows(operating_system: str | None) -> bool:
    """Whether the main account is Administrator, not root."""
    return "windows" in (operating_system or "").lower()


class Verdict(Enum):
    """What an observation means for an action."""

    WAIT = auto()
    SUCCEEDED = auto()
    CANNOT_TELL = auto()
    SEND_AGAIN = auto()


def verdict(kind: ActionKind, power: Power | None, *, lost: bool, since_sent: timedelta) -> Verdict:
    """How an action stands when its server is seen like this.

    Without a lost answer this is asked once the vendor says that it is done. After a lost answer only a boot may be
    sent again, since starting a running server changes nothing; whether a restart happened cannot be seen.
    """
    if power is None or power is Power.UNKNOWN:
        return Verdict.WAIT
    as_wanted = power is EXPECTED[kind]
    if not lost:
        return Verdict.SUCCEEDED if as_wanted else Verdict.WAIT
    late = since_sent >= LOST_SETTLES_AFTER
    if kind is ActionKind.RESTART:
        return Verdict.CANNOT_TELL if as_wanted and late else Verdict.WAIT
    if as_wanted:
        return Verdict.SUCCEEDED
    return Verdict.SEND_AGAIN if kind is ActionKind.BOOT and late else Verdict.WAIT


def may_prune(count: int, standing: int) -> bool:
    """Whether ``count`` of ``standing`` servers may be taken for gone in one run without asking staff."""
    return count < PRUNE_AT_LEAST or count <= standing * PRUNE_SHARE
