"""Child processes that end with their parent, whatever happens to it."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Final, cast

PR_SET_PDEATHSIG: Final = 1
MASKS: Final = ("SigBlk", "SigCgt")

_libc: Final = ctypes.CDLL(None, use_errno=True)
M_MMAP_THRESHOLD: Final = -3
LARGE_BLOCK: Final = 4 * 1024 * 1024


def set_death_signal(number: signal.Signals) -> None:
    """Let the kernel send ``number`` to this process when the one that started it ends."""
    _libc.prctl(PR_SET_PDEATHSIG, int(number))


def end_with_parent(number: signal.Signals, parent: int) -> None:
    """Let the kernel send ``number`` to this process when ``parent`` ends, even by SIGKILL.

    Bound to the thread that started this process, so children are started from main threads only.
    """
    set_death_signal(number)
    if os.getppid() != parent:  # it ended before the line above
        os.kill(os.getpid(), number)


def ending_with_parent(number: signal.Signals) -> Callable[[], None]:
    """`end_with_parent` for a process that is about to be started by this one."""
    parent = os.getpid()
    return lambda: end_with_parent(number, parent)


def parent_was_interrupted() -> bool:
    """Whether the parent has got a SIGINT that it waits with until we end.

    `make` passes SIGTERM on to what it runs, but not a SIGINT that only it was sent. It handles that one with the
    signal blocked and set back to its default, which the kernel shows.
    """
    try:
        lines = Path(f"/proc/{os.getppid()}/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return False
    masks = {name: int(value, 16) for name, _, value in (line.partition(":\t") for line in lines) if name in MASKS}
    bit = 1 << (signal.SIGINT - 1)
    return bool(masks.get("SigBlk", 0) & bit) and not masks.get("SigCgt", bit) & bit


def kill_group(leader: int) -> None:
    """End a process group at once."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def leave_out(*names: str) -> None:
    """Have libraries behave as if these packages were not installed (None in `sys.modules`, Python's import docs).

    Only those that others import when they happen to be there, and that we never use: structlog wants rich for coloured
    tracebacks, Litestar loads its pydantic plug-in. Together 11 MiB of every web process, measured on 2026-11-25.
    """
    for name in names:
        sys.modules.setdefault(name, cast("ModuleType", None))


def return_large_blocks() -> None:
    """Have the C library give memory back that was asked for in large blocks, as argon2 does for each password.

    By default glibc learns to keep such blocks (mallopt(3), M_MMAP_THRESHOLD): 40 MB after two passwords at once.
    """
    if hasattr(_libc, "mallopt"):
        _libc.mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK)
