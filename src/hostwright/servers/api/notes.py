"""Notes on servers over HTTP: one's own, on one's own servers; for staff on any."""

from litestar import Controller
from litestar.params import FromPath, JSONBody
from msgspec.structs import asdict

from hostwright.core.db import Db, Tx
from hostwright.core.paging import Cursor
from hostwright.identity.schemas import StaffViewer, Viewer
from hostwright.servers import queries
from hostwright.servers.api.parameters import CursorWanted, PageSize
from hostwright.servers.api.presenting import log_filter
from hostwright.servers.queries import notes
from hostwright.servers.queries.notes import NoteRow
from hostwright.servers.schemas.notes import NoteChange, NoteList, NoteRead, NoteWrite
from hostwright.servers.service.notes import add_note, author_of, change_note, delete_note
from hostwright.web.inject import Injected
from hostwright.web.openapi import delete_op, get_op, post_op, put_op

READ = "read:servers"
WRITE = "write:servers"


def _read(row: NoteRow) -> NoteRead:
    return NoteRead(**asdict(row))


async def _list(db: Db, viewer: Viewer, server_id: int, cursor: str | None, size: int) -> NoteList:
    before = log_filter(cursor, None, None, None).before
    await queries.server_for(db, viewer.scope, server_id)
    rows = await notes.notes_of(db, viewer.scope, server_id, viewer.user_id, before, size + 1)
    more = str(rows[size - 1].id) if len(rows) > size else None
    return NoteList([_read(row) for row in rows[:size]], Cursor(more))


async def _add(tx: Tx, viewer: Viewer, server_id: int, data: NoteWrite) -> NoteRead:
    server = await queries.target_of(tx, viewer.scope, server_id)
    return _read(await add_note(tx, author_of(viewer), server, data))


async def _change(tx: Tx, viewer: Viewer, server_id: int, note_id: int, data: NoteChange) -> NoteRead:
    server = await queries.target_of(tx, viewer.scope, server_id)
    note = await notes.locked_note(tx, viewer.scope, server_id, viewer.user_id, note_id)
    return _read(await change_note(tx, author_of(viewer), server, note, data, data.updated_at))


async def _delete(tx: Tx, viewer: Viewer, server_id: int, note_id: int) -> None:
    server = await queries.target_of(tx, viewer.scope, server_id)
    note = await notes.locked_note(tx, viewer.scope, server_id, viewer.user_id, note_id)
    await delete_note(tx, author_of(viewer), server, note)


class NotesApi(Controller):
    """A person's notes on their customer's servers."""

    path = "/api/servers/{server_id:int}/notes"

    @get_op("", op="listServerNotes", summary="List your notes on a server", scope=READ, tag="Servers", errors=(404,))
    async def list_notes(
        self,
        db: Injected[Db],
        viewer: Injected[Viewer],
        server_id: FromPath[int],
        cursor: CursorWanted = None,
        page_size: PageSize = 20,
    ) -> NoteList:
        """Newest first. Nobody else sees them."""
        return await _list(db, viewer, server_id, cursor, page_size)

    @post_op(
        "", op="addServerNote", summary="Add a note", scope=WRITE, tag="Servers", errors=(400, 404, 409), status=201
    )
    async def add(
        self, tx: Injected[Tx], viewer: Injected[Viewer], server_id: FromPath[int], data: JSONBody[NoteWrite]
    ) -> NoteRead:
        """Up to 200 on each server."""
        return await _add(tx, viewer, server_id, data)

    @put_op(
        "/{note_id:int}",
        op="changeServerNote",
        summary="Change a note",
        scope=WRITE,
        tag="Servers",
        errors=(400, 404, 409),
    )
    async def change(
        self,
        tx: Injected[Tx],
        viewer: Injected[Viewer],
        server_id: FromPath[int],
        note_id: FromPath[int],
        data: JSONBody[NoteChange],
    ) -> NoteRead:
        """With ``updatedAt`` a note that was changed meanwhile is 409 and stays as it is."""
        return await _change(tx, viewer, server_id, note_id, data)

    @delete_op(
        "/{note_id:int}", op="deleteServerNote", summary="Delete a note", scope=WRITE, tag="Servers", errors=(404,)
    )
    async def delete(
        self, tx: Injected[Tx], viewer: Injected[Viewer], server_id: FromPath[int], note_id: FromPath[int]
    ) -> None:
        """For good."""
        await _delete(tx, viewer, server_id, note_id)


class AdminNotesApi(Controller):
    """A staff member's own notes on any server."""

    path = "/api/admin/servers/{server_id:int}/notes"

    @get_op(
        "",
        op="listNotesOnAnyServer",
        summary="List your notes on any server",
        auth="admin",
        scope=READ,
        tag="Servers (staff)",
        errors=(404,),
    )
    async def list_notes(
        self,
        db: Injected[Db],
        viewer: Injected[StaffViewer],
        server_id: FromPath[int],
        cursor: CursorWanted = None,
        page_size: PageSize = 20,
    ) -> NoteList:
        """Newest first. Nobody else sees them, colleagues neither."""
        return await _list(db, viewer, server_id, cursor, page_size)

    @post_op(
        "",
        op="addNoteOnAnyServer",
        summary="Add a note on any server",
        auth="admin",
        scope=WRITE,
        tag="Servers (staff)",
        errors=(400, 404, 409),
        status=201,
    )
    async def add(
        self, tx: Injected[Tx], viewer: Injected[StaffViewer], server_id: FromPath[int], data: JSONBody[NoteWrite]
    ) -> NoteRead:
        """Up to 200 on each server."""
        return await _add(tx, viewer, server_id, data)

    @put_op(
        "/{note_id:int}",
        op="changeNoteOnAnyServer",
        summary="Change a note on any server",
        auth="admin",
        scope=WRITE,
        tag="Servers (staff)",
        errors=(400, 404, 409),
    )
    async def change(
        self,
        tx: Injected[Tx],
        viewer: Injected[StaffViewer],
        server_id: FromPath[int],
        note_id: FromPath[int],
        data: JSONBody[NoteChange],
    ) -> NoteRead:
        """With ``updatedAt`` a note that was changed meanwhile is 409 and stays as it is."""
        return await _change(tx, viewer, server_id, note_id, data)

    @delete_op(
        "/{note_id:int}",
        op="deleteNoteOnAnyServer",
        summary="Delete a note on any server",
        auth="admin",
        scope=WRITE,
        tag="Servers (staff)",
        errors=(404,),
    )
    async def delete(
        self, tx: Injected[Tx], viewer: Injected[StaffViewer], server_id: FromPath[int], note_id: FromPath[int]
    ) -> None:
        """For good."""
        await _delete(tx, viewer, server_id, note_id)
