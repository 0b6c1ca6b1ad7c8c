"""Attaching control systems, and saying whose accounts are whose there."""

from __future__ import annotations

from typing import Final

from hostwright.audit.service import record
from hostwright.core.clock import Clock, SystemClock
from hostwright.core.crypto import Keyring
from hostwright.core.db import Tx
from hostwright.core.errors import Conflict
from hostwright.servers.policy import PruningChanged
from hostwright.servers.queries import connections as statements
from hostwright.servers.queries import mirror
from hostwright.servers.service.common import Actor

TABLE: Final = "connections"
TOKEN: Final = "token"  # noqa: S105  a column's name


class AccountTaken(Conflict):
    code = "account_taken"
    default_message = "This customer or this account is linked to another one already."


async def add_connection(  # noqa: PLR0913  each is a fact of the connection
    tx: Tx,
    keyring: Keyring,
    *,
    name: str,
    base_url: str,
    token: str,
    verify_tls: bool = True,
    calls_per_minute: int = 120,
) -> int:
    """Attach a VirtFusion and return its id. The id is taken first: the token's ciphertext is bound to it."""
    connection_id = await statements.next_connection_id.value(tx)
    secret = keyring.encrypt(TABLE, TOKEN, connection_id, token.encode())
    await statements.insert_connection.run(
        tx, connection_id, name, base_url.rstrip("/"), secret, verify_tls, calls_per_minute
    )
    return connection_id


async def link_account(
    tx: Tx, connection_id: int, customer_id: int, external_user_id: int, *, external_relation_id: int | None = None
) -> int:
    """Say that a user at the vendor is this customer; returns how many servers already mirrored became theirs.

    Raises `AccountTaken` when either side is linked already.
    """
    await mirror.take_turns.value(tx)
    written = await statements.insert_account.run(
        tx, connection_id, customer_id, external_user_id, external_relation_id
    )
    if not written:
        raise AccountTaken
    adopted = await statements.adopted.all(tx, connection_id, customer_id, external_user_id)
    await mirror.hand_over.run(tx, adopted, SystemClock().now())
    return len(adopted)


async def confirm_pruning(tx: Tx, actor: Actor, connection_id: int, count: int, *, clock: Clock | None = None) -> bool:
    """Let the next run of the mirror take ``count`` servers for gone; False when it was not stopped.

    Raises `PruningChanged` when it is stopped at another number than staff saw.
    """
    state = await mirror.pruning.maybe(tx, connection_id, lock=True)
    if state is None or state.prune_stopped_at is None:
        return False
    if state.prune_count != count:
        raise PruningChanged
    await statements.confirm_pruning.run(tx, connection_id, (clock or SystemClock()).now())
    await record(
        tx,
        actor_id=actor.id,
        actor_label=actor.label,
        action="connection.confirm_pruning",
        outcome="done",
        object_type="connection",
        object_id=str(connection_id),
        detail={"servers": count},
        address=actor.address,
        request_id=actor.request_id,
    )
    return True
