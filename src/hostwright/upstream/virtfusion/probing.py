"""Whether a token may do what we need, area by area, by reads that change nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from hostwright.core.providers import AreaProbe, Gone, ProviderError, Refused
from hostwright.upstream.virtfusion.client import VirtFusionClient

NOBODY: Final = 2_147_483_647  # an id that nothing has
WRONG_PLACE: Final = frozenset({None, 404, 405, 410})  # None: an answer that could not be read

CONNECT, SERVERS = "connect", "servers"
AREAS: Final = (CONNECT, SERVERS, "hypervisors", "packages", "templates", "ssh_keys", "users", "queue")
LISTS: Final = frozenset({SERVERS, "hypervisors", "packages"})
STRANGER: Final = "What answers there is not VirtFusion, or not a version that we know."


async def probe_areas(client: VirtFusionClient) -> list[AreaProbe]:
    """One read for each area.

    When nothing can be reached, or the token is not accepted at all, that is said of every area without asking on. An
    id that is not known counts as working, provided that a list has shown VirtFusion there.
    """
    connect = await _outcome(client.connect())
    if connect is not None and not _worth_asking_on(connect):
        return [AreaProbe(area, ok=False, problem=connect.message) for area in AREAS]
    server_id, user_id = NOBODY, NOBODY
    servers: ProviderError | None = None
    try:
        page = await client.page(1, size=1)
        if page.data:
            server_id, user_id = page.data[0].id, page.data[0].owner or NOBODY
    except ProviderError as error:
        servers = error
    others = _reads(client, server_id, user_id)
    outcomes = await asyncio.gather(*(_outcome(read()) for read in others.values()))
    found = {CONNECT: connect, SERVERS: servers, **dict(zip(others, outcomes, strict=True))}
    is_vendor = any(_shows_the_vendor(found[area]) for area in LISTS)
    return [_told(area, found[area], is_vendor=is_vendor) for area in AREAS]


def _reads(client: VirtFusionClient, server_id: int, user_id: int) -> dict[str, Callable[[], Awaitable[object]]]:
    return {
        "hypervisors": lambda: client.hypervisor_page(1, size=1),
        "packages": client.packages,
        "templates": lambda: client.templates(server_id),
        "ssh_keys": lambda: client.user_keys(user_id),
        "users": lambda: client.user_by_relation(NOBODY),
        "queue": lambda: client.queue_item(NOBODY),
    }


async def _outcome(read: Awaitable[object]) -> ProviderError | None:
    try:
        await read
    except ProviderError as error:
        return error
    return None


def _worth_asking_on(error: ProviderError) -> bool:
    """A token without this permission, or a version without this path, may still do everything else."""
    return isinstance(error, Refused) and error.status in {403, 404}


def _shows_the_vendor(error: ProviderError | None) -> bool:
    """Whether a list, or the refusal of one, is an answer as VirtFusion gives it."""
    return error is None or error.status not in WRONG_PLACE


def _told(area: str, error: ProviderError | None, *, is_vendor: bool) -> AreaProbe:
    if not is_vendor and (error is None or error.status in WRONG_PLACE):
        return AreaProbe(area, ok=False, problem=STRANGER)
    if error is None or isinstance(error, Gone):
        return AreaProbe(area, ok=True, problem=None)
    return AreaProbe(area, ok=False, problem=error.message)
