"""SSH keys: what is taken, whose they are, and a vendor that is slow, lost or away."""

from __future__ import annotations

import asyncio
import base64
import struct
from collections.abc import AsyncIterator

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from hostwright.core.db import Database
from hostwright.core.errors import Invalid
from hostwright.identity.records import MemberRole
from hostwright.servers.service.public_keys import (
    BROKEN,
    CERTIFICATE,
    DSA,
    EMPTY,
    ONE_LINE,
    OPTIONS,
    PRIVATE,
    TOO_SHORT,
    UNKNOWN,
    known_key,
    parse_public_key,
)
from hostwright.servers.service.ssh_keys import keys_of
from tests.support.app import App, Client, KeyClient, Makers, Person, SignIn, problems, refused
from tests.support.logs import Lines
from tests.support.simulator import RunningSimulator, running_simulator

from .simulated import Place, audit_lines, settle

ED = ed25519.Ed25519PrivateKey.generate()
RSA_4096 = rsa.generate_private_key(65537, 3072)
RSA_1024 = rsa.generate_private_key(65537, 1024)
ECDSA = ec.generate_private_key(ec.SECP384R1())


def public(key: ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def fresh(comment: str = "ada@analytical") -> str:
    return f"{public(ed25519.Ed25519PrivateKey.generate())} {comment}"


PRIVATE_KEYS = {
    "openssh": ED.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode(),
    "encrypted": ED.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x" * 8)).decode(),
    "pkcs1": RSA_4096.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode(),
    "pkcs8": RSA_4096.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
    "putty": "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nPrivate-Lines: 1\nAAAAIHh4eHh4",
}


# --- reading ---


def test_what_a_key_is() -> None:
    found = parse_public_key(f"  {public(ED)} ada@analytical engine \n")
    assert (found.kind, found.bits, found.comment) == ("Ed25519", 256, "ada@analytical engine")
    assert found.text == public(ED)
    assert found.fingerprint.startswith("SHA256:")
    assert len(found.fingerprint) == len("SHA256:") + 43
    assert (parse_public_key(public(RSA_4096)).kind, parse_public_key(public(RSA_4096)).bits) == ("RSA", 3072)
    assert (parse_public_key(public(ECDSA)).kind, parse_public_key(public(ECDSA)).bits) == ("ECDSA", 384)


def test_a_fingerprint_is_what_ssh_keygen_shows() -> None:
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4"
    assert parse_public_key(key).fingerprint == "SHA256:lA19YOwnA8sKEBzmWH//YfBfLIamgNX1CzTbbjRJ13M"


def test_a_key_on_a_token_is_taken() -> None:
    def part(data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + data

    kind = b"sk-ssh-ed25519@openssh.com"
    raw = ED.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    blob = base64.b64encode(part(kind) + part(raw) + part(b"ssh:")).decode()
    assert parse_public_key(f"{kind.decode()} {blob}").kind == "Ed25519-SK"


def _damaged() -> str:
    kind, blob = public(ED).split()
    return f"{kind} {blob[:-8]}"


def _mixed() -> str:
    return f"ssh-rsa {public(ED).split()[1]}"


DSA_LINE = (
    dsa.generate_private_key(1024).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("   ", EMPTY),
        (f"{public(ED)}\n{public(ECDSA)}", ONE_LINE),
        ("---- BEGIN SSH2 PUBLIC KEY ----", ONE_LINE),
        (f'command="rm -rf /" {public(ED)}', OPTIONS),
        (f"no-pty,from=10.0.0.1 {public(ED)}", OPTIONS),
        ("ssh-ed25519-cert-v01@openssh.com AAAA", CERTIFICATE),
        ("ssh-dss AAAAB3NzaC1kc3MAAACBAP", DSA),
        (DSA_LINE.replace("\n", " ").strip(), UNKNOWN),
        ("hello", UNKNOWN),
        ("ssh-ed25519", BROKEN),
        ("ssh-ed25519 not*base64", BROKEN),
        (_damaged(), BROKEN),
        (_mixed(), BROKEN),
        (f"ssh-ed25519 {'A' * 8000}", BROKEN),
        (public(RSA_1024), TOO_SHORT),
        *((key, PRIVATE) for key in PRIVATE_KEYS.values()),
        (f"{public(ED)} -----BEGIN OPENSSH PRIVATE KEY-----", PRIVATE),
    ],
)
def test_what_is_refused_says_what_to_do_and_repeats_nothing(text: str, message: str) -> None:
    with pytest.raises(Invalid) as refusal:
        parse_public_key(text)
    assert [(problem.field, problem.message) for problem in refusal.value.problems] == [("publicKey", message)]
    assert refusal.value.__cause__ is None or text not in str(refusal.value.__cause__)


def test_a_key_that_is_kept_already_is_read_whatever_it_is() -> None:
    short = known_key(public(RSA_1024))
    assert short is not None
    assert (short.kind, short.bits) == ("RSA", 1024)
    assert known_key("") is None
    assert known_key("ssh-rsa AAAA") is None
    assert known_key("ssh-ed25519 ***") is None
    odd = known_key("ssh-unheard-of AAAA a comment")
    assert odd is not None
    assert (odd.kind, odd.bits, odd.comment) == ("ssh-unheard-of", 0, "a comment")


# --- at the vendor ---


@pytest.fixture
async def vendor() -> AsyncIterator[RunningSimulator]:
    async with running_simulator() as found:
        yield found


@pytest.fixture
async def place(database: Database, makers: Makers, vendor: RunningSimulator, owner: Person) -> Place:
    found = await settle(database, makers, vendor, owner)
    for key_id in [key.id for key in vendor.world.keys.values() if key.user_id == found.external_user_id]:
        del vendor.world.keys[key_id]
    return found


def kept(place: Place) -> list[str]:
    """What the vendor has of this person."""
    return [key.public_key for key in place.vendor.world.keys.values() if key.user_id == place.external_user_id]


async def add(caller: Client, text: str, **more: object) -> int:
    answer = await caller.post("/api/user/ssh-keys", json={"publicKey": text, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def test_a_key_is_added_listed_and_deleted(
    sign_in: SignIn, owner: Person, place: Place, database: Database
) -> None:
    ada = await sign_in(owner)
    assert (await ada.get("/api/user/ssh-keys")).json() == {"items": []}
    text = fresh()
    number = await add(ada, text, name=" My  laptop ")
    assert kept(place) == [text]
    (found,) = (await ada.get("/api/user/ssh-keys")).json()["items"]
    expected = parse_public_key(text)
    assert (found["id"], found["name"], found["type"], found["bits"], found["fingerprint"]) == (
        number,
        "My laptop",
        "Ed25519",
        256,
        expected.fingerprint,
    )
    assert (found["connectionId"], found["connectionName"]) == (place.connection_id, "Frankfurt")
    assert (await ada.delete(f"/api/user/ssh-keys/{number}")).status_code == 204
    assert kept(place) == []
    refused(await ada.delete(f"/api/user/ssh-keys/{number}"), 404, "not_found")
    assert await audit_lines(database) == [
        "ssh_key.add_requested done",
        "ssh_key.add done",
        "ssh_key.delete_requested done",
        "ssh_key.delete done",
    ]


async def test_a_key_is_added_once(sign_in: SignIn, owner: Person, place: Place) -> None:
    ada = await sign_in(owner)
    text = fresh()
    answers = await asyncio.gather(
        *(ada.post("/api/user/ssh-keys", json={"publicKey": text, "name": f"n{n}"}) for n in range(4))
    )
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [201, 409, 409, 409]
    assert kept(place) == [text]
    again = await ada.post("/api/user/ssh-keys", json={"publicKey": f"{text} again", "name": "other"})
    refused(again, 409, "ssh_key_known")
    assert kept(place) == [text]


async def test_a_private_key_is_neither_sent_nor_kept_nor_logged(
    sign_in: SignIn, owner: Person, place: Place, database: Database, log_lines: Lines
) -> None:
    ada = await sign_in(owner)
    place.vendor.forget()
    for text in PRIVATE_KEYS.values():
        secret = text.splitlines()[-2 if len(text.splitlines()) > 2 else -1]
        answer = await ada.post("/api/user/ssh-keys", json={"publicKey": text})
        assert problems(answer) == {"publicKey": PRIVATE}
        page = await ada.post("/servers/keys", data={"csrf": ada.csrf, "publicKey": text, "name": text})
        assert page.status_code == 422
        assert "treat it as exposed" in page.text
        for shown in (answer.text, page.text, log_lines.text):
            assert secret not in shown
    assert [one.method for one in place.vendor.requests("ssh_keys")] == ["GET"] * len(PRIVATE_KEYS)
    assert kept(place) == []
    assert await audit_lines(database) == []


async def test_defect_55_a_key_of_somebody_else_is_not_deleted(
    sign_in: SignIn, owner: Person, stranger: Person, makers: Makers, place: Place, database: Database
) -> None:
    """VirtFusion deletes whatever number it is given."""
    ada = await sign_in(owner)
    number = await add(ada, fresh())
    await settle(database, makers, place.vendor, stranger, user_id=place.external_user_id + 1, name="Also Frankfurt")
    charles = await sign_in(stranger)
    place.vendor.forget()
    refused(await charles.delete(f"/api/user/ssh-keys/{number}"), 404, "not_found")
    assert (
        await charles.post(f"/servers/keys/{place.connection_id}/{number}/delete", data={"csrf": charles.csrf})
    ).status_code == 404
    assert all(one.method == "GET" for one in place.vendor.requests("ssh_keys"))
    assert len(kept(place)) == 1
    assert all(item["id"] != number for item in (await charles.get("/api/user/ssh-keys")).json()["items"])


async def test_who_may_only_look_may_only_look(
    sign_in: SignIn, owner: Person, makers: Makers, place: Place, api_key: KeyClient
) -> None:
    ada = await sign_in(owner)
    number = await add(ada, fresh())
    await makers.member(owner, owner.customer_id, MemberRole.BILLING)
    assert len((await ada.get("/api/user/ssh-keys")).json()["items"]) == 1
    refused(await ada.post("/api/user/ssh-keys", json={"publicKey": fresh()}), 403, "forbidden")
    refused(await ada.delete(f"/api/user/ssh-keys/{number}"), 403, "forbidden")
    assert len(kept(place)) == 1


async def test_without_an_account(sign_in: SignIn, stranger: Person, database: Database) -> None:
    charles = await sign_in(stranger)
    assert (await charles.get("/api/user/ssh-keys")).json() == {"items": []}
    refused(await charles.post("/api/user/ssh-keys", json={"publicKey": fresh()}), 409, "no_account")
    page = await charles.get("/servers/keys?add=1")
    assert page.status_code == 200
    assert "No place for keys yet" in page.text
    assert 'id="key-form"' not in page.text


async def test_a_vendor_that_is_away_is_told(sign_in: SignIn, owner: Person, place: Place, database: Database) -> None:
    ada = await sign_in(owner)
    number = await add(ada, fresh())
    place.vendor.faults([{"mode": "status", "status": 503, "path": "/ssh_keys"}])
    refused(await ada.get("/api/user/ssh-keys"), 503, "upstream_unavailable")
    page = await ada.get("/servers/keys")
    assert page.status_code == 200
    assert "VirtFusion does not answer right now" in page.text
    assert "No keys yet" not in page.text
    refused(await ada.post("/api/user/ssh-keys", json={"publicKey": fresh()}), 503, "upstream_unavailable")
    refused(await ada.delete(f"/api/user/ssh-keys/{number}"), 503, "upstream_unavailable")
    assert len(kept(place)) == 1
    assert await audit_lines(database) == ["ssh_key.add_requested done", "ssh_key.add done"]


async def test_a_lost_answer_is_told_and_not_sent_twice(
    sign_in: SignIn, owner: Person, place: Place, database: Database
) -> None:
    ada = await sign_in(owner)
    text = fresh()
    place.vendor.faults([{"mode": "drop_after", "path": "/ssh_keys", "method": "POST"}])
    refused(await ada.post("/api/user/ssh-keys", json={"publicKey": text}), 502, "upstream_answer_lost")
    assert kept(place) == [text]
    place.vendor.faults([])
    again = await ada.post("/api/user/ssh-keys", json={"publicKey": text})
    refused(again, 409, "ssh_key_being_added")
    assert kept(place) == [text]
    assert await audit_lines(database) == ["ssh_key.add_requested done", "ssh_key.add failed"]


async def test_what_was_refused_can_be_tried_again(sign_in: SignIn, owner: Person, place: Place) -> None:
    ada = await sign_in(owner)
    text = fresh()
    place.vendor.faults([{"mode": "status", "status": 422, "path": "/ssh_keys", "method": "POST"}])
    refused(await ada.post("/api/user/ssh-keys", json={"publicKey": text}), 502, "upstream_refused")
    place.vendor.faults([])
    await add(ada, text)
    assert kept(place) == [text]


async def test_several_systems_have_to_be_named(
    sign_in: SignIn, owner: Person, makers: Makers, place: Place, database: Database
) -> None:
    async with running_simulator() as other:
        elsewhere = await settle(database, makers, other, owner, name="Amsterdam")
        ada = await sign_in(owner)
        assert set(problems(await ada.post("/api/user/ssh-keys", json={"publicKey": fresh()}))) == {"connectionId"}
        unknown = {"publicKey": fresh(), "connectionId": 999_999}
        refused(await ada.post("/api/user/ssh-keys", json=unknown), 404, "not_found")
        text = fresh()
        await add(ada, text, connectionId=elsewhere.connection_id)
        assert text in kept(elsewhere)
        assert kept(place) == []
        page = await ada.get("/servers/keys?add=1")
        assert "Amsterdam" in page.text
        assert 'name="connectionId"' in page.text
        other.faults([{"mode": "status", "status": 503, "path": "/ssh_keys"}])
        await add(ada, fresh("seen"), connectionId=place.connection_id)
        page = await ada.get("/servers/keys")
        assert "Keys kept at Amsterdam cannot be shown" in page.text
        assert "seen" in page.text


async def test_the_page_adds_and_deletes(sign_in: SignIn, owner: Person, place: Place) -> None:
    ada = await sign_in(owner)
    assert "No keys yet" in (await ada.get("/servers/keys")).text
    wrong = await ada.post("/servers/keys", data={"csrf": ada.csrf, "publicKey": "hello", "name": "<b>x"})
    assert wrong.status_code == 422
    assert "This is no public SSH key" in wrong.text
    assert ">\nhello</textarea>" in wrong.text
    assert "&lt;b&gt;x" in wrong.text
    made = await ada.post("/servers/keys", data={"csrf": ada.csrf, "publicKey": fresh("<i>me"), "name": ""})
    assert (made.status_code, made.headers["location"]) == (303, "/servers/keys")
    page = (await ada.get("/servers/keys")).text
    assert "&lt;i&gt;me" in page
    assert "<i>me" not in page
    number = (await ada.get("/api/user/ssh-keys")).json()["items"][0]["id"]
    gone = await ada.post(f"/servers/keys/{place.connection_id}/{number}/delete", data={"csrf": ada.csrf})
    assert gone.status_code == 303
    assert kept(place) == []


async def test_staff_read_the_keys_of_a_user(sign_in: SignIn, owner: Person, staff: Person, place: Place) -> None:
    await add(await sign_in(owner), fresh())
    grace = await sign_in(staff)
    found = (await grace.get(f"/api/admin/ssh-keys/user/{owner.user_id}")).json()["items"]
    assert [item["connectionId"] for item in found] == [place.connection_id]
    assert (await grace.get(f"/api/admin/ssh-keys/user/{staff.user_id}")).json() == {"items": []}
    refused(await grace.get("/api/admin/ssh-keys/user/999999"), 404, "not_found")


async def test_keys_for_an_installation(
    app: App, owner: Person, stranger: Person, place: Place, sign_in: SignIn
) -> None:
    number = await add(await sign_in(owner), fresh(), name="laptop")
    database, providers = app.services.database, app.providers
    assert providers is not None
    found = await keys_of(database, providers, owner.customer_id, place.connection_id)
    assert [(key.external_id, key.name) for key in found] == [(number, "laptop")]
    assert await keys_of(database, providers, stranger.customer_id, place.connection_id) == []
