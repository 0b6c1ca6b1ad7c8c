"""Events: facts that a feature announces in its own transaction; the worker tells subscribers of higher features."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from hostwright.core.db import Command, Scalar, Tx
from hostwright.core.jobs import Job, Work, enqueue

transaction_id = Scalar(str, "select pg_current_xact_id()::text")
insert_event = Command("insert into events (name, stream_key, payload) values ($1, $2, $3)")


class Event(msgspec.Struct, frozen=True):
    """A fact. Subclasses carry ids, never secrets or personal text."""

    @property
    def stream_key(self) -> str:
        """Events of one stream reach a subscriber in order, so one that fails holds up the rest of its stream."""
        return type(self).__name__


class Nothing(msgspec.Struct, frozen=True):
    """A job without a payload."""


class Delivery(msgspec.Struct, frozen=True):
    """One event for one subscriber."""

    delivery_id: int


DISPATCH: Final = Job("events.dispatch", Nothing)
DELIVER: Final = Job("events.deliver", Delivery)


class Subscription(msgspec.Struct, frozen=True):
    """Who wants which event. ``subscriber`` is stored with deliveries: keep it when the function moves."""

    event: type[Event]
    handler: Callable[[Work, Any], Awaitable[None]]
    subscriber: str


def on[E: Event](
    event: type[E], handler: Callable[[Work, E], Awaitable[None]], *, subscriber: str | None = None
) -> Subscription:
    """Subscribe a function. It may see an event twice, and must stand that."""
    return Subscription(event, handler, subscriber or f"{handler.__module__}.{getattr(handler, '__qualname__', '')}")


def event_name(event: type[Event]) -> str:
    """``feature.EventName``, from the module that declares it."""
    module = event.__module__.removeprefix("hostwright.").removesuffix(".events")
    return f"{module}.{event.__qualname__}"


async def emit(tx: Tx, *events: Event) -> None:
    """Announce facts; subscribers learn of them when ``tx`` commits. Emit events of one stream under its lock."""
    await insert_event.many(tx, [(event_name(type(event)), event.stream_key, event) for event in events])
    # One wake-up a transaction: the key cannot collide with a running one, so none is lost.
    await enqueue(tx, DISPATCH, Nothing(), key=await transaction_id.value(tx))
