"""Tickets for consoles, and the relays that they opened."""

from __future__ import annotations

from datetime import datetime

import msgspec

from hostwright.core.db import Command, Query, Scalar


class TicketRow(msgspec.Struct, frozen=True):
    """A ticket that was just used up. ``target`` is ciphertext."""

    id: int
    server_id: int
    user_id: int
    session_id: int
    customer_id: int
    staff: bool
    target: bytes
    expires_at: datetime


next_ticket_id = Scalar(int, "select nextval(pg_get_serial_sequence('console_tickets', 'id'))")
insert_ticket = Command(
    """insert into console_tickets
    (id, ticket_hash, server_id, user_id, session_id, customer_id, staff, target, created_at, expires_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"""
)
forget_tickets = Command("delete from console_tickets where expires_at <= $1")
# Using a ticket deletes it: of two who come with it, the second finds none.
take_ticket = Query(
    TicketRow,
    """delete from console_tickets where ticket_hash = $1 and session_id = $2 and server_id = $3 and expires_at > $4
    returning id, server_id, user_id, session_id, customer_id, staff, target, expires_at""",
)

# Whoever opens a console takes turns with the same user's other attempts, in whichever process.
take_turns = Scalar(int, "select 1 from pg_advisory_xact_lock(hashtextextended('console:' || $1::bigint, 0))")
forget_relays = Command("delete from console_relays where heartbeat_at < $1")
open_relays = Scalar(int, "select count(*) from console_relays where user_id = $1 and heartbeat_at >= $2")
insert_relay = Scalar(
    int,
    """insert into console_relays (server_id, user_id, session_id, customer_id, staff, opened_at, heartbeat_at)
    values ($1, $2, $3, $4, $5, $6, $6) returning id""",
)
delete_relay = Command("delete from console_relays where id = $1")
end_relays = Command("delete from console_relays where server_id = $1")

# $3 is the sessions' idle time. No row: whoever opened it would not be let in any more.
beat = Scalar(
    int,
    """update console_relays r set heartbeat_at = $2 from sessions s, users u, servers v
    where r.id = $1 and s.id = r.session_id and s.expires_at > now() and s.seen_at > now() - $3::interval
    and u.id = r.user_id and u.disabled_at is null and v.id = r.server_id and v.state = 'active'
    and case when r.staff then u.role = 'admin' else v.customer_id = r.customer_id and exists (
        select from members m where m.user_id = r.user_id and m.customer_id = r.customer_id
        and m.role in ('owner', 'technical')) end
    returning r.id""",
)

insert_line = Command(
    """insert into server_log (server_id, customer_id, action, action_type, status, actor_id, actor_label, detail,
    error, address, created_at, finished_at) values ($1, $2, $3, 'vnc', $4, $5, $6, $7, $8, $9, $10, $10)"""
)
