"""Servers, work and traffic as VirtFusion tells them, in the words and units of `core.providers`."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Final, Literal

import msgspec

from hostwright.core.http.failures import clean_text
from hostwright.core.providers import (
    ActionProgress,
    ListedServer,
    ObservedAddress,
    ObservedServer,
    Power,
    ServerState,
    TrafficMonth,
)
from hostwright.upstream.virtfusion.reading import MOST_CORES, moment, number, text, utc
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
    Sampled,
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


def _name(name: str | None, server_id: int) -> str:
    """A server has no name until it is built."""
    return text(name) or f"Server {server_id}"


def listed(line: ServerLine) -> ListedServer:
    """A server as the list shows it."""
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


def power_of(server: VirtualServer) -> Power | None:
    """None when the hypervisor could not be asked."""
    remote = server.remote_state
    return power_word(remote.state) if isinstance(remote, RemoteState) and remote.state is not None else None


def power_word(word: str) -> Power:
    """What a word of libvirt's means."""
    return POWER.get(word.strip().lower(), Power.UNKNOWN)


def resources_of(server: VirtualServer | Sampled) -> Resources:
    """What a server has been given."""
    settings = server.settings
    found = settings.resources if isinstance(settings, ServerSettings) else None
    return found if isinstance(found, Resources) else Resources()


def observed(
    server: VirtualServer, resources: Resources, *, system: str | None, package: str | None, power: Power | None
) -> ObservedServer:
    """A server in detail."""
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


def progress(item: QueueItem) -> ActionProgress:
    """How far queued work is."""
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


def month(period: TrafficPeriod) -> TrafficMonth:
    """Traffic of one period."""
    return TrafficMonth(
        start=utc(period.start),
        end=utc(period.end),
        received_bytes=period.rx,
        sent_bytes=period.tx,
        total_bytes=period.total,
        limit_gb=period.limit or None,
        blocks_gb=sum(block.traffic for block in period.blocks),
    )
