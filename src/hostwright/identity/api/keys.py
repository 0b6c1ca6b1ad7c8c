"""Personal API keys over HTTP, for people who have signed in: no key makes keys."""

import msgspec
from litestar import Controller, Response
from litestar.params import FromPath, JSONBody

from hostwright.core.db import Db, Tx
from hostwright.identity import queries, service
from hostwright.identity.records import OwnKey
from hostwright.identity.schemas import KeyCustomer, KeyList, KeyMade, KeyMake, KeyRead, Viewer
from hostwright.web.inject import Injected
from hostwright.web.openapi import delete_op, get_op, post_op

TAG = "API keys"


def key_read(key: OwnKey) -> KeyRead:
    """A key as the API sends it."""
    return KeyRead(
        id=key.id,
        name=key.name,
        prefix=key.prefix,
        scopes=key.scopes,
        customer=KeyCustomer(key.customer_id, key.customer_name),
        active=key.works,
        created_at=key.created_at,
        expires_at=key.expires_at,
        last_used_at=key.last_used_at,
    )


def key_made(kept: OwnKey, key: str) -> KeyMade:
    """A key with itself, to be shown this once."""
    return KeyMade(**msgspec.structs.asdict(key_read(kept)), key=key)


class KeysApi(Controller):
    """The caller's own keys."""

    path = "/api/user/api-keys"

    @get_op("", op="listApiKeys", summary="List your API keys", tag=TAG)
    async def list_keys(self, db: Injected[Db], viewer: Injected[Viewer]) -> KeyList:
        """For all of the user's customers: those that work first, then the latest that have expired."""
        return KeyList([key_read(key) for key in await queries.keys_of.all(db, viewer.user_id)])

    @post_op("", op="createApiKey", summary="Create an API key", tag=TAG, errors=(400, 409), status=201)
    async def create(self, tx: Injected[Tx], viewer: Injected[Viewer], data: JSONBody[KeyMake]) -> Response[KeyMade]:
        """The answer holds the key, which is shown nowhere else."""
        kept, key = await service.make_key(tx, viewer, data)
        return Response(key_made(kept, key), status_code=201, headers={"Cache-Control": "no-store"})

    @delete_op("/{api_key_id:int}", op="deleteApiKey", summary="Revoke an API key", tag=TAG, errors=(404,))
    async def revoke(self, tx: Injected[Tx], viewer: Injected[Viewer], api_key_id: FromPath[int]) -> None:
        """It is refused from its next call on, for good."""
        await service.drop_key(tx, viewer, api_key_id)
