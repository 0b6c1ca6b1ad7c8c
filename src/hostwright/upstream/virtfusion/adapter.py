"""VirtFusion as a provider of virtual servers: its words and units in those of `core.providers`."""

from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from typing import Final, Literal

from hostwright.core.http.failures import clean_text
from hostwright.core.providers import (
    ActionProgress,
    ActionTicket,
    ConnectionCheck,
    ListedServer,
    Listing,
    ObservedAddress,
    ObservedServer,
    Power,
    PowerAction,
    ProviderError,
    ResetPassword,
    ServerState,
    TrafficMonth,
)
from hostwright.upstream.virtfusion.catalog import Catalog
from hostwright.upstream.virtfusion.client import VirtFusionClient
from hostwright.upstream.virtfusion.types import (
    Hypervisor,
    HypervisorGroup,
    Interface,
    Network,
    QueueErrors,
    QueueException,
    QueueItem,
    RemoteState,
    Resources,
    ServerLine,
    ServerSettings,
    Tasks,
    TrafficPeriod,
    VirtualServer,
)

FAILED: Final = 2
COMMISSIONED: Final = 3
DONE: Final = 100

# libvirt's words. One that is being shut down is neither, so that who waits for the end goes on waiting.
POWER: Final = {
    "running": Power.RUNNING,
    "idle": Power.RUNNING,
    "blocked": Power.RUNNING,
    "stopped": Power.STOPPED,
    "shutoff": Power.STOPPED,
    "shut off": Power.STOPPED,
    "off": Power.STOPPED,
    "crashed": Power.STOPPED,
}


class VirtFusionCompute:
    """Matches `servers.ports.ComputeProvider`. Every call but `check` raises one of the four provider errors."""

    def __init__(self, client: VirtFusionClient) -> None:
        self.client = client
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
        """All servers, at a call per 200; complete, or it raises."""
        lines, calls = await self.client.servers()
        return Listing([_listed(line) for line in lines], calls)

    async def observe(self, external_id: int, *, power: bool) -> ObservedServer:
        """One server; ``power`` asks its hypervisor, which is slow. `Gone` on 404."""
        server = await self.client.server(external_id, remote_state=power)
        resources = _resources(server)
        return _observed(
            server,
            resources,
            system=await self._catalog.system(server),
            package=await self._catalog.package(resources),
            power=_power(server) if power else None,
        )

    async def act(self, external_id: int, action: PowerAction) -> ActionTicket:
        """Ask for a power action; `Ambiguous` when the answer was lost, `Transient` while the server is busy."""
        queued = await self.client.power(external_id, action.value)
        return ActionTicket(queued.queue_id)

    async def action_progress(self, queue_id: int) -> ActionProgress:
        """How far an action is; `Gone` when the queue does not know it."""
        return _progress(await self.client.queue_item(queue_id))

    async def reset_password(self, external_id: int, *, windows: bool) -> ResetPassword:
        """Set a new password for the main account, without sending mail."""
        reset = await self.client.reset_password(external_id, "Administrator" if windows else "root")
        return ResetPassword(reset.queue_id, reset.expected_password)

    async def traffic(self, external_id: int) -> list[TrafficMonth]:
        """Traffic by period, newest first."""
        periods = (await self.client.traffic(external_id)).monthly
        return sorted((_month(period) for period in periods), key=lambda month: month.start, reverse=True)


