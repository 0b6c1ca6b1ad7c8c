"""What may be done with a server, and what an observation says about an action. Pure functions."""

from __future__ import annotations

from datetime import timedelta
from enum import Enum, auto
from typing import Final, Protocol

from hostwright.core.errors import Conflict
from hostwright.core.providers import ObservedServer, Power, ServerState
from hostwright.servers.records import ActionDetail, ActionKind

ACTION_DEADLINE: Final = timedelta(minutes=10)
SETTLE_WITHIN: Final = timedelta(minutes=2)  # after the vendor is done, or after a lost answer
LOST_SETTLES_AFTER: Final = timedelta(seconds=15)  # what was sent may still be acted on for a while
SENDING_IS_LOST_AFTER: Final = timedelta(minutes=2)  # longer than any call with its retries
CLAIM_HOLDS: Final = timedelta(seconds=2)  # from the claim to the call: less than it takes to give a worker up
OVERDUE_AFTER: Final = timedelta(minutes=1)  # past the deadline: nobody looks any more, else it would have ended
GONE_AFTER: Final = timedelta(minutes=10)
PRUNE_AT_LEAST: Final = 5
PRUNE_SHARE: Final = 0.02

INSTALL_DEADLINE: Final = timedelta(hours=1)

EXPECTED: Final = {
    ActionKind.BOOT: Power.RUNNING,
    ActionKind.RESTART: Power.RUNNING,
    ActionKind.SHUTDOWN: Power.STOPPED,
    ActionKind.POWEROFF: Power.STOPPED,
}
# Sending these twice is the same as sending them once, so a lost answer is followed by another try.
REPEATABLE: Final = frozenset(
    {
        ActionKind.BOOT,
        ActionKind.RENAME,
        ActionKind.SUSPEND,
        ActionKind.UNSUSPEND,
        ActionKind.THROTTLE_CPU,
        ActionKind.CHANGE_OWNER,
    }
)

ACTIVE: Final = frozenset({ServerState.ACTIVE})
STANDING: Final = frozenset({ServerState.ACTIVE, ServerState.SUSPENDED, ServerState.FAILED})
# A failed installation leaves a server that nothing but another one repairs.
ALLOWED: Final = {
    ActionKind.RENAME: STANDING,
    ActionKind.SUSPEND: frozenset({ServerState.ACTIVE, ServerState.FAILED}),
    ActionKind.UNSUSPEND: frozenset({ServerState.SUSPENDED}),
    ActionKind.THROTTLE_CPU: frozenset({ServerState.ACTIVE, ServerState.SUSPENDED}),
    ActionKind.CHANGE_OWNER: STANDING,
    ActionKind.INSTALL: frozenset({ServerState.ACTIVE, ServerState.FAILED}),
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


class AlreadyRuns(Conflict):
    code = "already_running"
    default_message = "This server runs already."


class AlreadyStopped(Conflict):
    code = "already_stopped"
    default_message = "This server is stopped already."


class ServerGone(Conflict):
    code = "server_gone"
    default_message = "This server no longer exists."


class NotSuspended(Conflict):
    code = "server_not_suspended"
    default_message = "This server is not suspended."


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


class HasPower(Protocol):
    """Anything that runs or does not, with whether something goes on with it."""

    @property
    def power(self) -> Power: ...
    @property
    def busy(self) -> bool: ...


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


def require_allowed(kind: ActionKind, server: HasState) -> None:
    """Whether this can be asked of a server as it stands; raises the `Conflict` that says why not."""
    if server.state in ALLOWED.get(kind, ACTIVE):
        return
    if kind is ActionKind.SUSPEND and server.state is ServerState.SUSPENDED:
        raise ServerSuspended("This server is suspended already.")
    if kind is ActionKind.UNSUSPEND and server.state is not ServerState.GONE:
        raise NotSuspended
    require_operable(server)


def require_use(kind: ActionKind, server: HasPower) -> None:
    """Among many servers, one that is as wanted already is left out; raises the `Conflict` that says so.

    Alone it may still be asked for: what was observed last may be a minute old.
    """
    if server.busy:
        return
    if kind is ActionKind.BOOT and server.power is Power.RUNNING:
        raise AlreadyRuns
    if kind in (ActionKind.SHUTDOWN, ActionKind.POWEROFF) and server.power is Power.STOPPED:
        raise AlreadyStopped


def deadline_of(kind: ActionKind) -> timedelta:
    """How long an action may take before nobody waits for it any more."""
    return INSTALL_DEADLINE if kind is ActionKind.INSTALL else ACTION_DEADLINE


def is_windows(operating_system: str | None) -> bool:
    """Whether the main account is Administrator, not root."""
    return "windows" in (operating_system or "").lower()


class Verdict(Enum):
    """What an observation means for an action. ``BEGUN``: it was taken, though no answer said so."""

    WAIT = auto()
    BEGUN = auto()
    SUCCEEDED = auto()
    FAILED = auto()
    CANNOT_TELL = auto()
    SEND_AGAIN = auto()


def verdict(
    kind: ActionKind,
    seen: ObservedServer,
    wanted: ActionDetail,
    *,
    lost: bool,
    begun: bool = False,
    since_sent: timedelta,
) -> Verdict:
    """How an action stands when its server is seen like this.

    Without a lost answer this is asked once the vendor says that it is done. After a lost answer only what may be sent
    twice is sent again. ``begun``: an installation was seen to go on.
    """
    late = since_sent >= LOST_SETTLES_AFTER
    if kind is ActionKind.INSTALL:
        return _verdict_of_install(seen, lost=lost, begun=begun, late=late)
    if kind in EXPECTED and seen.power in (None, Power.UNKNOWN):
        return Verdict.WAIT
    as_wanted = _as_wanted(kind, seen, wanted, lost=lost)
    if kind is ActionKind.RESTART and lost:
        return Verdict.CANNOT_TELL if as_wanted and late else Verdict.WAIT
    if as_wanted:
        return Verdict.SUCCEEDED
    return Verdict.SEND_AGAIN if lost and late and kind in REPEATABLE else Verdict.WAIT


def _as_wanted(kind: ActionKind, seen: ObservedServer, wanted: ActionDetail, *, lost: bool) -> bool:
    match kind:
        case ActionKind.RENAME:
            return seen.name == wanted.name
        case ActionKind.SUSPEND:
            return seen.state is ServerState.SUSPENDED
        case ActionKind.UNSUSPEND:
            return seen.state is ServerState.ACTIVE
        case ActionKind.CHANGE_OWNER:
            return seen.external_owner_id == wanted.external_user_id
        case ActionKind.THROTTLE_CPU:
            return not lost  # a server does not say how it is throttled: only the answer does
        case _:
            return seen.power is EXPECTED[kind]


def _verdict_of_install(seen: ObservedServer, *, lost: bool, begun: bool, late: bool) -> Verdict:
    """An installation is never sent again: it may be under way, and each one deletes what is on the disk."""
    if seen.state is ServerState.BUILDING or (seen.busy and (begun or lost)):
        return Verdict.WAIT if begun else Verdict.BEGUN
    if not begun and (lost or not late):
        return Verdict.WAIT
    if seen.state is ServerState.FAILED:
        return Verdict.FAILED
    return Verdict.SUCCEEDED if seen.state is ServerState.ACTIVE and not seen.busy else Verdict.WAIT


def may_prune(count: int, standing: int) -> bool:
    """Whether ``count`` of ``standing`` servers may be taken for gone in one run without asking staff."""
    return count < PRUNE_AT_LEAST or count <= standing * PRUNE_SHARE
