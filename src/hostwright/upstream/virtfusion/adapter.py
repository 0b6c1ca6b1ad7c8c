"""VirtFusion as a provider of virtual servers: its words and units in those of `core.providers`."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Final, Literal

import msgspec

from hostwright.core.http.failures import clean_text
from hostwright.core.providers import (
    ActionProgress,
    ActionTicket,
    Ambiguous,
    ConnectionCheck,
    ListedServer,
    Listing,
    ObservedAddress,
    ObservedServer,
    Power,
    PowerAction,
    ProviderError,
    Refused,
    ResetPassword,
    ServerState,
    TrafficMonth,
)
from hostwright.upstream.virtfusion.catalog import Catalog
from hostwright.upstream.virtfusion.client import VirtFusionClient
from hostwright.upstream.virtfusion.reading import MOST, MOST_CORES, moment, number, text, utc
from hostwright.upstream.virtfusion.types import (
    Absent,
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
        """All servers, at a call per 200; complete, or it raises.

        A server whose id is no id cannot be left out: the list would call another one missing.
        """
        lines, calls = await self.client.servers()
        if not all(0 < line.id <= MOST for line in lines):
            message = "VirtFusion's list of servers has an id that cannot be one."
            raise Refused(message)
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
        if queued.queue_id is not None and number(queued.queue_id) is None:
            message = "VirtFusion took it, under a number that cannot be one."
            raise Ambiguous(message)
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


def _name(name: str | None, server_id: int) -> str:
    """A server has no name until it is built."""
    return text(name) or f"Server {server_id}"


def _listed(line: ServerLine) -> ListedServer:
    return ListedServer(
        external_id=line.id,
        external_uuid=text(line.uuid),
        external_owner_id=number(line.owner),
        name=_name(line.name, line.id),
        state=_state(line.commissioned, suspended=line.suspended, failed=False),
        created_at=moment(line.created),
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
        external_owner_id=number(server.owner_id),
        name=_name(server.name, server.id),
        hostname=None if server.hostname is msgspec.UNSET else text(server.hostname) or "",
        state=_state(server.commission_status, suspended=server.suspended, failed=failed),
        power=power,
        busy=isinstance(server.tasks, Tasks) and server.tasks.active,
        cores=number(resources.cpu_cores, MOST_CORES),
        memory_mib=number(resources.memory),
        disk_gib=number(resources.storage),
        traffic_limit_gb=number(resources.traffic),
        operating_system=text(system) or None,
        package=text(package) or None,
        hypervisor=text(hypervisor.name) or None,
        location_id=None if hypervisor.group_id is None else text(str(hypervisor.group_id)),
        location_name=text(group.name) or None,
        addresses=_addresses(server.network),
        created_at=moment(server.created),
    )


def _addresses(network: Network | Absent) -> list[ObservedAddress] | None:
    """Addresses in use, each once; the first of each version is its primary one. Odd ones are left out.

    None when the answer has no interfaces, or one without any list of addresses: it does not say that there are none.
    """
    if not isinstance(network, Network) or network.interfaces is None:
        return None
    used = [*_in_use(network.interfaces), *_in_use(network.secondary_interfaces or [])]
    if any(interface.ipv4 is None and interface.ipv6 is None for interface in used):
        return None
    texts: dict[str, Literal[4, 6]] = {}
    for interface in used:
        for found in _texts(interface):
            texts.setdefault(found, 6 if ":" in found else 4)
    firsts = {version: found for found, version in reversed(texts.items())}
    return [ObservedAddress(found, version, primary=firsts[version] == found) for found, version in texts.items()]


def _in_use(interfaces: list[Interface]) -> list[Interface]:
    return sorted((one for one in interfaces if one.enabled), key=lambda one: one.order)


def _texts(interface: Interface) -> list[str]:
    found: list[str] = []
    for four in sorted((one for one in interface.ipv4 or [] if one.enabled), key=lambda one: one.order):
        found.extend(_usual_form(four.address))
    for six in sorted((one for one in interface.ipv6 or [] if one.enabled), key=lambda one: one.order):
        if six.subnet and six.cidr is not None:
            found.extend(_usual_form(f"{six.subnet}/{six.cidr}"))
    return found


def _usual_form(address: str) -> list[str]:
    try:
        return [str(ip_network(address, strict=False) if "/" in address else ip_address(address))]
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
        start=utc(period.start),
        end=utc(period.end),
        received_bytes=period.rx,
        sent_bytes=period.tx,
        total_bytes=period.total,
        limit_gb=period.limit or None,
        blocks_gb=sum(block.traffic for block in period.blocks),
    )
