"""Accounts, sign-in, sessions and keys: every decision and every write."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

import msgspec

from hostwright.audit import service as audit
from hostwright.core.crypto import Keyring, new_token, token_hash
from hostwright.core.db import Database, Tx
from hostwright.core.errors import FieldProblem, Forbidden, Invalid, TooManyRequests, Unauthorized
from hostwright.core.events import emit
from hostwright.core.limits import spend
from hostwright.core.live import publish
from hostwright.core.passwords import Passwords
from hostwright.identity import policy, queries
from hostwright.identity.events import SessionsRevoked, UserRegistered
from hostwright.identity.records import Credential, KeyRecord, MemberRole, Role, UserRecord
from hostwright.identity.schemas import Register, SignIn

KEY_PREFIX: Final = "hw_"
SHOWN_PREFIX: Final = 8
FREE_TRIES_PER_ACCOUNT: Final = 5
FREE_TRIES_PER_ADDRESS: Final = 30
ACCOUNTS: Final = 10
PER_ACCOUNT: Final = timedelta(minutes=6)  # ten at once from one address, then ten an hour
TOO_MANY_ACCOUNTS: Final = "Too many accounts were made from your network. Wait some minutes and try again."
LONGEST_WAIT: Final = 300.0
"""Seconds. A wait ends by itself and hangs on the address too: nobody can lock a stranger out."""


class WrongCredentials(Unauthorized):
    """The name or the password is wrong; which one is not said."""

    code = "wrong_credentials"
    default_message = "The name or the password is wrong."


class AccountDisabled(Forbidden):
    """The account was disabled by staff."""

    code = "account_disabled"
    default_message = "This account is disabled. Ask the company's support."


class Client(msgspec.Struct, frozen=True):
    """Where a sign-in comes from; ``counted`` is the address as limits count it (IPv6 by /64)."""

    address: str | None
    counted: str
    user_agent: str | None
    request_id: str


class NewSession(msgspec.Struct, frozen=True):
    """A session that was just made. The token is in the cookie and nowhere else."""

    id: int
    token: str

    def __repr__(self) -> str:
        """Without the token."""
        return f"NewSession(id={self.id})"


class NewKey(msgspec.Struct, frozen=True):
    """A key that was just made: shown once."""

    record: KeyRecord
    key: str

    def __repr__(self) -> str:
        """Without the key."""
        return f"NewKey(id={self.record.id})"


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
    problems: list[FieldProblem] = []
    if await queries.username_taken.value(tx, username):
        problems.append(FieldProblem("username", "is taken"))
    if await queries.email_taken.value(tx, email):
        problems.append(FieldProblem("email", "has an account already; sign in instead"))
    return problems


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


async def open_session(tx: Tx, user_id: int, client: Client, *, session_days: int) -> NewSession:
    """A new session; its token leaves this process only in the cookie."""
    token = new_token()
    agent = (client.user_agent or "")[:300] or None
    session_id = await queries.insert_session.value(
        tx, token_hash(token), user_id, timedelta(days=session_days), client.address, agent
    )
    return NewSession(session_id, token)


async def _credential(database: Database, name: str) -> Credential | None:
    query = queries.credential_by_email if "@" in name else queries.credential_by_username
    async with database.acquire() as db:
        return await query.maybe(db, name)


def _counters(keyring: Keyring, name: str, credential: Credential | None, client: Client) -> tuple[bytes, bytes]:
    """What this try counts for. An account counts by its id: a name can be written in many ways."""
    account = f"user {credential.user_id}" if credential else f"name {name.casefold()}"
    pair = keyring.mac("sign-in", f"account|{account}|{client.counted}".encode())
    return pair, keyring.mac("sign-in", f"address|{client.counted}".encode())


async def _count_attempt(database: Database, pair: bytes, address: bytes) -> None:
    """Count this try for account and address together and for the address; raises `TooManyRequests` while one waits."""
    for key, free in ((address, FREE_TRIES_PER_ADDRESS), (pair, FREE_TRIES_PER_ACCOUNT)):
        async with database.transaction() as tx:
            counted = await queries.count_attempt.maybe(tx, key, free, LONGEST_WAIT)
            if counted is None:
                wait = await queries.attempt_wait.maybe(tx, key) or 1.0
                raise TooManyRequests(int(wait) + 1, "Too many tries. Wait a moment and try again.")


async def sign_in(
    database: Database,
    passwords: Passwords,
    keyring: Keyring,
    wanted: SignIn,
    client: Client,
    *,
    session_days: int,
) -> tuple[UserRecord, NewSession]:
    """Compare the password and open a session. A wrong name takes as long as a wrong password and says the same.

    A hash made with other parameters than today's is made anew.

    Raises `WrongCredentials`, `AccountDisabled`, or `TooManyRequests` with the growing wait.
    """
    credential = await _credential(database, wanted.username)
    pair, address = _counters(keyring, wanted.username, credential, client)
    await _count_attempt(database, pair, address)
    good = await passwords.verify_password(credential.password_hash if credential else None, wanted.password)
    if credential is None or not good:
        await _audit_refusal(database, credential, client, "user.sign_in")
        raise WrongCredentials
    if credential.disabled:
        await _audit_refusal(database, credential, client, "user.sign_in")
        raise AccountDisabled
    stale = passwords.needs_rehash(credential.password_hash)
    fresh = await passwords.hash_password(wanted.password) if stale else None
    async with database.transaction() as tx:
        if fresh is not None:
            await queries.set_password_hash.run(tx, credential.user_id, fresh)
        await queries.forget_attempts.run(tx, pair)
        await queries.take_attempt_back.run(tx, address)
        user = await queries.user_by_id.one(tx, credential.user_id)
        session = await open_session(tx, user.id, client, session_days=session_days)
        await audit.record(
            tx,
            actor_id=user.id,
            actor_label=user.full_name,
            action="user.signed_in",
            outcome="done",
            address=client.address,
            request_id=client.request_id,
        )
    return user, session


async def _audit_refusal(database: Database, credential: Credential | None, client: Client, action: str) -> None:
    async with database.transaction() as tx:
        await audit.record(
            tx,
            actor_id=credential.user_id if credential else None,
            actor_label="unknown",
            action=action,
            outcome="refused",
            address=client.address,
            request_id=client.request_id,
        )


async def end_session(tx: Tx, session_id: int) -> None:
    """Sign out: the session is gone at once and its live streams close."""
    await queries.delete_session.run(tx, session_id)
    await publish(tx, f"session:{session_id}", "closed")


async def revoke_session(tx: Tx, user_id: int, session_id: int) -> bool:
    """End one of the user's own sessions; False when it is not theirs or already ended."""
    ended = await queries.revoke_session.maybe(tx, session_id, user_id)
    if ended is None:
        return False
    await publish(tx, f"session:{session_id}", "closed")
    await emit(tx, SessionsRevoked(user_id))
    return True


