"""Naming the company, and the end of the first run."""

from __future__ import annotations

from hostwright.audit.service import record
from hostwright.core.clock import Clock
from hostwright.core.db import Tx
from hostwright.identity.schemas import Viewer
from hostwright.settings import service as settings
from hostwright.setup import queries
from hostwright.setup.schemas import CompanyForm
from hostwright.setup.service.token import SetupDone


async def require_open(tx: Tx) -> None:
    """Lock the first run; raises `SetupDone` when it is over."""
    row = await queries.setup.maybe(tx, lock=True)
    if row is None or row.finished_at is not None:
        raise SetupDone


async def note(tx: Tx, staff: Viewer, action: str, label: str | None = None) -> None:
    """Write down who did a step."""
    await record(
        tx,
        actor_id=staff.user_id,
        actor_label=staff.label,
        action=action,
        outcome="done",
        object_type="setup",
        object_label=label,
        address=staff.address,
        request_id=staff.request_id,
    )


async def name_company(tx: Tx, staff: Viewer, form: CompanyForm, clock: Clock) -> None:
    """Say what the company is called and which colour it has; pages of every process follow at once."""
    await require_open(tx)
    await settings.set_company(tx, name=form.name, brand_colour=form.brand_colour)
    await queries.set_company.run(tx, clock.now())
    await note(tx, staff, "setup.company", form.name)


async def finish(tx: Tx, staff: Viewer, clock: Clock) -> None:
    """End the first run: its pages are gone from now on."""
    await require_open(tx)
    await queries.finish.run(tx, clock.now())
    await note(tx, staff, "setup.finished")
