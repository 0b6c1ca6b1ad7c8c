"""People and keys without a browser: what is made works over HTTP, and mistakes are one line."""

from __future__ import annotations

import asyncio
import subprocess

import pytest

from hostwright.core.db import Database, Scalar
from tests.support.app import PASSWORD, Client, MakeClient, Makers, Person, SignIn
from tests.support.databases import as_app

from .conftest import Order

ADMIN = ("user", "create", "--username", "grace", "--email", "grace@northwind.example", "--full-name", "Grace Hopper")
users = Scalar(str, "select username || ' ' || role || ' ' || (disabled_at is not null)::text from users order by id")
hashes = Scalar(str, "select password_hash from users")
audited = Scalar(
    str, "select action || ' ' || actor_label || ' ' || coalesce(object_label, '') from audit_log order by id"
)


@pytest.fixture
def environment(dsn: str, keys: str) -> dict[str, str]:
    return {"DATABASE_URL": as_app(dsn), "HOSTWRIGHT_KEYS": keys}


async def values(database: Database, query: Scalar[str]) -> list[str]:
    async with database.acquire() as db:
        return await query.all(db)


async def test_an_admin_who_can_sign_in(
    order: Order, environment: dict[str, str], database: Database, make_client: MakeClient
) -> None:
    """DEFECT-20: the admin that a command made could not sign in."""
    done = await in_thread(order, *ADMIN, "--admin", "--password-stdin", said=f"{PASSWORD}\n", **environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, "Admin grace was made.\n", "")
    for name in ("grace", "GRACE@northwind.example"):
        client = await make_client()
        answer = await client.post("/api/auth/login", json={"username": name, "password": PASSWORD})
        assert answer.status_code == 200
        assert answer.json()["role"] == "admin"
        assert (await client.get("/api/admin/jobs")).status_code == 200
    assert await values(database, users) == ["grace admin false"]
    assert "user.created command line grace" in await values(database, audited)


async def in_thread(
    order: Order, *arguments: str, said: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    """A command in a thread of its own: it runs a loop, and this test has one."""
    return await asyncio.to_thread(order, *arguments, said=said, **environment)


async def test_a_client_is_made_by_default(order: Order, environment: dict[str, str], database: Database) -> None:
    done = await in_thread(order, *ADMIN, "--password-stdin", said=f"{PASSWORD}\n", **environment)
    assert done.stdout == "User grace was made.\n"
    assert await values(database, users) == ["grace client false"]


@pytest.mark.parametrize(
    ("arguments", "said", "code", "told"),
    [
        (ADMIN, "", 2, "--password-stdin is missing, and nobody can be asked: the input is no terminal"),
        (
            ("user", "create", "--password-stdin"),
            PASSWORD,
            2,
            "--username is missing, and nobody can be asked: the input is no terminal",
        ),
        ((*ADMIN, "--password-stdin"), "password123\n", 1, "the password is too easy to guess"),
        (
            (*ADMIN, "--password-stdin"),
            "grace@northwind.example\n",
            1,
            "the password must differ from your name and address",
        ),
    ],
)
async def test_refusals_are_one_line_and_make_nobody(
    order: Order,
    environment: dict[str, str],
    database: Database,
    arguments: tuple[str, ...],
    said: str,
    code: int,
    told: str,
) -> None:
    done = await in_thread(order, *arguments, said=said, **environment)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", f"hostwright: {told}\n")
    assert await values(database, users) == []


@pytest.mark.parametrize("said", ["", "\n", "short\n", "x" * 300 + "\n"])
async def test_a_password_has_its_length(
    order: Order, environment: dict[str, str], database: Database, said: str
) -> None:
    done = await in_thread(order, *ADMIN, "--password-stdin", said=said, **environment)
    assert done.returncode == 1
    assert done.stderr.startswith("hostwright: the password expected `str` of length")
    assert len(done.stderr.splitlines()) == 1
    assert await values(database, users) == []


async def test_a_name_that_is_taken(
    order: Order, environment: dict[str, str], database: Database, makers: Makers
) -> None:
    person = await makers.user("grace")
    done = await in_thread(order, *ADMIN, "--password-stdin", said=PASSWORD, **environment)
    assert (done.returncode, done.stderr) == (1, "hostwright: --username is taken\n")
    assert await values(database, users) == [f"{person.username} client false"]


async def test_everybody_is_listed(order: Order, environment: dict[str, str], staff: Person, owner: Person) -> None:
    done = await in_thread(order, "user", "list", **environment)
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [line[1:] for line in lines[:-1]] == [
        ["admin", "enabled", staff.username, staff.email],
        ["client", "enabled", owner.username, owner.email],
    ]
    assert lines[-1] == ["2", "in", "all"]
    assert "argon2" not in done.stdout


async def test_a_new_password_signs_out_everywhere(
    order: Order,
    environment: dict[str, str],
    owner: Person,
    sign_in: SignIn,
    make_client: MakeClient,
    database: Database,
) -> None:
    browser = await sign_in(owner)
    done = await in_thread(
        order, "user", "password", owner.email, "--password-stdin", said="tulip-anchor-breeze-9\n", **environment
    )
    assert done.stdout == f"{owner.username} has a new password. 1 session(s) were ended.\n"
    assert (await browser.get("/api/user")).status_code == 401
    client = await make_client()
    for password, status in ((PASSWORD, 401), ("tulip-anchor-breeze-9", 200)):
        answer = await client.post("/api/auth/login", json={"username": owner.username, "password": password})
        assert answer.status_code == status
    assert f"user.password_set command line {owner.username}" in await values(database, audited)


async def test_somebody_is_kept_out_and_let_in(
    order: Order, environment: dict[str, str], owner: Person, sign_in: SignIn, client: Client
) -> None:
    browser = await sign_in(owner)
    done = await in_thread(order, "user", "disable", owner.username, **environment)
    assert done.stdout == f"{owner.username} is disabled: signed out, and keys are refused.\n"
    assert (await browser.get("/api/user")).status_code == 401
    wanted = {"username": owner.username, "password": PASSWORD}
    assert (await client.post("/api/auth/login", json=wanted)).status_code == 403
    await in_thread(order, "user", "disable", owner.username, "--undo", **environment)
    assert (await client.post("/api/auth/login", json=wanted)).status_code == 200


@pytest.mark.parametrize("step", [("disable",), ("password", "--password-stdin")])
async def test_nobody_of_that_name(
    order: Order, environment: dict[str, str], database: Database, step: tuple[str, ...]
) -> None:
    done = await in_thread(order, "user", step[0], "nobody", *step[1:], said=PASSWORD, **environment)
    assert (done.returncode, done.stderr) == (1, "hostwright: Nobody is called 'nobody'. Run: hostwright user list\n")


async def test_a_key_is_shown_once_and_works(
    order: Order, environment: dict[str, str], owner: Person, make_client: MakeClient
) -> None:
    done = await in_thread(order, "key", "create", owner.username, "--scope", "read:servers", **environment)
    key = done.stdout.strip()
    assert key.startswith("hw_")
    program = await make_client(headers={"Authorization": f"Bearer {key}"})
    assert (await program.get("/api/user/servers")).status_code == 200
    refused = await in_thread(order, "key", "create", owner.username, "--scope", "admin:system", **environment)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == "hostwright: scopes may not hold admin:system\n"


async def test_without_a_database_it_is_one_line(order: Order) -> None:
    done = order("user", "list")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "DATABASE_URL is not set" in done.stderr
