"""Notes: whose they are, what is kept of a draft, two at once."""

from __future__ import annotations

import asyncio
import re

import pytest

from hostwright.core.db import Database, Scalar
from hostwright.identity.records import MemberRole
from tests.support.app import Client, KeyClient, Makers, Person, SignIn, problems, refused

from .simulated import audit_lines

stored = Scalar(str, "select title || ': ' || content from server_notes order by id")
give_away = Scalar(int, "update servers set customer_id = $2 where id = $1 returning id")


async def all_notes(database: Database) -> list[str]:
    async with database.acquire() as db:
        return await stored.all(db)


def field(html: str, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', html)
    assert found is not None, f"no field {name}"
    return found[1]


@pytest.fixture
async def mine(makers: Makers, owner: Person) -> int:
    return await makers.server(owner.customer_id, "alpha")


async def added(caller: Client, server_id: int, title: str = "Backups", content: str = "At night") -> int:
    answer = await caller.post(f"/api/servers/{server_id}/notes", json={"title": title, "content": content})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def test_a_note_is_added_changed_listed_and_deleted(
    sign_in: SignIn, owner: Person, mine: int, database: Database
) -> None:
    ada = await sign_in(owner)
    first = await added(ada, mine, "  Who   to ask ", "Bob\r\nor Eve\n\n")
    second = await added(ada, mine)
    listed = (await ada.get(f"/api/servers/{mine}/notes")).json()
    assert [(note["id"], note["title"], note["content"]) for note in listed["items"]] == [
        (second, "Backups", "At night"),
        (first, "Who to ask", "Bob\nor Eve"),
    ]
    assert listed["pagination"] == {"next": None}
    changed = await ada.put(f"/api/servers/{mine}/notes/{first}", json={"title": "Who to ask", "content": "Eve"})
    assert (changed.status_code, changed.json()["content"]) == (200, "Eve")
    assert changed.json()["updatedAt"] > listed["items"][1]["updatedAt"]
    assert (await ada.delete(f"/api/servers/{mine}/notes/{second}")).status_code == 204
    assert await all_notes(database) == ["Who to ask: Eve"]
    refused(await ada.delete(f"/api/servers/{mine}/notes/{second}"), 404, "not_found")
    assert await audit_lines(database) == [
        "server_note.add done",
        "server_note.add done",
        "server_note.change done",
        "server_note.delete done",
    ]


async def test_defect_03_notes_of_others_are_neither_read_nor_written(
    sign_in: SignIn, owner: Person, stranger: Person, staff: Person, makers: Makers, mine: int, database: Database
) -> None:
    """Not those on somebody else's server, not a colleague's on the same server, and staff read none but their own."""
    ada, charles, grace = await sign_in(owner), await sign_in(stranger), await sign_in(staff)
    note = await added(ada, mine)
    colleague = await makers.user(full_name="Joan Clarke")
    await makers.member(colleague, owner.customer_id, MemberRole.TECHNICAL)
    joan = await sign_in(colleague)
    joan.headers["Hostwright-Customer"] = str(owner.customer_id)

    refused(await charles.get(f"/api/servers/{mine}/notes"), 404, "not_found")
    refused(await charles.post(f"/api/servers/{mine}/notes", json={"title": "Mine now"}), 404, "not_found")
    assert (await joan.get(f"/api/servers/{mine}/notes")).json()["items"] == []
    assert (await grace.get(f"/api/admin/servers/{mine}/notes")).json()["items"] == []
    for caller, path in ((charles, "servers"), (joan, "servers"), (grace, "admin/servers")):
        address = f"/api/{path}/{mine}/notes/{note}"
        refused(await caller.put(address, json={"title": "x"}), 404, "not_found")
        refused(await caller.delete(address), 404, "not_found")
    assert "Backups" not in (await joan.get(f"/servers/{mine}/notes?customer={owner.customer_id}")).text
    assert (await charles.get(f"/servers/{mine}/notes")).status_code == 404
    assert await all_notes(database) == ["Backups: At night"]


async def test_a_note_does_not_follow_its_server_to_another_customer(
    sign_in: SignIn, owner: Person, stranger: Person, makers: Makers, mine: int, database: Database
) -> None:
    ada = await sign_in(owner)
    note = await added(ada, mine)
    await makers.member(owner, stranger.customer_id)
    async with database.transaction() as tx:
        await give_away.value(tx, mine, stranger.customer_id)
    ada.headers["Hostwright-Customer"] = str(owner.customer_id)
    refused(await ada.get(f"/api/servers/{mine}/notes"), 404, "not_found")
    ada.headers["Hostwright-Customer"] = str(stranger.customer_id)
    assert (await ada.get(f"/api/servers/{mine}/notes")).json()["items"] == []
    refused(await ada.put(f"/api/servers/{mine}/notes/{note}", json={"title": "x"}), 404, "not_found")


async def test_what_was_changed_meanwhile_is_not_overwritten(
    sign_in: SignIn, owner: Person, mine: int, database: Database
) -> None:
    ada = await sign_in(owner)
    note = await added(ada, mine)
    read_at = (await ada.get(f"/api/servers/{mine}/notes")).json()["items"][0]["updatedAt"]
    address = f"/api/servers/{mine}/notes/{note}"
    first = await ada.put(address, json={"title": "Backups", "content": "At noon", "updatedAt": read_at})
    assert first.status_code == 200
    second = await ada.put(address, json={"title": "Backups", "content": "Never", "updatedAt": read_at})
    refused(second, 409, "note_changed")
    same = await ada.put(address, json={"title": "Backups", "content": "At noon", "updatedAt": read_at})
    assert same.status_code == 200
    assert await all_notes(database) == ["Backups: At noon"]


async def test_two_changes_at_once_leave_one(sign_in: SignIn, owner: Person, mine: int, database: Database) -> None:
    ada = await sign_in(owner)
    note = await added(ada, mine)
    read_at = (await ada.get(f"/api/servers/{mine}/notes")).json()["items"][0]["updatedAt"]
    answers = await asyncio.gather(
        *(
            ada.put(
                f"/api/servers/{mine}/notes/{note}", json={"title": "Backups", "content": text, "updatedAt": read_at}
            )
            for text in ("one", "two", "three", "four")
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    won = next(answer.json()["content"] for answer in answers if answer.status_code == 200)
    assert await all_notes(database) == [f"Backups: {won}"]


async def test_two_hundred_and_no_more(
    sign_in: SignIn, owner: Person, makers: Makers, mine: int, database: Database
) -> None:
    ada = await sign_in(owner)
    async with database.transaction() as tx:
        await tx.execute(
            """insert into server_notes (server_id, customer_id, author_id, title, content)
            select $1, $2, $3, 'note ' || n, '' from generate_series(1, 198) n""",
            mine,
            owner.customer_id,
            owner.user_id,
        )
    address = f"/api/servers/{mine}/notes"
    answers = await asyncio.gather(*(ada.post(address, json={"title": f"at once {n}"}) for n in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 201, 409, 409, 409]
    assert len(await all_notes(database)) == 200
    other = await makers.server(owner.customer_id)
    await added(ada, other)

    seen: list[int] = []
    cursor = ""
    while cursor is not None:
        part = (await ada.get(address, params={"pageSize": 100, **({"cursor": cursor} if cursor else {})})).json()
        seen += [note["id"] for note in part["items"]]
        cursor = part["pagination"]["next"]
    assert len(seen) == len(set(seen)) == 200
    assert seen == sorted(seen, reverse=True)


async def test_what_cannot_be_a_note(sign_in: SignIn, owner: Person, mine: int, database: Database) -> None:
    ada = await sign_in(owner)
    address = f"/api/servers/{mine}/notes"
    assert set(problems(await ada.post(address, json={}))) == {"title"}
    assert set(problems(await ada.post(address, json={"title": "   "}))) == {"title"}
    assert set(problems(await ada.post(address, json={"title": "x" * 121, "content": "x" * 10_001}))) == {
        "title",
        "content",
    }
    assert set(problems(await ada.post(address, json={"title": "x", "authorId": 1}))) == {"authorId"}
    assert await all_notes(database) == []
    await added(ada, mine, "zero \0 byte", "<script>alert(1)</script> 🚀\0")
    assert await all_notes(database) == ["zero \ufffd byte: <script>alert(1)</script> 🚀\ufffd"]
    html = (await ada.get(f"/servers/{mine}/notes")).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "<script>alert" not in html


async def test_the_page_keeps_a_draft_whatever_happens(
    sign_in: SignIn, owner: Person, mine: int, database: Database
) -> None:
    ada = await sign_in(owner)
    page = f"/servers/{mine}/notes"
    assert "No notes yet" in (await ada.get(page)).text
    empty = await ada.post(page, data={"csrf": ada.csrf, "title": "", "content": "a long <draft>"})
    assert empty.status_code == 422
    assert "a long &lt;draft&gt;</textarea>" in empty.text
    assert "Fill this in." in empty.text
    made = await ada.post(page, data={"csrf": ada.csrf, "title": "Plan", "content": "first"})
    assert (made.status_code, made.headers["location"]) == (303, page)
    note = (await ada.get(f"/api/servers/{mine}/notes")).json()["items"][0]["id"]

    read_at = field((await ada.get(f"{page}?edit={note}")).text, "updatedAt")
    await ada.put(f"/api/servers/{mine}/notes/{note}", json={"title": "Plan", "content": "theirs"})
    form = {"csrf": ada.csrf, "title": "Plan", "content": "my own", "updatedAt": read_at}
    clash = await ada.post(f"{page}/{note}", data=form)
    assert clash.status_code == 409
    assert "my own</textarea>" in clash.text
    assert "theirs" in clash.text
    assert await all_notes(database) == ["Plan: theirs"]
    anyway = await ada.post(f"{page}/{note}", data={**form, "updatedAt": field(clash.text, "updatedAt")})
    assert anyway.status_code == 303
    assert await all_notes(database) == ["Plan: my own"]

    await ada.delete(f"/api/servers/{mine}/notes/{note}")
    lost = await ada.post(f"{page}/{note}", data=form)
    assert lost.status_code == 409
    assert "my own</textarea>" in lost.text
    assert f'action="{page}"' in lost.text
    assert await all_notes(database) == []
    assert (await ada.get(f"{page}?edit={note}")).status_code == 404


async def test_a_note_beyond_the_first_part_can_be_edited(sign_in: SignIn, owner: Person, mine: int) -> None:
    ada = await sign_in(owner)
    first = await added(ada, mine, "The oldest")
    for number in range(21):
        await added(ada, mine, f"note {number}")
    page = (await ada.get(f"/servers/{mine}/notes")).text
    assert "The oldest" not in page
    older = re.search(r'href="([^"]*cursor=[^"]*)"', page)
    assert older is not None
    assert "The oldest" in (await ada.get(older[1])).text
    assert 'value="The oldest"' in (await ada.get(f"/servers/{mine}/notes?edit={first}")).text


async def test_staff_keep_notes_on_any_server(
    sign_in: SignIn, owner: Person, staff: Person, mine: int, database: Database
) -> None:
    grace = await sign_in(staff)
    made = await grace.post(f"/admin/servers/{mine}/notes", data={"csrf": grace.csrf, "title": "Pays late"})
    assert (made.status_code, made.headers["location"]) == (303, f"/admin/servers/{mine}/notes")
    assert "Pays late" in (await grace.get(f"/admin/servers/{mine}/notes")).text
    ada = await sign_in(owner)
    assert "Pays late" not in (await ada.get(f"/servers/{mine}/notes")).text
    note = (await grace.get(f"/api/admin/servers/{mine}/notes")).json()["items"][0]["id"]
    gone = await grace.post(f"/admin/servers/{mine}/notes/{note}/delete", data={"csrf": grace.csrf})
    assert gone.status_code == 303
    assert await all_notes(database) == []


async def test_a_key_needs_its_scope(api_key: KeyClient, owner: Person, mine: int, database: Database) -> None:
    reader = await api_key(owner, "read:servers")
    assert (await reader.get(f"/api/servers/{mine}/notes")).json()["items"] == []
    refused(await reader.post(f"/api/servers/{mine}/notes", json={"title": "x"}), 403, "invalid_scope")
    writer = await api_key(owner, "write:servers")
    await added(writer, mine)
    assert await all_notes(database) == ["Backups: At night"]
