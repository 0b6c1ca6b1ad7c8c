"""What a machine does at one moment, from what libvirt tells through VirtFusion.

The vendor describes none of it, so nothing is taken for granted: what does not look as expected is not told.
"""

from __future__ import annotations

from math import isfinite
from typing import Final, cast

from hostwright.core.providers import Power, ResourceSample
from hostwright.upstream.virtfusion.observing import power_word, resources_of
from hostwright.upstream.virtfusion.reading import number
from hostwright.upstream.virtfusion.types import Sampled

KIB_IN_MIB: Final = 1024
GIB: Final = 1024**3
MOST_EXACT: Final = 2.0**53  # larger ones are not exact, and no machine does so much
WHOLE: Final = 100.0


def sample(server: Sampled) -> ResourceSample:
    """A sample; everything about the machine is None when its hypervisor could not be asked."""
    resources = resources_of(server)
    remote = server.remote_state
    memory = number(resources.memory)
    cpu = _figure(_at(remote, "cpu"))
    storage = number(resources.storage)
    return ResourceSample(
        power=_power(remote),
        cpu_percent=None if cpu is None else min(WHOLE, cpu),
        memory_used_mib=_memory_used(_at(remote, "memory"), memory),
        memory_mib=memory,
        disk_read_bytes=_counter(_at(remote, "disk"), "rd.bytes"),
        disk_written_bytes=_counter(_at(remote, "disk"), "wr.bytes"),
        disk_used_gib=_disk_used(_at(_at(remote, "agent"), "fsinfo")),
        disk_gib=None if storage is None else float(storage),
    )


def _at(value: object, key: str) -> object:
    return cast("dict[str, object]", value).get(key) if isinstance(value, dict) else None


def _figure(value: object) -> float | None:
    """A number, also one written as text; None for what is negative or none at all."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if isfinite(found) and 0 <= found <= MOST_EXACT else None


def _power(remote: object) -> Power | None:
    word = _at(remote, "state")
    return power_word(word) if isinstance(word, str) else None


def _memory_used(memory: object, most: int | None) -> int | None:
    """MiB in use. As the system inside counts it where it tells, else what the machine holds of its host."""
    available, free = _figure(_at(memory, "available")), _figure(_at(memory, "usable"))
    free = _figure(_at(memory, "unused")) if free is None else free
    used = available - free if available is not None and free is not None else _figure(_at(memory, "rss"))
    if used is None:
        return None
    mib = max(0, round(used / KIB_IN_MIB))
    return mib if most is None else min(mib, most)


def _counter(disks: object, name: str) -> int | None:
    """A counter over all disks; None when no disk tells it."""
    each = cast("dict[str, object]", disks).values() if isinstance(disks, dict) else ()
    told = [found for disk in each if (found := _figure(_at(disk, name))) is not None]
    return int(sum(told)) if told else None


def _disk_used(systems: object) -> float | None:
    """GiB in use on all file systems. One that is mounted twice counts once."""
    used: dict[object, float] = {}
    for place, system in enumerate(cast("list[object]", systems) if isinstance(systems, list) else []):
        found = _figure(_at(system, "used-bytes"))
        name = _at(system, "name")
        if found is not None:
            used[name if isinstance(name, str) else place] = found
    return round(sum(used.values()) / GIB, 2) if used else None
