"""Servers over HTTP: shapes, refusals, and nothing of others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from litestar import Litestar, Request
from litestar.di import Provide

from hostwright.core.db import Scalar
from hostwright.core.errors import AppError
from hostwright.core.providers import Power, ServerState, Transient
from hostwright.identity.records import MemberRole, Role
from hostwright.identity.schemas import StaffViewer, Viewer
from hostwright.servers.api import AdminServersApi, ServersApi
from hostwright.servers.service import refresh_details, run_mirror
from hostwright.web.errors import error_handlers, json_answer
from hostwright.web.inject import core_dependencies

from .helpers import PASSWORD, House

set_state = Scalar(int, "update servers set state = $2 where id = $1 returning 1")


class Holder:
    """What `core_dependencies` reads of `Services`."""

    def __init__(self, house: House) -> None:
        self.database = house.database
        self.config = self.keyring = None


def viewer_of(house: House, who: str, *, staff: bool) -> Viewer:
    kind = StaffViewer if staff else Viewer
    return kind(
        user_id=1,
        username=who,
        full_name="Ada Lovelace",
        email="ada@example.com",
        role=Role.ADMIN if staff else Role.CLIENT,
        customer_id=house.stranger_id if who == "stranger" else house.customer_id,
        customer_name="",
        member_role=MemberRole.VIEWER if who == "onlooker" else MemberRole.OWNER,
        language="en",
        session_id=None,
        key_id=None,
        scopes=None,
        address="192.0.2.9",
        request_id="r",
    )


def build(house: House) -> Litestar:
    """Our controllers alone; who calls stands in a header, since signing in is tested elsewhere."""

    async def provide_viewer(request: Request[Any, Any, Any]) -> Viewer:
        staff = request.route_handler.opt.get("auth") == "admin"
        return viewer_of(house, request.headers.get("x-who", "owner"), staff=staff)

    async def provide_caller() -> None:
        return None

    async def provide_providers() -> Any:
        return house.providers

    def page(request: Request[Any, Any, Any], error: AppError) -> Any:
        return json_answer(request, error)

    holder: Any = Holder(house)
    return Litestar(
        [ServersApi, AdminServersApi],
        dependencies={
            **core_dependencies(holder),
            "caller": Provide(provide_caller),
            "viewer": Provide(provide_viewer),
            "providers": Provide(provide_providers),
        },
        exception_handlers=error_handlers(page),
        openapi_config=None,
        logging_config=None,
    )


@pytest.fixture
async def served(house: House) -> House:
    house.clock.time = datetime.now(UTC).replace(microsecond=0)  # handlers have the machine's clock
    for number, name in enumerate(("alpha", "bravo", "charlie"), start=1):
        house.compute.add(number, owner_id=100, name=name)
    house.compute.add(4, owner_id=200, name="delta")
    await run_mirror(house.database, house.providers, house.connection_id, clock=house.clock)
    await refresh_details(house.database, house.providers, house.connection_id, budget=9, clock=house.clock)
    house.compute.calls.clear()
    return house


@pytest.fixture
async def web(served: House) -> AsyncIterator[httpx.AsyncClient]:
    app: Any = build(served)  # Litestar's own names for ASGI types are not httpx's
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


async def test_a_list_is_items_pages_and_statistics(web: httpx.AsyncClient, served: House) -> None:
    answer = await web.get("/api/user/servers", params={"pageSize": 2})
    assert answer.status_code == 200
    body = answer.json()
    assert [item["name"] for item in body["items"]] == ["alpha", "bravo"]
    assert body["pagination"] == {"page": 1, "pageSize": 2, "total": 3, "totalPages": 2}
    assert body["statistics"] == {
        "total": 3,
        "states": {"active": 3, "suspended": 0, "building": 0, "failed": 0, "gone": 0},
        "power": {"running": 3, "stopped": 0, "unknown": 0},
    }
    now = served.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    assert body["items"][0] == {
        "id": (await served.row(1)).id,
        "kind": "virtual",
        "name": "alpha",
        "hostname": "alpha.example",
        "state": "active",
        "power": "running",
        "busy": False,
        "cores": 2,
        "memoryMib": 2048,
        "diskGib": 40,
        "addresses": [{"address": "192.0.2.1", "version": 4, "primary": True}],
        "operatingSystem": "Debian 13",
        "location": "Frankfurt",
        "package": "VPS 2",
        "createdAt": "2026-11-24T12:00:00Z",
        "stateObservedAt": now,
        "powerObservedAt": now,
        "suspendReason": None,
        "cpuThrottle": None,
    }
    past = (await web.get("/api/user/servers", params={"page": 9})).json()
    assert (past["items"], past["pagination"]["total"]) == ([], 3)
    assert served.compute.calls == []


async def test_staff_see_whose_servers_they_are(web: httpx.AsyncClient, served: House) -> None:
    body = (await web.get("/api/admin/servers", params={"search": "DELTA", "sort": "-createdAt"})).json()
    assert body["pagination"]["total"] == 1
    item = body["items"][0]
    assert (item["customerId"], item["customerName"]) == (served.stranger_id, "Somebody else")
    assert (item["connectionId"], item["externalId"], item["hypervisor"]) == (served.connection_id, 4, "hv-1")
    own = (await web.get("/api/admin/servers", params={"customerId": served.customer_id})).json()
    assert own["pagination"]["total"] == 3
    detail = (await web.get(f"/api/admin/servers/{item['id']}")).json()
    assert detail == {**item, "pendingAction": None}


@pytest.mark.parametrize(
    ("parameters", "fields"),
    [
        ({"page": "0"}, ["page"]),
        ({"page": "x", "pageSize": "101"}, ["page", "pageSize"]),
        ({"sort": "colour", "state": "on", "power": "off"}, ["power", "sort", "state"]),
        ({"search": "x" * 101}, ["search"]),
    ],
)
async def test_bad_values_are_400_with_one_entry_each(
    web: httpx.AsyncClient, parameters: dict[str, str], fields: list[str]
) -> None:
    for path in ("/api/user/servers", "/api/admin/servers"):
        answer = await web.get(path, params=parameters)
        assert answer.status_code == 400
        assert sorted(entry["field"] for entry in answer.json()["error"]["details"]) == fields


async def test_a_stranger_gets_404_everywhere(web: httpx.AsyncClient, served: House) -> None:
    server_id = (await served.row(1)).id
    asked = (await web.post(f"/api/user/servers/{server_id}/power/restart")).json()
    for method, path in (
        ("GET", ""),
        ("GET", f"/actions/{asked['id']}"),
        ("GET", "/traffic"),
        ("GET", "/logs"),
        ("POST", "/power/boot"),
        ("POST", "/reset-password"),
    ):
        answer = await web.request(method, f"/api/user/servers/{server_id}{path}", headers={"x-who": "stranger"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found"), path
        for number in (999_999, 0, 2**63, 10**30):
            missing = await web.request(method, f"/api/user/servers/{number}{path}")
            assert missing.status_code == 404, path
    assert served.compute.calls == []


async def test_power_is_202_and_followed_by_its_id(web: httpx.AsyncClient, served: House) -> None:
    server_id = (await served.row(1)).id
    asked = await web.post(f"/api/user/servers/{server_id}/power/poweroff")
    assert asked.status_code == 202
    action = asked.json()
    assert (action["kind"], action["state"], action["serverId"], action["actor"]) == (
        "poweroff",
        "queued",
        server_id,
        "Ada Lovelace",
    )
    again = await web.post(f"/api/user/servers/{server_id}/power/poweroff")
    assert (again.status_code, again.json()["id"]) == (202, action["id"])
    other = await web.post(f"/api/user/servers/{server_id}/power/boot")
    assert (other.status_code, other.json()["error"]["code"]) == (409, "action_pending")
    detail = (await web.get(f"/api/user/servers/{server_id}")).json()
    assert (detail["busy"], detail["pendingAction"]["id"]) == (True, action["id"])
    await served.perform(action["id"])
    await served.follow(action["id"])
    ended = (await web.get(f"/api/user/servers/{server_id}/actions/{action['id']}")).json()
    assert (ended["state"], ended["progress"]) == ("succeeded", 100)
    assert (await served.row(1)).power is Power.STOPPED


@pytest.mark.parametrize("path", ["boot", "shutdown", "restart", "power-off"])
async def test_staff_operate_any_server(web: httpx.AsyncClient, served: House, path: str) -> None:
    server_id = (await served.row(4)).id
    answer = await web.post(f"/api/admin/servers/{server_id}/{path}")
    assert (answer.status_code, answer.json()["kind"]) == (202, path.replace("-", ""))
    followed = await web.get(f"/api/admin/servers/{server_id}/actions/{answer.json()['id']}")
    assert (followed.status_code, followed.json()["state"]) == (200, "queued")
    elsewhere = (await served.row(1)).id
    assert (await web.get(f"/api/admin/servers/{elsewhere}/actions/{answer.json()['id']}")).status_code == 404


async def test_refusals(web: httpx.AsyncClient, served: House) -> None:
    server_id = (await served.row(1)).id
    assert (await web.post(f"/api/user/servers/{server_id}/power/explode")).status_code == 400
    onlooker = await web.post(f"/api/user/servers/{server_id}/power/boot", headers={"x-who": "onlooker"})
    assert onlooker.status_code == 403
    assert (await web.get(f"/api/user/servers/{server_id}", headers={"x-who": "onlooker"})).status_code == 200
    async with served.database.transaction() as tx:
        await set_state.value(tx, server_id, ServerState.SUSPENDED)
    for path in ("power/boot", "reset-password"):
        answer = await web.post(f"/api/user/servers/{server_id}/{path}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "server_suspended")
    assert served.compute.calls == []


async def test_a_new_password_is_not_kept_by_anybody(web: httpx.AsyncClient, served: House) -> None:
    server_id = (await served.row(1)).id
    answer = await web.post(f"/api/user/servers/{server_id}/reset-password")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert (answer.json()["username"], answer.json()["password"]) == ("root", PASSWORD)


async def test_activity_goes_on_by_cursor_and_by_dates(web: httpx.AsyncClient, served: House) -> None:
    server_id = (await served.row(1)).id
    path = f"/api/user/servers/{server_id}/logs"
    for action in ("poweroff", "boot", "restart"):
        asked = (await web.post(f"/api/user/servers/{server_id}/power/{action}")).json()
        await served.perform(asked["id"])
        await served.follow(asked["id"])
    first = (await web.get(path, params={"pageSize": 3})).json()
    assert [line["action"] for line in first["items"]] == ["restart", "boot", "poweroff"]
    rest = (await web.get(path, params={"pageSize": 3, "cursor": first["pagination"]["next"]})).json()
    assert [(line["action"], line["actionType"], line["status"]) for line in rest["items"]] == [
        ("found", "state", "success")
    ]
    assert rest["pagination"]["next"] is None
    power = (await web.get(path, params={"actionType": "power"})).json()
    assert len(power["items"]) == 3
    later = (await web.get(path, params={"startDate": "2100-01-01"})).json()
    assert later["items"] == []
    today = served.clock.now().date().isoformat()
    included = (await web.get(path, params={"endDate": today, "actionType": "state"})).json()
    assert len(included["items"]) == 1
    edge = await web.get(path, params={"startDate": "0001-01-01T00:00:00+14:00", "endDate": "9999-12-31"})
    assert edge.status_code == 400
    bad = await web.get(path, params={"cursor": "x", "startDate": "soon", "endDate": "2026-01-01T00:00:00"})
    assert bad.status_code == 400
    assert [entry["field"] for entry in bad.json()["error"]["details"]] == ["cursor", "startDate", "endDate"]


async def test_pages_stand_when_the_vendor_is_away(web: httpx.AsyncClient, served: House) -> None:
    server_id = (await served.row(1)).id
    assert (await web.get(f"/api/user/servers/{server_id}/traffic")).json()["periods"][0]["totalBytes"] == 3
    served.compute.fail["traffic"] = [Transient("away")]
    away = await web.get(f"/api/user/servers/{server_id}/traffic")
    assert (away.status_code, away.json()["error"]["code"]) == (503, "upstream_unavailable")
    assert "retry-after" in away.headers
    assert (await web.get(f"/api/user/servers/{server_id}")).status_code == 200
