"""The token in the terminal, whoever enters it, and the first admin."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Final

from hostwright.audit import service as audit
from hostwright.core import crypto
from hostwright.core.clock import Clock
from hostwright.core.crypto import token_hash
from hostwright.core.db import Database, Tx
from hostwright.core.errors import Conflict, FieldProblem, Forbidden, Invalid
from hostwright.core.limits import spend
from hostwright.core.passwords import Passwords
from hostwright.identity.policy import password_problem
from hostwright.identity.records import Role, UserRecord
from hostwright.identity.schemas import Register
from hostwright.identity.service import Client, NewSession, create_user, open_session
from hostwright.setup import queries
from hostwright.setup.policy import is_live
from hostwright.setup.records import SetupRow

LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
GROUPS: Final = 3
LETTERS_EACH: Final = 4
LASTS: Final = timedelta(hours=24)
TRIES: Final = 10
PER_TRY: Final = timedelta(seconds=30)
TOO_MANY: Final = "Too many tries. Wait a moment and try again."


class SetupDone(Conflict):
    code = "setup_done"
    default_message = "This panel is set up already."


class AdminThere(Conflict):
    code = "admin_there"
    default_message = "There is an admin already: sign in."


class TokenRefused(Forbidden):
    """Wrong, used, or too old; which one is not said."""

    code = "setup_token_refused"
    default_message = "This token is not valid. It may have been used, or be older than a day."


def _written() -> str:
    """Sixty bits that are easy to type."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(LETTERS_EACH)) for _ in range(GROUPS))


def _read(text: str) -> bytes:
    """The hash of a token as somebody typed it."""
    letters = "".join(letter for letter in text[:100].upper() if letter.isalnum())
    return token_hash(letters)


async def new_token(tx: Tx, clock: Clock) -> str:
    """A token to print; those before it are no longer valid.

    Raises `SetupDone`, or `AdminThere` when somebody may sign in and go on.
    """
    if await queries.has_admin.value(tx) and await queries.setup.maybe(tx) is None:
        raise SetupDone
    await queries.open_setup.run(tx)
    row = await queries.setup.one(tx, lock=True)
    if row.finished_at is not None:
        raise SetupDone
    if row.has_admin:
        raise AdminThere
    token = _written()
    await queries.set_token.run(tx, _read(token), clock.now() + LASTS)
    return token


async def enter_token(database: Database, client: Client, typed: str, clock: Clock) -> str:
    """Take the token; returns what the visitor's cookie holds. It is used up by that: of two at once one wins.

    Raises `TokenRefused`, or `TooManyRequests`.
    """
    async with database.acquire() as db:
        await spend(db, f"setup:{client.counted}", per=PER_TRY, burst=TRIES, message=TOO_MANY)
    visitor = crypto.new_token()
    async with database.transaction() as tx:
        row = await queries.setup.maybe(tx, lock=True)
        good = row is not None and row.finished_at is None and not row.has_admin and _fits(row, typed, clock.now())
        if good:
            await queries.enter.run(tx, token_hash(visitor), clock.now() + LASTS)
        await _note(tx, client, "setup.token", refused=not good)
    if not good:
        raise TokenRefused
    return visitor


def _fits(row: SetupRow, typed: str, now: datetime) -> bool:
    if row.token_hash is None or not is_live(row.token_expires_at, now):
        return False
    return secrets.compare_digest(row.token_hash, _read(typed))


def is_visitor(row: SetupRow, cookie: str | None, now: datetime) -> bool:
    """Whether a cookie's value is of whoever entered the token."""
    if cookie is None or row.visitor_hash is None or not is_live(row.visitor_expires_at, now):
        return False
    return secrets.compare_digest(row.visitor_hash, token_hash(cookie))


async def create_admin(  # noqa: PLR0913  what the form and the request know
    database: Database,
    passwords: Passwords,
    wanted: Register,
    client: Client,
    clock: Clock,
    *,
    cookie: str | None,
    session_days: int,
    language: str,
) -> tuple[UserRecord, NewSession]:
    """The first admin, signed in. Raises `Invalid`, or `TokenRefused` when somebody else was quicker."""
    problem: FieldProblem | None = password_problem(wanted.password, username=wanted.username, email=wanted.email)
    if problem is not None:
        raise Invalid([problem])
    hashed = await passwords.hash_password(wanted.password)
    async with database.transaction() as tx:
        row = await queries.setup.maybe(tx, lock=True)
        if row is None or row.finished_at is not None or row.has_admin or not is_visitor(row, cookie, clock.now()):
            raise TokenRefused
        user, _ = await create_user(
            tx,
            username=wanted.username,
            email=wanted.email,
            full_name=wanted.full_name,
            password_hash=hashed,
            role=Role.ADMIN,
            language=language,
        )
        await queries.set_admin.run(tx, user.id)
        await _note(tx, client, "setup.admin", user=user)
        return user, await open_session(tx, user.id, client, session_days=session_days)


async def _note(tx: Tx, client: Client, action: str, *, user: UserRecord | None = None, refused: bool = False) -> None:
    await audit.record(
        tx,
        actor_id=user.id if user else None,
        actor_label=user.full_name if user else "somebody with the terminal",
        action=action,
        outcome="refused" if refused else "done",
        object_type="user" if user else None,
        object_id=str(user.id) if user else None,
        object_label=user.username if user else None,
        address=client.address,
        request_id=client.request_id,
    )
