"""Attached control systems over HTTP, for staff at a browser: whoever changes one decides where its token goes."""

from collections.abc import Sequence

from litestar import Controller
from litestar.params import FromPath, JSONBody

from hostwright.core.crypto import Keyring
from hostwright.core.db import Database, Db, Tx
from hostwright.core.errors import Conflict, FieldProblem, Invalid
from hostwright.core.providers import AreaProbe, ExternalUser
from hostwright.identity.schemas import StaffViewer
from hostwright.servers.ports import Providers, Trial
from hostwright.servers.queries import connections as attached
from hostwright.servers.queries import connections_admin as admin
from hostwright.servers.queries.connections_admin import ConnectionFacts, ProbeRow
from hostwright.servers.schemas.connections import (
    AreaRead,
    ConnectionAdd,
    ConnectionChange,
    ConnectionList,
    ConnectionRead,
    NewUserRead,
    OutsideUserRead,
    TestConnection,
    TestRead,
    TestUser,
    TestUserRead,
)
from hostwright.servers.service import actor_of
from hostwright.servers.service import connections_admin as service
from hostwright.servers.service.connections_admin import Tried, Wish, usual_url
from hostwright.servers.service.owners import Rehearsal, rehearse_user
from hostwright.servers.views.connections_admin import spent_calls, state_of
from hostwright.web.inject import Injected
from hostwright.web.openapi import delete_op, get_op, patch_op, post_op

TAG = "Connections"


class TestFailed(Conflict):
    """The connection does not work; the message says what of it."""

    code = "connection_test_failed"

    def __init__(self, tried: Tried) -> None:
        super().__init__(f"{tried.problem} The connection was not saved; send saveAnyway to save it all the same.")


class NoConnection(Conflict):
    code = "no_connection"
    default_message = "No VirtFusion is attached and switched on."


def _areas(found: Sequence[AreaProbe | ProbeRow]) -> list[AreaRead]:
    return [AreaRead(one.area, one.ok, one.problem) for one in found]


def _tested(tried: Tried) -> TestRead:
    return TestRead(tried.ok, tried.problem, _areas(tried.areas))


def _read(row: ConnectionFacts, probes: Sequence[ProbeRow]) -> ConnectionRead:
    ahead, at_once = spent_calls(row)
    return ConnectionRead(
        id=row.id,
        name=row.name,
        base_url=row.base_url,
        verify_tls=row.verify_tls,
        calls_per_minute=row.calls_per_minute,
        allow_private_targets=row.allow_private_targets,
        enabled=row.enabled,
        state=state_of(row),
        created_at=row.created_at,
        updated_at=row.updated_at,
        last_list_at=row.last_list_at,
        last_good_at=row.last_good_at,
        last_error=row.last_error,
        last_error_at=row.last_error_at,
        servers_listed=row.listed,
        calls_ahead=ahead,
        calls_at_once=at_once,
        areas=_areas(probes),
        checked_at=row.probed_at,
    )


async def _one(db: Db, connection_id: int) -> ConnectionRead:
    return _read(await admin.facts.one(db, connection_id), await admin.probes.all(db, connection_id))


def _wish(row: ConnectionFacts, data: ConnectionChange) -> Wish:
    """What a connection shall be, where it is not said as it is."""
    return Wish(
        name=row.name if data.name is None else data.name,
        base_url=row.base_url if data.base_url is None else usual_url(data.base_url),
        token=data.token or "",
        verify_tls=row.verify_tls if data.verify_tls is None else data.verify_tls,
        calls_per_minute=row.calls_per_minute if data.calls_per_minute is None else data.calls_per_minute,
        allow_private_targets=(
            row.allow_private_targets if data.allow_private_targets is None else data.allow_private_targets
        ),
    )


