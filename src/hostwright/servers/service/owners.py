"""Whose servers are whose: staff tie users at a vendor to customers, and undo it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from hostwright.audit.service import record
from hostwright.core.clock import Clock, SystemClock
from hostwright.core.db import Database, Db, Tx
from hostwright.core.errors import Conflict, FieldProblem, Invalid, NotFound
from hostwright.core.providers import ExternalUser, Gone, ProviderError
from hostwright.core.text import containing, storable
from hostwright.identity.service import create_user
from hostwright.servers.ports import Providers
from hostwright.servers.queries import actions, mirror
from hostwright.servers.queries import owners as statements
from hostwright.servers.queries.owners import AccountRow, CustomerFacts
from hostwright.servers.service.common import Actor, announce
from hostwright.servers.service.connections import link_account

NO_PASSWORD: Final = "!"  # noqa: S105  the hash of nothing: whoever owns the address resets it
MANY: Final = 500  # nobody has so many pages open
SHORTEST_NAME: Final = 3
LONGEST_NAME: Final = 32
EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
LONGEST_EMAIL: Final = 254
LONGEST_FULL_NAME: Final = 120
HAS_ACCOUNT: Final = "has an account already; search for it and link that customer if it is the same person"


class NothingThere(Conflict):
    code = "no_such_user"
    default_message = "No server of this connection names that user, so there is nothing to link."


class OutsideUser(msgspec.Struct, frozen=True):
    """Who a user at a vendor is. ``user`` None: the vendor could not be asked or does not say, as ``problem`` tells."""

    user: ExternalUser | None
    problem: str | None


class NewCustomer(msgspec.Struct, frozen=True):
    """A person to make a customer of."""

    full_name: str
    email: str


async def read_outside_user(
    database: Database, providers: Providers, connection_id: int, external_user_id: int
) -> OutsideUser:
    """Ask the vendor who has these servers. Holds no connection meanwhile, and never raises for a failing vendor.

    Raises `NotFound` when no server of the connection names that user.
    """
    async with database.acquire() as db:
        server = await statements.any_of_user.maybe(db, connection_id, external_user_id)
    if server is None:
        raise NotFound
    try:
        found = await (await providers.compute(connection_id)).user_of_server(server)
    except Gone:
        return OutsideUser(None, None)
    except ProviderError as error:
        return OutsideUser(None, error.message)
    # The server may have been given away since it was listed: then the answer is about somebody else.
    return OutsideUser(found if found is not None and found.external_id == external_user_id else None, None)


async def link(  # noqa: PLR0913  each is needed
    tx: Tx,
    actor: Actor,
    connection_id: int,
    external_user_id: int,
    customer_id: int,
    user: ExternalUser | None,
    *,
    clock: Clock | None = None,
) -> int:
    """Say that a user at the vendor is this customer; returns how many servers became theirs.

    A relation is adopted with it, since staff say that it is the same one. Raises `NoRow` for a customer that is not,
    `NothingThere`, and `AccountTaken` when either side is linked already.
    """
    customer = await statements.customer_facts.one(tx, customer_id)
    if await statements.any_of_user.maybe(tx, connection_id, external_user_id) is None:
        raise NothingThere
    relation = user.relation_id if user is not None else None
    before = await statements.of_user.all(tx, connection_id, external_user_id, None, 0)
    count = await link_account(tx, connection_id, customer_id, external_user_id, external_relation_id=relation)
    moved = [row.id for row in before if row.customer_id != customer_id]
    await _note_moved(tx, actor, moved, customer_id, (clock or SystemClock()).now(), customer_id)
    detail = {"connection": connection_id, "vendor_user": external_user_id, "relation": relation, "servers": count}
    await _audit(tx, actor, "account.linked", customer, detail)
    return count


async def make_customer(  # noqa: PLR0913  each is needed
    tx: Tx,
    actor: Actor,
    connection_id: int,
    external_user_id: int,
    wanted: NewCustomer,
    user: ExternalUser | None,
    *,
    clock: Clock | None = None,
) -> int:
    """Make a customer with one owner of a user at the vendor, link both, and return the customer's id.

    The owner's address is not verified and has no password that works. An address that has an account raises
    `Invalid`: whether it is the same person is for staff to say, by linking that customer.
    """
    problems = person_problems(wanted)
    if problems:
        raise Invalid(problems)
    username = await _free_username(tx, wanted.email)
    try:
        _, customer_id = await create_user(
            tx, username=username, email=wanted.email, full_name=wanted.full_name, password_hash=NO_PASSWORD
        )
    except Invalid as error:
        taken = any(problem.field == "email" for problem in error.problems)
        message = FieldProblem("email", HAS_ACCOUNT) if taken else FieldProblem("email", "is taken")
        raise Invalid([message]) from error
    customer = await statements.customer_facts.one(tx, customer_id)
    await _audit(tx, actor, "customer.created", customer, {"username": username, "vendor_user": external_user_id})
    await link(tx, actor, connection_id, external_user_id, customer_id, user, clock=clock)
    return customer_id


def person_problems(wanted: NewCustomer) -> list[FieldProblem]:
    """What cannot be accepted of a person."""
    problems: list[FieldProblem] = []
    if not wanted.full_name:
        problems.append(FieldProblem("fullName", "is required"))
    elif len(wanted.full_name) > LONGEST_FULL_NAME or not wanted.full_name.isprintable():
        problems.append(FieldProblem("fullName", "may have at most 120 characters, none of them invisible"))
    if not EMAIL.fullmatch(wanted.email) or len(wanted.email) > LONGEST_EMAIL or not wanted.email.isprintable():
        problems.append(FieldProblem("email", "must be an e-mail address"))
    return problems


async def _free_username(tx: Tx, email: str) -> str:
    """A name out of the address that nobody has yet."""
    plain = unicodedata.normalize("NFKD", email.partition("@")[0]).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9._-]+", "-", plain).strip("._-")[:LONGEST_NAME]
    stem = stem if len(stem) >= SHORTEST_NAME else f"customer-{stem}".rstrip("-")
    pattern = stem.replace("_", "\\_") + "%"
    taken = set(await statements.username_like.all(tx, pattern))
    return next(name for name in _numbered(stem) if name not in taken)


def _numbered(stem: str) -> Sequence[str]:
    return [stem, *(f"{stem}-{number}" for number in range(2, 1_003))]


async def unlink(tx: Tx, actor: Actor, account_id: int, *, clock: Clock | None = None) -> tuple[AccountRow, int]:
    """Undo a link: the servers are without an owner again, and address history says since when.

    Returns what it was and how many servers the customer lost. Changes nothing at the vendor. Raises `NoRow`.
    """
    await mirror.take_turns.value(tx)
    row = await statements.account.one(tx, account_id)
    if not await statements.delete_account.run(tx, account_id):
        raise NotFound
    now = (clock or SystemClock()).now()
    lost = await statements.abandoned.all(tx, row.connection_id, row.customer_id)
    await mirror.hand_over.run(tx, lost, now)
    await _note_moved(tx, actor, lost, None, now, row.customer_id)
    customer = await statements.customer_facts.one(tx, row.customer_id)
    detail = {
        "connection": row.connection_id,
        "vendor_user": row.external_user_id,
        "relation": row.external_relation_id,
        "servers": len(lost),
    }
    await _audit(tx, actor, "account.unlinked", customer, detail)
    return row, len(lost)


async def _note_moved(
    tx: Tx, actor: Actor, servers: Sequence[int], customer_id: int | None, now: datetime, told: int
) -> None:
    """A line of activity for each, read by whoever has it now; open pages hear of it."""
    await actions.insert_log.many(
        tx,
        [
            (one, customer_id, "owner_changed", "state", "success", None, actor.id, actor.label, None, None, now, now)
            for one in servers
        ],
    )
    for one in servers if len(servers) <= MANY else ():
        await announce(tx, one, told)


async def candidates(db: Db, connection_id: int, words: str) -> list[statements.CandidateRow]:
    """At most ten customers by a part of the name, of the owner's address, or by the whole number."""
    text = storable(words.strip())
    if not text:
        return []
    digits = text.removeprefix("#")
    number = int(digits) if digits.isascii() and digits.isdecimal() and len(digits) <= 18 else None  # noqa: PLR2004
    return await statements.candidates.all(db, connection_id, containing(text), number)


