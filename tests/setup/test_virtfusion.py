"""Attaching VirtFusion: what is wrong is said precisely, nothing is lost, and no token is ever shown."""

from __future__ import annotations

import socket

import pytest

from hostwright.core.config import Environment
from hostwright.core.db import Database, Scalar
from tests.setup.conftest import ADMIN, COMPANY, with_csrf
from tests.support.app import Client, MakeApp, MakeClient
from tests.support.raw_server import Reply, raw_server
from tests.support.simulator import RunningSimulator

connections = Scalar(str, "select base_url || ' ' || enabled::text || ' ' || verify_tls::text from connections")
jobs = Scalar(str, "select entrypoint from pgqueuer order by id")
servers = Scalar(int, "select count(*) from servers")


async def values[T](database: Database, query: Scalar[T]) -> list[T]:
    async with database.acquire() as db:
        return await query.all(db)


def form(vendor: RunningSimulator, **changes: str) -> dict[str, str]:
    return {"baseUrl": vendor.url, "token": vendor.token, "verifyTls": "yes", "do": "test", **changes}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def test_a_test_that_finds_all_well_attaches_nothing(
    named: Client, database: Database, virtfusion: RunningSimulator
) -> None:
    answer = await named.post("/setup/virtfusion", data=form(virtfusion))
    assert answer.status_code == 200
    assert "Everything works." in answer.text
    assert 'data-ok="no"' not in answer.text
    assert virtfusion.token not in answer.text
    assert await values(database, connections) == [f"{virtfusion.url} false true"]
    assert await values(database, jobs) == []
    assert {one.method for one in virtfusion.requests()} == {"GET"}
    assert (await named.get("/setup")).headers["location"] == "/setup/virtfusion"


async def test_attaching_begins_the_import(named: Client, database: Database, virtfusion: RunningSimulator) -> None:
    await named.post("/setup/virtfusion", data=form(virtfusion))
    # Leaving and coming back keeps it: the token need not be typed again.
    page = (await named.get("/setup/virtfusion")).text
    assert f'value="{virtfusion.url}"' in page
    assert virtfusion.token not in page
    answer = await named.post("/setup/virtfusion", data=form(virtfusion, token="", do="attach"))
    assert (answer.status_code, answer.headers["location"]) == (303, "/setup")
    assert await values(database, connections) == [f"{virtfusion.url} true true"]
    assert await values(database, jobs) == ["servers.mirror", "servers.hypervisors"]
    assert (await named.get("/setup")).headers["location"] == "/setup/import"
    assert "Reading the list" in (await named.get("/setup/import")).text


async def test_a_wrong_token(named: Client, database: Database, virtfusion: RunningSimulator) -> None:
    answer = await named.post("/setup/virtfusion", data=form(virtfusion, token="wrong-token-1", do="attach"))
    assert answer.status_code == 422
    assert "VirtFusion does not accept the API token (401)" in answer.text
    assert "Make a token in VirtFusion" in answer.text
    assert "Attach anyway" not in answer.text
    assert "wrong-token-1" not in answer.text
    assert answer.text.count('data-ok="no"') == 1
    forced = await named.post("/setup/virtfusion", data=form(virtfusion, token="wrong-token-1", do="anyway"))
    assert forced.status_code == 200
    assert [one.split()[1] for one in await values(database, connections)] == ["false"]
    assert await values(database, jobs) == []


async def test_nobody_listens_there(named: Client, virtfusion: RunningSimulator) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    answer = await named.post("/setup/virtfusion", data=form(virtfusion, baseUrl=url))
    assert "cannot be reached: the connection was refused" in answer.text
    assert "firewalls" in answer.text


async def test_no_tls_there(named: Client, virtfusion: RunningSimulator) -> None:
    url = virtfusion.url.replace("http://", "https://")
    answer = await named.post("/setup/virtfusion", data=form(virtfusion, baseUrl=url))
    assert "may not speak TLS" in answer.text
    assert "with http:// if it has no TLS" in answer.text


async def test_something_else_answers_there(named: Client, virtfusion: RunningSimulator) -> None:
    other = f"http://127.0.0.1:{virtfusion.port}/somewhere"
    answer = await named.post("/setup/virtfusion", data=form(virtfusion, baseUrl=other, do="attach"))
    assert answer.status_code == 422
    assert "not VirtFusion" in answer.text
    assert "does not behave like VirtFusion" in answer.text
    assert "Attach anyway" not in answer.text


