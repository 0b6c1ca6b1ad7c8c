"""`hostwright check`: whether everything that an installation needs is there and works. Changes nothing."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import shutil
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, cast

import asyncpg
import msgspec
import structlog

from hostwright.cli.dsn import user_of
from hostwright.cli.installed import installed
from hostwright.cli.ready import MANIFEST, unreachable
from hostwright.core import migrations
from hostwright.core.config import Config, ConfigError, load_config
from hostwright.core.crypto import KeyMissing, Keyring, KeysUnusable, Tampered, check_keys
from hostwright.core.db import Db, Query, Scalar
from hostwright.core.migrations import MigrationState
from hostwright.servers.queries.connections import connection, enabled_connections
from hostwright.upstream.factory import connection_trial

MOST_SKEW: Final = 2.0
LEAST_SPACE: Final = 500  # megabytes
MIB: Final = 1024 * 1024
LOST: Final = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError)
WORKER_SILENT_AFTER: Final = 30


class State(StrEnum):
    """How one thing is. Only a problem makes the command fail."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"


class Finding(msgspec.Struct, frozen=True):
    """One line: what was looked at, how it is, and what to do."""

    name: str
    state: State
    message: str
    advice: str = ""


class Report(msgspec.Struct, frozen=True):
    """Everything, for programs."""

    ok: bool
    checks: list[Finding]


class Rights(msgspec.Struct, frozen=True):
    """What the role of ``DATABASE_URL`` may do. ``missing``: tables whose rows it cannot read and write."""

    superuser: bool
    may_create: bool
    may_rewrite_audit: bool
    missing: int


rights = Query(
    Rights,
    """
    select (select rolsuper from pg_roles where rolname = current_user) as superuser,
        has_schema_privilege('public', 'create') as may_create,
        has_table_privilege('audit_log', 'update, delete') as may_rewrite_audit,
        (select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where n.nspname = 'public' and c.relkind = 'r' and c.relname <> 'schema_migrations'
            and not (has_table_privilege(c.oid, 'select') and has_table_privilege(c.oid, 'insert'))) as missing
    """,
)
database_time = Scalar(datetime, "select clock_timestamp()")
server_version = Scalar(str, "select current_setting('server_version')")
workers_alive = Scalar(
    int, "select count(*) from workers where role = 'worker' and seen_at > now() - $1::int * interval '1 second'"
)
dead_jobs = Scalar(int, "select count(*) from dead_jobs where replayed_at is null")


def _ok(name: str, message: str) -> Finding:
    return Finding(name, State.OK, message)


def _note(name: str, message: str, advice: str) -> Finding:
    return Finding(name, State.NOTE, message, advice)


def _problem(name: str, message: str, advice: str) -> Finding:
    return Finding(name, State.PROBLEM, message, advice)


def check(options: argparse.Namespace) -> int:
    """Look at everything; 1 when something is wrong."""
    with installed(options), _quiet():
        found = asyncio.run(_everything())
    good = all(one.state is not State.PROBLEM for one in found)
    if options.json:
        print(msgspec.json.format(msgspec.json.encode(Report(good, found)), indent=2).decode())
        return 0 if good else 1
    width = max(len(one.name) for one in found)
    for one in found:
        told = f"{one.message} {one.advice}".strip()
        print(f"{one.state.value:7}  {one.name:{width}}  {told}")
    return 0 if good else 1


