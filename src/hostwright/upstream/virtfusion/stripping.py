"""Takes out of the vendor's words what nobody may see: for the raw view that staff have of a server."""

from __future__ import annotations

import re
from typing import Final, cast

from hostwright.core.http.failures import CONTROLS
from hostwright.core.logs import redact_text

LONGEST: Final = 500
MOST_ENTRIES: Final = 100
DEEPEST: Final = 12

# By parts of a key's name, whatever way it is written.
SECRET: Final = ("password", "passwd", "passphrase", "secret", "token", "encrypted", "decrypted", "credential", "key")
# Screenshots; XML, command lines and first-start scripts of the company's own, which may hold anything; the way to the
# console, which only its ticket may lead to.
LEFT_OUT: Final = frozenset(
    {"screen", "screenshot", "customxml", "qemucommandline", "config", "userconfig", "userdata", "vnc", "trace"}
)
# The machine's own address is where its servers' consoles listen.
LEFT_OUT_BELOW: Final = {"hypervisor": frozenset({"ip", "ipalt", "hostname", "port", "sshport", "datadir"})}
PICTURE: Final = re.compile(r"[A-Za-z0-9+/_=-]{120,}")


def stripped(server: dict[str, object]) -> dict[str, object]:
    """A server without secrets, pictures and scripts, its texts and lists cut to a sane length."""
    return _object(server, "", 0)


def _object(fields: dict[str, object], name: str, depth: int) -> dict[str, object]:
    hidden = LEFT_OUT | LEFT_OUT_BELOW.get(name, frozenset())
    kept = [(key, value) for key, value in fields.items() if not _secret(key) and key.lower() not in hidden]
    return {_text(key): _value(value, key.lower(), depth + 1) for key, value in kept[:MOST_ENTRIES]}


def _secret(key: str) -> bool:
    plain = re.sub(r"[^a-z]", "", key.lower())
    return any(part in plain for part in SECRET)


def _value(value: object, name: str, depth: int) -> object:
    if isinstance(value, str):
        return _text(value, name)
    if not isinstance(value, dict | list):
        return value
    if depth >= DEEPEST:
        return None
    if isinstance(value, dict):
        return _object(cast("dict[str, object]", value), name, depth)
    return [_value(entry, name, depth + 1) for entry in cast("list[object]", value)[:MOST_ENTRIES]]


def _text(value: str, name: str = "") -> str:
    text = CONTROLS.sub("", value[: LONGEST * 2])
    text = text if name == "email" else redact_text(text)
    text = PICTURE.sub("…", text)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
