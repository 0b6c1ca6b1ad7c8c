"""SQL of the audit log. Lists go on below a cursor: the smallest id that was shown."""

from __future__ import annotations

from typing import Final

from hostwright.audit.records import AuditRow
from hostwright.core.db import Command, Query

insert = Command(
    """
    insert into audit_log (actor_id, actor_label, action, outcome, customer_id, object_type, object_id, object_label,
        detail, address, request_id)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
    """
)

_ROW: Final = """
    select id, at, actor_id, actor_label, action, outcome, customer_id, object_type, object_id, object_label, detail,
        address, request_id
    from audit_log
"""
everything = Query(AuditRow, _ROW + " where id < $1 order by id desc limit $2")
of_customer = Query(AuditRow, _ROW + " where customer_id = $1 and id < $2 order by id desc limit $3")
of_object = Query(AuditRow, _ROW + " where object_type = $1 and object_id = $2 and id < $3 order by id desc limit $4")
of_object_for_customer = Query(
    AuditRow,
    _ROW + " where object_type = $1 and object_id = $2 and customer_id = $3 and id < $4 order by id desc limit $5",
)
