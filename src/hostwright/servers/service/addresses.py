"""Who had this address then. Every look is written down: who asked, for what, and why."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from ipaddress import ip_address, ip_interface
from typing import Final

import msgspec

from hostwright.audit.service import record
from hostwright.core.db import Tx
from hostwright.core.errors import FieldProblem, Invalid
from hostwright.core.paging import Page
from hostwright.servers.queries import addresses as statements
from hostwright.servers.queries.addresses import Held, HeldRow
from hostwright.servers.service.common import Actor

WIDEST: Final = {4: 16, 6: 32}  # a wider network is a list of everybody, not a question
MOST: Final = 10_000
LONGEST_REASON: Final = 300
LONGEST_ADDRESS: Final = 60
NOT_AN_ADDRESS: Final = "must be an IPv4 or IPv6 address, or a network like 192.0.2.0/24"
TOO_WIDE: Final = "is too wide; ask for a /16 or smaller in IPv4, for a /32 or smaller in IPv6"
NOT_A_TIME: Final = "must be a time like 2026-01-31 14:05 (UTC)"
FUTURE: Final = "is in the future"
BACKWARDS: Final = "must not be before the beginning"
NO_REASON: Final = "is required: it stands in the audit log"
LONG_REASON: Final = "may have at most 300 characters"


class Question(msgspec.Struct, frozen=True):
    """What staff want to know, and why."""

    held: Held
    reason: str


def read_question(values: Mapping[str, str], now: datetime) -> Question:
    """A question out of ``address``, ``at`` or ``from`` and ``to``, and ``reason``.

    Times without a zone are UTC; a date alone is the whole day. Raises `Invalid` with one entry per field.
    """
    problems: list[FieldProblem] = []
    address = _address(values.get("address", ""), problems)
    start, end = _times(values, now, problems)
    reason = " ".join(values.get("reason", "").replace("\0", " ").split())
    if not reason:
        problems.append(FieldProblem("reason", NO_REASON))
    elif len(reason) > LONGEST_REASON:
        problems.append(FieldProblem("reason", LONG_REASON))
    if problems:
        raise Invalid(problems)
    return Question(Held(address, start, end), reason)


def _address(text: str, problems: list[FieldProblem]) -> str:
    text = text.strip()
    if not text:
        problems.append(FieldProblem("address", "is required"))
        return ""
    if len(text) > LONGEST_ADDRESS or "%" in text:
        problems.append(FieldProblem("address", NOT_AN_ADDRESS))
        return ""
    try:
        if "/" not in text:
            return str(ip_address(text))
        network = ip_interface(text).network
    except ValueError:
        problems.append(FieldProblem("address", NOT_AN_ADDRESS))
        return ""
    if network.prefixlen < WIDEST[network.version]:
        problems.append(FieldProblem("address", TOO_WIDE))
    return str(network)


def _times(
    values: Mapping[str, str], now: datetime, problems: list[FieldProblem]
) -> tuple[datetime | None, datetime | None]:
    """From when until when: a moment is both, nothing is ever."""
    at = _time("at", values.get("at", ""), problems)
    if at is not None:
        end = min(at[1], now)
        if at[0] > now:
            problems.append(FieldProblem("at", FUTURE))
        return at[0], end
    start = _time("from", values.get("from", ""), problems)
    end = _time("to", values.get("to", ""), problems)
    if start is not None and start[0] > now:
        problems.append(FieldProblem("from", FUTURE))
    if start is not None and end is not None and end[1] < start[0]:
        problems.append(FieldProblem("to", BACKWARDS))
    return start[0] if start else None, min(end[1], now) if end else None


def _time(name: str, text: str, problems: list[FieldProblem]) -> tuple[datetime, datetime] | None:
    """The first and the last instant that is meant."""
    text = text.strip()
    if not text:
        return None
    try:
        if len(text) == len("2026-01-31"):
            start = datetime.combine(date.fromisoformat(text), time(), UTC)
            return start, start + timedelta(days=1) - timedelta(microseconds=1)
        moment = datetime.fromisoformat(text.removesuffix(" UTC"))
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        problems.append(FieldProblem(name, NOT_A_TIME))
        return None
    return moment, moment


async def look_up(tx: Tx, actor: Actor, asked: Question, page: Page) -> tuple[list[HeldRow], int]:
    """A page of who had it, newest first, and how many lines there are. Written down in the same transaction."""
    rows, total = await statements.held(tx, asked.held, page)
    await _note(tx, actor, asked, {"found": total, "page": page.number})
    return rows, total


async def export(tx: Tx, actor: Actor, asked: Question) -> list[HeldRow]:
    """As `look_up`, but all of it, at most 10,000 lines."""
    rows = await statements.all_held(tx, asked.held, MOST)
    await _note(tx, actor, asked, {"found": len(rows), "export": True})
    return rows


async def _note(tx: Tx, actor: Actor, asked: Question, more: Mapping[str, object]) -> None:
    times = {
        name: moment.isoformat()
        for name, moment in (("from", asked.held.start), ("to", asked.held.end))
        if moment is not None
    }
    await record(
        tx,
        actor_id=actor.id,
        actor_label=actor.label,
        action="address.looked_up",
        outcome="done",
        object_type="address",
        object_id=asked.held.address,
        object_label=asked.held.address,
        detail={"reason": asked.reason, **times, **more},
        address=actor.address,
        request_id=actor.request_id,
    )
