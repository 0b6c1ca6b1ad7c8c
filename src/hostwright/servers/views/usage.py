"""Graphs of what a server does, ready to be placed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from hostwright.core.providers import Power, ServerState
from hostwright.servers.queries.usage import PointRow
from hostwright.servers.records import ServerRow
from hostwright.servers.schemas.usage import Range
from hostwright.servers.service.usage import Usage
from hostwright.servers.views.rows import Chip
from hostwright.servers.views.words import NONE
from hostwright.web.formats import FIXED_SPACE, exact, mebibytes, number
from hostwright.web.i18n import gettext

LINES: Final = 12
MIB: Final = 1024
MEGABYTE: Final = 1_000_000
SILENT_AFTER: Final = timedelta(seconds=25)  # one failed try says nothing


class Line(msgspec.Struct, frozen=True):
    """A line of the table behind the graphs: means of a stretch that begins at ``at``."""

    at: datetime
    cpu: str
    memory: str
    read: str
    written: str
    disk: str


class Graph(msgspec.Struct, frozen=True):
    """One graph. ``chart`` is what the script draws, ``figure`` what was last seen, ``note`` what it is measured by."""

    key: str
    title: str
    label: str
    figure: str
    note: str
    percent: int | None
    names: Sequence[str]
    chart: dict[str, Any]


class UsageView(msgspec.Struct, frozen=True):
    """A server's graphs."""

    url: str
    live: str
    range: Range
    chips: Sequence[Chip]
    graphs: Sequence[Graph]
    lines: Sequence[Line]
    tone: str
    status: str
    sampled_at: datetime | None


RANGES: Final = {
    Range.HOUR: "1 h",
    Range.SIX_HOURS: "6 h",
    Range.DAY: "24 h",
    Range.WEEK: "7 d",
    Range.MONTH: "30 d",
}


def read_range(text: str) -> Range:
    """The range in a query string; an hour when it makes no sense."""
    return Range(text) if text in Range else Range.HOUR


def _last[T](points: Sequence[PointRow], read: Callable[[PointRow], T | None]) -> T | None:
    """The newest value there is."""
    return next((value for point in reversed(points) if (value := read(point)) is not None), None)


def _percent(value: float | None) -> str:
    return NONE if value is None else f"{number(value, 1)}{FIXED_SPACE}%"


def _gigabytes(value: float | None) -> str:
    return NONE if value is None else f"{number(value, 1)}{FIXED_SPACE}GB"


def _rate(value: float | None) -> str:
    return NONE if value is None else f"{number(value / MEGABYTE, 2)}{FIXED_SPACE}MB/s"


def _share(part: float | None, whole: float | None) -> int | None:
    return min(100, round(part * 100 / whole)) if part is not None and whole else None


def _rounded(value: float | None, unit: float) -> float | None:
    return None if value is None else round(value / unit, 2)


def _chart(unit: str, names: Sequence[str], times: list[int], *series: list[float | None]) -> dict[str, Any]:
    return {"unit": unit, "names": names, "data": [times, *series]}


