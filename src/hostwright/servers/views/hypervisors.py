"""Hypervisors, ready to be placed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from hostwright.servers.queries.hypervisors import GroupRow, GuestRow, HypervisorRow, SyncState
from hostwright.servers.views import words
from hostwright.servers.views.paging import Place
from hostwright.web.formats import NOTHING, gigabytes, mebibytes, number
from hostwright.web.i18n import gettext

BASE: Final = "/admin/hypervisors"
STALE_AFTER: Final = timedelta(minutes=30)


class Bar(msgspec.Struct, frozen=True):
    """How much of something is given away. ``percent`` None: without limit, or not told. More than 100 is possible."""

    label: str
    text: str
    limit: str
    percent: int | None

    @property
    def drawn(self) -> int:
        """How long the bar is."""
        return min(100, self.percent or 0)


class HypervisorView(msgspec.Struct, frozen=True):
    """A hypervisor."""

    row: HypervisorRow
    kind: str
    word: str
    bars: Sequence[Bar]

    @property
    def url(self) -> str:
        """Its page."""
        return f"{BASE}/{self.row.id}"


class GroupView(msgspec.Struct, frozen=True):
    """Hypervisors of a group that stand on this page."""

    id: str
    name: str
    connection: str
    members: Sequence[HypervisorView]


class Choice(msgspec.Struct, frozen=True):
    """Something to narrow the list to."""

    label: str
    url: str
    n: int | None
    current: bool


class ListView(msgspec.Struct, frozen=True):
    """A page of hypervisors."""

    place: Place
    groups: Sequence[GroupView]
    connections: Sequence[Choice]
    choices: Sequence[Choice]
    states: Sequence[SyncState]
    stale: Sequence[SyncState]
    narrowed: bool


class GuestView(msgspec.Struct, frozen=True):
    """A server on a hypervisor."""

    row: GuestRow
    key: str
    word: str
    resources: str


def _bar(label: str, allocated: int | None, limit: int | None, shown: Callable[[int | None], str]) -> Bar:
    if allocated is None:
        return Bar(label, NOTHING, gettext("not told"), None)
    if limit is None:
        return Bar(label, shown(allocated), gettext("no limit"), None)
    percent = round(100 * allocated / limit) if limit else 100
    return Bar(label, shown(allocated), gettext("of %(limit)s", limit=shown(limit)), percent)


def _count(value: int | None) -> str:
    return NOTHING if value is None else number(value)


def _state(row: HypervisorRow) -> tuple[str, str]:
    if row.missing_since is not None:
        return "gone", gettext("No longer listed")
    if row.maintenance:
        return "waiting", gettext("Maintenance")
    if not row.enabled:
        return "stopped", gettext("Takes no new servers")
    return "running", gettext("Enabled")


def hypervisor_view(row: HypervisorRow) -> HypervisorView:
    """A hypervisor for people. What VirtFusion did not tell is a dash."""
    kind, word = _state(row)
    bars = [
        _bar(gettext("Memory"), row.memory_allocated_mib, row.memory_limit_mib, mebibytes),
        _bar(gettext("Cores"), row.cores_allocated, row.cores_limit, _count),
        _bar(gettext("Storage"), row.storage_allocated_gib, row.storage_limit_gib, gigabytes),
        _bar(gettext("Servers"), row.servers_allocated, row.servers_limit, _count),
    ]
    return HypervisorView(row, kind, word, bars)


def _grouped(rows: Sequence[HypervisorRow]) -> list[GroupView]:
    found: dict[tuple[int, str | None], list[HypervisorRow]] = {}
    for row in rows:
        found.setdefault((row.connection_id, row.group_id), []).append(row)
    return [
        GroupView(
            f"group-{number}",
            members[0].group_name or gettext("Without a group"),
            members[0].connection_name,
            [hypervisor_view(row) for row in members],
        )
        for number, members in enumerate(found.values())
    ]


def list_view(
    rows: Sequence[HypervisorRow],
    groups: Sequence[GroupRow],
    states: Sequence[SyncState],
    place: Place,
    now: datetime,
) -> ListView:
    """A page of hypervisors, by group, with what it can be narrowed to."""
    connection, group = place.kept.get("connection", ""), place.kept.get("group", "")
    several = len({one.connection_id for one in groups}) > 1
    connections: list[Choice] = []
    if several:
        sums: dict[int, tuple[str, int]] = {}
        for one in groups:
            sums[one.connection_id] = (one.connection_name, sums.get(one.connection_id, ("", 0))[1] + one.n)
        connections = [
            Choice(name, place.link(connection=key, group=None, page=1), n, connection == str(key))
            for key, (name, n) in sums.items()
        ]
    shown = [one for one in groups if connection in ("", str(one.connection_id))]
    choices = [
        Choice(
            (one.group_name or gettext("Without a group")) + (f" · {one.connection_name}" if several else ""),
            place.link(connection=one.connection_id, group=one.group_id or "none", page=1),
            one.n,
            connection == str(one.connection_id) and group == (one.group_id or "none"),
        )
        for one in shown
    ]
    stale = [
        one
        for one in states
        if one.enabled
        and (one.hypervisors_error or (one.hypervisors_at is not None and now - one.hypervisors_at > STALE_AFTER))
    ]
    return ListView(
        place,
        _grouped(rows),
        connections,
        choices if len(choices) > 1 else (),
        states,
        stale,
        bool(connection or group),
    )


def guest_view(row: GuestRow) -> GuestView:
    """A server on a hypervisor for people."""
    key = words.state_key(row.state, row.power)
    return GuestView(row, key, words.state_word(key), words.resources(row.cores, row.memory_mib, row.disk_gib))
