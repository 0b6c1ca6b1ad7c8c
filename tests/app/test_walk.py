"""Every route as everybody: generated from the route table, so that a new route without a rule fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import httpx
import pytest

from hostwright.app import App
from hostwright.core.db import Database, Scalar
from tests.app.walk_rules import ENDS_THE_SESSION, OBJECTS, OPEN, PUBLIC, STREAMS
from tests.support.app import Client, KeyClient, Makers, Person, SignIn
from tests.support.databases import KEPT
from tests.support.routes import Route, routes_of, sockets_of

VOLATILE: Final = KEPT | {"rate_limits", "workers", "sign_in_failures"}

insert_action = Scalar(
    int,
    """
    insert into server_actions
        (server_id, customer_id, kind, state, actor_label, finished_at, deadline, external_queue_id)
    select id, customer_id, 'boot', 'succeeded', 'Ada', now(), now(), 77 from servers where id = $1 returning id
    """,
)
insert_dead = Scalar(
    int,
    """
    insert into dead_jobs (job_id, name, payload, attempts, error)
    values (1, 'tests.gone', '{}', 3, 'away') returning id
    """,
)
insert_session = Scalar(
    int,
    """
    insert into sessions (token_hash, user_id, expires_at)
    values (sha256(random()::text::bytea), $1, now() + interval '1 hour') returning id
    """,
)
stop_pruning = Scalar(
    int, "update connections set prune_stopped_at = now(), prune_count = 9 where id = $1 returning prune_count"
)
insert_hypervisor = Scalar(
    int,
    """
    insert into hypervisors (connection_id, external_id, name, enabled, maintenance, found_at)
    values ($1, $2, 'hv-1', true, false, now()) returning id
    """,
)
insert_account = Scalar(
    int,
    "insert into compute_accounts (connection_id, customer_id, external_user_id) values ($1, $2, $3) returning id",
)
set_outside_owner = Scalar(int, "update servers set external_owner_id = id where id = $1 returning id")
insert_note = Scalar(
    int,
    """
    insert into server_notes (server_id, customer_id, author_id, title, content)
    select id, customer_id, $2, 'Plan', '' from servers where id = $1 returning id
    """,
)
# Of those that work a user has fifty at most.
insert_ended_key = Scalar(
    int,
    """
    insert into api_keys (key_hash, prefix, name, user_id, customer_id, scopes, expires_at)
    values (sha256(random()::text::bytea), 'hw_walk', 'walk', $1, $2, '{read:user}', now()) returning id
    """,
)
connection_of = Scalar(int, "select connection_id from servers where id = $1")


class House:
    """An owner's objects, made anew for each request, and what the whole database holds."""

    def __init__(self, database: Database, makers: Makers, person: Person, tables: frozenset[str]) -> None:
        self.database = database
        self.makers = makers
        self.person = person
        # When somebody was last here is noted once a minute, refused or not; a machine that stood still gets there too.
        self._fingerprint = " union all ".join(
            f"select '{name}', md5(string_agg(r.text, ',' order by r.text)) from {name} t"
            " cross join lateral (select (to_jsonb(t) - 'seen_at' - 'last_used_at')::text) r (text)"
            for name in sorted(tables - VOLATILE)
        )

    async def objects(self) -> dict[str, Any]:
        server_id = await self.makers.server(self.person.customer_id)
        linked = await self.makers.customer()
        async with self.database.transaction() as tx:
            connection_id = await connection_of.value(tx, server_id)
            await stop_pruning.value(tx, connection_id)
            return {
                "server_id": server_id,
                "action": "shutdown",
                "action_id": await insert_action.value(tx, server_id),
                "dead_id": await insert_dead.value(tx),
                "session_id": await insert_session.value(tx, self.person.user_id),
                "connection_id": connection_id,
                "external_user_id": await set_outside_owner.value(tx, server_id),
                "hypervisor_id": await insert_hypervisor.value(tx, connection_id, server_id),
                "account_id": await insert_account.value(tx, connection_id, linked, server_id + 1_000_000),
                "queue_id": 77,
                "user_id": self.person.user_id,
                "api_key_id": await insert_ended_key.value(tx, self.person.user_id, self.person.customer_id),
                "note_id": await insert_note.value(tx, server_id, self.person.user_id),
            }

    async def fingerprint(self) -> list[tuple[str, str]]:
        async with self.database.acquire() as db:
            return [(row[0], row[1]) for row in await db.fetch(self._fingerprint)]

    async def changed_since(self, before: list[tuple[str, str]]) -> list[str]:
        """The tables that hold something else than then."""
        return sorted({name for name, _ in {*before} ^ {*await self.fingerprint()}})


