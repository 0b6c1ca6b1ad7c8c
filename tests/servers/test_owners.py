"""Servers without an owner, owners without servers: linked by staff alone, and undone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from hostwright.app import App
from hostwright.core.clock import SystemClock
from hostwright.core.db import Command, Database, Query, Scalar
from hostwright.core.providers import ExternalUser
from hostwright.servers.queries import owners as statements
from hostwright.servers.service import Actor, run_mirror
from hostwright.servers.service import owners as service
from hostwright.servers.service.connections import AccountTaken
from hostwright.servers.service.owners import NewCustomer
from tests.support.app import PASSWORD, Client, Makers, Person, SignIn
from tests.support.simulator import RunningSimulator, running_simulator

BASE = "/admin/owners"
ACTOR = Actor(None, "Grace Hopper", "192.0.2.1", "r-1")


class Line(msgspec.Struct, frozen=True):
    action: str
    customer_id: int | None
    detail: dict[str, Any]


class Account(msgspec.Struct, frozen=True):
    id: int
    customer_id: int
    external_user_id: int
    external_relation_id: int | None


audited = Query(Line, "select action, customer_id, detail from audit_log order by id")
accounts = Query(
    Account, "select id, customer_id, external_user_id, external_relation_id from compute_accounts order by id"
)
owners_of = Scalar(int, "select customer_id from servers where external_owner_id = $1 order by id")
users = Scalar(int, "select count(*) from users")
log_of = Scalar(
    str,
    "select action || ':' || actor_label || ':' || coalesce(customer_id::text, '-') from server_log "
    "where action = 'owner_changed' order by id",
)
history_of = Scalar(
    str,
    """select coalesce(customer_id::text, '-') || case when released_at is null then '' else ' released' end
    from server_addresses where server_id = $1 order by id""",
)
insert_address = Command(
    "insert into server_addresses (server_id, address, version, customer_id) values ($1, '192.0.2.9', 4, null)"
)
server_of = Scalar(int, "select id from servers where external_owner_id = $1 order by id limit 1")
verified = Scalar(bool, "select email_verified_at is not null from users where email = $1")
password_of = Scalar(str, "select password_hash from users where email = $1")
forget_owner = Command("update servers set external_owner_id = null where id = $1")


class Desk:
    """A connection whose servers belong to nobody yet: users 101 (five servers), 102 (two) and others at the vendor."""

    def __init__(self, app: App, database: Database, vendor: RunningSimulator, connection_id: int) -> None:
        self.app = app
        self.database = database
        self.vendor = vendor
        self.connection_id = connection_id

    def url(self, user: int, rest: str = "") -> str:
        return f"{BASE}/{self.connection_id}/{user}{rest}"

    async def all[T](self, query: Scalar[T], *arguments: object) -> list[T]:
        async with self.database.acquire() as db:
            return await query.all(db, *arguments)

    async def accounts(self) -> list[Account]:
        async with self.database.acquire() as db:
            return await accounts.all(db)

    async def lines(self) -> list[Line]:
        async with self.database.acquire() as db:
            return await audited.all(db)


@pytest.fixture
async def vendor() -> AsyncIterator[RunningSimulator]:
    async with running_simulator() as found:
        yield found


@pytest.fixture
async def desk(app: App, database: Database, makers: Makers, vendor: RunningSimulator) -> Desk:
    number = await makers.connection(vendor.url, vendor.token)
    assert app.providers is not None
    await run_mirror(database, app.providers, number, clock=SystemClock())
    vendor.forget()
    return Desk(app, database, vendor, number)


@pytest.fixture
async def boss(sign_in: SignIn, staff: Person) -> Client:
    return await sign_in(staff)


async def test_servers_without_an_owner_are_grouped_by_who_has_them(boss: Client, desk: Desk) -> None:
    page = await boss.get(BASE)
    assert "12 servers belong to no customer." in page.text
    assert "User 101" in page.text
    assert desk.vendor.requests() == [], "a list asks nothing of the vendor"
    async with desk.database.acquire() as db:
        rows = await statements.unowned_page(db, (0, 0), 10)
        again = await statements.unowned_page(db, (rows[0].connection_id, rows[0].external_owner_id), 10)
    assert (rows[0].external_owner_id, rows[0].servers, len(rows[0].names)) == (101, 5, 3)
    assert sum(row.servers for row in rows) == 12
    assert again == rows[1:]


async def test_who_it_is_is_read_from_the_vendor(boss: Client, desk: Desk) -> None:
    user = desk.vendor.world.users[101]
    page = await boss.get(desk.url(101))
    assert user.name in page.text
    assert user.email in page.text
    assert f"relation {user.ext_relation_id}" in page.text
    assert (await boss.get(desk.url(9_999))).status_code == 404
    assert (await boss.get(f"{BASE}/999999/101")).status_code == 404


async def test_a_vendor_that_is_away_is_said_and_linking_still_works(boss: Client, desk: Desk, owner: Person) -> None:
    desk.vendor.faults([{"method": "GET", "path": "/servers/", "mode": "status", "status": 503, "times": 99}])
    page = await boss.get(desk.url(101))
    assert page.status_code == 200
    assert "VirtFusion cannot be asked who that is." in page.text
    assert (await boss.post(desk.url(101, "/link"), data={"customer": str(owner.customer_id)})).status_code == 303
    assert [(one.customer_id, one.external_relation_id) for one in await desk.accounts()] == [(owner.customer_id, None)]


async def test_a_customer_is_found_by_name_address_and_number(boss: Client, desk: Desk, owner: Person) -> None:
    async with desk.database.acquire() as db:
        facts = await statements.customer_facts.one(db, owner.customer_id)
    for words in (owner.customer_name.upper(), owner.email[2:12], str(facts.number), f"#{facts.number}"):
        page = await boss.get(desk.url(101), params={"q": words})
        assert owner.email in page.text, words
        assert f'name="customer" value="{owner.customer_id}"' in page.text
    for words in ("%", "_", "\\", "\x00", "no such customer", "9" * 40):
        page = await boss.get(desk.url(101), params={"q": words})
        assert "No customer matches." in page.text, words


async def test_linking_hands_servers_and_history_over(boss: Client, desk: Desk, owner: Person) -> None:
    [first] = await desk.all(server_of, 101)
    async with desk.database.transaction() as tx:
        await insert_address.run(tx, first)
    answer = await boss.post(desk.url(101, "/link"), data={"customer": str(owner.customer_id)})
    assert answer.status_code == 303
    assert set(await desk.all(owners_of, 101)) == {owner.customer_id}
    [account] = await desk.accounts()
    assert (account.external_user_id, account.external_relation_id) == (
        101,
        desk.vendor.world.users[101].ext_relation_id,
    )
    assert await desk.all(history_of, first) == ["- released", str(owner.customer_id)]
    assert await desk.all(log_of) == [f"owner_changed:Grace Hopper:{owner.customer_id}"] * 5
    line = (await desk.lines())[-1]
    assert (line.action, line.customer_id, line.detail["servers"]) == ("account.linked", owner.customer_id, 5)
    assert {one.method for one in desk.vendor.requests()} == {"GET"}, "nothing changes at the vendor"
    page = await boss.get(desk.url(101))
    assert "Linked customer" in page.text
    assert "Create customer from it" not in page.text


async def test_the_customer_sees_them_only_from_then_on(
    boss: Client, desk: Desk, owner: Person, stranger: Person, sign_in: SignIn
) -> None:
    ada, charles = await sign_in(owner), await sign_in(stranger)
    [first] = await desk.all(server_of, 101)
    assert (await ada.get(f"/api/user/servers/{first}")).status_code == 404
    await boss.post(desk.url(101, "/link"), data={"customer": str(owner.customer_id)})
    assert (await ada.get(f"/api/user/servers/{first}")).status_code == 200
    assert (await charles.get(f"/api/user/servers/{first}")).status_code == 404
    for path in (BASE, f"{BASE}/idle", f"{BASE}/links", desk.url(101)):
        assert (await ada.get(path)).status_code == 403
    assert (await ada.post(desk.url(102, "/link"), data={"customer": str(owner.customer_id)})).status_code == 403
    assert len(await desk.accounts()) == 1


async def test_one_of_two_who_link_at_once_is_told(desk: Desk, owner: Person, stranger: Person) -> None:
    async def link(person: Person, user: int) -> str:
        try:
            async with desk.database.transaction() as tx:
                await service.link(tx, ACTOR, desk.connection_id, user, person.customer_id, None)
        except AccountTaken as error:
            return error.code
        return "linked"

    assert sorted(await asyncio.gather(link(owner, 101), link(stranger, 101))) == ["account_taken", "linked"]
    linked = (await desk.accounts())[0].customer_id
    winner, other = (owner, stranger) if linked == owner.customer_id else (stranger, owner)
    assert await link(winner, 102) == "account_taken", "one user for each customer at a connection"
    assert await link(other, 102) == "linked"
    assert set(await desk.all(owners_of, 101)) == {linked}


async def test_a_customer_that_is_none_changes_nothing(boss: Client, desk: Desk) -> None:
    for text in ("", "0", "-1", "x", "9" * 30, "999999"):
        assert (await boss.post(desk.url(101, "/link"), data={"customer": text})).status_code == 404
    assert await desk.accounts() == []
    assert set(await desk.all(owners_of, 101)) == {None}


async def test_a_customer_is_made_of_a_user(boss: Client, desk: Desk, client: Client) -> None:
    user = desk.vendor.world.users[101]
    answer = await boss.post(desk.url(101, "/create"), data={"fullName": user.name, "email": user.email})
    assert answer.status_code == 303
    [account] = await desk.accounts()
    assert set(await desk.all(owners_of, 101)) == {account.customer_id}
    assert await desk.all(verified, user.email) == [False]
    assert await desk.all(password_of, user.email) == ["!"]
    for word in ("!", "", PASSWORD):
        tried = await client.post("/api/auth/login", json={"username": user.email, "password": word or "x"})
        assert tried.status_code == 401
    assert [line.action for line in await desk.lines()][:2] == ["customer.created", "account.linked"]


async def test_an_existing_account_is_never_adopted_by_its_address(boss: Client, desk: Desk, owner: Person) -> None:
    before = await desk.all(users)
    answer = await boss.post(desk.url(101, "/create"), data={"fullName": "Somebody", "email": owner.email.upper()})
    assert answer.status_code == 422
    assert "This address has an account already." in answer.text
    assert 'value="Somebody"' in answer.text
    assert await desk.accounts() == []
    assert await desk.all(users) == before


@pytest.mark.parametrize(
    ("name", "email"),
    [
        ("", "a@example.com"),
        ("x" * 121, "a@example.com"),
        ("A\x07", "a@example.com"),
        ("A", "nobody"),
        ("A", "a b@c.d"),
    ],
)
async def test_a_person_that_cannot_be_is_refused(boss: Client, desk: Desk, name: str, email: str) -> None:
    answer = await boss.post(desk.url(101, "/create"), data={"fullName": name, "email": email})
    assert answer.status_code == 422
    assert "field-error" in answer.text
    assert await desk.accounts() == []


async def test_user_names_are_made_of_addresses_and_are_free(desk: Desk, makers: Makers) -> None:
    await makers.user("jo.smith")
    found: list[str] = []
    people = [(101, "Jo.Smith@example.net"), (102, "jo.smith@example.org"), (103, "日本@example.com")]
    for number, email in people:
        async with desk.database.transaction() as tx:
            outside = ExternalUser(number, None, "Jo", email, suspended=False)
            wanted = NewCustomer("Jo", email)
            customer = await service.make_customer(tx, ACTOR, desk.connection_id, number, wanted, outside)
            found.append(
                await Scalar(
                    str, "select u.username from users u join members m on m.user_id = u.id where m.customer_id = $1"
                ).value(tx, customer)
            )
    assert found == ["jo.smith-2", "jo.smith-3", "customer"]


async def test_unlinking_takes_servers_back_and_says_so_in_history(
    boss: Client, desk: Desk, owner: Person, sign_in: SignIn
) -> None:
    [first] = await desk.all(server_of, 101)
    async with desk.database.transaction() as tx:
        await insert_address.run(tx, first)
    await boss.post(desk.url(101, "/link"), data={"customer": str(owner.customer_id)})
    [account] = await desk.accounts()
    answer = await boss.post(f"{BASE}/accounts/{account.id}/unlink")
    assert (answer.status_code, answer.headers["location"]) == (303, desk.url(101))
    assert await desk.accounts() == []
    assert set(await desk.all(owners_of, 101)) == {None}
    assert await desk.all(history_of, first) == ["- released", f"{owner.customer_id} released", "-"]
    assert (await (await sign_in(owner)).get(f"/api/user/servers/{first}")).status_code == 404
    assert (await desk.lines())[-1].action == "account.unlinked"
    assert (await boss.post(f"{BASE}/accounts/{account.id}/unlink")).status_code == 404
    assert desk.app.providers is not None
    await run_mirror(desk.database, desk.app.providers, desk.connection_id, clock=SystemClock())
    assert set(await desk.all(owners_of, 101)) == {None}, "the mirror does not bring it back"


async def test_customers_without_servers_and_all_links(
    boss: Client, desk: Desk, owner: Person, stranger: Person
) -> None:
    idle = Scalar(
        int,
        "insert into compute_accounts (connection_id, customer_id, external_user_id) values ($1, $2, $3) returning id",
    )
    async with desk.database.transaction() as tx:
        await idle.value(tx, desk.connection_id, stranger.customer_id, 77_777)
    await boss.post(desk.url(101, "/link"), data={"customer": str(owner.customer_id)})
    without = (await boss.get(f"{BASE}/idle")).text
    assert stranger.customer_name in without
    assert owner.customer_name not in without
    both = (await boss.get(f"{BASE}/links")).text
    assert stranger.customer_name in both
    assert owner.customer_name in both
    one = (await boss.get(f"{BASE}/links", params={"q": owner.customer_name})).text
    assert stranger.customer_name not in one


async def test_servers_whose_owner_is_not_told_cannot_be_linked(boss: Client, desk: Desk, owner: Person) -> None:
    [first] = await desk.all(server_of, 102)
    async with desk.database.transaction() as tx:
        await forget_owner.run(tx, first)
    assert "Not told" in (await boss.get(BASE)).text
    page = await boss.get(desk.url(0))
    assert page.status_code == 200
    assert "VirtFusion does not say whose these servers are." in page.text
    assert (await boss.post(desk.url(0, "/link"), data={"customer": str(owner.customer_id)})).status_code == 404
    assert await desk.accounts() == []
