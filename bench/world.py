"""Rows to measure with: made in the database by set-wise SQL, so that 100,000 servers take seconds."""

from __future__ import annotations

from typing import Any

import asyncpg
import msgspec

from hostwright.core.crypto import Keyring, new_token, token_hash
from hostwright.identity.policy import USER_SCOPES

PEOPLE = """
    with u as (
        insert into users (username, email, full_name, password_hash)
        select 'user' || n, 'user' || n || '@example.com', 'Person ' || n, $2 from generate_series(1, $1::int) n
        returning id, full_name
    ), c as (insert into customers (name) select full_name from u order by id returning id, name)
    insert into members (customer_id, user_id, role)
    select c.id, u.id, 'owner' from c join u on u.full_name = c.name
"""
CONNECTION = """
    insert into connections (id, kind, name, base_url, token, enabled, last_list_at)
    overriding system value values (1, 'virtfusion', 'Bench', 'http://127.0.0.1:9', $1, false, now()) returning id
"""
# Names are as varied as people's are: a thousand words with a number behind, and a host name in the customer's domain.
SERVERS = """
    insert into servers (connection_id, external_id, customer_id, name, hostname, state, power, cores, memory_mib,
        disk_gib, operating_system, package, primary_ipv4, location_id, created_at, power_observed_at, detailed_at)
    select $1, n, c.ids[1 + n % array_length(c.ids, 1)], w.word || '-' || n,
        w.word || n || '.' || substr(md5('domain' || n % 997), 1, 8) || '.net',
        case when n % 50 = 0 then 'suspended' when n % 71 = 0 then 'building' else 'active' end,
        case when n % 7 = 0 then 'stopped' else 'running' end, 1 + n % 8, 1024 * (1 + n % 16), 20 * (1 + n % 10),
        'Debian 13', 'Standard', '10.' || n / 65536 % 256 || '.' || n / 256 % 256 || '.' || n % 256,
        (select id from locations order by id limit 1), now() - n * interval '1 minute', now(), now()
    from generate_series(1, $2::int) n
    cross join lateral (select translate(substr(md5('word' || n % 1000), 1, 6), '0123456789', 'ghijklmnop') as word) w,
    (select array_agg(id order by id) as ids from customers) c
"""
ADDRESSES = """
    insert into server_addresses (server_id, address, version, is_primary, customer_id)
    select id, primary_ipv4, 4, true, customer_id from servers
"""


class Filled(msgspec.Struct):
    """What requests can be made with."""

    sessions: list[str]
    keys: list[str]
    customer_ids: list[int]
    connection_id: int


async def fill(
    dsn: str, keyring: Keyring, *, people: int, servers: int, keys: int = 0, password_hash: str = "!"
) -> Filled:
    """Fill a migrated database as its owner."""
    connection: Any = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            await connection.execute(PEOPLE, people, password_hash)
            number = await connection.fetchval(CONNECTION, keyring.encrypt("connections", "token", 1, b"bench"))
            await connection.execute(
                "insert into locations (connection_id, external_id, name, country) values ($1, '1', 'Amsterdam', 'nl')",
                number,
            )
            await connection.execute(SERVERS, number, servers)
            await connection.execute(ADDRESSES)
            members = await connection.fetch("select user_id, customer_id from members order by user_id")
            filled = Filled([], [], [row["customer_id"] for row in members], number)
            await _sign_in(connection, members, filled)
            await _give_keys(connection, members, filled, keys)
        await connection.execute("vacuum analyze")
    finally:
        await connection.close()
    return filled


async def _sign_in(connection: Any, members: list[Any], filled: Filled) -> None:
    filled.sessions = [new_token() for _ in members]
    rows = [(token_hash(token), row["user_id"]) for token, row in zip(filled.sessions, members, strict=True)]
    await connection.executemany(
        "insert into sessions (token_hash, user_id, expires_at) values ($1, $2, now() + interval '1 day')", rows
    )


async def _give_keys(connection: Any, members: list[Any], filled: Filled, keys: int) -> None:
    filled.keys = [new_token("hw_") for _ in range(keys)]
    scopes = sorted(USER_SCOPES)
    rows = [
        (token_hash(key), members[at % len(members)]["user_id"], members[at % len(members)]["customer_id"], scopes)
        for at, key in enumerate(filled.keys)
    ]
    await connection.executemany(
        """insert into api_keys (key_hash, prefix, name, user_id, customer_id, scopes)
        values ($1, 'hw_bench', 'bench', $2, $3, $4)""",
        rows,
    )
