"""Notes on a server, ready to be placed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from hostwright.servers.queries.notes import NoteRow
from hostwright.web.i18n import marked

SAID: Final = (
    marked("There are 200 notes on this server. Delete one before you add another."),
    marked("This note was changed somewhere else meanwhile. Nothing was overwritten: read it again."),
    marked("This note was deleted meanwhile. What you wrote is still here: save it as a new note."),
)
"""Sentences of the service, which knows no languages: listed so that catalogues have them."""


class NoteForm(msgspec.Struct, frozen=True):
    """A note that is being written. ``current`` is what it has become meanwhile, when it was changed elsewhere."""

    id: int | None
    action: str
    title: str = ""
    content: str = ""
    updated_at: str = ""
    errors: Mapping[str, str] = {}
    current: NoteRow | None = None


class NotesView(msgspec.Struct, frozen=True):
    """Notes, newest first, with the one that is being written."""

    url: str
    notes: Sequence[NoteRow]
    form: NoteForm | None
    older: str
    newest: str
    apart: bool
    """Whether the form stands above the list: a new note, or one that this part of the list does not show."""


def notes_view(url: str, rows: Sequence[NoteRow], size: int, form: NoteForm | None, *, newest: bool) -> NotesView:
    """Notes at ``url``; one row more than ``size`` was read when there are older ones."""
    shown = rows[:size]
    older = f"{url}?cursor={shown[-1].id}" if len(rows) > size else ""
    apart = form is not None and all(form.id != row.id for row in shown)
    return NotesView(url, shown, form, older, "" if newest else url, apart)


def empty_form(url: str) -> NoteForm:
    """A new note."""
    return NoteForm(None, url)


def edit_form(url: str, note: NoteRow) -> NoteForm:
    """A note as it is stored."""
    return NoteForm(note.id, f"{url}/{note.id}", note.title, note.content, note.updated_at.isoformat())
