"""What people did in the past days: power actions with how they went, sign-ins and one that was refused."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from hostwright.audit.service import record
from hostwright.cli.demo import company
from hostwright.core.db import Command, Database, Query, Tx
from hostwright.core.providers import ServerState
from hostwright.core.scope import Staff
from hostwright.identity.records import UserRecord
from hostwright.identity.schemas import MANAGE_SERVERS
from hostwright.identity.service import Client, open_session
from hostwright.servers import queries
from hostwright.servers.queries import actions
from hostwright.servers.records import ActionKind, ActionState
from hostwright.servers.service import Actor
from hostwright.servers.service.power import write_down

FIRST_HOURS: Final = 2
LAST_HOURS: Final = 62
SHARE: Final = 0.3  # of the servers of later customers that somebody operated
FULL_CUSTOMERS: Final = 2  # whose every server has a history
STAFF_SHARE: Final = 0.15
FAILED_SHARE: Final = 0.06
REASON: Final = "The hypervisor did not take the request in time."
KINDS: Final = (ActionKind.RESTART, ActionKind.SHUTDOWN, ActionKind.BOOT, ActionKind.POWEROFF)
WEIGHTS: Final = (6, 2, 2, 1)
SESSIONS: Final = (("198.51.100.24", 0), ("203.0.113.80", 3))
SIGN_INS: Final = 14


class Operated(msgspec.Struct, frozen=True):
    """A server that somebody could operate, and who."""

    id: int
    user_id: int
    full_name: str
    nth_customer: int


class Done(msgspec.Struct, frozen=True):
    """Something that somebody did."""

    at: datetime
    server_id: int
    kind: ActionKind
    actor: Actor
    failed: bool


operable = Query(
    Operated,
    """select s.id, u.id as user_id, u.full_name, dense_rank() over (order by s.customer_id) as nth_customer
    from servers s join members m on m.customer_id = s.customer_id join users u on u.id = m.user_id
    where s.state = 'active' order by s.id""",
)


async def add_history(database: Database, attached: datetime) -> None:
    """Past actions between ``attached`` and a few hours ago, in the order in which they happened."""
    async with database.transaction() as tx:
        servers = await operable.all(tx)
        for done in sorted(_plan(servers, attached), key=lambda one: one.at):
            await _write_down(tx, done)


def _plan(servers: Sequence[Operated], attached: datetime) -> list[Done]:
    """The same servers always have the same history."""
    dice = random.Random(company.SEED)
    planned: list[Done] = []
    for server in servers:
        full = server.nth_customer <= FULL_CUSTOMERS
        if not full and dice.random() > SHARE:
            continue
        for _ in range(dice.randint(2, 6) if full else 1):
            at = attached + timedelta(hours=dice.uniform(FIRST_HOURS, LAST_HOURS))
            by_staff = dice.random() < STAFF_SHARE
            actor = Actor(
                None if by_staff else server.user_id,
                company.ADMIN if by_staff else server.full_name,
                SESSIONS[by_staff][0],
            )
            kind = dice.choices(KINDS, WEIGHTS)[0]
            planned.append(Done(at, server.id, kind, actor, dice.random() < FAILED_SHARE))
    return planned


async def _write_down(tx: Tx, done: Done) -> None:
    server = await queries.locked_server(tx, Staff(MANAGE_SERVERS), done.server_id)
    if server.state is not ServerState.ACTIVE:
        return
    action = await write_down(tx, done.actor, server, done.kind, done.at, sent=True)
    ended = done.at + timedelta(seconds=9 if done.kind is ActionKind.SHUTDOWN else 3)
    state = ActionState.FAILED if done.failed else ActionState.SUCCEEDED
    code, reason = ("upstream_refused", REASON) if done.failed else (None, None)
    await actions.finish.run(tx, action.id, state, ended, code, reason)
    await actions.finish_log.run(tx, action.id, "failed" if done.failed else "success", reason, ended)
    await actions.look_again.run(tx, server.id, False, done.at)  # noqa: FBT003  a column's value


# Customers came one after the other in the two years before; they were there before their first server is counted.
came_before = Command(
    """update users u set created_at = o.came, email_verified_at = o.came + interval '4 minutes',
        last_sign_in_at = coalesce(u.last_sign_in_at, now() - interval '31 hours' * (1 + o.nth % 22))
    from (
        select id, nth, now() - interval '30 days' - interval '17 days' * (total - nth) as came
        from (select id, row_number() over (order by id) as nth, count(*) over () as total from users) n
        where nth < total
    ) o where o.id = u.id"""
)


async def add_past_of_people(tx: Tx) -> None:
    """When people came and were last there; the newest has just registered and was never there since."""
    await came_before.run(tx)


async def add_sign_ins(tx: Tx, users: Sequence[UserRecord], *, session_days: int) -> None:
    """Open sessions of those whose sign-in is told, and lines of the audit log about others."""
    for number, user in enumerate(users[:SIGN_INS]):
        for address, shift in SESSIONS if number <= FULL_CUSTOMERS else SESSIONS[:1]:
            client = Client(address, address, company.AGENTS[(number + shift) % len(company.AGENTS)], "demo")
            await open_session(tx, user.id, client, session_days=session_days)
            await _signed_in(tx, user, address, refused=False)
    await _signed_in(tx, users[-1], "192.0.2.66", refused=True)


async def _signed_in(tx: Tx, user: UserRecord, address: str, *, refused: bool) -> None:
    await record(
        tx,
        actor_id=user.id,
        actor_label="unknown" if refused else user.full_name,
        action="user.sign_in" if refused else "user.signed_in",
        outcome="refused" if refused else "done",
        address=address,
    )
