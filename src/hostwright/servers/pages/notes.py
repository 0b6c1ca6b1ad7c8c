"""Pages of notes: a list, and a form that keeps what was written whatever happens."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec
from litestar import Controller, Response
from litestar.params import FromPath

from hostwright.core.db import Database, Db, NoRow, Tx
from hostwright.core.errors import AppError, Invalid
from hostwright.identity.schemas import StaffViewer, Viewer
from hostwright.servers import queries
from hostwright.servers.pages.screens import ALL, LONGEST_ID, OWN, Place, show_server
from hostwright.servers.queries import notes
from hostwright.servers.schemas.notes import NoteWrite
from hostwright.servers.service.notes import (
    NoteChanged,
    TooManyNotes,
    add_note,
    author_of,
    change_note,
    delete_note,
)
from hostwright.servers.views.notes import NoteForm, edit_form, empty_form, notes_view
from hostwright.web.answer import go
from hostwright.web.bodies import decode_form, form_values
from hostwright.web.i18n import choose_language, gettext
from hostwright.web.inject import AnyRequest, Injected
from hostwright.web.messages import field_message
from hostwright.web.openapi import page_get, page_post
from hostwright.web.render import renderer

SHOWN: Final = 20
REFUSED: Final = 422
CHANGED: Final = 409


class Deleted(AppError):
    """The note is not there any more, but its new text is."""

    code = "note_deleted"
    status = CHANGED
    default_message = "This note was deleted meanwhile. What you wrote is still here: save it as a new note."


def _url(place: Place, server_id: int) -> str:
    return f"{place.base}/{server_id}/notes"


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) <= LONGEST_ID else None


async def _show(  # noqa: PLR0913  the parts of one page
    request: AnyRequest, db: Db, viewer: Viewer, place: Place, server_id: int, form: NoteForm | None, status: int = 200
) -> Response[Any]:
    row = await queries.server_for(db, viewer.scope, server_id)
    before = _number(request.query_params.get("cursor", ""))
    found = await notes.notes_of(db, viewer.scope, server_id, viewer.user_id, before, SHOWN + 1)
    view = notes_view(_url(place, server_id), found, SHOWN, form, newest=before is None)
    page = await show_server(request, db, viewer, place, row, "notes", {"n": view})
    page.status_code = status
    return page


async def show_notes(request: AnyRequest, db: Db, viewer: Viewer, place: Place, server_id: int) -> Response[Any]:
    """The viewer's own notes; ``add`` opens an empty form, ``edit`` one of them."""
    choose_language(request, pseudo=renderer().pseudo)
    form = None
    note_id = _number(request.query_params.get("edit", ""))
    if note_id:
        note = await notes.note_for(db, viewer.scope, server_id, viewer.user_id, note_id)
        form = edit_form(_url(place, server_id), note)
    elif "add" in request.query_params:
        form = empty_form(_url(place, server_id))
    return await _show(request, db, viewer, place, server_id, form)


def _errors(error: AppError) -> dict[str, str]:
    if isinstance(error, Invalid):
        return {problem.field: field_message(problem.message) for problem in error.problems}
    return {"form": gettext(error.message)}


def _read_at(values: Mapping[str, str]) -> datetime | None:
    try:
        return msgspec.convert(values.get("updatedAt", ""), datetime)
    except msgspec.ValidationError:
        return None


def _draft(url: str, values: Mapping[str, str], error: AppError, note_id: int | None) -> NoteForm:
    """The form as it was sent, with what is wrong; one whose note was deleted becomes a new note."""
    title, content = values.get("title", ""), values.get("content", "")
    if note_id is None or isinstance(error, Deleted):
        return NoteForm(None, url, title, content, errors=_errors(error))
    current = error.note if isinstance(error, NoteChanged) else None
    read_at = current.updated_at.isoformat() if current else values.get("updatedAt", "")
    return NoteForm(note_id, f"{url}/{note_id}", title, content, read_at, _errors(error), current)


async def _write(tx: Tx, viewer: Viewer, server_id: int, note_id: int | None, values: Mapping[str, str]) -> None:
    server = await queries.target_of(tx, viewer.scope, server_id)
    wanted = decode_form(NoteWrite, values)
    if note_id is None:
        await add_note(tx, author_of(viewer), server, wanted)
        return
    try:
        note = await notes.locked_note(tx, viewer.scope, server_id, viewer.user_id, note_id)
    except NoRow as error:
        raise Deleted from error
    await change_note(tx, author_of(viewer), server, note, wanted, _read_at(values))


