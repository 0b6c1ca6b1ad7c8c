"""Pages for staff that read across features: jobs, the audit log, users."""

from typing import Any, Final

from hostwright.admin.pages.audit import AuditPages
from hostwright.admin.pages.jobs import AdminPages
from hostwright.admin.pages.shell import AdminShell
from hostwright.admin.pages.users import UserPages

HANDLERS: Final[list[Any]] = [AdminPages, AuditPages, UserPages]

__all__ = ["HANDLERS", "AdminShell"]
