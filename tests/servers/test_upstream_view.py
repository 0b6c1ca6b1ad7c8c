"""VirtFusion's own view over HTTP, for staff alone; and the paths that used to go round the shared client."""

from __future__ import annotations

from hostwright.app import App
from hostwright.core.db import Database, Scalar
from tests.support.app import Makers, Person, SignIn
from tests.support.routes import routes_of

insert_queued = Scalar(
    int,
    """insert into server_actions (server_id, customer_id, kind, state, actor_label, deadline, external_queue_id,
    finished_at) select id, customer_id, 'boot', 'succeeded', 'Ada', now(), 4711, now() from servers
    where id = $1 returning id""",
)


async def test_only_staff_see_what_the_vendor_says(
    sign_in: SignIn, makers: Makers, owner: Person, staff: Person
) -> None:
    server_id = await makers.server(owner.customer_id)
    mine = await sign_in(owner)
    for path in (
        f"/api/admin/servers/{server_id}/upstream",
        "/api/admin/queue/1",
        f"/admin/servers/{server_id}/upstream",
    ):
        assert (await mine.get(path)).status_code == 403
    assert (await mine.get(f"/servers/{server_id}/upstream")).status_code == 404
    theirs = await sign_in(staff)
    answer = await theirs.get(f"/api/admin/servers/{server_id}/upstream")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "upstream_unavailable")
    page = await theirs.get(f"/admin/servers/{server_id}/upstream")
    assert page.status_code == 200
    assert "view cannot be shown right now" in page.text


async def test_only_queue_items_of_ours_are_asked_for(
    database: Database, sign_in: SignIn, makers: Makers, owner: Person, staff: Person
) -> None:
    server_id = await makers.server(owner.customer_id)
    async with database.transaction() as tx:
        await insert_queued.value(tx, server_id)
    theirs = await sign_in(staff)
    assert (await theirs.get("/api/admin/queue/4712")).status_code == 404
    assert (await theirs.get("/api/admin/queue/4711?connectionId=9999999")).status_code == 404
    assert (await theirs.get("/api/admin/queue/4711")).status_code == 503


async def test_defect_50_staff_reset_passwords_through_the_shared_path(
    sign_in: SignIn, makers: Makers, owner: Person, staff: Person
) -> None:
    """The connection of the server decides where it goes, and what is not answered is told as for everybody."""
    server_id = await makers.server(owner.customer_id)
    theirs = await sign_in(staff)
    answer = await theirs.post(f"/api/admin/servers/{server_id}/reset-password")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "upstream_unavailable")
    log = (await theirs.get(f"/admin/servers/{server_id}/activity")).text
    assert "Reset password failed" in log


def test_defect_55_customers_are_led_to_no_staff_address(app: App) -> None:
    """Every operation of a customer has an address of its own that asks for no more than being signed in."""
    routes = routes_of(app)
    for path in ("reinstall", "templates"):
        ours = [route for route in routes if route.path == f"/api/user/servers/{{server_id}}/{path}"]
        assert [route.auth for route in ours] == ["user"]
    assert all(route.auth == "admin" for route in routes if route.path.startswith(("/api/admin/", "/admin/")))


async def test_defect_55_a_customer_s_pages_name_no_staff_address(
    sign_in: SignIn, makers: Makers, owner: Person
) -> None:
    server_id = await makers.server(owner.customer_id)
    mine = await sign_in(owner)
    for path in ("/servers", f"/servers/{server_id}", f"/servers/{server_id}/menu", f"/servers/{server_id}/reinstall"):
        page = await mine.get(path)
        assert page.status_code == 200
        assert "/admin" not in page.text
    for action in ("suspend", "unsuspend", "throttle", "owner"):
        assert (await mine.post(f"/servers/{server_id}/{action}")).status_code in {404, 405}
        assert (await mine.post(f"/admin/servers/{server_id}/{action}")).status_code == 403


async def test_a_bad_name_comes_back_in_its_form(sign_in: SignIn, makers: Makers, owner: Person) -> None:
    server_id = await makers.server(owner.customer_id)
    mine = await sign_in(owner)
    page = await mine.post(f"/servers/{server_id}/rename", data={"name": "a" * 64 + "<b>"})
    assert page.status_code == 422
    assert "Must have 1 to 63 characters." in page.text
    assert "a&lt;b&gt;" in page.text
    htmx = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": f"form#rename-form-{server_id}"}
    part = await mine.post(f"/servers/{server_id}/rename", data={"name": " "}, headers=htmx)
    assert part.status_code == 422
    assert part.text.lstrip().startswith("<form")


async def test_a_selection_is_bound_to_what_was_seen(sign_in: SignIn, makers: Makers, owner: Person) -> None:
    first, second = await makers.server(owner.customer_id), await makers.server(owner.customer_id)
    mine = await sign_in(owner)
    page = (await mine.get(f"/servers/bulk?action=restart&id={first}&id={second}")).text
    seen = page.partition('name="seen" value="')[2].partition('"')[0]
    stale = await mine.post("/servers/bulk", data={"action": "restart", "id": [first, second], "seen": "0" * 32})
    assert stale.status_code == 409
    assert "changed since you looked" in stale.text
    done = await mine.post("/servers/bulk", data={"action": "restart", "id": [first, second], "seen": seen})
    assert done.status_code == 303
    summary = await mine.get(done.headers["location"])
    assert "2 going on" in summary.text


async def test_hostile_selections_do_nothing(sign_in: SignIn, makers: Makers, owner: Person, stranger: Person) -> None:
    theirs = await makers.server(stranger.customer_id)
    mine = await sign_in(owner)
    for query in ("", "?action=suspend&id=1", "?action=restart&id=-1&id=x&id=" + "9" * 40, "?action=restart"):
        assert "No server was chosen" in (await mine.get(f"/servers/bulk{query}")).text
    many = "&".join(f"id={number}" for number in range(1, 60))
    assert "Too many servers were chosen" in (await mine.get(f"/servers/bulk?action=boot&{many}")).text
    page = await mine.get(f"/servers/bulk?action=boot&id={theirs}")
    assert "None of them can do this right now" in page.text
    sent = await mine.post("/servers/bulk", data={"action": "boot", "id": str(theirs)})
    assert sent.headers["location"] == f"/servers/bulk/summary?action=boot&r={theirs}%3Anot_found"
    odd = await mine.get("/servers/bulk/summary?action=boot&a=999999&r=1:<script>&r=x&a=" + "9" * 30)
    assert odd.status_code == 200
    assert "<script>&" not in odd.text
    assert "There is nothing to sum up" in odd.text


async def test_what_changed_with_a_server_comes_along_with_its_name(
    sign_in: SignIn, makers: Makers, owner: Person
) -> None:
    """The state does not: what is fetched may be older than what the live stream has brought meanwhile."""
    server_id = await makers.server(owner.customer_id)
    mine = await sign_in(owner)
    htmx = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "h1#named"}
    part = (await mine.get(f"/servers/{server_id}", headers=htmx)).text
    assert part.startswith("<h1")
    for name in ("crumb", "emblem", "about", "facts"):
        assert f'<hx-partial hx-target="#{name}"' in part
    assert f'id="state-{server_id}"' not in part
