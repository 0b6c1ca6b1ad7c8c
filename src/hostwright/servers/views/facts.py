"""The lasting facts of a server, its activity and its traffic, ready to be placed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from hostwright.core.providers import TrafficMonth
from hostwright.servers.queries.facts import FactsRow
from hostwright.servers.records import AddressRow, LogRow, ServerRow
from hostwright.servers.views import words
from hostwright.servers.views.rows import silent_words
from hostwright.web.formats import byte_size, day, mebibytes, month
from hostwright.web.i18n import gettext

BYTES_PER_GB: Final = 10**9
MONTHS_SHOWN: Final = 12


class LogView(msgspec.Struct, frozen=True):
    """A line of activity."""

    action: str
    title: str
    actor: str
    error: str
    tone: str
    at: datetime


class DetailView(msgspec.Struct, frozen=True):
    """A server's page. ``part`` is the open tab: empty for the overview, otherwise the last word of its address."""

    id: int
    base: str
    staff: bool
    part: str
    tabs: Sequence[tuple[str, str]]
    name: str
    hostname: str
    system: str
    location: str
    country: str
    package: str
    cores: int | None
    memory_mib: int | None
    disk_gib: int | None
    resources: str
    traffic_limit_gb: int | None
    detailed: bool
    memory: tuple[str, str]
    traffic: tuple[str, str]
    addresses: Sequence[AddressRow]
    activity: Sequence[LogView]
    ipv4: str
    ipv6: str
    user: str
    command: str
    created_at: datetime
    state_observed_at: datetime
    power_observed_at: datetime | None
    customer_id: int | None
    customer_name: str
    list_at: datetime | None
    silent: str
    facts: FactsRow

    @property
    def tab(self) -> str:
        """The address of the open tab."""
        return f"{self.base}/{self.id}/{self.part}" if self.part else f"{self.base}/{self.id}"


class TrafficView(msgspec.Struct, frozen=True):
    """Traffic by month, the newest first."""

    months: Sequence[TrafficMonth]
    period: str
    total: str
    received: str
    sent: str
    limit: str
    blocks: str
    percent: int | None
    chart: dict[str, Any]


def is_windows(system: str | None) -> bool:
    """Whether a system's name says Windows."""
    return "windows" in (system or "").casefold()


def user_of(system: str | None) -> str:
    """Who signs in to a fresh server."""
    return "Administrator" if is_windows(system) else "root"


def _split(figure: str) -> tuple[str, str]:
    """A figure and its unit."""
    amount, _, unit = figure.partition("\u00a0")
    return amount, unit


def _allowance(size_gb: int) -> str:
    """Traffic that may be used, counted as VirtFusion counts it: 1 TB is 1,000 GB."""
    return byte_size(size_gb * BYTES_PER_GB)


def _command(row: ServerRow) -> str:
    address = row.primary_ipv4 or (row.primary_ipv6 or "").partition("/")[0]
    return f"ssh root@{address}" if address and not is_windows(row.operating_system) else ""


def _tabs(place: str, *, staff: bool) -> list[tuple[str, str]]:
    """The sections of a server's page: notes are their author's own, the vendor's view is for staff."""
    tabs = [
        (place, gettext("Overview")),
        (f"{place}/console", gettext("Console")),
        (f"{place}/usage", gettext("Usage")),
        (f"{place}/traffic", gettext("Traffic")),
        (f"{place}/activity", gettext("Activity")),
        (f"{place}/notes", gettext("Notes")),
    ]
    return [*tabs, (f"{place}/upstream", gettext("VirtFusion"))] if staff else tabs


def detail_view(  # noqa: PLR0913  a page is made of what was read
    base: str,
    row: ServerRow,
    now: datetime,
    facts: FactsRow,
    part: str,
    addresses: Sequence[AddressRow] = (),
    activity: Sequence[LogRow] = (),
    *,
    staff: bool = False,
) -> DetailView:
    """A server's page out of what was read."""
    place = f"{base}/{row.id}"
    traffic = _split(_allowance(facts.traffic_limit_gb)) if facts.traffic_limit_gb else (gettext("Unmetered"), "")
    return DetailView(
        id=row.id,
        base=base,
        staff=staff,
        part=part,
        tabs=_tabs(place, staff=staff),
        name=row.name,
        hostname=row.hostname or "",
        system=row.operating_system or "",
        location=row.location or "",
        country=row.country or "",
        package=row.package or "",
        cores=row.cores,
        memory_mib=row.memory_mib,
        disk_gib=row.disk_gib,
        resources=words.resources(row.cores, row.memory_mib, row.disk_gib),
        traffic_limit_gb=facts.traffic_limit_gb,
        detailed=facts.detailed_at is not None,
        memory=_split(mebibytes(row.memory_mib)),
        traffic=traffic if facts.traffic_limit_gb is not None else (words.NONE, ""),
        addresses=addresses,
        activity=[log_view(line) for line in activity],
        ipv4=row.primary_ipv4 or "",
        ipv6=row.primary_ipv6 or "",
        user=user_of(row.operating_system),
        command=_command(row),
        created_at=row.created_at,
        state_observed_at=max(row.state_observed_at, row.list_at or row.state_observed_at),
        power_observed_at=row.power_observed_at,
        customer_id=row.customer_id,
        customer_name=row.customer_name or "",
        list_at=row.list_at,
        silent=silent_words([row], now),
        facts=facts,
    )


def log_view(line: LogRow) -> LogView:
    """A line of activity for people."""
    match line.status:
        case "pending":
            title, tone = words.tried(line.action), "busy"
        case "failed":
            title, tone = (gettext("%(action)s failed", action=words.tried(line.action)), "bad")
        case "unknown":
            title, tone = (gettext("%(action)s: no answer", action=words.tried(line.action)), "warn")
        case _:
            title, tone = words.did(line.action), ""
    return LogView(
        line.action, title, line.actor_label, words.said(line.error) if line.error else "", tone, line.created_at
    )


def traffic_view(months: Sequence[TrafficMonth]) -> TrafficView:
    """Traffic out of what VirtFusion counted, the newest month first."""
    if not months:
        return TrafficView([], "", "", "", "", "", "", None, {})
    now = months[0]
    allowed = (now.limit_gb + now.blocks_gb) * BYTES_PER_GB if now.limit_gb else None
    shown = list(reversed(months[:MONTHS_SHOWN]))
    chart = {
        "unit": "GB",
        "names": [gettext("Received"), gettext("Sent")],
        "labels": [month(each.start).partition(" ")[0] for each in shown],
        "data": [
            list(range(len(shown))),
            [round(each.received_bytes / BYTES_PER_GB, 1) for each in shown],
            [round(each.sent_bytes / BYTES_PER_GB, 1) for each in shown],
        ],
    }
    return TrafficView(
        months=months,
        period=gettext("%(start)s to %(end)s", start=day(now.start).striptags(), end=day(now.end).striptags()),
        total=byte_size(now.total_bytes),
        received=byte_size(now.received_bytes),
        sent=byte_size(now.sent_bytes),
        limit=_allowance(now.limit_gb) if now.limit_gb else gettext("Unmetered"),
        blocks=gettext("and %(size)s bought on top", size=_allowance(now.blocks_gb)) if now.blocks_gb else "",
        percent=min(100, now.total_bytes * 100 // allowed) if allowed else None,
        chart=chart,
    )
