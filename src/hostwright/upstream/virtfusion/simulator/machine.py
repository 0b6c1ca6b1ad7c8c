"""What libvirt would say of a simulated machine: smooth figures that depend on nothing but the machine and the time."""

from __future__ import annotations

from math import cos, sin, tau
from typing import Final

from hostwright.upstream.virtfusion.simulator.answers import Json
from hostwright.upstream.virtfusion.simulator.facts import PackageFact, ServerFact

DAY: Final = 86_400.0
KIB_IN_MB: Final = 1024
GB: Final = 1024**3
WITHOUT_AGENT: Final = 4  # every fourth machine


def remote_state(server: ServerFact, package: PackageFact, now: float) -> Json | bool:
    """``false`` when the hypervisor cannot be asked, or nothing was built yet."""
    if not server.reachable or server.state != "complete":
        return False
    if not server.running or server.suspended:
        return {"state": "shutoff", "cpu": 0, "memory": {"actual": package.memory * KIB_IN_MB}, "disk": {}}
    said: Json = {
        "state": "running",
        "cpu": cpu(server, now),
        "memory": _memory(server, package, now),
        "disk": {"vda": _disk(server, now)},
    }
    if server.id % WITHOUT_AGENT:
        said["agent"] = {"fsinfo": [_file_system(server, package, now)]}
    return said


def _phase(server: ServerFact, which: int) -> float:
    """Where a machine stands in a wave at time 0; neighbours differ."""
    return (server.id * (0.618 + which * 0.271)) % 1.0 * tau


def _share(server: ServerFact, which: int) -> float:
    """A machine's own figure from 0 to 1."""
    return (server.id * 0.7548 + which * 0.5698) % 1.0


def cpu(server: ServerFact, now: float) -> float:
    """Per cent: waves of a day, of minutes and of seconds over what is usual for the machine."""
    usual = 4 + 38 * _share(server, 1) ** 2
    day = 0.45 * sin(tau * now / DAY + _phase(server, 1))
    minutes = 0.3 * sin(tau * now / 540 + _phase(server, 2))
    seconds = 0.2 * sin(tau * now / 47 + _phase(server, 3))
    load = usual * (1 + day + minutes + seconds)
    return round(min(max(load, 0.2), 100 - server.throttle), 2)


def _memory(server: ServerFact, package: PackageFact, now: float) -> Json:
    actual = package.memory * KIB_IN_MB
    available = actual - actual // 20
    used = 0.3 + 0.4 * _share(server, 2) + 0.05 * sin(tau * now / 1800 + _phase(server, 4))
    return {
        "actual": actual,
        "unused": int(available * (1 - used)),
        "available": available,
        "rss": int(actual * min(0.99, used + 0.2)),
    }


def _disk(server: ServerFact, now: float) -> Json:
    """Counters since the start, written as texts."""
    since = max(0.0, now - (server.started or server.created.timestamp()))
    read = (20 + 180 * _share(server, 3)) * 1000
    return {"rd.bytes": str(_grown(server, 5, since, read)), "wr.bytes": str(_grown(server, 6, since, read * 0.6))}


def _grown(server: ServerFact, which: int, since: float, rate: float) -> int:
    """What a rate that swings between a fifth and nine fifths adds up to; it never shrinks."""
    turn = tau / 300
    phase = _phase(server, which)
    return int(rate * (since + 0.8 / turn * (cos(phase) - cos(turn * since + phase))))


def _file_system(server: ServerFact, package: PackageFact, now: float) -> Json:
    total = package.storage * GB
    days = (now - server.created.timestamp()) / DAY
    used = 0.1 + 0.5 * _share(server, 4) + min(0.3, max(0.0, days) * 0.0003)
    return {
        "name": "vda1",
        "mountpoint": "/",
        "type": "ext4",
        "used-bytes": int(total * used),
        "total-bytes": total,
        "disk": [],
    }
