"""The jobs page does what its API does, as plain forms and through htmx."""

from __future__ import annotations

import re

import pytest

from hostwright.core.db import Database
from hostwright.core.presence import heartbeat
from tests.admin.test_jobs_api import dead, put, rows
from tests.support.app import Client, Makers, Person, SignIn

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "div#list"}


@pytest.fixture
async def boss(sign_in: SignIn, staff: Person) -> Client:
    return await sign_in(staff)


async def test_dead_jobs_are_shown_with_their_errors_and_buttons(boss: Client, database: Database) -> None:
    dead_id = await dead(database)
    page = (await boss.get("/admin/jobs")).text
    assert "tests.order" in page
    assert "upstream_unavailable: away" in page
    assert f'action="/admin/jobs/{dead_id}/replay"' in page
    assert f'action="/admin/jobs/{dead_id}/discard"' in page


@pytest.mark.parametrize("state", ["dead", "queued", "running", "nonsense", ""])
async def test_every_state_has_a_page(boss: Client, database: Database, state: str) -> None:
    await dead(database, name="tests.given_up")
    await put(database, 5)
    answer = await boss.get("/admin/jobs", params={"state": state})
    assert answer.status_code == 200
    assert ("tests.given_up" in answer.text) is (state not in {"queued", "running"})
    assert ("tests.order" in answer.text) is (state == "queued")


async def test_pages_past_the_end_are_empty(boss: Client, database: Database) -> None:
    for _ in range(21):
        await dead(database)
    for number, shown in ((1, 20), (2, 1), (3, 0)):
        page = (await boss.get("/admin/jobs", params={"page": number})).text
        assert len(re.findall(r' action="/admin/jobs/\d+/replay"', page)) == shown
    for number in ("0", "-1", "x", "9" * 30):
        assert (await boss.get("/admin/jobs", params={"page": number})).status_code == 200


async def test_the_sidebar_counts_dead_jobs(boss: Client, database: Database) -> None:
    for _ in range(3):
        await dead(database)
    page = (await boss.get("/admin/jobs")).text
    found = re.search(r'href="/admin/jobs"[^>]*>.*?</a>', page, re.DOTALL)
    assert found is not None
    assert re.search(r">\s*3\s*<", found[0]), found[0]


async def test_a_plain_form_replays_and_comes_back(boss: Client, database: Database) -> None:
    dead_id = await dead(database)
    answer = await boss.post(f"/admin/jobs/{dead_id}/replay", data={"csrf": boss.csrf})
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/jobs")
    assert len(await rows(database, "select 1 from pgqueuer")) == 1
    assert [row["action"] for row in await rows(database, "select action from audit_log")] == ["job.replayed"]


async def test_a_plain_form_discards_and_comes_back(boss: Client, database: Database) -> None:
    dead_id = await dead(database)
    answer = await boss.post(f"/admin/jobs/{dead_id}/discard", data={"csrf": boss.csrf})
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/jobs")
    assert await rows(database, "select 1 from dead_jobs") == []
    assert await rows(database, "select 1 from pgqueuer") == []
    assert [row["action"] for row in await rows(database, "select action from audit_log")] == ["job.discarded"]


async def test_what_is_gone_is_a_404(boss: Client, database: Database) -> None:
    dead_id = await dead(database)
    await boss.post(f"/admin/jobs/{dead_id}/discard")
    assert (await boss.post(f"/admin/jobs/{dead_id}/discard")).status_code == 404
    assert (await boss.post(f"/admin/jobs/{dead_id}/replay")).status_code == 404


async def test_clients_get_the_error_page(sign_in: SignIn, owner: Person, database: Database) -> None:
    dead_id = await dead(database)
    ada = await sign_in(owner)
    assert (await ada.get("/admin/jobs")).status_code == 403
    assert (await ada.post(f"/admin/jobs/{dead_id}/replay")).status_code == 403
    assert (await ada.post(f"/admin/jobs/{dead_id}/discard")).status_code == 403
    assert await rows(database, "select 1 from pgqueuer") == []


async def test_processes_and_mirror_runs_are_shown(boss: Client, makers: Makers, database: Database) -> None:
    await makers.server(None)
    async with heartbeat(database, "worker", "9.8.7"):
        page = (await boss.get("/admin/jobs")).text
    assert "Frankfurt" in page
    assert "9.8.7" in page


async def test_staff_agree_to_a_large_removal_once(boss: Client, makers: Makers, database: Database) -> None:
    await makers.server(None)
    (row,) = await rows(database, "select id from connections")
    url = f"/admin/jobs/connections/{row['id']}/confirm-removal"
    assert (await boss.post(url, data={"count": "40"})).status_code == 404
    async with database.transaction() as tx:
        await tx.execute("update connections set prune_stopped_at = now(), prune_count = 40")
    page = (await boss.get("/admin/jobs")).text
    assert url in page
    assert '<input type="hidden" name="count" value="40">' in page
    for other in ("39", "", "x", "9" * 30):  # not what the page shows now
        assert (await boss.post(url, data={"count": other})).status_code == 409
    (row,) = await rows(database, "select prune_confirmed_at from connections")
    assert row["prune_confirmed_at"] is None
    assert await rows(database, "select 1 from audit_log") == []
    answer = await boss.post(url, data={"count": "40"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/jobs")
    (row,) = await rows(database, "select prune_confirmed_at from connections")
    assert row["prune_confirmed_at"] is not None
    assert len(await rows(database, "select 1 from audit_log")) == 1
