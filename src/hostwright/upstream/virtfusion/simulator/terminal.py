"""The text on a simulated server's screen: it boots, asks who is there, and answers a few commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

COLUMNS: Final = 80
ROWS: Final = 25
RETURN: Final = 0xFF0D
BACKSPACE: Final = 0xFF08
TAB: Final = 0xFF09
DELETE: Final = 0xFFFF
CONTROL: Final = frozenset({0xFFE3, 0xFFE4})
ALT: Final = frozenset({0xFFE9, 0xFFEA})
PRINTABLE: Final = range(32, 127)
LINE_SECONDS: Final = 0.06
WELCOME: Final = "Nothing here is real: this machine is simulated. Try help."

BOOT: Final = """\
[    0.000000] Linux version 6.12.57-amd64 (simulated)
[    0.000000] Command line: root=/dev/vda1 ro quiet
[    0.214811] virtio_blk virtio2: [vda] 83886080 512-byte logical blocks
[    0.631207] EXT4-fs (vda1): mounted filesystem with ordered data mode
[  OK  ] Reached target local-fs.target - Local File Systems.
[  OK  ] Started systemd-networkd.service - Network Configuration.
[  OK  ] Reached target network-online.target - Network is Online.
[  OK  ] Started ssh.service - OpenBSD Secure Shell server.
[  OK  ] Reached target multi-user.target - Multi-User System.
""".splitlines()


class Terminal:
    """A screen of 80 by 25 characters. ``version`` grows with each change; ``keys`` is what was pressed."""

    def __init__(self, name: str, system: str, now: Callable[[], float]) -> None:
        self._name = name
        self._system = system
        self._now = now
        self.keys: list[int] = []
        self.version = 0
        self._held: set[int] = set()
        self._restart()

    def _restart(self) -> None:
        self._boot_at = self._now()
        self._shown = 0
        self.lines: list[str] = [""]
        self._asks = "boot"
        self._typed = ""
        self.version += 1

    def tick(self) -> None:
        """Let the system come up as far as it has by now."""
        if self._asks != "boot":
            return
        due = int((self._now() - self._boot_at) / LINE_SECONDS)
        while self._shown < min(due, len(BOOT)):
            self._print(BOOT[self._shown])
            self._shown += 1
        if due > len(BOOT):
            self._print("")
            self._print(f"{self._system} {self._name} tty1")
            self._print("")
            self._ask("login")

    @property
    def cursor(self) -> tuple[int, int]:
        """Column and row."""
        return min(len(self.lines[-1]), COLUMNS - 1), len(self.lines) - 1

    def _write(self, text: str) -> None:
        for character in text:
            if len(self.lines[-1]) >= COLUMNS:
                self._feed()
            self.lines[-1] += character
        self.version += 1

    def _feed(self) -> None:
        self.lines.append("")
        del self.lines[:-ROWS]

    def _print(self, line: str) -> None:
        self._write(line)
        self._feed()

    def _ask(self, what: str) -> None:
        self._asks, self._typed = what, ""
        self._write({"login": f"{self._name} login: ", "password": "Password: "}.get(what, f"root@{self._name}:~# "))

    def press(self, key: int, *, down: bool) -> None:
        """A key went down or up."""
        if not down:
            self._held.discard(key)
            return
        self._held.add(key)
        self.keys.append(key)
        if key == DELETE and self._held & CONTROL and self._held & ALT:
            self._held.clear()
            self._restart()
        elif self._asks != "boot" and not self._held & (CONTROL | ALT):
            self._type(key)

    def _type(self, key: int) -> None:
        if key == RETURN:
            typed, self._typed = self._typed, ""
            self._feed()
            self._enter(typed)
        elif key == BACKSPACE and self._typed:
            self._typed = self._typed[:-1]
            if self._asks != "password":
                self.lines[-1] = self.lines[-1][:-1]
            self.version += 1
        elif key in PRINTABLE:
            self._typed += chr(key)
            if self._asks != "password":
                self._write(chr(key))

    def _enter(self, typed: str) -> None:
        match self._asks:
            case "login":
                self._ask("password" if typed.strip() else "login")
            case "password":
                self._print(WELCOME)
                self._ask("command")
            case _:
                self._command(typed.strip())

    def _command(self, line: str) -> None:
        if line in {"exit", "logout"}:
            self._ask("login")
            return
        if line == "reboot":
            self._restart()
            return
        answers = {
            "": "",
            "help": "help, hostname, whoami, uptime, clear, reboot, exit",
            "hostname": self._name,
            "whoami": "root",
            "uptime": f"up {max(1, int((self._now() - self._boot_at) / 60))} min, 1 user",
        }
        if line == "clear":
            self.lines = [""]
        elif line:
            self._print(answers.get(line, f"-bash: {line.split(maxsplit=1)[0]}: command not found"))
        self._ask("command")