class ConnectionsApi(Controller):
    """Several VirtFusions may be attached."""

    path = "/api/admin/connections"

    @get_op("", op="listConnections", summary="List connections", auth="admin", tag=TAG)
    async def list_connections(self, db: Injected[Db], viewer: Injected[StaffViewer]) -> ConnectionList:
        """All of them, without their tokens."""
        del viewer
        rows = await admin.all_facts.all(db)
        return ConnectionList([_read(row, await admin.probes.all(db, row.id)) for row in rows])

    @post_op(
        "", op="addConnection", summary="Attach a VirtFusion", auth="admin", tag=TAG, errors=(400, 409), status=201
    )
    async def add(
        self,
        database: Injected[Database],
        keyring: Injected[Keyring],
        trial: Injected[Trial],
        viewer: Injected[StaffViewer],
        data: JSONBody[ConnectionAdd],
    ) -> ConnectionRead:
        """It is tested first. Its servers are listed at once."""
        actor = actor_of(viewer)
        wish = Wish(
            name=data.name,
            base_url=usual_url(data.base_url),
            token=data.token,
            verify_tls=data.verify_tls,
            calls_per_minute=data.calls_per_minute,
            allow_private_targets=data.allow_private_targets,
        )
        tried = await service.try_wish(database, keyring, trial, wish)
        if not tried.ok and not data.save_anyway:
            raise TestFailed(tried)
        async with database.transaction() as tx:
            number = await service.attach(tx, keyring, actor, wish, tried, twice=data.twice)
            return await _one(tx, number)

    @get_op(
        "/{connection_id:int}",
        op="getConnection",
        summary="Read a connection",
        auth="admin",
        tag=TAG,
        errors=(404,),
    )
    async def read(
        self, db: Injected[Db], viewer: Injected[StaffViewer], connection_id: FromPath[int]
    ) -> ConnectionRead:
        """One of them."""
        del viewer
        return await _one(db, connection_id)

    @patch_op(
        "/{connection_id:int}",
        op="changeConnection",
        summary="Change a connection",
        auth="admin",
        tag=TAG,
        errors=(400, 404, 409),
    )
    async def change(
        self,
        database: Injected[Database],
        keyring: Injected[Keyring],
        trial: Injected[Trial],
        viewer: Injected[StaffViewer],
        connection_id: FromPath[int],
        data: JSONBody[ConnectionChange],
    ) -> ConnectionRead:
        """What changes the way to VirtFusion is tested first."""
        actor = actor_of(viewer)
        async with database.acquire() as db:
            row = await admin.facts.one(db, connection_id)
        wish = _wish(row, data)
        tried = None
        if service.reaches_elsewhere(row, wish):
            tried = await service.try_wish(database, keyring, trial, wish, connection_id)
            if not tried.ok and not data.save_anyway:
                raise TestFailed(tried)
        async with database.transaction() as tx:
            version = service.version_of(row)
            await service.change(tx, keyring, actor, connection_id, wish, tried, version=version, twice=data.twice)
            if data.enabled is not None:
                await service.switch(tx, actor, connection_id, enabled=data.enabled)
            return await _one(tx, connection_id)

    @delete_op(
        "/{connection_id:int}",
        op="removeConnection",
        summary="Remove a connection",
        auth="admin",
        tag=TAG,
        errors=(404, 409),
    )
    async def remove(self, tx: Injected[Tx], viewer: Injected[StaffViewer], connection_id: FromPath[int]) -> None:
        """Only while no server and no customer's account stands on it."""
        await service.remove(tx, actor_of(viewer), connection_id)


class ConnectionTestsApi(Controller):
    """Trying things out. Nothing is changed at VirtFusion."""

    path = "/api"

    @post_op(
        "/admin/virtfusion/test-connection",
        op="testConnection",
        summary="Test a connection to VirtFusion",
        auth="admin",
        tag=TAG,
        errors=(400, 404),
    )
    async def test_connection(
        self,
        database: Injected[Database],
        keyring: Injected[Keyring],
        trial: Injected[Trial],
        viewer: Injected[StaffViewer],
        data: JSONBody[TestConnection],
    ) -> TestRead:
        """A stored connection, whose result is kept; or an address and a token, which are not."""
        if data.connection_id is not None:
            if data.base_url is not None or data.token is not None:
                raise Invalid([FieldProblem("connectionId", "cannot be given beside an address or a token")])
            return _tested(await service.check_now(database, keyring, trial, actor_of(viewer), data.connection_id))
        missing = [name for name, value in (("baseUrl", data.base_url), ("token", data.token)) if not value]
        if data.base_url is None or data.token is None:
            raise Invalid([FieldProblem(name, "is required") for name in missing])
        tried = await service.try_out(trial, usual_url(data.base_url), data.token, verify_tls=data.verify_tls)
        return _tested(tried)

    @post_op(
        "/test-virtfusion-user",
        op="testVirtFusionUser",
        summary="Say which user would be made at VirtFusion",
        auth="admin",
        tag=TAG,
        errors=(400, 404, 409),
    )
    async def test_user(
        self,
        database: Injected[Database],
        providers: Injected[Providers],
        viewer: Injected[StaffViewer],
        data: JSONBody[TestUser],
    ) -> TestUserRead:
        """A dry run: it looks whether the relation is taken, and makes nothing."""
        del viewer
        number = data.connection_id
        if number is None:
            async with database.acquire() as db:
                number = await attached.enabled_connections.maybe(db)
            if number is None:
                raise NoConnection
        return _rehearsed(await rehearse_user(database, providers, number, data.customer_id, data.relation_id))


def _outside(user: ExternalUser | None) -> OutsideUserRead | None:
    if user is None:
        return None
    return OutsideUserRead(user.external_id, user.relation_id, user.name, user.email, user.suspended)


def _rehearsed(found: Rehearsal) -> TestUserRead:
    customer = found.customer
    return TestUserRead(
        customer_id=customer.id,
        connection_id=found.connection_id,
        would_create=found.would_create,
        user=NewUserRead(found.relation_id, customer.full_name or customer.name, customer.email),
        present=_outside(found.present),
        linked_user_id=found.account.external_user_id if found.account is not None else None,
        problem=found.problem,
    )
