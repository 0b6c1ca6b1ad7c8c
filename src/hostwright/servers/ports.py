"""What the feature asks of a vendor. `upstream/<vendor>/adapter.py` matches `ComputeProvider` structurally."""

from __future__ import annotations

from typing import Protocol

from hostwright.core.providers import (
    ActionProgress,
    ActionTicket,
    ConnectionCheck,
    Listing,
    ObservedServer,
    PowerAction,
    ResetPassword,
    TrafficMonth,
)


class ComputeProvider(Protocol):
    """One attached control system. Every call raises one of the four provider errors of `core.providers`."""

    async def check(self) -> ConnectionCheck:
        """Whether the connection works; never raises."""
        ...

    async def list_servers(self) -> Listing:
        """All servers; complete, or it raises."""
        ...

    async def observe(self, external_id: int, *, power: bool) -> ObservedServer:
        """One server; ``power`` asks the machine itself, which is slow. `Gone` on 404."""
        ...

    async def act(self, external_id: int, action: PowerAction) -> ActionTicket:
        """Ask for a power action; `Ambiguous` when the answer was lost."""
        ...

    async def action_progress(self, queue_id: int) -> ActionProgress:
        """How far an action is; `Gone` when the queue does not know it."""
        ...

    async def reset_password(self, external_id: int, *, windows: bool) -> ResetPassword:
        """Set a new password for the main account, without sending mail."""
        ...

    async def traffic(self, external_id: int) -> list[TrafficMonth]:
        """Traffic by period, newest first."""
        ...


class Providers(Protocol):
    """Makes providers by connection."""

    async def compute(self, connection_id: int) -> ComputeProvider:
        """The provider of a connection; raises `NotFound` when there is none, `Transient` when it is switched off."""
        ...
