"""Delivery of events: one job a delivery, in order within (subscriber, stream key).

A delivery that finds an earlier one of its stream open parks itself; whoever ends the earlier one starts it. Both look
under the stream's lock, so no wake-up is lost and nothing runs beside its predecessor.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import msgspec
import structlog

from hostwright.core.db import Tx
from hostwright.core.events import DELIVER, DISPATCH, Delivery, Nothing, Subscription, event_name
from hostwright.core.jobs import Work, WorkPart, enqueue, every, runs
from hostwright.core.work import queries

BATCH: Final = 500

log = structlog.get_logger(__name__)


class Deliveries:
    """Who gets what."""

    def __init__(self, subscriptions: Sequence[Subscription]) -> None:
        self._by_name: defaultdict[str, list[Subscription]] = defaultdict(list)
        self._by_subscriber: dict[str, Subscription] = {}
        for subscription in subscriptions:
            if subscription.subscriber in self._by_subscriber:
                message = f"two subscriptions are called {subscription.subscriber}"
                raise ValueError(message)
            self._by_name[event_name(subscription.event)].append(subscription)
            self._by_subscriber[subscription.subscriber] = subscription

    def part(self) -> WorkPart:
        """The jobs; once a minute somebody looks for events whose wake-up was lost."""
        return WorkPart(
            bindings=[runs(DISPATCH, self.dispatch), runs(DELIVER, self.deliver, on_dead=self.give_up)],
            schedules=[every("* * * * *", DISPATCH, Nothing())],
        )

    async def dispatch(self, work: Work, payload: Nothing) -> None:
        """Make deliveries of every event that has none yet, in the order of their ids; one dispatcher at a time."""
        del payload
        while True:
            async with work.database.transaction() as tx:
                await queries.lock_dispatch.value(tx)
                events = await queries.undispatched.all(tx, BATCH)
                for event in events:
                    for subscription in self._by_name.get(event.name, ()):
                        made = await queries.insert_delivery.maybe(
                            tx, event.id, subscription.subscriber, event.stream_key
                        )
                        if made is not None:
                            await enqueue(tx, DELIVER, Delivery(made))
                if events:
                    await queries.mark_dispatched.run(tx, [event.id for event in events])
            if len(events) < BATCH:
                return

    async def deliver(self, work: Work, payload: Delivery) -> None:
        """Call the subscriber, unless an earlier event of its stream is open. A dead one is replayed out of order."""
        async with work.database.transaction() as tx:
            row = await queries.delivery.maybe(tx, payload.delivery_id)
            if row is None or row.state == "done":
                return
            await queries.lock_stream.value(tx, row.subscriber, row.stream_key)
            if row.state == "pending" and await queries.earlier_open.value(tx, row.subscriber, row.stream_key, row.id):
                await queries.park.run(tx, row.id)
                return
            await queries.begin_delivery.run(tx, row.id)
        subscription = self._by_subscriber.get(row.subscriber)
        if subscription is None:
            message = f"this release has no subscriber {row.subscriber}"
            raise LookupError(message)
        structlog.contextvars.bind_contextvars(subscriber=row.subscriber)
        await subscription.handler(work, msgspec.convert(row.payload, subscription.event))
        async with work.database.transaction() as tx:
            await self._end(tx, row, "done", None)

    async def give_up(self, tx: Tx, payload: Delivery, error: str) -> None:
        """The delivery is dead; the stream goes on."""
        row = await queries.delivery.maybe(tx, payload.delivery_id)
        if row is not None and row.state == "pending":
            await self._end(tx, row, "dead", error)

    @staticmethod
    async def _end(tx: Tx, row: queries.DeliveryRow, state: str, error: str | None) -> None:
        await queries.lock_stream.value(tx, row.subscriber, row.stream_key)
        await queries.end_delivery.run(tx, row.id, state, error)
        following = await queries.wake_next.maybe(tx, row.subscriber, row.stream_key)
        if following is not None:
            await enqueue(tx, DELIVER, Delivery(following))
