"""The machines that carry servers, and how much of each is given away."""

from __future__ import annotations

from collections.abc import Iterable

from hostwright.core.providers import Capacity, Gone, ObservedHypervisor, Refused
from hostwright.upstream.virtfusion.client import VirtFusionClient
from hostwright.upstream.virtfusion.estate_types import HypervisorLine, HypervisorUse, LineGroup, Share, UseResources
from hostwright.upstream.virtfusion.reading import MOST, is_id, number, rounded, text
from hostwright.upstream.virtfusion.types import Absent


async def read_hypervisors(client: VirtFusionClient) -> list[ObservedHypervisor]:
    """All hypervisors, at a call for the list and one for each group.

    A group that is no more, or that the token may not read, leaves its machines without figures.
    """
    lines = await client.hypervisors()
    if not all(is_id(line.id) for line in lines):
        message = "VirtFusion's list of hypervisors has an id that cannot be one."
        raise Refused(message)
    uses: dict[int, UseResources] = {}
    for group_id in dict.fromkeys(group.id for group in map(_group, lines) if group.id and is_id(group.id)):
        try:
            found = await client.use_of_group(group_id)
        except (Gone, Refused):
            continue
        uses |= {use.hypervisor.id: _resources(use) for use in found}
    return [_observed(line, uses.get(line.id, UseResources())) for line in lines]


def _group(line: HypervisorLine) -> LineGroup:
    return line.group if isinstance(line.group, LineGroup) else LineGroup()


def _resources(use: HypervisorUse) -> UseResources:
    return use.resources if isinstance(use.resources, UseResources) else UseResources()


def _observed(line: HypervisorLine, use: UseResources) -> ObservedHypervisor:
    group = _group(line)
    return ObservedHypervisor(
        external_id=line.id,
        name=text(line.name) or f"Hypervisor {line.id}",
        group_id=None if group.id is None else str(group.id),
        group_name=text(group.name) or None,
        enabled=bool(line.enabled),
        maintenance=bool(line.maintenance),
        servers=_capacity([use.servers]),
        memory_mib=_capacity([use.memory]),
        cores=_capacity([use.cpu_cores]),
        storage_gib=_capacity([use.local_storage, *_others(use)]),
    )


def _others(use: UseResources) -> list[Share | Absent]:
    return use.other_storage if isinstance(use.other_storage, list) else []


def _capacity(shares: Iterable[Share | Absent]) -> Capacity | None:
    """The sum of what is in use; one without limit makes the whole so. None when something is not told."""
    used = [share for share in shares if isinstance(share, Share) and share.enabled]
    allocated = [rounded(share.allocated) for share in used]
    limits = [rounded(share.max) for share in used]
    if not used or None in allocated or None in limits:
        return None
    limit = None if 0 in limits else number(sum(one or 0 for one in limits))
    return Capacity(min(MOST, sum(one or 0 for one in allocated)), limit)
