"""SSH keys of customers. They live at VirtFusion, in the account that the customer has there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final, Literal, NoReturn

import msgspec

from hostwright.audit.service import record
from hostwright.core.db import Database, Db
from hostwright.core.errors import Conflict, FieldProblem, Invalid, NotFound, TooManyRequests
from hostwright.core.limits import check_limit, spend
from hostwright.core.providers import Ambiguous, Gone, ProviderError, Refused, SshKey
from hostwright.servers.ports import Providers
from hostwright.servers.queries import ssh_keys
from hostwright.servers.queries.ssh_keys import AccountRow
from hostwright.servers.schemas.ssh_keys import SshKeyAdd, SshKeyRead
from hostwright.servers.service.common import Actor, AnswerLost, UpstreamAway, UpstreamRefused, call_budget
from hostwright.servers.service.public_keys import PublicKey, known_key, parse_public_key, refuse_private

MOST: Final = 50
MOST_NAME: Final = 100
CLAIM_HOLDS: Final = timedelta(seconds=60)  # longer than any call with its retries
TOO_OFTEN: Final = "VirtFusion is asked too often right now. Wait a moment and try again."
AWAY: Final = "VirtFusion does not answer right now, so your keys cannot be shown. Try again in a moment."


class NoAccount(Conflict):
    code = "no_account"
    default_message = "There is no account for you at VirtFusion yet. It is made with your first server."


class KeyKnown(Conflict):
    code = "ssh_key_known"
    default_message = "This key is in your list already."


class KeyBeingAdded(Conflict):
    code = "ssh_key_being_added"
    default_message = "This key is being added right now. Look at the list in a moment."


class TooManyKeys(Conflict):
    code = "too_many_ssh_keys"
    default_message = "There are 50 keys already. Delete one before you add another."


class AccountKeys(msgspec.Struct, frozen=True):
    """A customer's keys at one control system; None when it does not answer."""

    account: AccountRow
    keys: list[SshKeyRead] | None


async def keys_of(database: Database, providers: Providers, customer_id: int, connection_id: int) -> list[SshKey]:
    """The customer's keys at a connection, oldest first; none without an account there. Asks VirtFusion.

    Raises `UpstreamAway` (503) for any failure of the vendor, `TooManyRequests` when the connection's calls are used
    up.
    """
    async with database.acquire() as db:
        account = await ssh_keys.account_at.maybe(db, customer_id, connection_id)
    return await _listed(database, providers, account) if account is not None else []


async def read_keys(database: Database, providers: Providers, customer_id: int) -> list[AccountKeys]:
    """All keys of a customer, by control system. One that does not answer does not hide the others."""
    async with database.acquire() as db:
        accounts = await ssh_keys.accounts_of.all(db, customer_id)
    return [await _of_account(database, providers, account) for account in accounts]


async def read_keys_of_user(database: Database, providers: Providers, user_id: int) -> list[AccountKeys]:
    """All keys of the customers that a user acts for, for staff; `NoRow` when there is no such user."""
    async with database.acquire() as db:
        await ssh_keys.user_known.value(db, user_id)
        accounts = await ssh_keys.accounts_of_user.all(db, user_id)
    return [await _of_account(database, providers, account) for account in accounts]


def all_or_away(found: list[AccountKeys]) -> list[SshKeyRead]:
    """The keys of every account; raises `UpstreamAway` when one of them is not known."""
    keys: list[SshKeyRead] = []
    for each in found:
        if each.keys is None:
            raise UpstreamAway(AWAY)
        keys += each.keys
    return keys


async def _of_account(database: Database, providers: Providers, account: AccountRow) -> AccountKeys:
    try:
        found = await _listed(database, providers, account)
    except (UpstreamAway, TooManyRequests):
        return AccountKeys(account, None)
    return AccountKeys(account, [key_read(account, key) for key in found])


async def _spend(db: Db, account: AccountRow) -> None:
    budget = call_budget(account.connection_id, account.calls_per_minute)
    await spend(db, budget.key, per=budget.per, burst=budget.burst, message=TOO_OFTEN)


async def _listed(database: Database, providers: Providers, account: AccountRow) -> list[SshKey]:
    async with database.acquire() as db:
        await _spend(db, account)
    try:
        provider = await providers.compute(account.connection_id)
        return await provider.ssh_keys(account.external_user_id)
    except ProviderError as error:
        raise UpstreamAway(AWAY, retry_after=max(1, int(error.retry_after or 5))) from error


def key_read(account: AccountRow, key: SshKey) -> SshKeyRead:
    """A key as the API sends it."""
    known = known_key(key.public_key)
    return SshKeyRead(
        id=key.external_id,
        connection_id=account.connection_id,
        connection_name=account.connection_name,
        name=key.name,
        type=known.kind if known else "",
        bits=known.bits or None if known else None,
        fingerprint=known.fingerprint if known else None,
        comment=known.comment if known else "",
        public_key=key.public_key,
        enabled=key.enabled,
        created_at=key.created_at,
    )


async def _account(database: Database, customer_id: int, connection_id: int | None) -> AccountRow:
    """The account that is meant; raises `NoAccount`, or `Invalid` when there are several and none is named."""
    async with database.acquire() as db:
        accounts = await ssh_keys.accounts_of.all(db, customer_id)
    if not accounts:
        raise NoAccount
    if connection_id is None and len(accounts) > 1:
        raise Invalid([FieldProblem("connectionId", "Choose where this key is to be used.")])
    for account in accounts:
        if connection_id in (None, account.connection_id):
            return account
    raise NotFound