async def revoke_other_sessions(tx: Tx, user_id: int, session_id: int) -> int:
    """End every session of the user but this one; returns how many."""
    ended = await queries.revoke_other_sessions.all(tx, user_id, session_id)
    for other in ended:
        await publish(tx, f"session:{other}", "closed")
    if ended:
        await emit(tx, SessionsRevoked(user_id))
    return len(ended)


async def set_disabled(tx: Tx, user_id: int, *, disabled: bool) -> None:
    """Disable or enable an account. Disabling ends its sessions; its keys are refused at the next call."""
    await queries.set_disabled.run(tx, user_id, disabled)
    if disabled:
        for session_id in await queries.revoke_all_sessions.all(tx, user_id):
            await publish(tx, f"session:{session_id}", "closed")


async def create_api_key(
    tx: Tx,
    *,
    user: UserRecord,
    customer_id: int,
    name: str,
    scopes: Iterable[str],
    expires_at: datetime | None = None,
) -> NewKey:
    """A new key; scopes beyond the user's role are refused (DEFECT-28)."""
    wanted = sorted(set(scopes))
    unknown = [scope for scope in wanted if scope not in policy.allowed_scopes(user.role)]
    if unknown or not wanted:
        raise Invalid([FieldProblem("scopes", "may not hold " + ", ".join(unknown) if unknown else "is required")])
    key = new_token(KEY_PREFIX)
    record = await queries.insert_key.one(
        tx, token_hash(key), key[:SHOWN_PREFIX], name, user.id, customer_id, wanted, expires_at
    )
    return NewKey(record, key)


def idle_time(hours: int) -> timedelta:
    """How long a session may rest before it ends."""
    return timedelta(hours=hours)


async def forget_ended(tx: Tx, *, idle_hours: int) -> None:
    """Drop sessions that nobody can use any more, and old sign-in counts."""
    await queries.delete_ended_sessions.run(tx, idle_time(idle_hours))
    await queries.forget_old_attempts.run(tx)
