"""The system user that PostgreSQL runs as: ourselves, or an account of its own when we are root, whom it refuses."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path
from typing import Final

import msgspec

from hostwright.cli.problems import Problem

NAME: Final = "hostwright-pg"
NOLOGIN: Final = "/usr/sbin/nologin"


class Account(msgspec.Struct, frozen=True):
    """A system user; ``other`` when it is not the one that this process runs as."""

    name: str
    uid: int
    gid: int
    other: bool

    @property
    def user(self) -> int | None:
        """What `subprocess` takes as ``user``."""
        return self.uid if self.other else None

    @property
    def group(self) -> int | None:
        """What it takes as ``group``."""
        return self.gid if self.other else None

    @property
    def groups(self) -> list[int] | None:
        """What it takes as ``extra_groups``: none of root's."""
        return [] if self.other else None

    def own(self, path: Path) -> None:
        """Give ``path`` to this user alone."""
        if self.other:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)
        path.chmod(0o700)

    def let_through(self, path: Path) -> None:
        """Let this user pass through a folder of ours, without seeing what is in it."""
        if self.other:
            os.chown(path, -1, self.gid)
            path.chmod(0o710)

    def may_enter(self, folder: Path) -> bool:
        """Whether this user reaches a folder: PostgreSQL asks with ``access()``, which no capability helps."""
        if not self.other:
            return os.access(folder, os.X_OK)
        found = subprocess.run(
            ["/bin/sh", "-c", 'test -x "$1"', "sh", folder],
            check=False,
            user=self.user,
            group=self.group,
            extra_groups=self.groups,
        )
        return found.returncode == 0

    def may_run(self, program: Path) -> bool:
        """Whether this user can start a program, its libraries included."""
        try:
            tried = subprocess.run(
                [program, "--version"],
                check=False,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                user=self.user,
                group=self.group,
                extra_groups=self.groups,
            )
        except PermissionError:
            return False
        return tried.returncode == 0


def calling_user() -> str:
    """The name of the user who runs this process, as PostgreSQL will find it too."""
    uid = os.geteuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        message = f"User {uid} has no name on this machine, and PostgreSQL needs one. Add it to /etc/passwd."
        raise Problem(message) from None


def server_account() -> Account:
    """Whom the server runs as; makes the account when we are root and it is missing."""
    if os.geteuid() != 0:
        return Account(calling_user(), os.geteuid(), os.getegid(), other=False)
    try:
        found = pwd.getpwnam(NAME)
    except KeyError:
        _make_account()
        found = pwd.getpwnam(NAME)
    return Account(NAME, found.pw_uid, found.pw_gid, other=True)


def _make_account() -> None:
    """PostgreSQL refuses to run as root: it gets a system user of its own, without a home and without a login."""
    # A root that came from `su` may lack these folders.
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    if useradd := shutil.which("useradd", path=path):
        command = [useradd, "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
        command += ["--shell", NOLOGIN, NAME]
    elif adduser := shutil.which("adduser", path=path):
        command = [adduser, "-S", "-D", "-H", "-h", "/nonexistent", "-s", NOLOGIN, NAME]
    else:
        message = f"PostgreSQL cannot run as root. Add a system user named {NAME}, or start this as an ordinary user."
        raise Problem(message)
    made = subprocess.run(command, check=False, capture_output=True, text=True)
    try:
        pwd.getpwnam(NAME)  # another process may have made it in the same moment
    except KeyError:
        reason = made.stderr.strip().splitlines()[-1:] or ["no reason given"]
        message = f"PostgreSQL cannot run as root, and adding the system user {NAME} failed: {reason[0]}"
        raise Problem(message) from None