async def add_key(
    database: Database, providers: Providers, actor: Actor, customer_id: int, wanted: SshKeyAdd
) -> SshKeyRead:
    """Keep a public key. What was asked is audited before the call, how it ended after it.

    Raises `Invalid` for what is no safe public key, `KeyKnown`, `TooManyKeys`, `NoAccount`, and the errors of the
    vendor.
    """
    refuse_private(wanted.name)
    key = parse_public_key(wanted.public_key)
    name = " ".join(wanted.name.split()) or key.comment or f"{key.kind} {key.fingerprint[7:15]}"
    account = await _account(database, customer_id, wanted.connection_id)
    claim = f"ssh-key:{account.connection_id}:{customer_id}:{key.fingerprint}"
    async with database.acquire() as db:
        if await check_limit(db, claim, per=CLAIM_HOLDS, burst=1) is None:
            raise KeyBeingAdded
    try:
        await _check(key, await _listed(database, providers, account))
        added = await _send(database, providers, actor, customer_id, account, name[:MOST_NAME], key)
    except AnswerLost:
        raise  # the claim stands: the key may be there, and the list will say so
    except BaseException:
        await _give_back(database, claim)
        raise
    await _give_back(database, claim)
    return key_read(account, added)


async def _give_back(database: Database, claim: str) -> None:
    async with database.transaction() as tx:
        await ssh_keys.give_back.run(tx, claim)


async def _check(key: PublicKey, kept: list[SshKey]) -> None:
    known = {found.fingerprint for each in kept if (found := known_key(each.public_key)) is not None}
    if key.fingerprint in known:
        raise KeyKnown
    if len(kept) >= MOST:
        raise TooManyKeys


async def _send(  # noqa: PLR0913  the facts of one call
    database: Database,
    providers: Providers,
    actor: Actor,
    customer_id: int,
    account: AccountRow,
    name: str,
    key: PublicKey,
) -> SshKey:
    detail = {"fingerprint": key.fingerprint, "connectionId": account.connection_id, "name": name}
    async with database.acquire() as db:
        await _spend(db, account)
    await _audit(database, actor, customer_id, "add_requested", "done", detail)
    try:
        provider = await providers.compute(account.connection_id)
        text = f"{key.text} {key.comment}".rstrip()
        added = await provider.add_ssh_key(account.external_user_id, name, text)
    except ProviderError as error:
        await _audit(database, actor, customer_id, "add", "failed", {**detail, "code": error.code})
        _raise(error)
    await _audit(database, actor, customer_id, "add", "done", {**detail, "keyId": added.external_id})
    return added


async def delete_key(
    database: Database,
    providers: Providers,
    actor: Actor,
    customer_id: int,
    key_id: int,
    connection_id: int | None = None,
) -> None:
    """Forget a key. VirtFusion takes any number: whether the key is the customer's own is looked up first.

    `NotFound` when it is not. Servers that have the key already keep it.
    """
    account, key = await _own_key(database, providers, customer_id, key_id, connection_id)
    known = known_key(key.public_key)
    detail = {
        "fingerprint": known.fingerprint if known else None,
        "connectionId": account.connection_id,
        "keyId": key_id,
        "name": key.name,
    }
    async with database.acquire() as db:
        await _spend(db, account)
    await _audit(database, actor, customer_id, "delete_requested", "done", detail)
    try:
        provider = await providers.compute(account.connection_id)
        await provider.delete_ssh_key(key_id)
    except Gone:
        pass  # somebody was quicker: it is as it should be
    except ProviderError as error:
        await _audit(database, actor, customer_id, "delete", "failed", {**detail, "code": error.code})
        _raise(error)
    await _audit(database, actor, customer_id, "delete", "done", detail)


async def _own_key(
    database: Database, providers: Providers, customer_id: int, key_id: int, connection_id: int | None
) -> tuple[AccountRow, SshKey]:
    async with database.acquire() as db:
        accounts = await ssh_keys.accounts_of.all(db, customer_id)
    found = [
        (account, key)
        for account in accounts
        if connection_id in (None, account.connection_id)
        for key in await _listed(database, providers, account)
        if key.external_id == key_id
    ]
    if not found:
        raise NotFound
    if len(found) > 1:
        raise Invalid([FieldProblem("connectionId", "Several systems have a key of this number: name one.")])
    return found[0]


def _raise(error: ProviderError) -> NoReturn:
    """The vendor's failure as an answer."""
    if isinstance(error, Ambiguous):
        raise AnswerLost from error
    if isinstance(error, Refused | Gone):
        raise UpstreamRefused from error
    raise UpstreamAway(retry_after=max(1, int(error.retry_after or 5))) from error


async def _audit(
    database: Database,
    actor: Actor,
    customer_id: int,
    what: str,
    outcome: Literal["done", "failed"],
    detail: Mapping[str, object],
) -> None:
    async with database.transaction() as tx:
        await record(
            tx,
            actor_id=actor.id,
            actor_label=actor.label,
            action=f"ssh_key.{what}",
            outcome=outcome,
            customer_id=customer_id,
            object_type="ssh_key",
            object_id=str(detail.get("keyId") or detail["fingerprint"]),
            object_label=str(detail["name"]),
            detail=detail,
            address=actor.address,
            request_id=actor.request_id,
        )
