"""SQL of the first run."""

from __future__ import annotations

from hostwright.core.db import Command, Query, Scalar
from hostwright.setup.records import Draft, Progress, SetupRow

HAS_ADMIN = "exists (select from users where role = 'admin' and disabled_at is null)"

setup = Query(
    SetupRow,
    """
    select token_hash, token_expires_at, visitor_hash, visitor_expires_at, admin_id, company_at, connection_id,
        connection_at, finished_at, """
    + HAS_ADMIN
    + " as has_admin from setup",
)
has_admin = Scalar(bool, "select " + HAS_ADMIN)
open_setup = Command("insert into setup (id) values (true) on conflict do nothing")
set_token = Command("update setup set token_hash = $1, token_expires_at = $2")
enter = Command(
    """
    update setup set token_hash = null, token_expires_at = null, visitor_hash = $1, visitor_expires_at = $2
    """
)
set_admin = Command(
    """
    update setup set admin_id = $1, token_hash = null, token_expires_at = null, visitor_hash = null,
        visitor_expires_at = null
    """
)
set_company = Command("update setup set company_at = coalesce(company_at, $1)")
set_draft = Command("update setup set connection_id = $1")
set_connection = Command("update setup set connection_at = $1")
finish = Command("update setup set finished_at = $1")

draft = Query(Draft, "select id, base_url, token, verify_tls from connections where id = $1")
# Not enabled: nobody asks it before it was tried.
change_draft = Command(
    """
    update connections set base_url = $2, token = $3, verify_tls = $4, enabled = false, updated_at = now() where id = $1
    """
)
set_enabled = Command("update connections set enabled = $2, updated_at = now() where id = $1")

progress = Query(
    Progress,
    """
    select r.state, r.error, s.servers, s.detailed, c.last_list_at is not null as complete, c.enabled
    from connections c
    left join lateral (
        select state, error from mirror_runs where connection_id = c.id order by id desc limit 1
    ) r on true
    cross join lateral (
        select count(*) as servers, count(*) filter (where detailed_at is not null) as detailed
        from servers where connection_id = c.id and state <> 'gone'
    ) s
    where c.id = $1
    """,
)