async def _audit(tx: Tx, actor: Actor, action: str, customer: CustomerFacts, detail: Mapping[str, Any]) -> None:
    await record(
        tx,
        actor_id=actor.id,
        actor_label=actor.label,
        action=action,
        outcome="done",
        customer_id=customer.id,
        object_type="customer",
        object_id=str(customer.id),
        object_label=customer.name,
        detail=detail,
        address=actor.address,
        request_id=actor.request_id,
    )


class Rehearsal(msgspec.Struct, frozen=True):
    """What making a customer's user at a vendor would do. ``present`` None with ``problem``: it could not be asked."""

    connection_id: int
    customer: CustomerFacts
    relation_id: int
    account: AccountRow | None
    present: ExternalUser | None
    problem: str | None

    @property
    def would_create(self) -> bool:
        """Whether a user would be made: nobody is linked, and the vendor says that none is there."""
        return self.account is None and self.present is None and self.problem is None


async def rehearse_user(
    database: Database, providers: Providers, connection_id: int, customer_id: int, relation_id: int | None
) -> Rehearsal:
    """Say what would be made for a customer; reads only.

    The relation is the one given, the customer's own, or their number. Raises `NoRow` for a customer that is not there,
    and `NotFound` for such a connection.
    """
    async with database.acquire() as db:
        customer = await statements.customer_facts.one(db, customer_id)
        account = await statements.account_of_customer.maybe(db, connection_id, customer_id)
    known = account.external_relation_id if account is not None else None
    relation = relation_id or known or customer.number
    present, problem = None, None
    try:
        present = await (await providers.compute(connection_id)).user_by_relation(relation)
    except ProviderError as error:
        problem = error.message
    return Rehearsal(connection_id, customer, relation, account, present, problem)