def _graphs(points: Sequence[PointRow]) -> list[Graph]:
    times = [int(point.at.timestamp()) for point in points]
    cpu = _last(points, lambda point: point.cpu_percent)
    used, memory = _last(points, lambda point: point.memory_used_mib), _last(points, lambda point: point.memory_mib)
    read, written = _last(points, lambda point: point.read_rate), _last(points, lambda point: point.write_rate)
    disk, size = _last(points, lambda point: point.disk_used_gib), _last(points, lambda point: point.disk_gib)
    in_use, both = [gettext("In use")], [gettext("Read"), gettext("Written")]
    return [
        Graph(
            "cpu",
            gettext("Processor"),
            gettext("Processor in per cent; the table below has the figures"),
            _percent(cpu),
            "" if cpu is None else gettext("of all its cores"),
            None if cpu is None else round(cpu),
            in_use,
            _chart("%", in_use, times, [_rounded(point.cpu_percent, 1) for point in points]),
        ),
        Graph(
            "memory",
            gettext("Memory"),
            gettext("Memory in use; the table below has the figures"),
            mebibytes(None if used is None else round(used)),
            gettext("of %(size)s", size=mebibytes(memory)) if memory else "",
            _share(used, memory),
            in_use,
            _chart("GB", in_use, times, [_rounded(point.memory_used_mib, MIB) for point in points]),
        ),
        Graph(
            "io",
            gettext("Disk activity"),
            gettext("What is read from and written to the disk; the table below has the figures"),
            _rate(read),
            gettext("read, %(rate)s written", rate=_rate(written)) if read is not None else "",
            None,
            both,
            _chart(
                "MB/s",
                both,
                times,
                [_rounded(point.read_rate, MEGABYTE) for point in points],
                [_rounded(point.write_rate, MEGABYTE) for point in points],
            ),
        ),
        Graph(
            "disk",
            gettext("Disk space"),
            gettext("Disk space in use; the table below has the figures"),
            _gigabytes(disk),
            gettext("of %(size)s", size=_gigabytes(size))
            if disk is not None and size
            else gettext("told by systems with the QEMU guest agent"),
            _share(disk, size),
            in_use,
            _chart("GB", in_use, times, [_rounded(point.disk_used_gib, 1) for point in points]),
        ),
    ]


def _mean(points: Sequence[PointRow], read: Callable[[PointRow], float | None]) -> float | None:
    values = [value for point in points if (value := read(point)) is not None]
    return sum(values) / len(values) if values else None


def _lines(points: Sequence[PointRow]) -> list[Line]:
    """The newest first, a dozen of them."""
    size = len(points) // LINES
    lines: list[Line] = []
    for start in range(0, size * LINES, size):
        part = points[start : start + size]
        memory = _mean(part, lambda point: point.memory_used_mib)
        lines.append(
            Line(
                part[0].at,
                _percent(_mean(part, lambda point: point.cpu_percent)),
                mebibytes(None if memory is None else round(memory)),
                _rate(_mean(part, lambda point: point.read_rate)),
                _rate(_mean(part, lambda point: point.write_rate)),
                _gigabytes(_mean(part, lambda point: point.disk_used_gib)),
            )
        )
    return lines[::-1]


def _status(row: ServerRow, usage: Usage, now: datetime) -> tuple[str, str]:
    """What to know about these figures: a tone and a sentence."""
    look = usage.look
    silent = look.failing_since if look else None
    if row.state is not ServerState.ACTIVE:
        return "warn", gettext("No samples are taken in this state. What was sampled before is kept for 30 days.")
    if silent is not None and now - silent > SILENT_AFTER:
        since = f"{silent:%H:%M} UTC" if silent.date() == now.date() else exact(silent)
        return "warn", gettext(
            "VirtFusion has not answered since %(time)s. What was sampled before stands here; your server is not"
            " affected.",
            time=since,
        )
    if row.power is Power.STOPPED:
        return "warn", gettext("This server is off, so there is nothing to measure. What was sampled before is kept.")
    if look is None or look.sampled_at is None:
        return "wait", gettext(
            "No samples yet. They are taken every ten seconds while this page is open; the first one comes in a moment."
        )
    return "", gettext("Samples are taken every ten seconds while this page is open, and kept for 30 days.")


def usage_view(url: str, row: ServerRow, usage: Usage, now: datetime) -> UsageView:
    """The graphs of a server at ``url``."""
    tone, status = _status(row, usage, now)
    return UsageView(
        url=url,
        live=f"{url}/live?range={usage.range}",
        range=usage.range,
        chips=[Chip(words, f"{url}?range={each}", None, usage.range is each) for each, words in RANGES.items()],
        graphs=_graphs(usage.points),
        lines=_lines(usage.points),
        tone=tone,
        status=status,
        sampled_at=usage.look.sampled_at if usage.look else None,
    )
