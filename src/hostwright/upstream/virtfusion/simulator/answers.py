"""Lists, queue, traffic and catalog of the simulated company in the vendor's shapes."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, Final

from hostwright.upstream.virtfusion.simulator.facts import QueueFact, ServerFact, TemplateFact, Work
from hostwright.upstream.virtfusion.simulator.world import World

PERIODS: Final = 12
PERIOD_DAYS: Final = 30

type Json = dict[str, Any]


def stamp(moment: datetime | None) -> str | None:
    """The vendor's first way to write a time."""
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")


def stamp_with_micros(moment: datetime) -> str:
    """Its second way."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def plain_stamp(moment: datetime) -> str:
    """Its third way, without a zone."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def line(server: ServerFact) -> Json:
    """A server in the list."""
    return {
        "id": server.id,
        "uuid": server.uuid,
        "name": server.name,
        "commissioned": server.commissioned,
        "owner": server.owner_id,
        "hypervisorId": server.hypervisor_id,
        "suspended": server.suspended,
        "protected": False,
        "updated": stamp(server.updated),
        "created": stamp(server.created),
    }


def page(lines: list[Json], *, number: int, size: int, total: int, address: str) -> Json:
    """One page with the pager's addresses, which are the control server's own."""
    last = max(1, -(-total // size))

    def link(wanted: int) -> str | None:
        return f"{address}?page={wanted}" if 1 <= wanted <= last else None

    numbers = [{"url": link(wanted), "label": str(wanted), "active": wanted == number} for wanted in range(1, last + 1)]
    before = {"url": link(number - 1), "label": "&laquo; Previous", "active": False}
    after = {"url": link(number + 1), "label": "Next &raquo;", "active": False}
    first = (number - 1) * size + 1
    return {
        "current_page": number,
        "data": lines,
        "first_page_url": link(1),
        "from": first if lines else None,
        "last_page": last,
        "last_page_url": link(last),
        "links": [before, *numbers, after],
        "next_page_url": link(number + 1),
        "path": address,
        "per_page": size,
        "prev_page_url": link(number - 1),
        "to": first + len(lines) - 1 if lines else None,
        "total": total,
    }


def queue_item(item: QueueFact, now: float) -> Json:
    """Queued work as it stands."""
    over = now >= item.ends
    whole = max(item.ends - item.starts, 0.001)
    progress = 100 if over and item.error is None else min(99, int(100 * (now - item.starts) / whole))
    job = "Build" if item.work is Work.BUILD else item.work.value[0].upper() + item.work.value[1:]
    at = datetime.fromtimestamp(min(now, item.ends), UTC)
    return {
        "id": item.id,
        "jobId": str(item.id + 700),
        "job": f"App\\Jobs\\Server\\KVM\\{job}",
        "hypervisorId": 1,
        "serverId": item.server_id,
        "action": "build_server" if item.work is Work.BUILD else f"{item.work.value}_server",
        "queue": "default",
        "started": stamp(datetime.fromtimestamp(item.starts, UTC)),
        "updated": stamp(at),
        "finished": stamp(at) if over else None,
        "failed": over and item.error is not None,
        "progress": progress,
        "errors": {
            "exception": {
                "stringable": False,
                "errors": [],
                "type": "RuntimeException" if over and item.error else None,
                "trace": "#0 /home/vf/app.php(1): never to be shown" if over and item.error else None,
                "message": item.error if over else None,
            }
        },
        "primaryActions": [],
        "subActions": [],
    }


def _period(world: World, server: ServerFact, back: int) -> tuple[datetime, datetime]:
    """The period ``back`` before the present one. Periods are counted from the day the server was made."""
    now = datetime.fromtimestamp(world.clock(), UTC)
    first = server.created.replace(hour=0, minute=0, second=0, microsecond=0)
    number = max(0, (now - first).days // PERIOD_DAYS)
    start = first + timedelta(days=PERIOD_DAYS * (number - back))
    return start, start + timedelta(days=PERIOD_DAYS) - timedelta(seconds=1)


def current_period(world: World, server: ServerFact, limit: int) -> Json:
    """The period that a server is in."""
    start, end = _period(world, server, 0)
    last_moment = end + timedelta(microseconds=999_999)
    return {"start": stamp_with_micros(start), "end": stamp_with_micros(last_moment), "limit": limit}


def traffic(world: World, server: ServerFact) -> Json:
    """The periods of the past year, newest first. The same server always has the same traffic."""
    limit = world.packages[server.package_id].traffic
    now = datetime.fromtimestamp(world.clock(), UTC)
    months: list[Json] = []
    for back in range(PERIODS):
        start, end = _period(world, server, back)
        if end < server.created:
            break
        dice = random.Random(f"{world.plan.seed}:{server.id}:{start:%Y%m%d}")
        share = 1.0 if back else min(1.0, max(0.0, (now - start) / (end - start)))
        used = (limit or 4000) * 1_000_000_000 * dice.betavariate(1.5, 5) * share
        sent = int(used * dice.uniform(0.55, 0.85))
        received = int(used) - sent
        more = [{"id": server.id * 12 + back, "traffic": 500}] if limit and dice.random() < 0.06 else []  # noqa: PLR2004
        months.append(
            {
                "month": PERIODS - back,
                "start": plain_stamp(start),
                "end": plain_stamp(end),
                "rx": received,
                "tx": sent,
                "total": received + sent,
                "limit": limit,
                "blocks": more,
            }
        )
    return {"data": {"monthly": months}}


def templates(found: list[TemplateFact]) -> Json:
    """Systems that can be installed, by family."""
    ordered = sorted(found, key=lambda one: (one.family, one.id))
    return {
        "data": [
            {
                "name": family,
                "description": f"{family}, kept up to date by the company.",
                "icon": f"{family.split()[0].lower()}_logo.png",
                "templates": [_template(one) for one in members],
                "id": number,
            }
            for number, (family, members) in enumerate(groupby(ordered, key=lambda one: one.family), 1)
        ]
    }


def _template(template: TemplateFact) -> Json:
    return {
        "id": template.id,
        "name": template.name,
        "version": template.version,
        "variant": template.variant,
        "arch": 1,
        "description": "An installation with few packages.",
        "icon": f"{template.family.split()[0].lower()}_logo.png",
        "eol": template.ended,
        "eol_date": "2026-08-31 00:00:00" if template.ended else "2030-01-01 00:00:00",
        "eol_warning": False,
        "deploy_type": 1,
        "vnc": False,
        "type": "windows" if template.windows else "linux",
    }


def packages(world: World) -> Json:
    """What is sold."""
    return {
        "data": [
            {
                "id": one.id,
                "name": one.name,
                "description": None,
                "enabled": True,
                "memory": one.memory,
                "primaryStorage": one.storage,
                "traffic": one.traffic,
                "cpuCores": one.cores,
                "primaryNetworkSpeedIn": 0,
                "primaryNetworkSpeedOut": 0,
                "primaryDiskType": "inherit",
                "backupPlanId": 0,
                "primaryStorageProfile": 1,
                "primaryNetworkProfile": 0,
                "created": stamp_with_micros(world.born - timedelta(days=900)),
            }
            for one in world.packages.values()
        ]
    }
