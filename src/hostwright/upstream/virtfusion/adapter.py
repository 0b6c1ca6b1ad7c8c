"""VirtFusion as a provider of virtual servers: its words and units in those of `core.providers`."""

from __future__ import annotations

from hostwright.core.providers import (
    ActionProgress,
    ActionTicket,
    Ambiguous,
    AreaProbe,
    ConnectionCheck,
    ExternalUser,
    Gone,
    InstallSpec,
    Listing,
    ObservedHypervisor,
    ObservedServer,
    PowerAction,
    ProviderError,
    Refused,
    ResetPassword,
    ResourceSample,
    SshKey,
    SystemTemplate,
    TrafficMonth,
)
from hostwright.upstream.virtfusion import observing, people
from hostwright.upstream.virtfusion.capacity import read_hypervisors
from hostwright.upstream.virtfusion.catalog import Catalog, systems
from hostwright.upstream.virtfusion.client import VirtFusionClient
from hostwright.upstream.virtfusion.console import ConsoleAccess
from hostwright.upstream.virtfusion.probing import probe_areas
from hostwright.upstream.virtfusion.reading import is_id, number
from hostwright.upstream.virtfusion.sampling import sample
from hostwright.upstream.virtfusion.stripping import stripped
from hostwright.upstream.virtfusion.types import BuildData

DONE = ActionTicket(None)


