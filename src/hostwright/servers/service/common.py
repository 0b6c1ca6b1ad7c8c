"""What every use case needs: who acts, telling open pages, errors of the vendor as answers."""

from __future__ import annotations

from datetime import timedelta
from typing import Final, Protocol

import asyncpg
import msgspec

from hostwright.core.db import Db, PoolExhausted, Tx
from hostwright.core.errors import AppError, Forbidden, Unavailable
from hostwright.core.limits import spend
from hostwright.core.live import publish
from hostwright.core.scope import OwnedBy, Scope
from hostwright.identity.records import MemberRole
from hostwright.servers.queries import mirror

OPERATORS: Final = frozenset({MemberRole.OWNER, MemberRole.TECHNICAL})
# The database is away or refuses: what ends a use case, unless something that happened already has to be told.
DATABASE_ERRORS: Final = (PoolExhausted, OSError, asyncpg.PostgresError, asyncpg.InterfaceError)
CALLS_USED_UP: Final = "VirtFusion was asked as often as it may be. Wait a moment and try again."
NOT_AN_OPERATOR: Final = "Your role at this customer does not allow operating its servers."


class CallBudget(msgspec.Struct, frozen=True):
    """A limit as `core.limits` takes it."""

    key: str
    per: timedelta
    burst: int


def call_budget(connection_id: int, calls_per_minute: int) -> CallBudget:
    """What all processes together may ask a vendor's system: ten seconds' share at once."""
    return CallBudget(
        f"virtfusion:{connection_id}", timedelta(seconds=60 / calls_per_minute), max(1, calls_per_minute // 6)
    )


async def spend_call(db: Db, connection_id: int) -> None:
    """Count a call that somebody waits for; raises `TooManyRequests` when the connection's calls are used up."""
    connection = await mirror.pruning.one(db, connection_id)
    budget = call_budget(connection_id, connection.calls_per_minute)
    await spend(db, budget.key, per=budget.per, burst=budget.burst, message=CALLS_USED_UP)


class Actor(msgspec.Struct, frozen=True):
    """Who acts, as activity and audit name them."""

    id: int | None
    label: str
    address: str | None = None
    request_id: str | None = None


class Calling(Protocol):
    """What an actor is made of; `identity.schemas.Viewer` has it."""

    @property
    def scope(self) -> Scope: ...
    @property
    def member_role(self) -> MemberRole: ...
    @property
    def user_id(self) -> int: ...
    @property
    def label(self) -> str: ...
    @property
    def address(self) -> str | None: ...
    @property
    def request_id(self) -> str: ...


class UpstreamRefused(AppError):
    """VirtFusion said no."""

    code = "upstream_refused"
    status = 502
    default_message = "VirtFusion refused this. Nothing was changed."


class AnswerLost(AppError):
    """It may or may not have happened."""

    code = "upstream_answer_lost"
    status = 502
    default_message = "VirtFusion's answer was lost, so it may or may not have happened."


class UpstreamAway(Unavailable):
    """VirtFusion does not answer."""

    code = "upstream_unavailable"
    default_message = "VirtFusion does not answer right now. Nothing was changed. Try again in a moment."


def actor_of(viewer: Calling) -> Actor:
    """The viewer as somebody who operates servers; raises `Forbidden` for members who may only look or pay."""
    if isinstance(viewer.scope, OwnedBy) and viewer.member_role not in OPERATORS:
        raise Forbidden(NOT_AN_OPERATOR)
    return Actor(viewer.user_id, viewer.label, viewer.address, viewer.request_id)


async def announce(tx: Tx, server_id: int, *customers: int | None) -> None:
    """Tell open pages of staff and of these customers that a server changed, once the transaction has committed."""
    await publish(tx, "staff", f"server:{server_id}")
    for customer_id in {customer for customer in customers if customer is not None}:
        await publish(tx, f"customer:{customer_id}", f"server:{server_id}")
