"""The data folder: made, claimed by one process, and refused with one clear line when it cannot be used."""

from __future__ import annotations

import errno
import fcntl
import os
import pwd
import secrets
import shutil
from pathlib import Path
from typing import IO, Final, Self

from hostwright import __version__
from hostwright.cli.problems import FULL, Problem, disk_is_full

FORMAT: Final = 1
"""Goes up when a release lays its files out so that an older one cannot use them, or cannot use theirs."""
VERSION: Final = "version"
LOCK: Final = "lock"
OURS: Final = frozenset({LOCK, "lost+found"})  # what an empty folder may hold: the latter stands on any new disk
MIB: Final = 1024 * 1024


class DataFolder:
    """A folder that this process has to itself until `close`. ``kind`` says what runs in it: demo, up."""

    def __init__(self, path: Path, kind: str) -> None:
        self.path = path.absolute()
        self.kind = kind
        self.is_new = False
        self.was_killed = False
        self._lock: IO[str] | None = None

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def exists(self) -> bool:
        """Whether there is anything of that name, as far as can be seen."""
        return os.path.lexists(self.path)

    def open(self) -> None:
        """Make and claim the folder; raises `Problem`. ``was_killed``: whoever used it last did not close it."""
        self._make()
        self._claim()
        try:
            self._check_version()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let others have it."""
        if self._lock is not None:
            self._lock.seek(0)
            self._lock.truncate()
            self._lock.close()
            self._lock = None

    def require_space(self, mebibytes: int) -> None:
        """Raises `Problem` when the disk has less than that left."""
        free = shutil.disk_usage(self.path).free // MIB
        if free < mebibytes:
            message = f"The disk that holds {self.path} has {free} MB left, and {mebibytes} MB are needed. Free some."
            raise Problem(message)

    def write(self, name: str, content: bytes) -> None:
        """Write a file that only its owner can read, whole or not at all."""
        write_private(self.path / name, content)

    def _make(self) -> None:
        try:
            self.path.mkdir(parents=True, mode=0o700)
        except FileExistsError:
            if not self.path.is_dir():
                message = f"{self.path} is a file, not a folder. Choose another data folder."
                raise Problem(message) from None
        except NotADirectoryError:
            message = f"{self.path} cannot be made: a part of it is a file. Choose another data folder."
            raise Problem(message) from None
        except OSError as error:
            raise self._unusable(error) from error

    def _claim(self) -> None:
        try:
            found = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise self._unusable(error) from error
        self._lock = os.fdopen(found, "r+", encoding="ascii", errors="replace")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = self._lock.read().strip()
            self._lock.close()
            self._lock = None
            who = f" (process {holder})" if holder else ""
            message = f"{self.path} is in use by another Hostwright{who}. Stop it, or choose another data folder."
            raise Problem(message) from None
        self.was_killed = bool(self._lock.read().strip())
        self._lock.seek(0)
        self._lock.truncate()
        try:
            self._lock.write(f"{os.getpid()}\n")
            self._lock.flush()
        except OSError as error:
            raise self._unusable(error) from error

    def _unusable(self, error: OSError) -> Problem:
        if error.errno in FULL:
            return disk_is_full(self.path)
        if error.errno in {errno.EACCES, errno.EPERM}:
            return Problem(f"{self.path} cannot be used: {self._whose()} Choose another data folder.")
        reason = (error.strerror or str(error)).lower()
        return Problem(f"{self.path} cannot be used: {reason}. Choose another data folder.")

    def _whose(self) -> str:
        try:
            owner = pwd.getpwuid(self.path.stat().st_uid).pw_name
        except (OSError, KeyError):
            return "you may not write there."
        return f"it belongs to user {owner}, and you may not write there."

    def _check_version(self) -> None:
        marker = self.path / VERSION
        try:
            text = marker.read_text(encoding="ascii").split()
        except FileNotFoundError:
            self._begin()
            return
        except (OSError, UnicodeDecodeError):
            text = []
        if len(text) != 3 or not text[0].isdecimal():  # noqa: PLR2004  format, release, kind
            message = f"{marker} is damaged: it should say something like '{self._mark()}'. Restore it from a backup."
            raise Problem(message)
        number, release, kind = int(text[0]), text[1], text[2]
        if kind != self.kind:
            message = f"{self.path} belongs to 'hostwright {kind}'. Choose another data folder for '{self.kind}'."
            raise Problem(message)
        if number != FORMAT:
            age = "a newer" if number > FORMAT else "an older"
            message = f"{self.path} was made by {age} release, {release}. Use that release, or another data folder."
            raise Problem(message)

    def _mark(self) -> str:
        return f"{FORMAT} {__version__} {self.kind}"

    def _begin(self) -> None:
        others = sorted(found.name for found in self.path.iterdir() if found.name not in OURS)
        if others:
            message = f"{self.path} holds other things ({others[0]}) and no Hostwright data. Choose an empty folder."
            raise Problem(message)
        self.path.chmod(0o700)
        self.is_new = True

    def settle(self) -> None:
        """Mark a new folder as ours, once it is certain that there is enough room and a port."""
        if self.is_new:
            self.write(VERSION, f"{self._mark()}\n".encode())


def write_private(path: Path, content: bytes) -> None:
    """Replace a file by one that only its owner can read; after a crash it is the old one or the new one."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
