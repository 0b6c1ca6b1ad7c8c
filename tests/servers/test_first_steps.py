"""What staff see before anything is connected: the first thing to do."""

from __future__ import annotations

from tests.support.app import Person, SignIn


async def test_an_empty_list_leads_staff_to_the_connections(sign_in: SignIn, staff: Person, owner: Person) -> None:
    page = (await (await sign_in(staff)).get("/admin/servers")).text
    assert "No servers yet" in page
    assert '<a class="btn" href="/admin/connections"' in page
    assert "/admin/connections" not in (await (await sign_in(owner)).get("/servers")).text
