"""Files of lists, the filters of activity, and the list for API keys."""

from __future__ import annotations

import csv
import re
import tracemalloc
from io import StringIO

import httpx
import pytest

from hostwright.core.db import Database, Scalar
from hostwright.core.scope import OwnedBy, Staff
from hostwright.identity.schemas import MANAGE_SERVERS
from hostwright.servers.queries import ServerFilter
from hostwright.servers.queries.export import ids_for
from hostwright.servers.service.export import server_parts
from hostwright.servers.views.export import csv_lines
from tests.support.app import Client, KeyClient, Makers, Person, SignIn, refused
from tests.support.simulator import running_simulator

from .simulated import settle

insert_line = Scalar(
    int,
    """insert into server_log (server_id, customer_id, action, action_type, status, actor_label, created_at)
    values ($1, $2, $3, $4, 'success', $5, $6::text::timestamptz) returning id""",
)


def table(answer: httpx.Response) -> list[dict[str, str]]:
    """The rows of a file, which has to be one that spreadsheets read."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert re.fullmatch(r'attachment; filename="[a-z0-9-]+\.csv"', answer.headers["content-disposition"])
    assert answer.headers["cache-control"] == "no-store"
    text = answer.content.decode()
    assert text[0] == "\ufeff"
    return list(csv.DictReader(StringIO(text[1:], newline="")))


async def line(
    database: Database, server_id: int, customer_id: int | None, action: str, kind: str, at: str, actor: str = "Ada"
) -> None:
    async with database.transaction() as tx:
        await insert_line.value(tx, server_id, customer_id, action, kind, actor, at)


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])  # noqa: RUF001  meant
def test_no_formula_leaves_us(first: str) -> None:
    text = csv_lines([[f'{first}HYPERLINK("http://evil.example")', -5, None, "plain = text"]]).decode()
    (row,) = csv.reader(StringIO(text, newline=""))
    assert row == [f'\'{first}HYPERLINK("http://evil.example")', "-5", "", "plain = text"]


def test_odd_text_stays_what_it_is() -> None:
    names = ['a,"b"', "two\nlines", "Größenwahn 🚀", "خادم", "\ud800"]
    rows = list(csv.reader(StringIO(csv_lines([[name] for name in names]).decode(), newline="")))
    assert [row[0] for row in rows] == [*names[:-1], "?"]


async def test_a_customer_gets_their_own_servers(
    sign_in: SignIn, owner: Person, stranger: Person, makers: Makers
) -> None:
    ada = await sign_in(owner)
    assert table(await ada.get("/servers/export.csv")) == []
    mine = await makers.server(owner.customer_id, "=cmd|' /C calc'!A0")
    await makers.server(owner.customer_id, "bravo", power="stopped")
    await makers.server(owner.customer_id, "charlie", state="gone")
    await makers.server(stranger.customer_id, "theirs")
    rows = table(await ada.get("/servers/export.csv"))
    assert [(row["name"], row["state"], row["power"]) for row in rows] == [
        ("'=cmd|' /C calc'!A0", "active", "running"),
        ("bravo", "active", "stopped"),
    ]
    assert rows[0]["id"] == str(mine)
    assert (rows[0]["ipv4"], rows[0]["memory_mib"], rows[0]["disk_gib"]) == ("192.0.2.1", "2048", "40")
    assert "customer_id" not in rows[0]
    for query, names in {
        "state=stopped": ["bravo"],
        "state=gone": ["charlie"],
        "q=BRAV": ["bravo"],
        "q=%25": [],
        "sort=-name": ["bravo", "'=cmd|' /C calc'!A0"],
        f"owner={stranger.customer_id}": ["'=cmd|' /C calc'!A0", "bravo"],
        "state=nonsense&sort=nonsense&page=9": ["'=cmd|' /C calc'!A0", "bravo"],
    }.items():
        assert [row["name"] for row in table(await ada.get(f"/servers/export.csv?{query}"))] == names, query


async def test_staff_get_everybodys_servers(
    sign_in: SignIn, owner: Person, stranger: Person, staff: Person, makers: Makers
) -> None:
    await makers.server(owner.customer_id, "alpha")
    await makers.server(stranger.customer_id, "bravo")
    await makers.server(None, "charlie")
    grace = await sign_in(staff)
    rows = table(await grace.get("/admin/servers/export.csv"))
    assert [(row["name"], row["customer"]) for row in rows] == [
        ("alpha", owner.customer_name),
        ("bravo", stranger.customer_name),
        ("charlie", ""),
    ]
    assert {row["connection"] for row in rows} == {"Frankfurt"}
    narrow = table(await grace.get(f"/admin/servers/export.csv?owner={stranger.customer_id}"))
    assert [row["name"] for row in narrow] == ["bravo"]
    assert table(await grace.get("/servers/export.csv")) == []
    assert (await (await sign_in(owner)).get("/admin/servers/export.csv")).status_code == 403


async def test_files_are_not_asked_for_without_end(sign_in: SignIn, owner: Person) -> None:
    ada = await sign_in(owner)
    statuses = [(await ada.get("/servers/export.csv")).status_code for _ in range(14)]
    assert statuses == [200] * 12 + [429] * 2


@pytest.mark.long
async def test_a_hundred_thousand_servers_stay_out_of_memory(database: Database, owner: Person, makers: Makers) -> None:
    await makers.server(owner.customer_id)
    async with database.transaction() as tx:
        await tx.execute(
            """insert into servers (connection_id, external_id, customer_id, name, state, power, created_at)
            select (select min(id) from connections), 500000 + n, $1, 'vm-' || lpad(n::text, 6, '0'), 'active',
                'running', now() from generate_series(1, 99999) n""",
            owner.customer_id,
        )
    wanted = ServerFilter(Staff(MANAGE_SERVERS))
    async with database.acquire() as db:
        ids = await ids_for(db, wanted)
    assert len(ids) == len(set(ids)) == 100_000
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    rows = 0
    async for part in server_parts(database, wanted, ids):
        rows += len(part)
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert rows == 100_000
    assert peak < 4_000_000, f"{peak:,} bytes"


async def test_a_server_that_changes_hands_meanwhile_is_left_out(
    sign_in: SignIn, owner: Person, stranger: Person, makers: Makers, database: Database
) -> None:
    first = await makers.server(owner.customer_id, "alpha")
    await makers.server(owner.customer_id, "bravo")
    wanted = ServerFilter(OwnedBy(owner.customer_id))
    async with database.acquire() as db:
        ids = await ids_for(db, wanted)
    async with database.transaction() as tx:
        await tx.execute("update servers set customer_id = $2 where id = $1", first, stranger.customer_id)
    names = [row.name async for part in server_parts(database, wanted, ids) for row in part]
    assert names == ["bravo"]


# --- activity ---


@pytest.fixture
async def busy(database: Database, makers: Makers, owner: Person, stranger: Person) -> int:
    """A server with a line of each kind, on four days, and one from its former customer."""
    server_id = await makers.server(owner.customer_id, "alpha")
    mine = owner.customer_id
    await line(database, server_id, stranger.customer_id, "boot", "power", "2026-03-01 12:00Z", "Charles")
    await line(database, server_id, mine, "boot", "power", "2026-03-02 00:00Z")
    await line(database, server_id, mine, "reset_password", "security", "2026-03-03 23:59:59Z")
    for kind in ("network", "storage", "vnc", "config", "state"):
        await line(database, server_id, mine, f"made_{kind}", kind, "2026-03-04 08:00Z", "=Ada()")
    return server_id


def titles(page: httpx.Response) -> list[str]:
    assert page.status_code == 200
    return re.findall(r'<span class="min-w-0"><span class="block truncate">([^<]*)</span>', page.text)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("type=power", ["Started"]),
        ("type=security", ["Password reset"]),
        ("type=network", ["Made network"]),
        ("type=storage", ["Made storage"]),
        ("type=vnc", ["Made vnc"]),
        ("type=config", ["Made config"]),
        ("type=state", ["Made state"]),
        ("from=2026-03-02&to=2026-03-03", ["Password reset", "Started"]),
        ("to=2026-03-02", ["Started"]),
        ("from=2026-03-03&type=security", ["Password reset"]),
        ("from=2026-03-05", []),
        ("from=2026-03-04&to=2026-03-02", []),
        ("type=odd&from=yesterday&to=2026-02-31", None),
        ("from=0001-01-01&to=9999-12-31", None),
        ("cursor=99999999999999999999", None),
    ],
)
async def test_activity_by_kind_and_day(
    sign_in: SignIn, owner: Person, busy: int, query: str, expected: list[str] | None
) -> None:
    ada = await sign_in(owner)
    everything = titles(await ada.get(f"/servers/{busy}/activity"))
    assert len(everything) == 7
    page = await ada.get(f"/servers/{busy}/activity?{query}")
    assert titles(page) == (everything if expected is None else expected)
    assert len(table(await ada.get(f"/servers/{busy}/activity.csv?{query}"))) == len(
        everything if expected is None else expected
    )


async def test_pages_of_activity_keep_the_filter(
    sign_in: SignIn, owner: Person, makers: Makers, database: Database
) -> None:
    server_id = await makers.server(owner.customer_id)
    for number in range(30):
        await line(database, server_id, owner.customer_id, f"step_{number}", "config", "2026-03-02 10:00Z")
        await line(database, server_id, owner.customer_id, "boot", "power", "2026-03-02 10:00Z")
    ada = await sign_in(owner)
    first = await ada.get(f"/servers/{server_id}/activity?type=config&from=2026-03-01&to=2026-03-02")
    assert titles(first) == [f"Step {number}" for number in range(29, 4, -1)]
    older = re.search(r'href="([^"]*cursor=[^"]*)">', first.text)
    assert older is not None
    second = await ada.get(older[1].replace("&amp;", "&"))
    assert titles(second) == [f"Step {number}" for number in range(4, -1, -1)]
    assert 'value="2026-03-01"' in second.text
    assert 'name="type" value="config"' in second.text
    assert f'href="/servers/{server_id}/activity?type=config&amp;from=2026-03-01&amp;to=2026-03-02"' in second.text
    assert "data-about" not in second.text.split('id="activity"')[1].split(">")[0]


async def test_a_file_of_activity(
    sign_in: SignIn, owner: Person, stranger: Person, staff: Person, busy: int, database: Database
) -> None:
    ada = await sign_in(owner)
    rows = table(await ada.get(f"/servers/{busy}/activity.csv"))
    assert len(rows) == 7
    assert (rows[0]["action"], rows[0]["actor"], rows[0]["at"]) == ("made_state", "'=Ada()", "2026-03-04T08:00:00Z")
    assert "Charles" not in {row["actor"] for row in rows}
    grace = await sign_in(staff)
    assert len(table(await grace.get(f"/admin/servers/{busy}/activity.csv"))) == 8
    charles = await sign_in(stranger)
    assert (await charles.get(f"/servers/{busy}/activity.csv")).status_code == 404
    async with database.transaction() as tx:
        await tx.execute(
            """insert into server_log (server_id, customer_id, action, action_type, status, actor_label)
            select $1, $2, 'boot', 'power', 'success', 'Ada' from generate_series(1, 1200)""",
            busy,
            owner.customer_id,
        )
    rows = table(await ada.get(f"/servers/{busy}/activity.csv?type=power"))
    assert len({row["id"] for row in rows}) == len(rows) == 1201


async def test_a_file_of_traffic(
    sign_in: SignIn, owner: Person, stranger: Person, staff: Person, makers: Makers, database: Database
) -> None:
    async with running_simulator() as vendor:
        place = await settle(database, makers, vendor, owner)
        ada, address = await sign_in(owner), f"/servers/{place.server_id}/traffic.csv"
        rows = table(await ada.get(address))
        assert len(rows) >= 2
        assert int(rows[0]["total_bytes"]) >= int(rows[0]["received_bytes"]) > 0
        assert (await (await sign_in(stranger)).get(address)).status_code == 404
        assert table(await (await sign_in(staff)).get(f"/admin{address}"))
        vendor.faults([{"mode": "status", "status": 503, "path": "/traffic"}])
        away = await ada.get(address)
        assert away.status_code == 503
        assert "text/html" in away.headers["content-type"]


# --- for programs ---


async def test_the_list_for_keys(
    api_key: KeyClient, sign_in: SignIn, owner: Person, stranger: Person, makers: Makers, client: Client
) -> None:
    await makers.server(owner.customer_id, "alpha")
    await makers.server(stranger.customer_id, "theirs")
    program = await api_key(owner, "read:servers")
    found = await program.get("/api/servers?pageSize=5")
    assert found.status_code == 200
    assert found.json() == (await program.get("/api/user/servers?pageSize=5")).json()
    assert [item["name"] for item in found.json()["items"]] == ["alpha"]
    refused(await (await api_key(owner, "write:servers")).get("/api/servers"), 403, "invalid_scope")
    refused(await (await sign_in(owner)).get("/api/servers"), 401, "unauthorized")
    refused(await client.get("/api/servers"), 401, "unauthorized")
