"""What the API of notes speaks."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from hostwright.core.paging import Cursor

Title = Annotated[str, Meta(min_length=1, max_length=120)]
Content = Annotated[str, Meta(max_length=10_000)]


class NoteWrite(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """A note: a title, and plain text with line breaks."""

    title: Title
    content: Content = ""


class NoteChange(NoteWrite, rename="camel", forbid_unknown_fields=True):
    """A changed note. With the ``updatedAt`` that was read nobody else's change is overwritten."""

    updated_at: datetime | None = None


class NoteRead(msgspec.Struct, frozen=True, rename="camel"):
    """A note. Only its author can read it."""

    id: int
    server_id: int
    title: str
    content: str
    created_at: datetime
    updated_at: datetime


class NoteList(msgspec.Struct, frozen=True):
    """Notes, newest first."""

    items: list[NoteRead]
    pagination: Cursor