async def test_a_page_instead_of_json(named: Client, virtfusion: RunningSimulator) -> None:
    async with raw_server() as other:
        other.usual = Reply(body=b"<h1>It works</h1>")
        answer = await named.post("/setup/virtfusion", data=form(virtfusion, baseUrl=other.url))
    assert "VirtFusion cannot be used yet." in answer.text
    assert "What answers there is not VirtFusion" in answer.text
    assert answer.text.count('data-ok="no"') == 1


async def test_a_missing_permission_is_named_by_area(
    named: Client, database: Database, virtfusion: RunningSimulator
) -> None:
    virtfusion.faults([{"mode": "status", "status": 403, "path": "/compute/hypervisors"}])
    answer = await named.post("/setup/virtfusion", data=form(virtfusion, do="attach"))
    assert answer.status_code == 422
    assert answer.text.count('data-ok="no"') == 1
    assert "<strong>Hypervisors</strong>" in answer.text
    assert "Give the token this permission" in answer.text
    assert await values(database, jobs) == []
    anyway = await named.post("/setup/virtfusion", data=form(virtfusion, token="", do="anyway"))
    assert anyway.status_code == 303
    assert await values(database, jobs) == ["servers.mirror", "servers.hypervisors"]


async def test_production_asks_nothing_on_this_machine_and_says_what_to_set(
    make_app: MakeApp, make_client: MakeClient, token: str, virtfusion: RunningSimulator
) -> None:
    app = await make_app(environment=Environment.PRODUCTION, allow_local_upstreams=False, public_url="http://127.0.0.1")
    browser = await make_client(app=app)
    await browser.post("/setup/token", data={"token": token})
    await browser.post("/setup/admin", data=ADMIN)
    await with_csrf(browser)
    await browser.post("/setup/company", data=COMPANY)
    answer = await browser.post("/setup/virtfusion", data=form(virtfusion))
    assert answer.status_code == 200
    assert "that is never asked, such as this machine itself" in answer.text
    assert "ALLOW_LOCAL_UPSTREAMS=yes" in answer.text
    assert virtfusion.requests() == []


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "ftp://control.example.com",
        "http://",
        "https://user:word@control.example.com",
        "https://a/?b",
        "https://a/#b",
    ],
)
async def test_what_is_no_address(named: Client, database: Database, virtfusion: RunningSimulator, typed: str) -> None:
    answer = await named.post("/setup/virtfusion", data=form(virtfusion, baseUrl=typed))
    assert answer.status_code == 422
    assert await values(database, connections) == []


async def test_a_token_is_needed_and_again_for_another_address(
    named: Client, database: Database, virtfusion: RunningSimulator
) -> None:
    assert (await named.post("/setup/virtfusion", data=form(virtfusion, token=""))).status_code == 422
    await named.post("/setup/virtfusion", data=form(virtfusion))
    other = f"http://127.0.0.1:{free_port()}"
    answer = await named.post("/setup/virtfusion", data=form(virtfusion, baseUrl=other, token=""))
    assert answer.status_code == 422
    assert "token" in answer.text
    assert await values(database, connections) == [f"{virtfusion.url} false true"]


async def test_the_box_for_the_certificate(named: Client, database: Database, virtfusion: RunningSimulator) -> None:
    wanted = form(virtfusion)
    del wanted["verifyTls"]
    await named.post("/setup/virtfusion", data=wanted)
    assert await values(database, connections) == [f"{virtfusion.url} false false"]


async def test_going_back_switches_it_off_until_it_is_attached_anew(
    named: Client, database: Database, virtfusion: RunningSimulator
) -> None:
    await named.post("/setup/virtfusion", data=form(virtfusion, do="attach"))
    await named.post("/setup/virtfusion", data=form(virtfusion, token="wrong"))
    assert [one.split()[1] for one in await values(database, connections)] == ["false"]
    assert (await named.get("/setup")).headers["location"] == "/setup/virtfusion"
    await named.post("/setup/virtfusion", data={"do": "later"})
    assert [one.split()[1] for one in await values(database, connections)] == ["false"]
    assert "nothing to import" in (await named.get("/setup/import")).text