@contextmanager
def _quiet() -> Generator[None]:
    """No log lines among the findings: what they would say is found and told."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**before)


async def _everything() -> list[Finding]:
    """In the order in which one thing needs the other; what cannot be looked at any more is left out."""
    try:
        config = load_config(os.environ)
    except ConfigError as error:
        return [_problem("environment", str(error), "See docs/configuration.md.")]
    found = [_environment(config), _assets(), *_disk(config)]
    keyring, about_keys = _keys(config)
    found.append(about_keys)
    if not config.database_url:
        return [*found, _problem("database", "DATABASE_URL is not set.", "Point it at PostgreSQL.")]
    try:
        return [*found, *await _database(config, keyring)]
    except LOST as error:
        reason = unreachable("DATABASE_URL", error).message
        return [*found, _problem("database", f"{reason.rstrip('.')}.", "Nothing else could be looked at.")]


def _environment(config: Config) -> Finding:
    if config.public_url.startswith("http://"):
        advice = "Set PUBLIC_URL to the https:// address at which people reach the pages."
        return _note("environment", f"Pages are at {config.public_url}, on this machine alone.", advice)
    if not config.trusted_proxies:
        advice = "Set TRUSTED_PROXIES to the proxy's address, or limits take all people for one."
        return _note("environment", f"Pages are at {config.public_url}; no proxy is trusted.", advice)
    return _ok("environment", f"{config.environment.value}; pages are at {config.public_url}")


def _assets() -> Finding:
    if MANIFEST.is_file():
        return _ok("web pages", "are built")
    return _problem("web pages", "Style sheets and scripts have not been built.", "Run: make setup")


def _disk(config: Config) -> list[Finding]:
    if config.data_dir is None:
        return []
    try:
        free = shutil.disk_usage(config.data_dir).free // MIB
    except OSError as error:
        advice = "Set HOSTWRIGHT_DATA to a folder that is there."
        return [_problem("disk", f"{config.data_dir}: {(error.strerror or 'not usable').lower()}.", advice)]
    if free < LEAST_SPACE:
        return [_problem("disk", f"{config.data_dir} has {free} MB left.", f"Free {LEAST_SPACE} MB at least.")]
    return [_ok("disk", f"{free} MB are free for {config.data_dir}")]


def _keys(config: Config) -> tuple[Keyring | None, Finding]:
    try:
        keyring = Keyring.load(config)
    except KeysUnusable as error:
        return None, _problem("keys", f"{str(error).capitalize()}.", "See docs/operating.md, Keys and rotation.")
    return keyring, _ok("keys", f"{len(keyring.key_ids)} can be used")


async def _database(config: Config, keyring: Keyring | None) -> list[Finding]:
    plain = await asyncpg.connect(config.database_url, timeout=10)
    try:
        db = cast("Db", plain)
        begun = time.perf_counter()
        version = await server_version.value(db)
        found = [_ok("database", f"PostgreSQL {version} answers in {(time.perf_counter() - begun) * 1000:.0f} ms")]
        found.append(await _clock(db))
        schema = await _migrations(config)
        found.append(schema)
        if schema.state is State.PROBLEM:
            return found
        found += [await _rights(db, config), await _worker(db)]
        if keyring is not None:
            found += [await _ciphertext(db, keyring), *await _upstreams(db, config, keyring)]
        return found
    finally:
        await plain.close()


async def _clock(db: Db) -> Finding:
    before = datetime.now(UTC)
    there = await database_time.value(db)
    middle = before + (datetime.now(UTC) - before) / 2
    skew = abs((there - middle).total_seconds())
    if skew > MOST_SKEW:
        advice = "Set both clocks by NTP: deadlines and limits are reckoned by them."
        return _problem("clock", f"The database's clock and this machine's differ by {skew:.0f} seconds.", advice)
    return _ok("clock", f"differs from the database's by {skew * 1000:.0f} ms")


async def _migrations(config: Config) -> Finding:
    found = await migrations.status(config.database_url)
    by_state = {state: [one.name for one in found if one.state is state] for state in MigrationState}
    if changed := by_state[MigrationState.CHANGED]:
        return _problem("schema", f"Migration {changed[0]} was changed after it had been applied.", "Restore the file.")
    if pending := by_state[MigrationState.PENDING]:
        return _problem("schema", f"{len(pending)} migration(s) are pending.", "Run: hostwright db migrate")
    if newer := by_state[MigrationState.MISSING]:
        return _note("schema", f"A newer release has been here ({newer[-1]}).", "Upgrade this one when you can.")
    return _ok("schema", f"{len(found)} migrations are applied")


async def _rights(db: Db, config: Config) -> Finding:
    role = user_of(config.database_url) or "the role of DATABASE_URL"
    found = await rights.one(db)
    if found.missing:
        advice = "Run: hostwright db migrate"
        return _problem("rights", f"{role} lacks rights on {found.missing} table(s).", advice)
    if found.superuser or found.may_create or found.may_rewrite_audit:
        advice = "Use a role of its own in DATABASE_URL and the owner in DATABASE_ADMIN_URL: see docs/operating.md."
        return _note("rights", f"{role} may change the schema or the audit log.", advice)
    return _ok("rights", f"{role} reads and writes rows, and no more")


async def _worker(db: Db) -> Finding:
    alive, dead = await workers_alive.value(db, WORKER_SILENT_AFTER), await dead_jobs.value(db)
    if not alive:
        return _note("worker", "No worker is running.", "Start one: hostwright worker")
    if dead:
        return _note("worker", f"{alive} running; {dead} job(s) were given up.", "Look at Administration, Jobs.")
    return _ok("worker", f"{alive} running")


async def _ciphertext(db: Db, keyring: Keyring) -> Finding:
    try:
        await check_keys(db, keyring)
    except KeyMissing as error:
        return _problem("secrets", f"{str(error).capitalize()}.", "Restore that key.")
    return _ok("secrets", "can all be decrypted with the keys given")


async def _upstreams(db: Db, config: Config, keyring: Keyring) -> list[Finding]:
    found: list[Finding] = []
    for number in await enabled_connections.all(db):
        row = await connection.one(db, number)
        name = f"connection {row.name}"
        try:
            token = keyring.decrypt("connections", "token", row.id, row.token).decode()
        except (KeyMissing, Tampered) as error:
            found.append(_problem(name, f"Its token cannot be decrypted: {error}.", "Enter the token anew."))
            continue
        async with connection_trial(config)(row.base_url, token, verify_tls=row.verify_tls) as provider:
            wrong = {one.area: one.problem or "it does not work" for one in await provider.probe() if not one.ok}
        if not wrong:
            found.append(_ok(name, "VirtFusion answers, and its token may do what we need"))
        elif len(set(wrong.values())) == 1:
            found.append(_problem(name, next(iter(wrong.values())), f"Affected: {', '.join(wrong)}."))
        else:
            found += [_problem(name, f"{area}: {problem}", "") for area, problem in wrong.items()]
    return found
