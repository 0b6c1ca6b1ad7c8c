"""`hostwright user …` and `hostwright key create`: people and keys without a browser."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from getpass import getpass
from typing import Final

import msgspec

from hostwright.audit.service import record
from hostwright.cli.installed import installed
from hostwright.cli.problems import Problem
from hostwright.cli.ready import require_database, role_config
from hostwright.core.db import Database, Query, Tx, create_database
from hostwright.core.errors import FieldProblem, Invalid
from hostwright.core.passwords import Passwords
from hostwright.identity import queries, service
from hostwright.identity.policy import allowed_scopes, password_problem
from hostwright.identity.records import Role, UserRecord
from hostwright.identity.schemas import Register
from hostwright.web.bodies import field_problems

ACTOR: Final = "command line"
OPTIONS: Final = {"username": "--username", "email": "--email", "fullName": "--full-name", "password": "the password"}
KEY_NAME: Final = 80

everybody = Query(UserRecord, "select " + queries.USER + " from users u order by u.id")


class Password(msgspec.Struct):
    """A password as `Register` takes one."""

    password: str


def _carry_out(options: argparse.Namespace, work: Callable[[Database], Awaitable[None]]) -> int:
    """Do something with the installation's database; what a person did wrong becomes one line."""

    async def run(dsn: str) -> None:
        database = await create_database(dsn, max_size=2)
        try:
            await work(database)
        finally:
            await database.close()

    with installed(options):
        config, keyring = role_config()
        require_database(config, keyring)
        try:
            asyncio.run(run(config.database_url))
        except Invalid as error:
            raise Problem(_told(error.problems)) from error
    return 0


def _told(problems: list[FieldProblem]) -> str:
    return "; ".join(f"{OPTIONS.get(one.field, one.field)} {one.message}" for one in problems)


def _asked(value: str | None, label: str, option: str) -> str:
    """What was given as an option, or what the person at the terminal says."""
    if value is not None:
        return value.strip()
    if not sys.stdin.isatty():
        message = f"{option} is missing, and nobody can be asked: the input is no terminal"
        raise Problem(message, code=2)
    return input(f"{label}: ").strip()


def _password(options: argparse.Namespace) -> str:
    """Read from the first line of the input, or typed twice without being shown."""
    if options.password_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        message = "--password-stdin is missing, and nobody can be asked: the input is no terminal"
        raise Problem(message, code=2)
    password = getpass("Password: ")
    if getpass("The same again: ") != password:
        message = "The two passwords differ. Nothing was changed."
        raise Problem(message)
    return password


def _require(wanted: Register) -> None:
    """Raises `Invalid` as the page for a new account would."""
    problems = field_problems(Register, msgspec.json.encode(wanted))
    weak = password_problem(wanted.password, username=wanted.username, email=wanted.email)
    if problems or weak is not None:
        raise Invalid(problems or [weak] if weak is not None else problems)


async def _hash(password: str) -> str:
    passwords = Passwords()
    try:
        return await passwords.hash_password(password)
    finally:
        passwords.close()


async def _note(tx: Tx, user: UserRecord, action: str) -> None:
    await record(
        tx,
        actor_id=None,
        actor_label=ACTOR,
        action=action,
        outcome="done",
        object_type="user",
        object_id=str(user.id),
        object_label=user.username,
    )


async def _find(tx: Tx, name: str) -> UserRecord:
    found = await queries.user_by_name.maybe(tx, name)
    if found is None:
        message = f"Nobody is called {name!r}. Run: hostwright user list"
        raise Problem(message)
    return found


def create(options: argparse.Namespace) -> int:
    """Make a user with a customer of their own."""
    wanted = Register(
        username=_asked(options.username, "User name", "--username"),
        email=_asked(options.email, "E-mail address", "--email"),
        full_name=_asked(options.full_name, "Full name", "--full-name"),
        password=_password(options),
    )
    role = Role.ADMIN if options.admin else Role.CLIENT

    async def work(database: Database) -> None:
        _require(wanted)
        hashed = await _hash(wanted.password)
        async with database.transaction() as tx:
            user, _ = await service.create_user(
                tx,
                username=wanted.username,
                email=wanted.email,
                full_name=wanted.full_name,
                password_hash=hashed,
                role=role,
            )
            await _note(tx, user, "user.created")
        print(f"{'Admin' if options.admin else 'User'} {wanted.username} was made.")

    return _carry_out(options, work)


def show(options: argparse.Namespace) -> int:
    """List everybody."""

    async def work(database: Database) -> None:
        async with database.acquire() as db:
            found = await everybody.all(db)
        for user in found:
            state = "disabled" if user.disabled_at else "enabled"
            print(f"{user.id:>6}  {user.role.value:6}  {state:8}  {user.username:24}  {user.email}")
        print(f"{len(found)} in all")

    return _carry_out(options, work)


def password(options: argparse.Namespace) -> int:
    """Give somebody another password; they are signed out everywhere."""
    typed = _password(options)

    async def work(database: Database) -> None:
        async with database.transaction() as tx:
            user = await _find(tx, options.name)
        _require(Register(username=user.username, email=user.email, full_name=user.full_name, password=typed))
        hashed = await _hash(typed)
        async with database.transaction() as tx:
            await queries.set_password_hash.run(tx, user.id, hashed)
            ended = await service.revoke_other_sessions(tx, user.id, 0)
            await _note(tx, user, "user.password_set")
        print(f"{user.username} has a new password. {ended} session(s) were ended.")

    return _carry_out(options, work)


def disable(options: argparse.Namespace) -> int:
    """Keep somebody out, or let them in again."""

    async def work(database: Database) -> None:
        async with database.transaction() as tx:
            user = await _find(tx, options.name)
            await service.set_disabled(tx, user.id, disabled=not options.undo)
            await _note(tx, user, "user.enabled" if options.undo else "user.disabled")
        told = "may sign in again." if options.undo else "is disabled: signed out, and keys are refused."
        print(f"{user.username} {told}")

    return _carry_out(options, work)


def create_key(options: argparse.Namespace) -> int:
    """Make an API key of somebody and show it once."""

    async def work(database: Database) -> None:
        if not 0 < len(options.key_name) <= KEY_NAME:
            message = f"--name must have 1 to {KEY_NAME} characters"
            raise Problem(message)
        async with database.transaction() as tx:
            user = await _find(tx, options.name)
            customer = await queries.first_membership.one(tx, user.id)
            scopes = options.scope or sorted(allowed_scopes(user.role))
            made = await service.create_api_key(
                tx, user=user, customer_id=customer.id, name=options.key_name, scopes=scopes
            )
            await _note(tx, user, "key.created")
        print(made.key)

    return _carry_out(options, work)
