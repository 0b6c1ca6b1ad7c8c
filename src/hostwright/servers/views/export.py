"""Tables as files: UTF-8 that spreadsheets read, with nothing in it that they would carry out."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from io import StringIO
from typing import Final

from hostwright.core.providers import TrafficMonth
from hostwright.servers.queries.export import ExportRow
from hostwright.servers.records import LogRow

MARK: Final = "\ufeff"  # without it spreadsheets take UTF-8 for something else
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001  they do as well

OWN_COLUMNS: Final = (
    *("id", "name", "hostname", "state", "power", "ipv4", "ipv6", "operating_system", "package", "location", "cores"),
    *("memory_mib", "disk_gib", "traffic_limit_gb", "created_at"),
)
STAFF_COLUMNS: Final = (*OWN_COLUMNS, "customer_id", "customer", "connection", "external_id", "hypervisor")
ACTIVITY_COLUMNS: Final = ("id", "at", "action", "type", "status", "actor", "error", "finished_at")
TRAFFIC_COLUMNS: Final = (*("start", "end", "received_bytes", "sent_bytes", "total_bytes", "limit_gb", "blocks_gb"),)

type Cell = str | int | datetime | None


def _cell(value: Cell) -> str | int:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    if isinstance(value, int):
        return value
    return f"'{value}" if value.startswith(FORMULA) else value


def csv_lines(rows: Iterable[Sequence[Cell]]) -> bytes:
    """Lines of a file. A text that a spreadsheet would take for a formula begins with an apostrophe."""
    text = StringIO()
    csv.writer(text).writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue().encode("utf-8", "replace")


def csv_head(columns: Sequence[str]) -> bytes:
    """The beginning of a file."""
    return MARK.encode() + csv_lines([columns])


def server_cells(row: ExportRow, *, staff: bool) -> list[Cell]:
    """A server as `OWN_COLUMNS` or `STAFF_COLUMNS` name it."""
    own: list[Cell] = [
        row.id,
        row.name,
        row.hostname,
        row.state.value,
        row.power.value,
        row.primary_ipv4,
        row.primary_ipv6,
        row.operating_system,
        row.package,
        row.location,
        row.cores,
        row.memory_mib,
        row.disk_gib,
        row.traffic_limit_gb,
        row.created_at,
    ]
    if not staff:
        return own
    return [*own, row.customer_id, row.customer_name, row.connection_name, row.external_id, row.hypervisor]


def activity_cells(row: LogRow) -> list[Cell]:
    """A line of activity as `ACTIVITY_COLUMNS` names it."""
    return [
        row.id,
        row.created_at,
        row.action,
        row.action_type,
        row.status,
        row.actor_label,
        row.error,
        row.finished_at,
    ]


def traffic_cells(month: TrafficMonth) -> list[Cell]:
    """A period as `TRAFFIC_COLUMNS` names it; without a limit it is unmetered."""
    return [
        month.start,
        month.end,
        month.received_bytes,
        month.sent_bytes,
        month.total_bytes,
        month.limit_gb,
        month.blocks_gb,
    ]
