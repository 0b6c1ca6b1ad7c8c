"""The sidebar's lines for staff."""

from collections.abc import Mapping, Sequence
from typing import Final

from hostwright.core import queue
from hostwright.core.db import Db
from hostwright.identity.schemas import Viewer
from hostwright.web.i18n import gettext
from hostwright.web.shell import NavGroup, NavItem

JOBS: Final = "/admin/jobs"
USERS: Final = "/admin/users"
AUDIT: Final = "/admin/audit"


class AdminShell:
    """The sidebar's lines for people, accounts of what they did, and the machinery."""

    def groups(self, viewer: Viewer, counts: Mapping[str, int]) -> Sequence[NavGroup]:
        """For staff only; the count is of dead jobs, which wait for them."""
        if not viewer.is_staff:
            return []
        dead = counts.get("dead_jobs") or None
        return [
            NavGroup(
                gettext("Administration"),
                (
                    NavItem(icon="contact", label=gettext("Users"), url=USERS),
                    NavItem(icon="scroll-text", label=gettext("Audit log"), url=AUDIT),
                    NavItem(icon="hourglass", label=gettext("Jobs"), url=JOBS, count=dead, hot=True),
                ),
            )
        ]

    async def counts(self, db: Db, viewer: Viewer) -> Mapping[str, int]:
        """How many jobs are dead."""
        return {"dead_jobs": await queue.dead_count(db)} if viewer.is_staff else {}
