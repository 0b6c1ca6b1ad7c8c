"""Installing a system anew: only what VirtFusion lists for the server, only keys of its customer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import msgspec

from hostwright.core.clock import Clock
from hostwright.core.db import Database
from hostwright.core.errors import FieldProblem, Invalid
from hostwright.core.limits import spend
from hostwright.core.providers import Gone, ProviderError, SshKey, SystemTemplate
from hostwright.core.scope import Scope
from hostwright.servers import queries
from hostwright.servers.policy import ActionPending, ServerGone, require_allowed
from hostwright.servers.ports import Providers
from hostwright.servers.records import ActionDetail, ActionKind, ActionRow, TargetRow
from hostwright.servers.service.common import Actor, UpstreamAway, spend_call
from hostwright.servers.service.power import ask
from hostwright.servers.service.ssh_keys import keys_of

INSTALLS: Final = 3
PER_INSTALL: Final = timedelta(minutes=20)  # three in an hour
LOOKS: Final = 12
PER_LOOK: Final = timedelta(seconds=5)
TOO_MANY: Final = "This server was installed three times within an hour. Wait before you install it again."
HOSTNAME: Final = re.compile(
    r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+", re.IGNORECASE
)


class Wish(msgspec.Struct, frozen=True):
    """What is to be installed, as somebody asked for it."""

    template_id: int
    hostname: str | None = None
    ssh_key_ids: Sequence[int] = ()


class Choices(msgspec.Struct, frozen=True):
    """What can be installed on a server, and the keys that can be put on it."""

    server: TargetRow
    templates: list[SystemTemplate]
    keys: list[SshKey]


def label_of(template: SystemTemplate) -> str:
    """A template in one line."""
    return " ".join(part for part in (template.name, template.version, template.variant) if part)


def hostname_of(text: str | None) -> str:
    """A host name as it is sent, empty for none; raises `Invalid` when it is not a full name."""
    hostname = (text or "").strip().rstrip(".").lower()
    if hostname and not HOSTNAME.fullmatch(hostname):
        raise Invalid([FieldProblem("hostname", "must be a full host name such as web.example.com")])
    return hostname


async def install_choices(database: Database, providers: Providers, scope: Scope, server_id: int) -> Choices:
    """What can be installed; asks VirtFusion and holds no connection over the call.

    Raises the `Conflict` of a server that cannot be installed, `UpstreamAway` when VirtFusion does not answer.
    """
    async with database.acquire() as db:
        server = await queries.target_of(db, scope, server_id)
        require_allowed(ActionKind.INSTALL, server)
        await spend(db, f"templates:{server_id}", per=PER_LOOK, burst=LOOKS)
        await spend_call(db, server.connection_id)
    try:
        provider = await providers.compute(server.connection_id)
        templates = await provider.templates(server.external_id)
    except Gone as error:
        raise ServerGone("VirtFusion does not know this server any more.") from error
    except ProviderError as error:
        raise UpstreamAway(retry_after=max(1, int(error.retry_after or 5))) from error
    keys: list[SshKey] = []
    if server.customer_id is not None:
        keys = await keys_of(database, providers, server.customer_id, server.connection_id)
    return Choices(server, templates, [key for key in keys if key.enabled])


async def request_install(  # noqa: PLR0913  who asks where for what
    database: Database,
    providers: Providers,
    actor: Actor,
    scope: Scope,
    server_id: int,
    wish: Wish,
    *,
    clock: Clock | None = None,
) -> ActionRow:
    """Ask for a fresh system. Everything on the disk is lost once it is sent.

    Raises `Invalid` for a system that VirtFusion does not list for this server and for a key that is not its
    customer's, `TooManyRequests` after three in an hour, `ActionPending` while anything else goes on.
    """
    hostname = hostname_of(wish.hostname)
    choices = await install_choices(database, providers, scope, server_id)
    detail = _checked(choices, wish, hostname)
    async with database.acquire() as db:
        pending = await queries.pending_action(db, server_id)
        if pending is None:
            await spend(db, f"install:{server_id}", per=PER_INSTALL, burst=INSTALLS, message=TOO_MANY)
        elif pending.kind is not ActionKind.INSTALL:
            raise ActionPending
    async with database.transaction() as tx:
        server = await queries.locked_server(tx, scope, server_id)
        if server.customer_id != choices.server.customer_id:
            raise ActionPending  # it changed hands meanwhile: these keys are somebody else's
        return await ask(tx, actor, server, ActionKind.INSTALL, detail, clock=clock)


def _checked(choices: Choices, wish: Wish, hostname: str) -> ActionDetail:
    problems: list[FieldProblem] = []
    template = next((each for each in choices.templates if each.external_id == wish.template_id), None)
    if template is None:
        problems.append(FieldProblem("templateId", "is not a system that can be installed on this server"))
    wanted = tuple(dict.fromkeys(wish.ssh_key_ids))
    if not set(wanted) <= {key.external_id for key in choices.keys}:
        problems.append(FieldProblem("sshKeyIds", "names a key that is not this customer's"))
    if template is None or problems:
        raise Invalid(problems)
    return ActionDetail(
        template_id=wish.template_id, template=label_of(template), hostname=hostname, ssh_key_ids=wanted
    )