@pytest.fixture
async def house(database: Database, makers: Makers, owner: Person, migrated_tables: frozenset[str]) -> House:
    return House(database, makers, owner, migrated_tables)


@pytest.fixture
def routes(app: App) -> list[Route]:
    return routes_of(app)


def body_of(route: Route) -> dict[str, Any]:
    return OBJECTS[route.label].sent if route.label in OBJECTS else {}


async def call(caller: Client, route: Route, house: House) -> httpx.Response:
    return await caller.request(route.method, route.filled(**await house.objects()), **body_of(route))


type Expected = Callable[[Route], int | None]


async def walk(caller: Client, routes: list[Route], house: House, expected: Expected) -> list[str]:
    """What did not go as expected. A refusal must leave the database as it was."""
    wrong: list[str] = []
    for route in routes:
        status = expected(route)
        if status is None:
            continue
        path = route.filled(**await house.objects())
        before = await house.fingerprint()
        answer = await caller.request(route.method, path, **body_of(route))
        if answer.status_code != status:
            wrong.append(f"{route.label}: {answer.status_code} instead of {status}")
        goes_to = answer.headers.get("location", "")
        refused = status in {401, 403, 404} or (status == 303 and goes_to.startswith("/sign-in"))
        changed = await house.changed_since(before) if refused else []
        if changed:
            wrong.append(f"{route.label}: refused, but {', '.join(changed)} changed")
    return wrong


def anonymous(route: Route) -> int:
    if route.auth == "public":
        return public(route)
    return 303 if route.page else 401


def public(route: Route) -> int:
    return {**OPEN, **PUBLIC}[route.label]


def allowed(route: Route) -> int | None:
    """What somebody gets who may: the object's rule, or the handler's own kind of success."""
    if route.label in STREAMS or route.label in ENDS_THE_SESSION:
        return None
    if route.label in OBJECTS:
        return OBJECTS[route.label].allowed
    return 303 if route.page and route.method == "POST" else 200


# --- the rules themselves ---


def test_every_route_has_a_rule(routes: list[Route]) -> None:
    without: list[str] = []
    for route in routes:
        if route.auth not in {"public", "user", "admin", "api-key"}:
            without.append(f"{route.label} does not say who may call it")
        elif route.auth == "public":
            if route.label not in {**OPEN, **PUBLIC}:
                without.append(f"{route.label} is public: review it and list it")
        elif route.parameters and route.label not in OBJECTS:
            without.append(f"{route.label} is about an object: say what its owner gets")
        if route.path.startswith("/api/") and route.operation is None and route.label not in OPEN:
            without.append(f"{route.label} is no described operation")
    assert without == []


def test_every_socket_has_tests_of_its_own(app: App) -> None:
    """See tests/servers/test_console_tickets.py."""
    assert sockets_of(app) == ["/console/{server_id}"]


def test_no_rule_is_left_over(routes: list[Route]) -> None:
    assert {*OBJECTS, *OPEN, *PUBLIC, *STREAMS, *ENDS_THE_SESSION} <= {route.label for route in routes}


