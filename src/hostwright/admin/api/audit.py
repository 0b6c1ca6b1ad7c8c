"""The API for staff: who did what."""

from litestar import Controller

from hostwright.admin.api.parameters import (
    ActionWanted,
    ActorWanted,
    CursorWanted,
    CustomerWanted,
    FromWanted,
    ObjectId,
    ObjectType,
    OutcomeWanted,
    PageSize,
    TextWanted,
    ToWanted,
)
from hostwright.admin.schemas import AuditList, AuditRead
from hostwright.audit.records import AuditRow
from hostwright.audit.service import AuditFilter, search
from hostwright.core.db import Db
from hostwright.core.errors import FieldProblem, Invalid
from hostwright.core.paging import DEFAULT_PAGE_SIZE, Cursor, read_cursor
from hostwright.core.periods import read_time
from hostwright.core.text import storable
from hostwright.identity.schemas import StaffViewer
from hostwright.web.inject import Injected
from hostwright.web.openapi import get_op


def audit_read(row: AuditRow) -> AuditRead:
    """A line as the API sends it."""
    return AuditRead(
        id=row.id,
        at=row.at,
        actor_id=row.actor_id,
        actor=row.actor_label,
        action=row.action,
        outcome=row.outcome,
        customer_id=row.customer_id,
        object_type=row.object_type,
        object_id=row.object_id,
        object=row.object_label,
        detail=row.detail,
        address=row.address,
        request_id=row.request_id,
    )


class AdminAuditApi(Controller):
    """The audit log, which nobody can change."""

    path = "/api/admin/audit"

    @get_op(
        "",
        op="adminListAudit",
        summary="Search the audit log",
        auth="admin",
        scope="admin:system",
        tag="Administration",
        errors=(400,),
    )
    async def list_audit(  # noqa: PLR0913  one parameter each
        self,
        db: Injected[Db],
        viewer: Injected[StaffViewer],
        cursor: CursorWanted = None,
        page_size: PageSize = DEFAULT_PAGE_SIZE,
        actor_id: ActorWanted = None,
        action: ActionWanted = "",
        object_type: ObjectType = "",
        object_id: ObjectId = "",
        customer_id: CustomerWanted = None,
        outcome: OutcomeWanted = None,
        since: FromWanted = None,
        until: ToWanted = None,
        text: TextWanted = "",
    ) -> AuditList:
        """Lines that match all of it, newest first."""
        del viewer
        problems: list[FieldProblem] = []
        before = read_cursor(cursor, problems)
        start = read_time("from", since, problems, whole_day=False)
        end = read_time("to", until, problems, whole_day=True)
        if object_id and not object_type:
            problems.append(FieldProblem("objectId", "needs objectType beside it"))
        if problems:
            raise Invalid(problems)
        wanted = AuditFilter(
            actor_id,
            storable(action).strip(),
            storable(object_type).strip(),
            storable(object_id).strip(),
            customer_id,
            outcome,
            start,
            end,
            storable(text).strip(),
        )
        page = await search(db, wanted, before=before, limit=page_size)
        return AuditList([audit_read(row) for row in page.rows], Cursor(str(page.next) if page.next else None))
