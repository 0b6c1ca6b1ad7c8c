"""Rows that are as empty as the schema allows break no page and no answer."""

from __future__ import annotations

import pytest

from hostwright.app import App
from hostwright.core.db import Database
from tests.app.walk_rules import OBJECTS
from tests.support.app import NOWHERE, Client, Makers, Person, SignIn
from tests.support.routes import routes_of

ROWS = """
insert into servers (id, connection_id, external_id, customer_id, name, state, created_at)
    values (7001, {connection}, 1, {customer}, 'bare', 'building', now());
insert into server_actions (id, server_id, customer_id, kind, actor_label, deadline)
    values (7002, 7001, {customer}, 'boot', 'somebody', now());
insert into server_log (server_id, customer_id, action, action_type, status, actor_label)
    values (7001, {customer}, 'boot', 'power', 'pending', 'somebody'), (7001, null, 'found', 'state', 'success', '');
insert into server_addresses (server_id, address, version) values (7001, '192.0.2.1', 4);
insert into mirror_runs (connection_id) values ({connection});
insert into dead_jobs (job_id, name, payload, attempts, error) values (1, 'x', 'null', 0, '');
insert into pgqueuer (priority, entrypoint, status) values (0, 'x', 'queued'), (0, 'y', 'picked');
insert into workers (id, role, host, pid, version) values (gen_random_uuid(), 'worker', 'h', 1, '0');
insert into sessions (token_hash, user_id, expires_at) values ('\\x00', {user}, now() + interval '1 hour');
insert into locations (connection_id, external_id, name) values ({connection}, '1', 'x')
"""


@pytest.fixture
async def boss(sign_in: SignIn, makers: Makers, staff: Person, database: Database) -> Client:
    connection = await makers.connection(NOWHERE)
    async with database.transaction() as tx:
        await tx.execute(ROWS.format(connection=connection, customer=staff.customer_id, user=staff.user_id))
    return await sign_in(staff)


async def test_every_page_and_every_answer(app: App, boss: Client) -> None:
    """The vendor is away, so what asks it may say so; what is about other objects does not find them."""
    wrong: dict[str, int] = {}
    readable = [route for route in routes_of(app) if route.method == "GET" and route.auth != "api-key"]
    for route in readable:
        if route.path == "/events":
            continue
        path = route.filled(server_id=7001, action_id=7002)
        expected = {200, 303, 503} if route.label in OBJECTS and OBJECTS[route.label].allowed == 503 else {200, 303}
        if not {"server_id", "action_id"} & {*route.parameters} or len(route.parameters) > 1:
            expected |= {400, 404}
        if route.path.endswith("/templates"):
            expected = {409}  # a server that is still being built gets no other system
        status = (await boss.get(path)).status_code
        if status not in expected:
            wrong[path] = status
    for path in ("/admin/jobs", "/api/admin/jobs"):
        for state in ("queued", "running"):
            assert (await boss.get(f"{path}?state={state}")).status_code == 200
    assert wrong == {}
