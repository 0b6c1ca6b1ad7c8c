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

# --- what staff look for
# $1 the cursor, $2 how many, $3 who, $4 to $5 the action's beginning, $6 and $7 the object, $8 the customer, $9 the
# outcome, $10 to $11 the time, $12 the text. Each statement begins with what its index finds; null asks for nothing.
_NARROWED: Final = """
    and id < $1 and ($3::bigint is null or actor_id = $3) and ($4::text is null or (action >= $4 and action < $5::text))
    and ($6::text is null or object_type = $6) and ($7::text is null or object_id = $7)
    and ($8::bigint is null or customer_id = $8) and ($9::text is null or outcome = $9)
    and ($10::timestamptz is null or at >= $10) and ($11::timestamptz is null or at < $11)
    and ($12::text is null or """
# Written as the trigram index has it.
_SEARCHED: Final = """(lower(actor_label) || ' ' || lower(action) || ' ' || coalesce(lower(object_label), '') || ' '
    || coalesce(address, '') || ' ' || coalesce(request_id, ''))"""
_NEWEST: Final = " like $12) order by id desc limit $2"

found_by_object = Query(AuditRow, _ROW + " where object_type = $6 and object_id = $7" + _NARROWED + _SEARCHED + _NEWEST)
found_by_actor = Query(AuditRow, _ROW + " where actor_id = $3" + _NARROWED + _SEARCHED + _NEWEST)
found_of_customer = Query(AuditRow, _ROW + " where customer_id = $8" + _NARROWED + _SEARCHED + _NEWEST)
found_by_text = Query(AuditRow, _ROW + " where " + _SEARCHED + " like $12" + _NARROWED + _SEARCHED + _NEWEST)
found = Query(AuditRow, _ROW + " where true" + _NARROWED + _SEARCHED + _NEWEST)
about_user = Query(
    AuditRow,
    """
    select l.* from (
        (select id, at, actor_id, actor_label, action, outcome, customer_id, object_type, object_id, object_label,
            detail, address, request_id from audit_log where actor_id = $1 order by id desc limit $2)
        union
        (select id, at, actor_id, actor_label, action, outcome, customer_id, object_type, object_id, object_label,
            detail, address, request_id from audit_log where object_type = 'user' and object_id = $1::bigint::text
            order by id desc limit $2)
    ) l order by l.id desc limit $2
    """,
)
