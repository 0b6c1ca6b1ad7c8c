"""Accounts: made, registered, disabled."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from hostwright.audit import service as audit
from hostwright.core.db import Database, Tx
from hostwright.core.errors import FieldProblem, Invalid
from hostwright.core.events import emit
from hostwright.core.limits import spend
from hostwright.core.passwords import Passwords
from hostwright.identity import policy, queries
from hostwright.identity.events import UserRegistered
from hostwright.identity.records import MemberRole, Role, UserRecord
from hostwright.identity.schemas import Register
from hostwright.identity.service.common import Client
from hostwright.identity.service.sessions import NONE, NewSession, open_session, revoke_other_sessions

ACCOUNTS: Final = 10
PER_ACCOUNT: Final = timedelta(minutes=6)  # ten at once from one address, then ten an hour
TAKEN: Final = {"username": "is taken", "email": "has an account already; sign in instead"}
TOO_MANY_ACCOUNTS: Final = "Too many accounts were made from your network. Wait some minutes and try again."


async def create_user(  # noqa: PLR0913  each is a column
    tx: Tx,
    *,
    username: str,
    email: str,
    full_name: str,
    password_hash: str,
    role: Role = Role.CLIENT,
    customer_name: str | None = None,
    language: str = "en",
) -> tuple[UserRecord, int]:
    """A user with a customer of their own; returns both ids' rows. Raises `Invalid` when name or address is taken."""
    problems = await _taken(tx, username, email)
    if not problems:
        user = await queries.insert_user.maybe(tx, username, email, full_name, password_hash, role, language)
        if user is not None:
            return user, await _own_customer(tx, user, customer_name or full_name)
        problems = await _taken(tx, username, email)  # somebody was quicker
    raise Invalid(problems)


async def _taken(tx: Tx, username: str, email: str) -> list[FieldProblem]:
    return [FieldProblem(field, TAKEN[field]) for field in await queries.taken.all(tx, username, email)]


async def _own_customer(tx: Tx, user: UserRecord, name: str) -> int:
    customer = await queries.insert_customer.one(tx, name)
    await queries.insert_member.run(tx, customer.id, user.id, MemberRole.OWNER)
    return customer.id


async def register(
    database: Database, passwords: Passwords, wanted: Register, client: Client, *, session_days: int
) -> tuple[UserRecord, NewSession]:
    """A visitor makes an account and is signed in. Only the fields of `Register` count (DEFECT-04)."""
    problem = policy.password_problem(wanted.password, username=wanted.username, email=wanted.email)
    if problem is not None:
        raise Invalid([problem])
    async with database.acquire() as db:
        await spend(db, f"register:{client.counted}", per=PER_ACCOUNT, burst=ACCOUNTS, message=TOO_MANY_ACCOUNTS)
    hashed = await passwords.hash_password(wanted.password)
    async with database.transaction() as tx:
        user, customer_id = await create_user(
            tx, username=wanted.username, email=wanted.email, full_name=wanted.full_name, password_hash=hashed
        )
        await emit(tx, UserRegistered(user.id, customer_id))
        await audit.record(
            tx,
            actor_id=user.id,
            actor_label=user.full_name,
            action="user.registered",
            outcome="done",
            customer_id=customer_id,
            object_type="user",
            object_id=str(user.id),
            object_label=user.username,
            address=client.address,
            request_id=client.request_id,
        )
        return user, await open_session(tx, user.id, client, session_days=session_days)


async def set_disabled(tx: Tx, user_id: int, *, disabled: bool) -> None:
    """Disable or enable an account. Disabling ends its sessions; its keys are refused at the next call."""
    await queries.set_disabled.run(tx, user_id, disabled)
    if disabled:
        await revoke_other_sessions(tx, user_id, NONE)
