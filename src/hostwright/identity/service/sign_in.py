"""Signing in with a password, with growing delays for wrong ones."""

from __future__ import annotations

from typing import Final

from hostwright.audit import service as audit
from hostwright.core.crypto import Keyring
from hostwright.core.db import Database
from hostwright.core.passwords import Passwords
from hostwright.identity import queries
from hostwright.identity.queries import account as account_sql
from hostwright.identity.records import Credential, UserRecord
from hostwright.identity.schemas import SignIn
from hostwright.identity.service.attempts import count_attempt
from hostwright.identity.service.common import AccountDisabled, Client, WrongCredentials
from hostwright.identity.service.sessions import NewSession, open_session

FREE_TRIES_PER_ACCOUNT: Final = 5
FREE_TRIES_PER_ADDRESS: Final = 30


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
    await count_attempt(database, address, FREE_TRIES_PER_ADDRESS)
    await count_attempt(database, pair, FREE_TRIES_PER_ACCOUNT)


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
        if await account_sql.held_credential.maybe(tx, credential.user_id, credential.password_hash) is None:
            raise WrongCredentials  # changed, or disabled, since it was compared
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
