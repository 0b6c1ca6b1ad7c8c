"""Speaking to the person at the terminal."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def say(line: str) -> None:
    """Tell the person at the terminal at once. That nobody reads it any more is no reason to stop."""
    try:
        print(line, flush=True)
    except OSError:
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  until the process ends
