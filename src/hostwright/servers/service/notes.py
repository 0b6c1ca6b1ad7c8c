"""Notes on servers, private to their author."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from hostwright.audit.service import record
from hostwright.core.db import Tx
from hostwright.core.errors import Conflict, FieldProblem, Invalid
from hostwright.core.text import storable
from hostwright.servers.queries import notes
from hostwright.servers.queries.notes import NoteRow
from hostwright.servers.records import TargetRow
from hostwright.servers.schemas.notes import NoteWrite
from hostwright.servers.service.common import Actor, Calling

MOST: Final = 200
BLANK: Final = "is required"


class TooManyNotes(Conflict):
    code = "too_many_notes"
    default_message = "There are 200 notes on this server. Delete one before you add another."


class NoteChanged(Conflict):
    """``note`` is what it is now."""

    code = "note_changed"
    default_message = "This note was changed somewhere else meanwhile. Nothing was overwritten: read it again."

    def __init__(self, note: NoteRow) -> None:
        self.note: Final = note
        super().__init__()


def author_of(viewer: Calling) -> Actor:
    """The viewer as somebody who writes for themselves: whoever may see a server may keep notes on it."""
    return Actor(viewer.user_id, viewer.label, viewer.address, viewer.request_id)


def _clean(wanted: NoteWrite) -> tuple[str, str]:
    """Title and text as they are stored: one line, and line feeds alone. The database holds no zero byte."""
    title = " ".join(storable(wanted.title).split())
    if not title:
        raise Invalid([FieldProblem("title", BLANK)])
    content = storable(wanted.content).replace("\r\n", "\n").replace("\r", "\n").rstrip()
    return title, content


async def add_note(tx: Tx, author: Actor, server: TargetRow, wanted: NoteWrite) -> NoteRow:
    """Add a note on a server within the author's scope; raises `TooManyNotes` at 200."""
    title, content = _clean(wanted)
    await notes.take_turn.value(tx, server.id, author.id)
    if await notes.count.value(tx, server.id, author.id) >= MOST:
        raise TooManyNotes
    note = await notes.insert.one(tx, server.id, server.customer_id, author.id, title, content)
    await _audit(tx, author, server, "add", note.id)
    return note


async def change_note(
    tx: Tx, author: Actor, server: TargetRow, note: NoteRow, wanted: NoteWrite, read_at: datetime | None
) -> NoteRow:
    """Change a note held ``for update``; `NoteChanged` when it is not what it was at ``read_at``."""
    title, content = _clean(wanted)
    if (title, content) == (note.title, note.content):
        return note
    if read_at is not None and read_at != note.updated_at:
        raise NoteChanged(note)
    changed = await notes.update.one(tx, note.id, title, content)
    await _audit(tx, author, server, "change", note.id)
    return changed


async def delete_note(tx: Tx, author: Actor, server: TargetRow, note: NoteRow) -> None:
    """Delete a note held ``for update``."""
    await notes.delete.run(tx, note.id)
    await _audit(tx, author, server, "delete", note.id)


async def _audit(tx: Tx, author: Actor, server: TargetRow, what: str, note_id: int) -> None:
    """That something was written, not what: notes are private."""
    await record(
        tx,
        actor_id=author.id,
        actor_label=author.label,
        action=f"server_note.{what}",
        outcome="done",
        customer_id=server.customer_id,
        object_type="server",
        object_id=str(server.id),
        object_label=server.name,
        detail={"noteId": note_id},
        address=author.address,
        request_id=author.request_id,
    )
