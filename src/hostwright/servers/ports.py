"""What the feature asks of a vendor. `upstream/<vendor>/adapter.py` matches `ComputeProvider` structurally."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from hostwright.core.providers import (
    ActionProgress,
    ActionTicket,
    AreaProbe,
    ConnectionCheck,
    ConsoleState,
    ConsoleTarget,
    ExternalUser,
    InstallSpec,
    Listing,
    ObservedHypervisor,
    ObservedServer,
    PowerAction,
    ResetPassword,
    ResourceSample,
    SshKey,
    SystemTemplate,
    TrafficMonth,
)
from hostwright.core.relay import End


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

    async def rename(self, external_id: int, name: str) -> ActionTicket:
        """Give a server another name, of at most 63 characters. Done when it answers; safe to send again."""
        ...

    async def suspend(self, external_id: int) -> ActionTicket:
        """Stop a server and keep it from being started. Safe to send again."""
        ...

    async def unsuspend(self, external_id: int) -> ActionTicket:
        """Let a suspended server be started. Safe to send again."""
        ...

    async def throttle_cpu(self, external_id: int, percent: int) -> ActionTicket:
        """Take 0 to 99 per cent of a server's processor time away. Safe to send again."""
        ...

    async def change_owner(self, external_id: int, external_user_id: int) -> ActionTicket:
        """Give a server to another user of the vendor. Safe to send again."""
        ...

    async def install(self, external_id: int, spec: InstallSpec) -> ActionTicket:
        """Install a system anew; what is on the disk is lost. Never to be sent twice for one intent."""
        ...

    async def templates(self, external_id: int) -> list[SystemTemplate]:
        """Systems that fit a server."""
        ...

    async def ssh_keys(self, external_user_id: int) -> list[SshKey]:
        """Public keys of a user, oldest first."""
        ...

    async def add_ssh_key(self, external_user_id: int, name: str, public_key: str) -> SshKey:
        """Keep a public key for a user."""
        ...

    async def delete_ssh_key(self, key_id: int) -> None:
        """Forget a public key; `Gone` when it is not there. Whose it is has to be checked before."""
        ...

    async def sample(self, external_id: int) -> ResourceSample:
        """What a machine does right now; asks its hypervisor, which is slow."""
        ...

    async def raw(self, external_id: int) -> dict[str, object]:
        """The vendor's own words about a server, for staff, with secrets and pictures taken out."""
        ...

    async def hypervisors(self) -> list[ObservedHypervisor]:
        """The machines that carry servers, with what is given away of each."""
        ...

    async def user_of_server(self, external_id: int) -> ExternalUser | None:
        """Who has a server at the vendor; None when it does not say."""
        ...

    async def user_by_relation(self, relation_id: int) -> ExternalUser | None:
        """The user with this relation; None when there is none."""
        ...

    async def console(self, external_id: int) -> ConsoleState:
        """Whether a server has a screen and where; changes nothing."""
        ...

    async def open_console(self, external_id: int) -> ConsoleTarget:
        """Enable a server's screen and say where it is, for one viewing. Safe to send again."""
        ...

    async def close_console(self, external_id: int) -> None:
        """Disable a server's screen. Only for one that is enabled: some vendors' systems would enable it."""
        ...

    async def reach_console(self, target: ConsoleTarget) -> End:
        """A screen, ready to be shown. `Transient` when it does not answer, `Refused` when it may not be reached."""
        ...

    async def probe(self) -> list[AreaProbe]:
        """Whether the token may do each thing that we need; reads only. Never raises."""
        ...


class Providers(Protocol):
    """Makes providers by connection."""

    async def compute(self, connection_id: int) -> ComputeProvider:
        """The provider of a connection; raises `NotFound` when there is none, `Transient` when it is switched off."""
        ...


class Trial(Protocol):
    """Makes a provider of an address and a token that nobody has attached yet, for as long as a block runs."""

    def __call__(
        self, base_url: str, token: str, *, verify_tls: bool
    ) -> AbstractAsyncContextManager[ComputeProvider]: ...
