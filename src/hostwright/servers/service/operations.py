"""Changes of a server besides its power: name, suspension, processor limit, owner. Each is an action like any other."""

from __future__ import annotations

import unicodedata
from typing import Final

from hostwright.core.clock import Clock
from hostwright.core.db import Tx
from hostwright.core.errors import Conflict, FieldProblem, Invalid
from hostwright.core.text import storable
from hostwright.servers.queries import actions, operations
from hostwright.servers.records import ActionDetail, ActionKind, ActionRow, TargetRow
from hostwright.servers.schemas.operations import LONGEST_NAME, LONGEST_REASON
from hostwright.servers.service.common import Actor
from hostwright.servers.service.power import ask

# Marks that turn the direction of what stands beside them: a name may not change how a line of a list reads.
TURNS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029")
NOT_SHOWN: Final = frozenset({"Cc", "Cs", "Co", "Cn"})
MOST_PERCENT: Final = 99


class SameOwner(Conflict):
    code = "same_owner"
    default_message = "This server belongs to this customer already."


class NoAccount(Conflict):
    code = "no_account"
    default_message = "This customer has no account at this server's VirtFusion. Link one first."


def name_of(text: str) -> str:
    """A server's name as it is stored; raises `Invalid` for one that cannot be shown."""
    name = " ".join(text.split(" ")).strip()
    if not 1 <= len(name) <= LONGEST_NAME:
        raise Invalid([FieldProblem("name", "must have 1 to 63 characters")])
    if any(letter in TURNS or unicodedata.category(letter) in NOT_SHOWN for letter in name):
        raise Invalid([FieldProblem("name", "must not hold control characters")])
    return name


def reason_of(text: str | None) -> str:
    """Why a server is suspended, as its customer reads it; raises `Invalid` when there is none."""
    reason = storable((text or "").strip())
    if not 1 <= len(reason) <= LONGEST_REASON:
        raise Invalid([FieldProblem("reason", "must have 1 to 500 characters")])
    return reason


async def rename_server(tx: Tx, actor: Actor, server: TargetRow, name: str, *, clock: Clock | None = None) -> ActionRow:
    """Give a server held ``for update`` another name; it is shown once VirtFusion has it."""
    return await ask(tx, actor, server, ActionKind.RENAME, ActionDetail(name=name_of(name)), clock=clock)


async def suspend_server(
    tx: Tx, actor: Actor, server: TargetRow, reason: str | None, *, clock: Clock | None = None
) -> ActionRow:
    """Stop a server held ``for update`` and keep it from being started. For staff; the customer reads ``reason``."""
    detail = ActionDetail(reason=reason_of(reason))
    row = await ask(tx, actor, server, ActionKind.SUSPEND, detail, clock=clock)
    await actions.set_reason.run(tx, server.id, detail.reason)
    return row


async def unsuspend_server(tx: Tx, actor: Actor, server: TargetRow, *, clock: Clock | None = None) -> ActionRow:
    """Let a suspended server be started. For staff."""
    return await ask(tx, actor, server, ActionKind.UNSUSPEND, clock=clock)


async def throttle_server(
    tx: Tx, actor: Actor, server: TargetRow, percent: int, *, clock: Clock | None = None
) -> ActionRow:
    """Take ``percent`` of its processor time away from a server; 0 gives all of it back. For staff."""
    return await ask(tx, actor, server, ActionKind.THROTTLE_CPU, ActionDetail(percent=percent), clock=clock)


async def change_owner(
    tx: Tx, actor: Actor, server: TargetRow, customer_id: int, *, clock: Clock | None = None
) -> ActionRow:
    """Give a server to another customer. For staff. The mirror hands it over once VirtFusion shows the new owner.

    Raises `SameOwner`, and `NoAccount` when VirtFusion does not know that customer.
    """
    if server.customer_id == customer_id:
        raise SameOwner
    account = await operations.account_of.maybe(tx, server.connection_id, customer_id)
    if account is None:
        raise NoAccount
    detail = ActionDetail(
        external_user_id=account.external_user_id,
        customer_id=account.customer_id,
        customer_name=account.customer_name,
    )
    return await ask(tx, actor, server, ActionKind.CHANGE_OWNER, detail, clock=clock)


def percent_of(text: str) -> int:
    """How much is taken away, as a form says it; raises `Invalid` for anything but 0 to 99."""
    if text.strip().isdecimal() and len(text.strip()) <= len(str(MOST_PERCENT)) and int(text) <= MOST_PERCENT:
        return int(text)
    raise Invalid([FieldProblem("percent", "must be a whole number from 0 to 99")])
