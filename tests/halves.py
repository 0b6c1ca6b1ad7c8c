"""`make test` runs the tests in two halves at once, with a browser and without: each alone leaves a core idle.

What the browser half prints is shown when it has ended. Exits with the code of the half that failed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from typing import Final

from tests.support import operations

WITHOUT: Final = "not long and not browser"
WITH: Final = "not long and browser"
STOPPED: Final = 130
NOTHING_RAN: Final = 5  # pytest's code for it


def command(marks: str) -> list[str]:
    """One half, with what was asked for besides."""
    return [sys.executable, "-m", "pytest", "-m", marks, *sys.argv[1:]]


def main() -> int:
    """Run both; Ctrl-C and SIGTERM reach both."""
    operations.begin()
    environ = os.environ | {operations.KEEP: "1"}
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as shown:
        first = subprocess.Popen(command(WITH), env=environ, stdout=shown, stderr=subprocess.STDOUT)
        second = subprocess.Popen(command(WITHOUT), env=environ)
        halves = (second, first)

        def stop(number: int, frame: object) -> None:
            del number, frame
            for half in halves:
                half.terminate()

        signal.signal(signal.SIGTERM, stop)
        try:
            codes = [half.wait() for half in halves]
        except KeyboardInterrupt:
            for half in halves:
                half.wait()
            codes = [STOPPED]
        shown.seek(0)
        print("\n--- with a browser")
        print(shown.read())
    if codes == [NOTHING_RAN, NOTHING_RAN]:
        return NOTHING_RAN
    return next((code for code in codes if code not in {0, NOTHING_RAN}), 0)


if __name__ == "__main__":
    sys.exit(main())
