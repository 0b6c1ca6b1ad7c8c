"""What the worker does for servers: power actions, and the mirror of every attached system."""

from __future__ import annotations

from hostwright.core.db import Tx
from hostwright.core.jobs import Retry, Work, WorkPart, enqueue, every, runs
from hostwright.servers import service
from hostwright.servers.events import (
    DETAILS,
    DETAILS_ALL,
    HYPERVISORS,
    HYPERVISORS_ALL,
    MIRROR,
    MIRROR_ALL,
    PERFORM_ACTION,
    SAMPLE,
    SWEEP_ACTIONS,
    TIDY_SAMPLES,
    WATCH_ACTION,
    ActionRef,
    ConnectionRef,
    ServerRef,
    Tick,
    WatchRef,
)
from hostwright.servers.ports import Providers
from hostwright.servers.service.hypervisors import sync_hypervisors
from hostwright.servers.service.mirror import enabled_connections
from hostwright.servers.service.usage import take_sample, tidy_samples

EACH_MINUTE = "* * * * *"
EACH_TEN_MINUTES = "4-59/10 * * * *"
EACH_TENTH_MINUTE = "2-59/10 * * * *"
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


async def hypervisors_all(work: Work, payload: Tick) -> None:
    """One list of hypervisors per connection, behind what people wait for."""
    del payload
    connections = await enabled_connections(work.database)
    async with work.database.transaction() as tx:
        for connection_id in connections:
            await enqueue(tx, HYPERVISORS, ConnectionRef(connection_id), key=str(connection_id), priority=-1)


async def sweep(work: Work, payload: Tick) -> None:
    """Take up actions whose job was lost."""
    del payload
    await service.sweep_actions(work.database, work.clock)


async def tidy(work: Work, payload: Tick) -> None:
    """Thin out samples of what servers do."""
    del payload
    await tidy_samples(work.database, work.clock)


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

    async def sample(work: Work, payload: ServerRef) -> None:
        await take_sample(work.database, providers, work.clock, payload.server_id)

    async def hypervisors(work: Work, payload: ConnectionRef) -> None:
        outcome = await sync_hypervisors(work.database, providers, payload.connection_id, clock=work.clock)
        if outcome.wait:
            raise Retry(outcome.wait, "The connection's call budget is spent.")

    return WorkPart(
        bindings=[
            runs(PERFORM_ACTION, perform, on_dead=give_up),
            runs(WATCH_ACTION, watch, on_dead=give_up),
            runs(SWEEP_ACTIONS, sweep),
            runs(MIRROR_ALL, mirror_all),
            runs(MIRROR, mirror),
            runs(DETAILS_ALL, details_all),
            runs(DETAILS, details),
            runs(HYPERVISORS_ALL, hypervisors_all),
            runs(HYPERVISORS, hypervisors),
            runs(SAMPLE, sample),
            runs(TIDY_SAMPLES, tidy),
        ],
        schedules=[
            every(EACH_MINUTE, MIRROR_ALL, Tick()),
            every(EACH_TEN_SECONDS, DETAILS_ALL, Tick()),
            every(EACH_TENTH_MINUTE, HYPERVISORS_ALL, Tick()),
            every(EACH_HALF_MINUTE, SWEEP_ACTIONS, Tick()),
            every(EACH_TEN_MINUTES, TIDY_SAMPLES, Tick()),
        ],
        subscriptions=[],
    )
