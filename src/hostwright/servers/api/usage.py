"""What servers do, and the traffic of any server, over HTTP."""

from typing import Annotated

from litestar import Controller
from litestar.params import FromPath, QueryParameter

from hostwright.core.db import Database, Tx
from hostwright.core.providers import ServerState
from hostwright.identity.schemas import StaffViewer, Viewer
from hostwright.servers import queries, service
from hostwright.servers.api.presenting import traffic_read
from hostwright.servers.ports import Providers
from hostwright.servers.schemas import TrafficRead
from hostwright.servers.schemas.usage import Range, UsagePoint, UsageRead
from hostwright.servers.service.usage import look_at, usage_of
from hostwright.web.inject import Injected
from hostwright.web.openapi import get_op

READ = "read:servers"

RangeWanted = Annotated[Range, QueryParameter(name="range", description="How far back")]


async def _usage(tx: Tx, viewer: Viewer, server_id: int, wanted: Range) -> UsageRead:
    row = await queries.server_for(tx, viewer.scope, server_id)
    if row.state is ServerState.ACTIVE:
        await look_at(tx, server_id)
    found = await usage_of(tx, server_id, wanted)
    points = [
        UsagePoint(
            at=point.at,
            cpu_percent=point.cpu_percent,
            memory_used_mib=point.memory_used_mib,
            memory_mib=point.memory_mib,
            disk_read_bytes_per_second=point.read_rate,
            disk_written_bytes_per_second=point.write_rate,
            disk_used_gib=point.disk_used_gib,
            disk_gib=point.disk_gib,
        )
        for point in found.points
    ]
    sampled_at = found.look.sampled_at if found.look else None
    silent_since = found.look.failing_since if found.look else None
    return UsageRead(wanted, int(found.step.total_seconds()), sampled_at, silent_since, points)


class UsageApi(Controller):
    """What a customer's server does."""

    @get_op(
        "/api/user/servers/{server_id:int}/usage",
        op="getServerUsage",
        summary="Read what a server does",
        scope=READ,
        tag="Servers",
        errors=(400, 404),
    )
    async def usage(
        self,
        tx: Injected[Tx],
        viewer: Injected[Viewer],
        server_id: FromPath[int],
        range_wanted: RangeWanted = Range.HOUR,
    ) -> UsageRead:
        """Stretches of time, oldest first. Asking has the server sampled, every ten seconds at most."""
        return await _usage(tx, viewer, server_id, range_wanted)


class AdminUsageApi(Controller):
    """What any server does, for staff."""

    @get_op(
        "/api/admin/servers/{server_id:int}/usage",
        op="getAnyServerUsage",
        summary="Read what any server does",
        auth="admin",
        scope=READ,
        tag="Servers (staff)",
        errors=(400, 404),
    )
    async def usage(
        self,
        tx: Injected[Tx],
        viewer: Injected[StaffViewer],
        server_id: FromPath[int],
        range_wanted: RangeWanted = Range.HOUR,
    ) -> UsageRead:
        """Stretches of time, oldest first. Asking has the server sampled, every ten seconds at most."""
        return await _usage(tx, viewer, server_id, range_wanted)

    @get_op(
        "/api/admin/servers/{server_id:int}/traffic",
        op="getAnyServerTraffic",
        summary="Read any server's traffic",
        auth="admin",
        scope=READ,
        tag="Servers (staff)",
        errors=(404, 409),
    )
    async def traffic(
        self,
        database: Injected[Database],
        viewer: Injected[StaffViewer],
        providers: Injected[Providers],
        server_id: FromPath[int],
    ) -> TrafficRead:
        """Traffic by period. Asks VirtFusion; 503 when that does not answer."""
        return traffic_read(await service.read_traffic(database, providers, viewer.scope, server_id))
