"""`make test` runs the quick tests in three parts at once: one after the other they leave a core idle half the time.

What a part prints is shown when it has ended, but for the first, which is shown as it comes. Exits with the code of a
part that failed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from typing import Final

from tests.support import operations

QUICK: Final = "not long"
SECOND: Final = tuple(f"tests/{name}" for name in "app cli setup stack upstream worker".split())
"""Folders of the second part; those that nobody names are in the first. Chosen so that both take as long."""
PARTS: Final = {
    "the features": (f"{QUICK} and not browser", *(f"--ignore={folder}" for folder in SECOND)),
    "the machinery": (f"{QUICK} and not browser", *SECOND),
    "with a browser": (f"{QUICK} and browser",),
}
STOPPED: Final = 130
NOTHING_RAN: Final = 5  # pytest's code for it


def main() -> int:
    """Run all parts; Ctrl-C and SIGTERM reach each of them."""
    operations.begin()
    environ = os.environ | {operations.KEEP: "1"}
    first, *others = PARTS
    print(f"--- {first}; then, at their end: {', '.join(others)}", flush=True)
    with ExitStack() as stack:
        shown = {
            name: stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace"))
            for name in others
        }
        running = {
            name: subprocess.Popen(
                [sys.executable, "-m", "pytest", "-m", *arguments],
                env=environ,
                stdout=shown.get(name),
                stderr=subprocess.STDOUT if name in shown else None,
            )
            for name, arguments in PARTS.items()
        }

        def stop(number: int, frame: object) -> None:
            del number, frame
            for part in running.values():
                part.terminate()

        signal.signal(signal.SIGTERM, stop)
        try:
            codes = {part.wait() for part in running.values()}
        except KeyboardInterrupt:
            codes = {part.wait() for part in running.values()} | {STOPPED}
        for name, text in shown.items():
            text.seek(0)
            print(f"\n--- {name}\n{text.read()}")
    if codes == {NOTHING_RAN}:
        return NOTHING_RAN
    return next((abs(code) for code in sorted(codes) if code not in {0, NOTHING_RAN}), 0)


if __name__ == "__main__":
    sys.exit(main())