def _utc(moment: datetime) -> datetime:
    """Times without a zone are taken for UTC, the zone that VirtFusion runs in."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _name(name: str | None, server_id: int) -> str:
    """A server has no name until it is built."""
    return (name or "").strip() or f"Server {server_id}"


def _listed(line: ServerLine) -> ListedServer:
    return ListedServer(
        external_id=line.id,
        external_uuid=line.uuid,
        external_owner_id=line.owner,
        name=_name(line.name, line.id),
        state=_state(line.commissioned, suspended=line.suspended, failed=False),
        created_at=_utc(line.created),
    )


def _state(commissioned: int, *, suspended: bool, failed: bool) -> ServerState:
    if suspended:
        return ServerState.SUSPENDED
    if failed or commissioned == FAILED:
        return ServerState.FAILED
    return ServerState.ACTIVE if commissioned == COMMISSIONED else ServerState.BUILDING


def _power(server: VirtualServer) -> Power | None:
    """None when the hypervisor could not be asked."""
    remote = server.remote_state
    if not isinstance(remote, RemoteState) or remote.state is None:
        return None
    return POWER.get(remote.state.strip().lower(), Power.UNKNOWN)


def _resources(server: VirtualServer) -> Resources:
    settings = server.settings
    found = settings.resources if isinstance(settings, ServerSettings) else None
    return found if isinstance(found, Resources) else Resources()


def _observed(
    server: VirtualServer, resources: Resources, *, system: str | None, package: str | None, power: Power | None
) -> ObservedServer:
    hypervisor = server.hypervisor if isinstance(server.hypervisor, Hypervisor) else Hypervisor()
    group = hypervisor.group if isinstance(hypervisor.group, HypervisorGroup) else HypervisorGroup()
    failed = server.build_failed or server.state == "failed"
    return ObservedServer(
        external_id=server.id,
        external_owner_id=server.owner_id,
        name=_name(server.name, server.id),
        hostname=server.hostname or None,
        state=_state(server.commission_status, suspended=server.suspended, failed=failed),
        power=power,
        busy=isinstance(server.tasks, Tasks) and server.tasks.active,
        cores=resources.cpu_cores,
        memory_mib=resources.memory,
        disk_gib=resources.storage,
        traffic_limit_gb=resources.traffic or None,
        operating_system=system,
        package=package,
        hypervisor=hypervisor.name,
        location_id=None if hypervisor.group_id is None else str(hypervisor.group_id),
        location_name=group.name,
        addresses=_addresses(server),
        created_at=_utc(server.created),
    )


def _addresses(server: VirtualServer) -> list[ObservedAddress]:
    """Addresses in use, each once; the first of each version is its primary one. Odd ones are left out."""
    network = server.network if isinstance(server.network, Network) else Network()
    texts: dict[str, Literal[4, 6]] = {}
    for interface in (*_in_use(network.interfaces), *_in_use(network.secondary_interfaces)):
        for text in _texts(interface):
            texts.setdefault(text, 6 if ":" in text else 4)
    firsts = {version: text for text, version in reversed(texts.items())}
    return [ObservedAddress(text, version, primary=firsts[version] == text) for text, version in texts.items()]


def _in_use(interfaces: list[Interface]) -> list[Interface]:
    return sorted((one for one in interfaces if one.enabled), key=lambda one: one.order)


def _texts(interface: Interface) -> list[str]:
    found: list[str] = []
    for four in sorted((one for one in interface.ipv4 if one.enabled), key=lambda one: one.order):
        found.extend(_usual_form(four.address))
    for six in sorted((one for one in interface.ipv6 if one.enabled), key=lambda one: one.order):
        if six.subnet and six.cidr is not None:
            found.extend(_usual_form(f"{six.subnet}/{six.cidr}"))
    return found


def _usual_form(text: str) -> list[str]:
    try:
        return [str(ip_network(text, strict=False) if "/" in text else ip_address(text))]
    except ValueError:
        return []


def _progress(item: QueueItem) -> ActionProgress:
    error = None
    if item.failed:
        exception = item.errors.exception if isinstance(item.errors, QueueErrors) else None
        said = exception.message if isinstance(exception, QueueException) else None
        error = clean_text(said) if said else "VirtFusion could not do it."
    return ActionProgress(
        finished=item.failed or bool(item.finished),
        failed=item.failed,
        progress=min(DONE, max(0, item.progress or 0)),
        error=error,
    )


def _month(period: TrafficPeriod) -> TrafficMonth:
    return TrafficMonth(
        start=_utc(period.start),
        end=_utc(period.end),
        received_bytes=period.rx,
        sent_bytes=period.tx,
        total_bytes=period.total,
        limit_gb=period.limit or None,
        blocks_gb=sum(block.traffic for block in period.blocks),
    )
