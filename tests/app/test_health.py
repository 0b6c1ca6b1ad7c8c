"""What load balancers and monitoring see: alive, ready, metrics, the company's colours, the style page."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import asyncpg
import pytest

from hostwright import __version__
from hostwright.app import App
from hostwright.core.config import Environment
from hostwright.core.db import Command, Database
from hostwright.core.presence import heartbeat
from tests.support.app import Client, MakeApp, MakeClient, Makers, Person, SignIn

age_workers = Command("update workers set seen_at = now() - interval '31 seconds' where role = 'worker'")


@pytest.fixture
async def worker(database: Database) -> AsyncIterator[None]:
    """A worker that says that it is there."""
    async with heartbeat(database, "worker", __version__):
        yield


async def test_alive_needs_no_database(app: App, client: Client) -> None:
    await app.services.database.close()
    answer = await client.get("/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


async def test_ready_with_database_queue_and_worker(worker: None, client: Client) -> None:
    answer = await client.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json() == {
        "ready": True,
        "checks": [
            {"name": "database", "ok": True, "message": "answers"},
            {"name": "queue", "ok": True, "message": "answers"},
            {"name": "worker", "ok": True, "message": "1 alive"},
        ],
    }
    assert answer.headers["cache-control"] == "no-store"


async def test_not_ready_without_a_worker(client: Client) -> None:
    answer = await client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["ready"] is False
    assert answer.json()["checks"][-1] == {"name": "worker", "ok": False, "message": "0 alive"}


async def test_not_ready_when_the_worker_fell_silent(worker: None, client: Client, database: Database) -> None:
    async with database.transaction() as tx:
        assert await age_workers.run(tx) == 1
    assert (await client.get("/health/ready")).status_code == 503


async def test_not_ready_without_a_queue(
    worker: None, own_dsn: str, make_app: MakeApp, make_client: MakeClient
) -> None:
    client = await make_client(app=await make_app(database_url=own_dsn))
    connection = await asyncpg.connect(own_dsn)
    await connection.execute("alter table pgqueuer rename to elsewhere")
    await connection.close()
    answer = await client.get("/health/ready")
    assert answer.status_code == 503
    assert [(check["name"], check["ok"]) for check in answer.json()["checks"]] == [("database", True), ("queue", False)]


async def test_not_ready_when_the_database_is_away(app: App, client: Client) -> None:
    await app.services.database.close()
    answer = await client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["ready"] is False
    (check,) = answer.json()["checks"]
    assert (check["name"], check["ok"]) == ("database", False)


async def test_health_needs_no_session_and_looks_at_none(client: Client) -> None:
    headers = {"Authorization": "Bearer hw_unknown", "Cookie": "hw_session=unknown"}
    assert (await client.get("/health/live", headers=headers)).status_code == 200


async def test_metrics_of_this_process_its_workers_and_the_queue(worker: None, client: Client) -> None:
    await client.get("/api/user")
    answer = await client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    text = answer.text
    for line in (
        'hostwright_http_request_seconds_count{method="GET",process="web",route="/api/user",status="4xx"}',
        "hostwright_live_subscribers",
        'hostwright_queue_jobs{state="queued"}',
        'hostwright_queue_jobs{state="running"}',
        'hostwright_queue_jobs{state="dead"}',
    ):
        assert line in text, line
    processes = set(re.findall(r'process="([^"]+)"', text))
    assert len(processes) == 2
    assert "web" in processes
    families = re.findall(r"^# TYPE (\S+)", text, re.MULTILINE)
    assert len(families) == len(set(families))


@pytest.mark.parametrize("address", ["203.0.113.5", "10.0.0.4", "2001:db8::1"])
async def test_metrics_are_for_this_machine_only(make_client: MakeClient, address: str) -> None:
    assert (await (await make_client(address)).get("/metrics")).status_code == 404


async def test_a_proxy_on_this_machine_does_not_open_the_metrics(client: Client) -> None:
    answer = await client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.5"})
    assert answer.status_code == 404


async def test_the_companys_colours_are_kept_for_a_year(client: Client, make_app: MakeApp) -> None:
    page = (await client.get("/sign-in")).text
    found = re.search(r'href="(/brand/[0-9a-f]{6}-[0-9a-f]+\.css)"', page)
    assert found is not None
    answer = await client.get(found[1])
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/css")
    assert "immutable" in answer.headers["cache-control"]
    assert "max-age=31536000" in answer.headers["cache-control"]


async def test_another_colour_has_another_address(make_app: MakeApp, make_client: MakeClient) -> None:
    client = await make_client(app=await make_app(brand_colour="#b91c1c", company_name="Nordlicht <Hosting>"))
    page = (await client.get("/sign-in")).text
    assert "Nordlicht &lt;Hosting&gt;" in page
    found = re.search(r'href="(/brand/[0-9a-f]{6}-[0-9a-f]+\.css)"', page)
    assert found is not None
    assert (await client.get(found[1])).status_code == 200


@pytest.mark.parametrize(
    ("environment", "status"),
    [(Environment.PRODUCTION, 404), (Environment.DEMO, 200), (Environment.DEVELOPMENT, 200), (Environment.TEST, 200)],
)
async def test_the_style_page_is_not_served_in_production(
    environment: Environment,
    status: int,
    make_app: MakeApp,
    sign_in: SignIn,
    makers: Makers,
) -> None:
    app = await make_app(environment=environment)
    person: Person = await makers.user()
    ada = await sign_in(person, app=app)
    assert (await ada.get("/styleguide")).status_code == status
    assert (await ada.get("/styleguide/toast")).status_code == status
    assert ('href="/styleguide"' in (await ada.get("/servers")).text) is (status == 200)