class VirtFusionCompute(ConsoleAccess):
    """Matches `servers.ports.ComputeProvider`. Every call but `check` and `probe` raises one of the four
    provider errors.
    """

    def __init__(self, client: VirtFusionClient, *, allow_private_targets: bool = False) -> None:
        self.client = client
        self.allow_private_targets = allow_private_targets
        self._catalog = Catalog(client)

    async def check(self) -> ConnectionCheck:
        """Whether the address, the certificate and the token are right and VirtFusion answers there; never raises."""
        try:
            await self.client.connect()
            await self.client.page(1, size=1)
        except ProviderError as error:
            return ConnectionCheck(ok=False, problem=error.message)
        return ConnectionCheck(ok=True, problem=None)

    async def list_servers(self) -> Listing:
        """All servers, at a call per 200; complete, or it raises.

        A server whose id is no id cannot be left out: the list would call another one missing.
        """
        lines, calls = await self.client.servers()
        if not all(is_id(line.id) for line in lines):
            message = "VirtFusion's list of servers has an id that cannot be one."
            raise Refused(message)
        return Listing([observing.listed(line) for line in lines], calls)

    async def observe(self, external_id: int, *, power: bool) -> ObservedServer:
        """One server; ``power`` asks its hypervisor, which is slow. `Gone` on 404."""
        server = await self.client.server(external_id, remote_state=power)
        resources = observing.resources_of(server)
        return observing.observed(
            server,
            resources,
            system=await self._catalog.system(server),
            package=await self._catalog.package(resources),
            power=observing.power_of(server) if power else None,
        )

    async def act(self, external_id: int, action: PowerAction) -> ActionTicket:
        """Ask for a power action; `Ambiguous` when the answer was lost, `Transient` while the server is busy."""
        queued = await self.client.power(external_id, action.value)
        return _ticket(queued.queue_id)

    async def action_progress(self, queue_id: int) -> ActionProgress:
        """How far an action is; `Gone` when the queue does not know it."""
        return observing.progress(await self.client.queue_item(queue_id))

    async def reset_password(self, external_id: int, *, windows: bool) -> ResetPassword:
        """Set a new password for the main account, without sending mail."""
        reset = await self.client.reset_password(external_id, "Administrator" if windows else "root")
        return ResetPassword(reset.queue_id, reset.expected_password)

    async def traffic(self, external_id: int) -> list[TrafficMonth]:
        """Traffic by period, newest first."""
        periods = (await self.client.traffic(external_id)).monthly
        return sorted((observing.month(period) for period in periods), key=lambda month: month.start, reverse=True)

    async def rename(self, external_id: int, name: str) -> ActionTicket:
        """Give a server another name, of at most 63 characters. Done when it answers; safe to send again."""
        await self.client.rename(external_id, name)
        return DONE

    async def suspend(self, external_id: int) -> ActionTicket:
        """Stop a server and keep it from being started. Safe to send again."""
        await self.client.suspend(external_id)
        return DONE

    async def unsuspend(self, external_id: int) -> ActionTicket:
        """Let a suspended server be started. Safe to send again."""
        await self.client.unsuspend(external_id)
        return DONE

    async def throttle_cpu(self, external_id: int, percent: int) -> ActionTicket:
        """Take 0 to 99 per cent of a server's processor time away. Safe to send again."""
        await self.client.throttle(external_id, percent)
        return DONE

    async def change_owner(self, external_id: int, external_user_id: int) -> ActionTicket:
        """Give a server to another user of the vendor. Safe to send again.

        A 404 may be about either of them, so the server is looked for before it is called gone.
        """
        try:
            await self.client.change_owner(external_id, external_user_id)
        except Gone as error:
            await self.client.owned(external_id)
            message = "VirtFusion does not know the user who is to have the server."
            raise Refused(message, status=error.status) from error
        return DONE

    async def install(self, external_id: int, spec: InstallSpec) -> ActionTicket:
        """Install a system anew; what is on the disk is lost. Never to be sent twice for one intent.

        The ticket may name no queue item although the work has only begun: then the server itself tells when it is
        built.
        """
        hostname = spec.hostname if spec.hostname and "." in spec.hostname else None
        built = await self.client.build(
            external_id, spec.template_id, name=spec.name, hostname=hostname, ssh_keys=spec.ssh_key_ids
        )
        return _ticket(built.data.queue_id if isinstance(built.data, BuildData) else None)

    async def templates(self, external_id: int) -> list[SystemTemplate]:
        """Systems that fit a server, in the vendor's order."""
        return systems(await self.client.templates(external_id))

    async def ssh_keys(self, external_user_id: int) -> list[SshKey]:
        """Public keys of a user, oldest first."""
        return people.keys(await self.client.user_keys(external_user_id))

    async def add_ssh_key(self, external_user_id: int, name: str, public_key: str) -> SshKey:
        """Keep a public key for a user."""
        kept = await self.client.add_key(external_user_id, name, public_key)
        if not is_id(kept.id):
            message = "VirtFusion keeps the key, under a number that cannot be one."
            raise Ambiguous(message)
        return people.kept_key(kept, name, public_key)

    async def delete_ssh_key(self, key_id: int) -> None:
        """Forget a public key; `Gone` when it is not there. Whose it is has to be checked before."""
        await self.client.delete_key(key_id)

    async def sample(self, external_id: int) -> ResourceSample:
        """What a machine does right now; asks its hypervisor, which is slow."""
        return sample(await self.client.sampled(external_id))

    async def raw(self, external_id: int) -> dict[str, object]:
        """The vendor's own words about a server, for staff, with secrets and pictures taken out."""
        return stripped(await self.client.raw(external_id))

    async def hypervisors(self) -> list[ObservedHypervisor]:
        """The machines that carry servers, with what is given away of each."""
        return await read_hypervisors(self.client)

    async def user_of_server(self, external_id: int) -> ExternalUser | None:
        """Who has a server at the vendor; None when it does not say."""
        return people.owner_of(await self.client.owned(external_id))

    async def user_by_relation(self, relation_id: int) -> ExternalUser | None:
        """The user with this relation; None when there is none."""
        try:
            found = await self.client.user_by_relation(relation_id)
        except Gone:
            return None
        user = people.user(found)
        if user is None or user.relation_id != relation_id:
            message = "VirtFusion answers with another user than the one asked for."
            raise Refused(message)
        return user

    async def probe(self) -> list[AreaProbe]:
        """Whether the token may do each thing that we need; reads only. Never raises."""
        return await probe_areas(self.client)


def _ticket(queue_id: int | None) -> ActionTicket:
    if queue_id is not None and number(queue_id) is None:
        message = "VirtFusion took it, under a number that cannot be one."
        raise Ambiguous(message)
    return ActionTicket(queue_id)
