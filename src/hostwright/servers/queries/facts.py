"""What a server's page shows besides its row."""

from __future__ import annotations

from datetime import datetime

import msgspec

from hostwright.core.db import Db, Query


class FactsRow(msgspec.Struct, frozen=True):
    """Facts that lists leave out. A ``traffic_limit_gb`` of 0 is unmetered, None is not known."""

    traffic_limit_gb: int | None
    hypervisor: str | None
    external_id: int
    connection_name: str
    detailed_at: datetime | None
    missing_since: datetime | None


_facts = Query(
    FactsRow,
    """select s.traffic_limit_gb, s.hypervisor, s.external_id, c.name as connection_name, s.detailed_at, s.missing_since
    from servers s join connections c on c.id = s.connection_id where s.id = $1""",
)


async def facts_of(db: Db, server_id: int) -> FactsRow:
    """Facts of a server that the caller was let see."""
    return await _facts.one(db, server_id)
