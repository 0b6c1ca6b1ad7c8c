"""The API for staff: jobs, the audit log, users."""

from typing import Any, Final

from hostwright.admin.api.audit import AdminAuditApi
from hostwright.admin.api.jobs import AdminJobsApi
from hostwright.admin.api.users import AdminUsersApi

HANDLERS: Final[list[Any]] = [AdminJobsApi, AdminAuditApi, AdminUsersApi]

__all__ = ["HANDLERS"]
