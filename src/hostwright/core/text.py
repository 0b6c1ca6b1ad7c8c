"""Text that somebody typed, made fit for the database."""

from __future__ import annotations


def storable(text: str) -> str:
    """The same without zero bytes: no text in the database holds one, and none may be sent to it."""
    return text.replace("\0", "\ufffd")


def containing(text: str) -> str:
    """A pattern for ``like`` that finds ``text`` anywhere, in text in small letters."""
    plain = storable(text).lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{plain}%"
