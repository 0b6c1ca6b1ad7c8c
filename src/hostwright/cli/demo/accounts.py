"""`demo.json`: where the demo is and how to sign in. Passwords and keys stand nowhere else in clear."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Final, Literal

import msgspec

from hostwright.cli.folder import write_private
from hostwright.cli.problems import Problem

FILE: Final = "demo.json"
FORGOTTEN: Final = "Delete it, and the next start writes a new one with new passwords and keys."


class Account(msgspec.Struct, rename="camel"):
    """How to sign in as one person."""

    role: Literal["admin", "client"]
    email: str
    password: str
    api_key: str
    customer_id: int

    def __repr__(self) -> str:
        """Without password and key."""
        return f"Account({self.email})"


class DemoFile(msgspec.Struct, rename="camel"):
    """The whole file."""

    url: str
    simulators: dict[str, str]
    accounts: list[Account]


def read_accounts(folder: Path) -> DemoFile | None:
    """The file of an earlier start, None when there is none; raises `Problem` for one that cannot be used."""
    path = folder / FILE
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        message = f"{path} cannot be read: {(error.strerror or '').lower()}. {FORGOTTEN}"
        raise Problem(message) from error
    try:
        found = msgspec.json.decode(content, type=DemoFile)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        message = f"{path} is damaged. {FORGOTTEN}"
        raise Problem(message) from error
    if {"admin", "client"} - {account.role for account in found.accounts}:
        message = f"{path} lacks accounts. {FORGOTTEN}"
        raise Problem(message)
    return found


def write_accounts(folder: Path, file: DemoFile) -> None:
    """Write the file, whole or not at all, readable by its owner only."""
    write_private(folder / FILE, msgspec.json.format(msgspec.json.encode(file), indent=2) + b"\n")


def new_password() -> str:
    """Easy to type and hard to guess: sixteen characters in four groups (80 bits)."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(4))
