"""`hostwright db` against a real server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from urllib.parse import quote

import asyncpg
import pytest

from hostwright.core.migrations import migration_files

from .conftest import Order

PASSWORD = "s p/c:e@d"


@pytest.fixture
def admin(cluster: str, new_name: str) -> Iterator[str]:
    """An owner's DSN of a database that does not exist yet."""
    yield cluster.format(name=new_name)
    maintenance = cluster.format(name="postgres")
    value(maintenance, f"drop database if exists {new_name} with (force)")
    value(maintenance, f"drop role if exists {new_name}_app")


@pytest.fixture
def migrated(cluster: str, template: str, admin: str, new_name: str) -> str:
    """The same, up to date."""
    value(cluster.format(name="postgres"), f"create database {new_name} template {template}")
    return admin


def value(dsn: str, sql: str) -> object:
    """The first value of a statement. These tests are not part of a loop: commands run their own."""

    async def ask() -> object:
        connection = await asyncpg.connect(dsn)
        try:
            return await connection.fetchval(sql)
        finally:
            await connection.close()

    return asyncio.run(ask())


def last_line(output: str) -> str:
    return output.splitlines()[-1]


def test_init_makes_database_and_role_and_migrate_gives_it_its_rights(order: Order, admin: str, new_name: str) -> None:
    app = admin.replace("//hostwright@", f"//{new_name}_app:{quote(PASSWORD, safe='')}@")
    urls = {"DATABASE_ADMIN_URL": admin, "DATABASE_URL": app}
    assert order("db", "list", **urls).stderr == (
        "hostwright: The database that DATABASE_ADMIN_URL names does not exist. Run: hostwright db init\n"
    )
    made = order("db", "init", **urls)
    assert (made.returncode, made.stderr) == (0, "")
    assert made.stdout == f"Made the database {new_name} and the role {new_name}_app.\nNext: hostwright db migrate\n"
    again = order("db", "init", **urls)
    assert again.stdout.startswith("Database and roles are there already.\n")

    done = order("db", "migrate", **urls)
    assert last_line(done.stdout) == f"{len(migration_files())} applied."
    assert order("db", "migrate", **urls).stdout == "Nothing to do: the schema is up to date.\n"
    assert value(app, "select count(*) from users") == 0
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        value(app, "create table mine ()")
    verifier = value(admin, f"select rolpassword from pg_authid where rolname = '{new_name}_app'")
    assert str(verifier).startswith("SCRAM-SHA-256$")
    assert PASSWORD not in made.stdout + made.stderr + done.stdout + done.stderr


def test_list_shows_applied_pending_changed_and_missing(order: Order, admin: str) -> None:
    first, second, third, *others = (one.name for one in migration_files())
    order("db", "init", DATABASE_ADMIN_URL=admin)
    pending = order("db", "list", DATABASE_ADMIN_URL=admin)
    assert last_line(pending.stdout) == f"0 applied, {len(others) + 3} pending"
    order("db", "migrate", DATABASE_ADMIN_URL=admin)
    assert last_line(order("db", "list", DATABASE_URL=admin).stdout) == f"{len(others) + 3} applied"

    value(admin, f"update schema_migrations set checksum = 'x' where name = '{second}'")
    value(admin, f"delete from schema_migrations where name = '{third}'")
    value(admin, "insert into schema_migrations (name, checksum) values ('299901010000_later', 'x')")
    shown = order("db", "list", DATABASE_ADMIN_URL=admin)
    states = {line.split()[-1]: line.split()[0] for line in shown.stdout.splitlines()[:-1]}
    assert states == {
        first: "applied",
        second: "changed",
        third: "pending",
        **dict.fromkeys(others, "applied"),
        "299901010000_later": "missing",
    }
    assert last_line(shown.stdout) == f"{1 + len(others)} applied, 1 pending, 1 changed, 1 missing"
    refused = order("db", "migrate", DATABASE_ADMIN_URL=admin)
    assert refused.returncode == 1
    assert refused.stderr == (
        f"hostwright: migration {second} was changed after it had been applied; add a new file instead\n"
    )
    assert value(admin, f"select count(*) from schema_migrations where name = '{third}'") == 0


def test_a_newer_schema_is_refused_only_when_asked(order: Order, migrated: str, keys: str) -> None:
    value(migrated, "insert into schema_migrations (name, checksum) values ('299901010000_later', 'x')")
    assert order("db", "migrate", DATABASE_ADMIN_URL=migrated).returncode == 0
    refused = order("db", "migrate", "--refuse-newer", DATABASE_ADMIN_URL=migrated)
    assert refused.returncode == 1
    assert refused.stderr == (
        "hostwright: The database was brought up to date by a newer release (299901010000_later). Use that release.\n"
    )


@pytest.mark.parametrize("role", ["serve", "worker"])
def test_a_role_refuses_a_schema_that_is_not_up_to_date(order: Order, admin: str, keys: str, role: str) -> None:
    order("db", "init", DATABASE_ADMIN_URL=admin)
    refused = order(role, DATABASE_URL=admin, HOSTWRIGHT_KEYS=keys)
    assert (refused.returncode, refused.stdout) == (1, "")
    lacking = len(migration_files())
    assert refused.stderr == (
        f"hostwright: The database lacks {lacking} migration(s) of this release. Run: hostwright db migrate\n"
    )


@pytest.mark.parametrize("role", ["serve", "worker"])
def test_a_role_refuses_to_start_without_a_key_that_the_database_needs(
    order: Order, migrated: str, keys: str, role: str
) -> None:
    value(
        migrated,
        """insert into connections (kind, name, base_url, token)
        values ('virtfusion', 'Far', 'http://127.0.0.1:9', '\\x0101020304') returning id""",
    )
    refused = order(role, DATABASE_URL=migrated, HOSTWRIGHT_KEYS=keys)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == (
        "hostwright: secrets in the database need the key 01020304, "
        "which HOSTWRIGHT_KEYS or the keys file does not hold\n"
    )


@pytest.mark.parametrize("answer", ["\n", "postgres\n"])
def test_reset_wants_the_name_of_the_database(order: Order, migrated: str, answer: str) -> None:
    value(migrated, "insert into customers (name) values ('Kept')")
    refused = order("db", "reset", said=answer, DATABASE_ADMIN_URL=migrated)
    assert refused.returncode == 2
    assert refused.stderr == (f"hostwright: {answer.strip()!r} is not the name of the database. Nothing was deleted.\n")
    assert value(migrated, "select name from customers") == "Kept"


@pytest.mark.parametrize("typed", [True, False])
def test_reset_deletes_everything_and_makes_the_tables_anew(
    order: Order, migrated: str, new_name: str, typed: bool
) -> None:
    value(migrated, "insert into customers (name) values ('Lost')")
    arguments, said = ([], f"{new_name}\n") if typed else (["--yes-drop", new_name], "")
    done = order("db", "reset", *arguments, said=said, DATABASE_ADMIN_URL=migrated)
    assert (done.returncode, done.stderr) == (0, "")
    assert last_line(done.stdout).endswith(f"The database {new_name} is empty and up to date.")
    assert value(migrated, "select count(*) from customers") == 0


def test_no_command_guesses_a_database(order: Order) -> None:
    assert order("db", "list").stderr == (
        "hostwright: Neither DATABASE_ADMIN_URL nor DATABASE_URL is set. Point one at PostgreSQL.\n"
    )
    refused = order("db", "reset", "--yes-drop", "postgres", DATABASE_ADMIN_URL="postgresql://owner@127.0.0.1:1")
    assert refused.returncode == 1
    assert refused.stderr.startswith("hostwright: The database's address names no database.")
