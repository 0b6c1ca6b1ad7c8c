"""Commands that need no database, and what is said when something is missing."""

from __future__ import annotations

import json
import socket
import time

import pytest

from hostwright.core.crypto import Keyring

from .conftest import Order
from .programs import free_port, run

NOWHERE = "postgresql://app:secret@127.0.0.1:1/hostwright"


def test_help_comes_at_once_and_names_every_command() -> None:
    begun = time.monotonic()
    done = run("--help")
    took = time.monotonic() - begun
    assert done.returncode == 0
    for command in ("serve", "worker", "db", "demo", "simulate", "openapi", "secrets"):
        assert f"  {command} " in done.stdout
    assert "demo-fill" not in done.stdout
    assert took < 2.0  # it takes 0.1 s; a machine under load needs longer


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "the following arguments are required: command (see hostwright --help)"),
        (["nonsense"], "argument command: invalid choice: 'nonsense'"),
        (["serve", "--port", "99999"], "argument --port: a port is a number from 1 to 65535, not '99999'"),
        (["serve", "--workers", "0"], "argument --workers: must be a whole number from 1, not '0'"),
        (["demo", "--data", " "], "argument --data: names no folder"),
        (["db"], "the following arguments are required: step (see hostwright db --help)"),
        (["demo-fill"], "This is a part of 'hostwright demo' and cannot be called alone."),
    ],
)
def test_a_wrong_command_is_refused_in_one_line(order: Order, arguments: list[str], line: str) -> None:
    done = order(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"hostwright: {line}")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("role", ["serve", "worker"])
@pytest.mark.parametrize(
    ("environment", "line"),
    [
        ({}, "DATABASE_URL is not set. Point it at PostgreSQL: postgresql://USER:PASSWORD@HOST/DATABASE"),
        ({"DATABASE_URL": NOWHERE}, "no keys: set HOSTWRIGHT_KEYS or HOSTWRIGHT_KEYS_FILE"),
        ({"DATABASE_URL": NOWHERE, "HOSTWRIGHT_KEYS": "abc"}, "the keys are not valid base64"),
        (
            {"DATABASE_URL": NOWHERE, "HOSTWRIGHT_KEYS_FILE": "/nowhere/keys"},
            "the keys file /nowhere/keys cannot be read: FileNotFoundError",
        ),
        (
            {"DATABASE_URL": NOWHERE, "SESSION_DAYS": "many"},
            "SESSION_DAYS must be a whole number from 1 to 365, not 'many'",
        ),
    ],
)
def test_a_role_refuses_to_start_without_what_it_needs(
    order: Order, role: str, environment: dict[str, str], line: str
) -> None:
    done = order(role, **environment)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"hostwright: {line}\n"


@pytest.mark.parametrize("role", ["serve", "worker"])
@pytest.mark.parametrize(
    ("url", "line"),
    [
        (NOWHERE, "The database of DATABASE_URL cannot be reached: "),
        ("mysql://app:secret@127.0.0.1/x", "DATABASE_URL is no address of a database. "),
    ],
)
def test_a_role_says_why_its_database_does_not_answer_and_no_secret(
    order: Order, role: str, url: str, line: str, keys: str
) -> None:
    done = order(role, DATABASE_URL=url, HOSTWRIGHT_KEYS=keys)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"hostwright: {line}")
    assert done.stderr.count("\n") == 1
    assert "secret" not in done.stderr


def test_a_port_in_use_is_refused_before_anything_else(order: Order, keys: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = order("serve", "--port", str(port), DATABASE_URL=NOWHERE, HOSTWRIGHT_KEYS=keys)
    assert done.returncode == 1
    assert done.stderr.startswith(f"hostwright: Port {port} is in use by another program.")


def test_an_unknown_address_is_refused(order: Order, keys: str) -> None:
    done = order(
        "serve", "--host", "nonsense.invalid", "--port", str(free_port()), DATABASE_URL=NOWHERE, HOSTWRIGHT_KEYS=keys
    )
    assert done.stderr == "hostwright: 'nonsense.invalid' is no address of this machine\n"


def test_openapi_needs_neither_database_nor_keys() -> None:
    done = run("openapi")
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    assert document["openapi"].startswith("3.1")
    assert "get" in document["paths"]["/api/user/servers"]


def test_a_new_key_can_be_used() -> None:
    first, second = (run("secrets", "new-key").stdout for _ in range(2))
    assert first != second
    assert len(Keyring.parse(f"{first},{second}").key_ids) == 2
