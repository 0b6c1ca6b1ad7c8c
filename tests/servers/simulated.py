"""A customer's servers at a simulated VirtFusion, as the mirror would have them."""

from __future__ import annotations

import msgspec

from hostwright.core.db import Database, Scalar
from hostwright.servers.service import link_account
from hostwright.upstream.virtfusion.simulator.company import FIRST_USER
from tests.support.app import Makers, Person
from tests.support.simulator import RunningSimulator

audited = Scalar(str, "select action || ' ' || outcome from audit_log order by id")


class Place(msgspec.Struct, frozen=True):
    """A person's account and one of its running servers."""

    vendor: RunningSimulator
    connection_id: int
    external_user_id: int
    external_id: int
    server_id: int


async def settle(
    database: Database,
    makers: Makers,
    vendor: RunningSimulator,
    person: Person,
    *,
    user_id: int = FIRST_USER,
    name: str = "Frankfurt",
) -> Place:
    """Link a person to a user of the simulator, and mirror one running server of it."""
    connection_id = await makers.connection(vendor.url, vendor.token, name=name)
    one = next(one for one in vendor.world.listed if one.owner_id == user_id and one.running and not one.suspended)
    server_id = await makers.server(person.customer_id, external_id=one.id)
    async with database.transaction() as tx:
        await link_account(tx, connection_id, person.customer_id, user_id)
    return Place(vendor, connection_id, user_id, one.id, server_id)


async def audit_lines(database: Database) -> list[str]:
    """What was audited, in order."""
    async with database.acquire() as db:
        return await audited.all(db)