def test_a_new_route_without_a_rule_would_be_found(routes: list[Route]) -> None:
    new = Route("/api/user/servers/{server_id}/wipe", "POST", "wipe", "user", "write:servers", "wipe", page=False)
    unsaid = Route("/api/new", "GET", "new", None, None, None, page=False)
    with pytest.raises(AssertionError, match="wipe is about an object"):
        test_every_route_has_a_rule([*routes, new])
    with pytest.raises(AssertionError, match="does not say who may call it"):
        test_every_route_has_a_rule([*routes, unsaid])


# --- the walk ---


async def test_anonymous(client: Client, routes: list[Route], house: House) -> None:
    assert await walk(client, routes, house, anonymous) == []


async def test_a_stranger(sign_in: SignIn, stranger: Person, routes: list[Route], house: House) -> None:
    def expected(route: Route) -> int | None:
        if route.auth == "admin":
            return 403
        if route.auth == "user" and route.parameters:
            return 404
        return None

    assert await walk(await sign_in(stranger), routes, house, expected) == []


async def test_an_owner(sign_in: SignIn, owner: Person, routes: list[Route], house: House) -> None:
    def expected(route: Route) -> int | None:
        if route.auth == "admin":
            return 403
        return allowed(route) if route.auth == "user" else None

    assert await walk(await sign_in(owner), routes, house, expected) == []


async def test_staff(sign_in: SignIn, staff: Person, routes: list[Route], house: House) -> None:
    """Staff may do everything as staff; on customers' own pages they are strangers like anybody else."""

    def expected(route: Route) -> int | None:
        if route.auth == "user" and route.parameters:
            return 404
        return allowed(route) if route.auth in {"user", "admin"} else None

    assert await walk(await sign_in(staff), routes, house, expected) == []


async def test_a_key_without_the_scope(
    api_key: KeyClient, owner: Person, staff: Person, routes: list[Route], house: House
) -> None:
    """Neither a client's nor a staff member's key does what its scopes do not say; keys see no pages."""
    for person in (owner, staff):
        wrong: list[str] = []
        for route in routes:
            if route.auth not in {"user", "admin"}:
                continue
            program = await api_key(person, "read:tickets")  # a scope of no operation that exists
            path = route.filled(**await house.objects())
            await program.get("/api/user")  # marks the key as used
            before = await house.fingerprint()
            answer = await program.request(route.method, path, **body_of(route))
            told = answer.json()["error"] if not route.page else {}
            as_expected = answer.status_code == 403 and told.get("required_scope") == route.scope
            changed = await house.changed_since(before)
            if not as_expected or changed:
                wrong.append(f"{route.label}: {answer.status_code} {told} changed: {changed}")
        assert wrong == []


async def test_a_key_with_every_scope_of_its_user(
    api_key: KeyClient, owner: Person, stranger: Person, staff: Person, routes: list[Route], house: House
) -> None:
    wrong: list[str] = []
    for route in routes:
        if route.scope is None:
            continue
        may = [staff] if route.auth == "admin" else [owner]
        for person in (owner, stranger, staff):
            if route.auth == "admin" and person is not staff and route.scope.startswith("admin:"):
                continue  # such a key cannot be made
            program = await api_key(person, route.scope)
            answer = await call(program, route, house)
            status = allowed(route) if person in may else 403 if route.auth == "admin" else 404
            if not route.parameters and route.auth in {"user", "api-key"}:
                status = allowed(route)
            if answer.status_code != status:
                wrong.append(f"{route.label} as {person.full_name}: {answer.status_code} instead of {status}")
    assert wrong == []


async def test_a_bad_key_is_refused_on_public_routes_too(
    sign_in: SignIn, owner: Person, routes: list[Route], house: House
) -> None:
    """Cookies are no way out of a bad key."""
    caller = await sign_in(owner)
    caller.headers["Authorization"] = "Bearer hw_unknown"

    def expected(route: Route) -> int:
        if route.label in OPEN:
            return public(route)
        return 303 if route.page else 401

    assert await walk(caller, routes, house, expected) == []
