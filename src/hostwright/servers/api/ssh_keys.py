"""SSH keys over HTTP."""

from typing import Annotated

from litestar import Controller
from litestar.params import FromPath, JSONBody, QueryParameter

from hostwright.core.db import LARGEST_ID, Database
from hostwright.identity.schemas import StaffViewer, Viewer
from hostwright.servers.ports import Providers
from hostwright.servers.schemas.ssh_keys import SshKeyAdd, SshKeyList, SshKeyRead
from hostwright.servers.service import actor_of
from hostwright.servers.service.ssh_keys import add_key, all_or_away, delete_key, read_keys, read_keys_of_user
from hostwright.web.inject import Injected
from hostwright.web.openapi import delete_op, get_op, post_op

TAG = "SSH keys"

ConnectionWanted = Annotated[
    int | None,
    QueryParameter(name="connectionId", ge=1, le=LARGEST_ID, description="Where, with accounts at several systems"),
]


class SshKeysApi(Controller):
    """A customer's keys."""

    path = "/api/user/ssh-keys"

    @get_op("", op="listSshKeys", summary="List your SSH keys", scope="read:servers", tag=TAG)
    async def list_keys(
        self, database: Injected[Database], viewer: Injected[Viewer], providers: Injected[Providers]
    ) -> SshKeyList:
        """Of all systems. Asks VirtFusion; 503 when one of them does not answer."""
        return SshKeyList(all_or_away(await read_keys(database, providers, viewer.customer_id)))

    @post_op(
        "",
        op="addSshKey",
        summary="Add a public SSH key",
        scope="write:servers",
        tag=TAG,
        errors=(400, 404, 409, 502),
        status=201,
    )
    async def add(
        self,
        database: Injected[Database],
        viewer: Injected[Viewer],
        providers: Injected[Providers],
        data: JSONBody[SshKeyAdd],
    ) -> SshKeyRead:
        """For systems that are installed from now on. Never send a private key."""
        return await add_key(database, providers, actor_of(viewer), viewer.customer_id, data)

    @delete_op(
        "/{key_id:int}",
        op="deleteSshKey",
        summary="Delete an SSH key",
        scope="write:servers",
        tag=TAG,
        errors=(400, 404, 502),
    )
    async def delete(
        self,
        database: Injected[Database],
        viewer: Injected[Viewer],
        providers: Injected[Providers],
        key_id: FromPath[int],
        connection_id: ConnectionWanted = None,
    ) -> None:
        """Servers that have it keep it."""
        await delete_key(database, providers, actor_of(viewer), viewer.customer_id, key_id, connection_id)


class AdminSshKeysApi(Controller):
    """Customers' keys, for staff."""

    @get_op(
        "/api/admin/ssh-keys/user/{user_id:int}",
        op="listSshKeysOfUser",
        summary="List the SSH keys of a user's customers",
        auth="admin",
        scope="read:servers",
        tag="Servers (staff)",
        errors=(404,),
    )
    async def list_keys(
        self,
        database: Injected[Database],
        viewer: Injected[StaffViewer],
        providers: Injected[Providers],
        user_id: FromPath[int],
    ) -> SshKeyList:
        """Asks VirtFusion; 503 when it does not answer."""
        del viewer
        return SshKeyList(all_or_away(await read_keys_of_user(database, providers, user_id)))
