"""Notes on servers: always by author, and through a server that the caller may see."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from hostwright.core.db import Command, Db, Query, Scalar, Tx
from hostwright.core.scope import OwnedBy, Scope, Staff
from hostwright.servers.queries.one import require_id


class NoteRow(msgspec.Struct, frozen=True):
    """A note."""

    id: int
    server_id: int
    title: str
    content: str
    created_at: datetime
    updated_at: datetime


COLUMNS: Final = "n.id, n.server_id, n.title, n.content, n.created_at, n.updated_at"
_MINE: Final = "select " + COLUMNS + " from server_notes n where n.server_id = $1 and n.author_id = $2"
# The server has to be theirs today, and to have been theirs then.
_OWN: Final = _MINE + (
    " and n.customer_id = $3 and exists (select from servers s where s.id = n.server_id and s.customer_id = $3)"
)
_any_notes = Query(NoteRow, _MINE + " and ($3::bigint is null or n.id < $3) order by n.id desc limit $4")
_own_notes = Query(NoteRow, _OWN + " and ($4::bigint is null or n.id < $4) order by n.id desc limit $5")
_any_note = Query(NoteRow, _MINE + " and n.id = $3")
_own_note = Query(NoteRow, _OWN + " and n.id = $4")

# Two at once take turns here, so that both see how many there are.
take_turn = Scalar(
    int, "select 1 from pg_advisory_xact_lock(hashtextextended('servers.notes', $1::bigint # ($2::bigint << 20)))"
)
count = Scalar(int, "select count(*) from server_notes where server_id = $1 and author_id = $2")
insert = Query(
    NoteRow,
    """insert into server_notes as n (server_id, customer_id, author_id, title, content)
    values ($1, $2, $3, $4, $5) returning """
    + COLUMNS,
)
# Later than before in any case: the time is what tells two versions apart.
update = Query(
    NoteRow,
    """update server_notes n set title = $2, content = $3,
    updated_at = greatest(clock_timestamp(), n.updated_at + interval '1 microsecond') where n.id = $1 returning """
    + COLUMNS,
)
delete = Command("delete from server_notes where id = $1")


async def notes_of(
    db: Db, scope: Scope, server_id: int, author_id: int, before: int | None, limit: int
) -> list[NoteRow]:
    """The author's notes on a server, newest first, those older than the note ``before``."""
    match scope:
        case Staff():
            return await _any_notes.all(db, server_id, author_id, before, limit)
        case OwnedBy(customer_id):
            return await _own_notes.all(db, server_id, author_id, customer_id, before, limit)


async def note_for(db: Db, scope: Scope, server_id: int, author_id: int, note_id: int) -> NoteRow:
    """One note; `NoRow` when it is missing, somebody else's, or on a server that is not within ``scope``."""
    require_id(server_id)
    require_id(note_id)
    match scope:
        case Staff():
            return await _any_note.one(db, server_id, author_id, note_id)
        case OwnedBy(customer_id):
            return await _own_note.one(db, server_id, author_id, customer_id, note_id)


async def locked_note(tx: Tx, scope: Scope, server_id: int, author_id: int, note_id: int) -> NoteRow:
    """As `note_for`, with its row locked."""
    require_id(server_id)
    require_id(note_id)
    match scope:
        case Staff():
            return await _any_note.one(tx, server_id, author_id, note_id, lock=True)
        case OwnedBy(customer_id):
            return await _own_note.one(tx, server_id, author_id, customer_id, note_id, lock=True)
