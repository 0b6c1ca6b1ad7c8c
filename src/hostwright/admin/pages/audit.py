"""The page of the audit log."""

from typing import Any

from litestar import Controller, Response

from hostwright.admin.views.audit import BASE, audit_view, wanted_lines
from hostwright.audit.service import search
from hostwright.core.db import Db
from hostwright.identity.schemas import StaffViewer
from hostwright.web.answer import page
from hostwright.web.i18n import choose_language
from hostwright.web.inject import AnyRequest, Injected
from hostwright.web.openapi import page_get
from hostwright.web.render import renderer


class AuditPages(Controller):
    """Who did what."""

    path = BASE

    @page_get("", auth="admin")
    async def audit(self, request: AnyRequest, db: Injected[Db], viewer: Injected[StaffViewer]) -> Response[Any]:
        """Lines that match the filter in the address, newest first."""
        choose_language(request, pseudo=renderer().pseudo)
        wanted = wanted_lines(request.query_params)
        found = await search(db, wanted.query, before=wanted.before)
        await renderer().navigation.fill_counts(request, db, viewer)
        return page(request, "admin/audit.html", {"a": audit_view(wanted, found)})
