"""What the worker does for servers: power actions, and the mirror of every attached system."""

from __future__ import annotations

from hostwright.core.db import Tx
from hostwright.core.jobs import Work, WorkPart, enqueue, every, runs
from hostwright.servers import service
from hostwright.servers.events import (
    DETAILS,
    DETAILS_ALL,
    MIRROR,
    MIRROR_ALL,
    PERFORM_ACTION,
    SWEEP_ACTIONS,
    WATCH_ACTION,
    ActionRef,
    ConnectionRef,
    Tick,
    WatchRef,
)
from hostwright.servers.ports import Providers
from hostwright.servers.service.mirror import enabled_connections

EACH_MINUTE = "* * * * *"
EACH_TEN_SECONDS = "* * * * * */10"
EACH_HALF_MINUTE = "* * * * * */30"


async def mirror_all(work: Work, payload: Tick) -> None:
    """One mirror job per connection; one that still waits or runs is not doubled."""
    del payload
    connections = await enabled_connections(work.database)
    async with work.database.transaction() as tx:
        for connection_id in connections:
            await enqueue(tx, MIRROR, ConnectionRef(connection_id), key=str(connection_id))


async def details_all(work: Work, payload: Tick) -> None:
    """One pass over details per connection, behind what people wait for."""
    del payload
    connections = await enabled_connections(work.database)
    async with work.database.transaction() as tx:
        for connection_id in connections:
            await enqueue(tx, DETAILS, ConnectionRef(connection_id), key=str(connection_id), priority=-1)


async def sweep(work: Work, payload: Tick) -> None:
    """Take up actions whose job was lost."""
    del payload
    await service.sweep_actions(work.database, work.clock)


def work(providers: Providers) -> WorkPart:
    """Bindings and schedules. Every job is safe to run twice."""

    async def perform(work: Work, payload: ActionRef) -> None:
        await service.perform_action(work.database, providers, work.clock, payload.action_id)

    async def watch(work: Work, payload: WatchRef) -> None:
        await service.watch_action(work.database, providers, work.clock, payload.action_id, payload.turn)

    async def give_up(tx: Tx, payload: ActionRef | WatchRef, error: str) -> None:
        del error
        await service.give_up_on(tx, payload.action_id)

    async def mirror(work: Work, payload: ConnectionRef) -> None:
        await service.run_mirror(work.database, providers, payload.connection_id, clock=work.clock)

    async def details(work: Work, payload: ConnectionRef) -> None:
        await service.refresh_details(work.database, providers, payload.connection_id, clock=work.clock)

    return WorkPart(
        bindings=[
            runs(PERFORM_ACTION, perform, on_dead=give_up),
            runs(WATCH_ACTION, watch, on_dead=give_up),
            runs(SWEEP_ACTIONS, sweep),
            runs(MIRROR_ALL, mirror_all),
            runs(MIRROR, mirror),
            runs(DETAILS_ALL, details_all),
            runs(DETAILS, details),
        ],
        schedules=[
            every(EACH_MINUTE, MIRROR_ALL, Tick()),
            every(EACH_TEN_SECONDS, DETAILS_ALL, Tick()),
            every(EACH_HALF_MINUTE, SWEEP_ACTIONS, Tick()),
        ],
        subscriptions=[],
    )
