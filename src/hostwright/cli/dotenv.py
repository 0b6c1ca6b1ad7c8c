"""A file with settings, one ``NAME=value`` a line, for those who keep them out of the environment.

Our own forty lines: nothing is substituted or expanded, so a password with ``$`` stays what it is, and each mistake has
its line's number. The environment goes before the file. Values are never shown.
"""

from __future__ import annotations

import re
import stat
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Final

from hostwright.cli.problems import Problem, line_of

USUAL: Final = ".env"
VARIABLE: Final = "HOSTWRIGHT_ENV_FILE"
SECRETS: Final = ("DATABASE_URL", "DATABASE_ADMIN_URL", "HOSTWRIGHT_KEYS", "SENTRY_DSN")
LINE: Final = re.compile(r"(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*=\s*(?P<value>.*)")
QUOTED: Final = re.compile(r"""(?P<quote>["'])(?P<value>.*)(?P=quote)\s*(?:#.*)?""")
COMMENT: Final = re.compile(r"(?:^|\s)#.*$")


def parse(text: str, where: Path) -> dict[str, str]:
    """The settings in ``text``; raises `Problem` that names the line."""
    found: dict[str, str] = {}
    lines: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.strip()  # noqa: PLW2901  without its indentation
        if not line or line.startswith("#"):
            continue
        match = LINE.fullmatch(line)
        if match is None:
            message = f"{where}, line {number}: this is no NAME=value"
            raise Problem(message)
        name = match["name"]
        if name in found:
            message = f"{where}, line {number}: {name} is set twice, first in line {lines[name]}"
            raise Problem(message)
        found[name] = _value(match["value"], f"{where}, line {number}")
        lines[name] = number
    return found


def _value(text: str, where: str) -> str:
    if text[:1] in {'"', "'"}:
        quoted = QUOTED.fullmatch(text)
        if quoted is None:
            message = f"{where}: the quotation mark is not closed"
            raise Problem(message)
        return quoted["value"]
    return COMMENT.sub("", text).strip()


def load(chosen: Path | None, environ: MutableMapping[str, str], *, folder: Path) -> None:
    """Fill ``environ`` with what the file says and it lacks: the ``chosen`` file, that of the variable, or ``.env``.

    Raises `Problem` when a file that was named cannot be read. Nothing is read where none was named and none is there.
    """
    named = chosen or (Path(environ[VARIABLE]) if environ.get(VARIABLE) else None)
    path = named or folder / USUAL
    try:
        if named is None and not path.is_file():
            return
        text, mode = path.read_text(encoding="utf-8"), path.stat().st_mode
    except UnicodeDecodeError:
        message = f"{path} is no text in UTF-8"
        raise Problem(message) from None
    except OSError as error:
        raise Problem(line_of(error)) from error
    settings = parse(text, path)
    if stat.S_ISREG(mode) and stat.S_IMODE(mode) & 0o077:
        secret = next((name for name in SECRETS if settings.get(name)), None)
        if secret is not None:
            print(f"hostwright: {path} holds {secret}, and others may read it. Run: chmod 600 {path}", file=sys.stderr)
    for name, value in settings.items():
        environ.setdefault(name, value)
