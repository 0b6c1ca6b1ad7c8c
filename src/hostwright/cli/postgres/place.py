"""Where a cluster and its socket stand. In the data folder, unless the server's user cannot get there."""

from __future__ import annotations

import os
import secrets
import stat
import tempfile
from pathlib import Path
from typing import Final

import msgspec

from hostwright.cli.postgres.account import Account
from hostwright.cli.postgres.binaries import SHARED, shared_folder
from hostwright.cli.problems import Problem

CLUSTER: Final = "pg18"
LONGEST_FOLDER: Final = 107 - len("/.s.PGSQL.5432")  # what a socket's address can hold
PRIVATE: Final = 0o700
ELSEWHERE: Final = "place"
SOCKETS: Final = "sockets"


class Place(msgspec.Struct, frozen=True):
    """The folders of one server. ``home`` is ours in the data folder; ``root`` holds cluster and configuration."""

    home: Path
    root: Path
    sockets: Path

    @property
    def cluster(self) -> Path:
        """The folder that PostgreSQL calls its data directory."""
        return self.root / CLUSTER

    @property
    def configuration(self) -> Path:
        """Files that we write anew at every start. The server's user can read them, not change them."""
        return self.root / "conf"

    @property
    def log(self) -> Path:
        """What the server has to say."""
        return self.home / "postgres.log"


def find_place(home: Path, account: Account) -> Place:
    """The folders for ``home``, made where they are missing. Nothing outside of ``home`` is opened for anybody."""
    account.let_through(home)
    root = _root(home, account)
    return Place(home, root, _sockets(home, root, account))


def _root(home: Path, account: Account) -> Path:
    note = home / ELSEWHERE
    if note.exists():
        root = Path(note.read_text(encoding="utf-8").strip())
        if not root.is_dir():
            message = f"The database of {home} stood in {root}, which is gone. Restore it, or use another data folder."
            raise Problem(message)
        return root
    if account.may_enter(home):
        return home
    if (home / CLUSTER).exists():
        message = f"User {account.name} cannot reach {home / CLUSTER}: a folder above it is closed. Open that folder."
        raise Problem(message)
    for folder in (SHARED, SHARED / "clusters"):
        shared_folder(folder)
    root = SHARED / "clusters" / secrets.token_hex(8)
    root.mkdir(mode=0o700)
    account.let_through(root)
    # For whoever finds it: it is not deleted by itself, since a data folder may only be away.
    (root / "belongs-to").write_text(f"{home}\n", encoding="utf-8")
    note.write_text(f"{root}\n", encoding="utf-8")
    return root


def _fits(folder: Path) -> bool:
    """Whether a socket in ``folder`` has an address that kernel and drivers take; a comma would mean two folders."""
    return len(os.fsencode(folder)) <= LONGEST_FOLDER and "," not in str(folder)


def _sockets(home: Path, root: Path, account: Account) -> Path:
    usual = root / "sock"
    if _fits(usual):
        usual.mkdir(exist_ok=True, mode=0o700)
        account.own(usual)
        return usual
    note = home / SOCKETS
    if note.exists():
        known = Path(note.read_text(encoding="utf-8").strip())
        if _is_private(known, account):
            return known
    temporary = Path(tempfile.gettempdir())
    if not _fits(temporary / "hostwright-12345678") or not account.may_enter(temporary):
        temporary = Path("/tmp")  # noqa: S108  only a folder with a random name and mode 0700 is made there
    made = Path(tempfile.mkdtemp(prefix="hostwright-", dir=temporary))
    account.own(made)
    note.write_text(f"{made}\n", encoding="utf-8")
    return made


def _is_private(folder: Path, account: Account) -> bool:
    """Whether a folder under the temporary one is still the one that we made: anybody can make one of that name."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == account.uid and stat.S_IMODE(found.st_mode) == PRIVATE
