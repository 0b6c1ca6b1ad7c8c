"""Suspensions, processor limits, owners, passwords: what staff change of one server besides its power and name."""

from litestar import Controller, Response
from litestar.params import FromPath, JSONBody

from hostwright.core.db import Database, Tx
from hostwright.identity.schemas import StaffViewer
from hostwright.servers import queries, service
from hostwright.servers.api.presenting import action_read
from hostwright.servers.ports import Providers
from hostwright.servers.schemas import ActionRead, NewPassword
from hostwright.servers.schemas.operations import ChangeOwner, Suspend, Throttle
from hostwright.servers.service import operations
from hostwright.web.inject import Injected
from hostwright.web.openapi import post_op

STAFF = "Servers (staff)"
WRITE = "write:servers"


class AdminOperationsApi(Controller):
    """What staff can change of any server."""

    path = "/api/admin/servers/{server_id:int}"

    @post_op(
        "/suspend",
        op="suspendServer",
        summary="Suspend a server",
        auth="admin",
        scope=WRITE,
        tag=STAFF,
        errors=(404, 409),
        status=202,
    )
    async def suspend(
        self, tx: Injected[Tx], viewer: Injected[StaffViewer], server_id: FromPath[int], data: JSONBody[Suspend]
    ) -> ActionRead:
        """Stop it and keep it from being started. Its customer reads the reason."""
        server = await queries.locked_server(tx, viewer.scope, server_id)
        return action_read(await operations.suspend_server(tx, service.actor_of(viewer), server, data.reason))

    @post_op(
        "/unsuspend",
        op="unsuspendServer",
        summary="Lift a server's suspension",
        auth="admin",
        scope=WRITE,
        tag=STAFF,
        errors=(404, 409),
        status=202,
    )
    async def unsuspend(self, tx: Injected[Tx], viewer: Injected[StaffViewer], server_id: FromPath[int]) -> ActionRead:
        """Let it be started again."""
        server = await queries.locked_server(tx, viewer.scope, server_id)
        return action_read(await operations.unsuspend_server(tx, service.actor_of(viewer), server))

    @post_op(
        "/throttle-cpu",
        op="throttleServer",
        summary="Limit a server's processor",
        auth="admin",
        scope=WRITE,
        tag=STAFF,
        errors=(404, 409),
        status=202,
    )
    async def throttle(
        self, tx: Injected[Tx], viewer: Injected[StaffViewer], server_id: FromPath[int], data: JSONBody[Throttle]
    ) -> ActionRead:
        """Take 0 to 99 per cent of its processor time away; 0 lifts the limit."""
        server = await queries.locked_server(tx, viewer.scope, server_id)
        return action_read(await operations.throttle_server(tx, service.actor_of(viewer), server, data.percent))

    @post_op(
        "/owner",
        op="changeServerOwner",
        summary="Give a server to another customer",
        auth="admin",
        scope=WRITE,
        tag=STAFF,
        errors=(404, 409),
        status=202,
    )
    async def change_owner(
        self, tx: Injected[Tx], viewer: Injected[StaffViewer], server_id: FromPath[int], data: JSONBody[ChangeOwner]
    ) -> ActionRead:
        """VirtFusion first; its addresses are handed over once the new owner is seen there."""
        server = await queries.locked_server(tx, viewer.scope, server_id)
        return action_read(await operations.change_owner(tx, service.actor_of(viewer), server, data.customer_id))

    @post_op(
        "/reset-password",
        op="resetAnyServerPassword",
        summary="Set a new password for the main account of any server",
        auth="admin",
        scope=WRITE,
        tag=STAFF,
        errors=(404, 409, 502),
    )
    async def reset_password(
        self,
        database: Injected[Database],
        viewer: Injected[StaffViewer],
        providers: Injected[Providers],
        server_id: FromPath[int],
    ) -> Response[NewPassword]:
        """The new password is in this answer and nowhere else."""
        actor = service.actor_of(viewer)
        password = await service.reset_password(database, providers, actor, viewer.scope, server_id)
        return Response(password, headers={"Cache-Control": "no-store"})
