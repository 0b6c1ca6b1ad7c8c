"""Expected trouble: what a person at the terminal reads instead of a traceback."""

from __future__ import annotations

import errno
from typing import Final

FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
FULL_TEXT: Final = "No space left on device"


class Problem(Exception):
    """One clear line that says what is wrong and what to do; the command ends with ``code``."""

    def __init__(self, message: str, *, code: int = 1) -> None:
        self.message = message
        self.code = code
        super().__init__(message)


def disk_is_full(where: object) -> Problem:
    """The line for a full disk."""
    return Problem(f"The disk that holds {where} is full. Free some space and start again; nothing else is lost.")


def line_of(error: OSError) -> str:
    """An error of the system in one line."""
    if error.errno in FULL:
        return disk_is_full(error.filename or "the data folder").message
    reason = (error.strerror or str(error)).lower()
    return f"{error.filename}: {reason}" if error.filename else reason