async def save_note(
    request: AnyRequest, database: Database, viewer: Viewer, place: Place, server_id: int, note_id: int | None
) -> Response[Any]:
    """Store a note. Whatever is refused shows the form again with all that was written."""
    choose_language(request, pseudo=renderer().pseudo)
    values = await form_values(request)
    url = _url(place, server_id)
    try:
        async with database.transaction() as tx:
            await _write(tx, viewer, server_id, note_id, values)
    except (Invalid, NoteChanged, TooManyNotes, Deleted) as error:
        status = REFUSED if isinstance(error, Invalid) else CHANGED
        async with database.acquire() as db:
            return await _show(request, db, viewer, place, server_id, _draft(url, values, error, note_id), status)
    return go(request, url)


async def remove_note(
    request: AnyRequest, tx: Tx, viewer: Viewer, place: Place, server_id: int, note_id: int
) -> Response[Any]:
    """Delete a note; the page has asked before."""
    server = await queries.target_of(tx, viewer.scope, server_id)
    note = await notes.locked_note(tx, viewer.scope, server_id, viewer.user_id, note_id)
    await delete_note(tx, author_of(viewer), server, note)
    return go(request, _url(place, server_id))


class NotePages(Controller):
    """Thin entry points, for customers and for staff."""

    @page_get("/servers/{server_id:int}/notes")
    async def notes(
        self, request: AnyRequest, db: Injected[Db], viewer: Injected[Viewer], server_id: FromPath[int]
    ) -> Response[Any]:
        """One's notes on a server."""
        return await show_notes(request, db, viewer, OWN, server_id)

    @page_post("/servers/{server_id:int}/notes")
    async def add(
        self, request: AnyRequest, database: Injected[Database], viewer: Injected[Viewer], server_id: FromPath[int]
    ) -> Response[Any]:
        """A new note."""
        return await save_note(request, database, viewer, OWN, server_id, None)

    @page_post("/servers/{server_id:int}/notes/{note_id:int}")
    async def change(
        self,
        request: AnyRequest,
        database: Injected[Database],
        viewer: Injected[Viewer],
        server_id: FromPath[int],
        note_id: FromPath[int],
    ) -> Response[Any]:
        """A changed note."""
        return await save_note(request, database, viewer, OWN, server_id, note_id)

    @page_post("/servers/{server_id:int}/notes/{note_id:int}/delete")
    async def delete(
        self,
        request: AnyRequest,
        tx: Injected[Tx],
        viewer: Injected[Viewer],
        server_id: FromPath[int],
        note_id: FromPath[int],
    ) -> Response[Any]:
        """A note less."""
        return await remove_note(request, tx, viewer, OWN, server_id, note_id)

    @page_get("/admin/servers/{server_id:int}/notes", auth="admin")
    async def any_notes(
        self, request: AnyRequest, db: Injected[Db], viewer: Injected[StaffViewer], server_id: FromPath[int]
    ) -> Response[Any]:
        """One's notes on any server."""
        return await show_notes(request, db, viewer, ALL, server_id)

    @page_post("/admin/servers/{server_id:int}/notes", auth="admin")
    async def add_any(
        self, request: AnyRequest, database: Injected[Database], viewer: Injected[StaffViewer], server_id: FromPath[int]
    ) -> Response[Any]:
        """A new note."""
        return await save_note(request, database, viewer, ALL, server_id, None)

    @page_post("/admin/servers/{server_id:int}/notes/{note_id:int}", auth="admin")
    async def change_any(
        self,
        request: AnyRequest,
        database: Injected[Database],
        viewer: Injected[StaffViewer],
        server_id: FromPath[int],
        note_id: FromPath[int],
    ) -> Response[Any]:
        """A changed note."""
        return await save_note(request, database, viewer, ALL, server_id, note_id)

    @page_post("/admin/servers/{server_id:int}/notes/{note_id:int}/delete", auth="admin")
    async def delete_any(
        self,
        request: AnyRequest,
        tx: Injected[Tx],
        viewer: Injected[StaffViewer],
        server_id: FromPath[int],
        note_id: FromPath[int],
    ) -> Response[Any]:
        """A note less."""
        return await remove_note(request, tx, viewer, ALL, server_id, note_id)
