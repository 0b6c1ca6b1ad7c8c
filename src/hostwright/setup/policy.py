"""Which step comes next, as a pure function of what was done."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from hostwright.setup.records import SetupRow, Step

ORDER: Final = tuple(Step)
AGAIN: Final = (Step.COMPANY, Step.VIRTFUSION)
"""Steps that can be opened again until all is done."""


def next_step(row: SetupRow, *, entered: bool) -> Step:
    """The step that is to be done now; ``entered``: this visitor has entered the token."""
    if not row.has_admin:
        return Step.ADMIN if entered else Step.TOKEN
    if row.company_at is None:
        return Step.COMPANY
    return Step.VIRTFUSION if row.connection_at is None else Step.IMPORT


def may_open(wanted: Step, now: Step) -> bool:
    """Whether a step may be shown when ``now`` is the next one."""
    return wanted is now or (wanted in AGAIN and ORDER.index(wanted) < ORDER.index(now))


def is_live(moment: datetime | None, now: datetime) -> bool:
    """Whether what ends at ``moment`` still counts."""
    return moment is not None and now < moment
