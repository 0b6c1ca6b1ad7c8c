"""The client base over real sockets: what is retried, what is not, and what callers are told."""

from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import AsyncGenerator
from datetime import timedelta
from email.utils import format_datetime

import msgspec
import pytest
from structlog.testing import capture_logs

from hostwright.core import metrics
from hostwright.core.http import Method
from hostwright.core.http.pace import retry_after
from hostwright.core.providers import Ambiguous, Gone, ProviderError, Refused, Transient
from tests.support.http_client import NOW, TOKEN, Bench, HandPace, client_of
from tests.support.raw_server import Reply, raw_server

HTML = b"<html><body>Welcome to nginx!</body></html>"


@pytest.fixture
async def bench() -> AsyncGenerator[Bench]:
    hand = HandPace()
    async with raw_server() as server, client_of(server.url, hand) as client:
        yield Bench(server, client, hand)


async def test_a_read_asks_once_and_decodes_the_answer(bench: Bench):
    bench.script(Reply(body=b'{"value": "42", "more": [1, 2]}'))
    assert await bench.client.read("/things/7", query={"remote": "true"}) == 42
    (request,) = bench.server.requests
    assert (request.method, request.target) == ("GET", "/things/7?remote=true")
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.headers["accept"] == "application/json"
    assert request.headers["user-agent"].startswith("Hostwright/")
    assert bench.hand.slept == []


async def test_a_write_sends_its_body_as_json(bench: Bench):
    assert await bench.client.write(body=b'{"a":1}') == 1
    (request,) = bench.server.requests
    assert (request.method, request.body) == ("POST", b'{"a":1}')
    assert request.headers["content-type"] == "application/json"


PASSING = {
    "500": Reply(status=500),
    "502": Reply(status=502, body=HTML),
    "503": Reply(status=503),
    "504": Reply(status=504),
    "408": Reply(status=408),
    "423": Reply(status=423),
    "429": Reply(status=429),
    "dropped": Reply(drop=True),
    "cut off": Reply(cut=5),
    "not HTTP": Reply(raw=b"220 mail.example ESMTP\r\n\r\n"),
}


@pytest.mark.parametrize("reply", PASSING.values(), ids=PASSING)
async def test_a_read_is_repeated_on_what_may_pass(bench: Bench, reply: Reply):
    bench.script(reply)
    assert await bench.client.read() == 1
    assert bench.asked == 2


@pytest.mark.parametrize("reply", PASSING.values(), ids=PASSING)
async def test_a_read_that_keeps_failing_is_transient_after_three_attempts(bench: Bench, reply: Reply):
    bench.server.usual = reply
    with pytest.raises(Transient):
        await bench.client.read()
    assert bench.asked == 3
    assert bench.hand.slept == [0.25, 0.5]


LOST = {name: reply for name, reply in PASSING.items() if name not in {"423", "429"}} | {
    "no JSON": Reply(body=HTML),
    "half JSON": Reply(body=b'{"value": '),
    "other shape": Reply(body=b'{"worth": 1}'),
    "nothing": Reply(body=b""),
    "302": Reply(status=302, headers={"Location": "/elsewhere"}),
    "303": Reply(status=303, headers={"Location": "/elsewhere"}),
}


@pytest.mark.parametrize("method", [Method.POST, Method.PUT, Method.DELETE])
@pytest.mark.parametrize("reply", LOST.values(), ids=LOST)
async def test_a_write_whose_answer_is_lost_is_ambiguous_and_sent_once(bench: Bench, reply: Reply, method: Method):
    bench.script(reply)
    with pytest.raises(Ambiguous):
        await bench.client.write(method)
    assert bench.asked == 1
    assert bench.hand.slept == []


@pytest.mark.parametrize("status", [423, 429])
async def test_a_write_is_repeated_when_it_was_not_acted_on(bench: Bench, status: int):
    bench.script(Reply(status=status), Reply(status=status))
    assert await bench.client.write() == 1
    assert bench.asked == 3


@pytest.mark.parametrize("status", [423, 429])
async def test_a_write_that_stays_unwelcome_is_transient(bench: Bench, status: int):
    bench.server.usual = Reply(status=status, headers={"Retry-After": "2"})
    with pytest.raises(Transient) as caught:
        await bench.client.write()
    assert (caught.value.status, caught.value.retry_after) == (status, 2.0)
    assert bench.asked == 3


@pytest.mark.parametrize("write", [False, True], ids=["read", "write"])
async def test_a_refused_connection_is_transient_and_tried_again(write: bool):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    hand = HandPace()
    async with client_of(f"http://127.0.0.1:{port}", hand) as client:
        with pytest.raises(Transient, match="connection was refused"):
            await (client.write() if write else client.read())
    assert len(hand.slept) == 2


async def test_a_name_that_does_not_resolve_is_transient():
    async with client_of("http://nowhere.invalid", attempts=1) as client:
        with pytest.raises(Transient, match=r"^Example cannot be reached: its name cannot be resolved\.$"):
            await client.write()


@pytest.mark.parametrize("status", [400, 401, 403, 405, 409, 422])
@pytest.mark.parametrize("write", [False, True], ids=["read", "write"])
async def test_a_refusal_is_not_repeated(bench: Bench, status: int, write: bool):
    bench.script(Reply(status=status))
    with pytest.raises(Refused) as caught:
        await (bench.client.write() if write else bench.client.read())
    assert caught.value.status == status
    assert bench.asked == 1


async def test_a_refusal_carries_the_vendors_words_without_addresses_and_secrets(bench: Bench):
    said = (
        "No route to 10.1.2.3:8892 or fe80::1:2:3 via https://hv.example/x?token=abc by ada@example.com password=tulip"
    )
    bench.script(Reply(status=409, body=msgspec.json.encode({"error": said + "x" * 400})))
    with pytest.raises(Refused) as caught:
        await bench.client.write()
    message = caught.value.message
    assert message.startswith(
        "Example refused: No route to [address] or [address] via [address] by [hidden] password=["
    )
    assert len(message) < 340
    for secret in ("10.1.2.3", "fe80", "hv.example", "tulip", "ada@"):
        assert secret not in message


async def test_a_status_counts_even_when_its_words_are_cut_off(bench: Bench):
    words = b'{"error": "This server is suspended"}'
    bench.script(Reply(status=423, body=words, cut=10), Reply(status=409, body=words, cut=10))
    with pytest.raises(Refused, match=r"^Example refused the request \(409\)\.$"):
        await bench.client.write()
    assert bench.asked == 2


@pytest.mark.parametrize("status", [404, 410])
@pytest.mark.parametrize("write", [False, True], ids=["read", "write"])
async def test_what_is_not_there_is_gone(bench: Bench, status: int, write: bool):
    bench.script(Reply(status=status, body=HTML))
    with pytest.raises(Gone):
        await (bench.client.write() if write else bench.client.read())
    assert bench.asked == 1


async def test_a_call_that_names_no_object_is_refused_when_unknown(bench: Bench):
    bench.script(Reply(status=404))
    with pytest.raises(Refused, match=r"does not know this call \(404\)"):
        await bench.client.read("/things", of_one=False)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(bench: Bench, status: int):
    async with raw_server() as elsewhere:
        bench.script(Reply(status=status, headers={"Location": elsewhere.url + "/things/1"}))
        with pytest.raises(Refused, match=f"redirect \\({status}\\)"):
            await bench.client.read()
        assert elsewhere.requests == []
    assert bench.asked == 1


@pytest.mark.parametrize("status", [301, 307, 308])
async def test_a_write_sent_to_the_wrong_place_was_not_done(bench: Bench, status: int):
    bench.script(Reply(status=status, headers={"Location": "https://elsewhere.example/"}))
    with pytest.raises(Refused):
        await bench.client.write()
    assert bench.asked == 1


@pytest.mark.parametrize("body", [HTML, b'{"value": ', b"", b"\xff\xfe", b'{"worth": 1}', b'{"value": null}', b"[]"])
async def test_a_read_that_cannot_be_understood_is_refused(bench: Bench, body: bytes):
    bench.script(Reply(body=body))
    with pytest.raises(Refused):
        await bench.client.read()
    assert bench.asked == 1


async def test_a_shape_that_does_not_fit_is_told_without_its_values(bench: Bench):
    bench.script(Reply(body=b'{"value": "tulip"}'))
    with pytest.raises(Refused) as caught:
        await bench.client.read()
    assert "`$.value`" in caught.value.message
    assert "tulip" not in caught.value.message


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
async def test_a_body_beyond_the_limit_is_not_taken_in(packed: bool):
    body = b'{"value": 1, "more": "' + b"x" * 3_000_000 + b'"}'
    reply = Reply(body=gzip.compress(body), headers={"Content-Encoding": "gzip"}) if packed else Reply(body=body)
    async with raw_server() as server, client_of(server.url, body_bytes=1024 * 1024) as client:
        server.usual = reply
        with pytest.raises(Refused, match="larger than 1 MiB"):
            await client.read()
        with pytest.raises(Ambiguous, match="larger than 1 MiB"):
            await client.write()
        assert len(server.requests) == 2


SLOW = {
    "no answer": Reply(wait=30),
    "slow headers": Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n" + b'{"value": 1}', trickle=0.05),
}


@pytest.mark.parametrize("reply", SLOW.values(), ids=SLOW)
async def test_an_answer_that_takes_too_long(reply: Reply):
    async with raw_server() as server, client_of(server.url, total=0.3) as client:
        server.usual = reply
        with pytest.raises(Transient, match="did not answer in time"):
            await client.read()
        assert len(server.requests) == 3
        with pytest.raises(Ambiguous, match="did not answer in time"):
            await client.write()
        assert len(server.requests) == 4


async def test_all_waiting_ends_with_patience(bench: Bench):
    bench.server.usual = Reply(status=429, headers={"Retry-After": "31"})
    with pytest.raises(Transient) as caught:
        await bench.client.read()
    assert caught.value.retry_after == 31.0
    assert (bench.asked, bench.hand.slept) == (1, [])


async def test_retry_after_is_waited_for(bench: Bench):
    bench.script(Reply(status=429, headers={"Retry-After": "7"}))
    assert await bench.client.write() == 1
    assert bench.hand.slept == [7.25]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        (" 12 ", 12.0),
        ("86400", 600.0),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(hours=1), usegmt=True), 0.0),
        (format_datetime(NOW + timedelta(days=1), usegmt=True), 600.0),
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("²", None),
    ],
)
def test_what_retry_after_says(value: str | None, seconds: float | None):
    assert retry_after(value, NOW) == seconds


async def test_a_write_never_reuses_a_connection(bench: Bench):
    await bench.client.read()
    await bench.client.read()
    await bench.client.write()
    await bench.client.write()
    assert [request.connection for request in bench.server.requests] == [1, 1, 2, 3]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://c.example/?a=b",
        "http://c.example/#a",
        "control.example.com",
        "ftp://control.example.com",
        "http://",
        "http://a:b@c.example",
    ],
)
async def test_an_address_that_cannot_be_used_is_refused(url: str):
    async with client_of(url) as client:
        with pytest.raises(Refused, match="is not usable"):
            await client.read()


async def test_nothing_told_holds_the_token_or_the_address(bench: Bench):
    replies = [*PASSING.values(), *LOST.values(), *(Reply(status=status) for status in (400, 401, 403, 404, 409))]
    with capture_logs() as logs:
        for reply in replies:
            bench.server.usual = reply
            for act in (bench.client.read, bench.client.write):
                bench.client.breaker.succeeded()
                with pytest.raises(ProviderError) as caught:
                    await act()
                told = caught.value.message + repr(caught.value)
                assert not any(secret in told for secret in (TOKEN, "127.0.0.1", str(bench.server.port)))
    assert {entry["event"] for entry in logs} >= {"upstream.call_failed"}
    assert TOKEN not in repr(logs)
    assert "127.0.0.1" not in repr(logs)


def count(outcome: str) -> float:
    labels = {"vendor": "example", "operation": "thing", "outcome": outcome}
    return metrics.REGISTRY.get_sample_value("hostwright_upstream_call_seconds_count", labels) or 0.0


async def test_every_attempt_is_measured(bench: Bench):
    before = [count(outcome) for outcome in ("done", "upstream_unavailable", "upstream_answer_lost")]
    bench.script(Reply(status=500), Reply(), Reply(status=500))
    await bench.client.read()
    with pytest.raises(Ambiguous):
        await bench.client.write()
    after = [count(outcome) for outcome in ("done", "upstream_unavailable", "upstream_answer_lost")]
    assert [b - a for a, b in zip(before, after, strict=True)] == [1, 1, 1]


async def test_a_cancelled_call_ends_at_once(bench: Bench):
    bench.server.usual = Reply(wait=30)
    task = asyncio.create_task(bench.client.read())
    while not bench.asked:
        await asyncio.sleep(0.005)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    bench.server.usual = Reply()
    assert await bench.client.read() == 1


async def test_a_retired_client_lets_calls_end_and_closes(bench: Bench):
    bench.server.usual = Reply(wait=0.2)
    call = asyncio.create_task(bench.client.read())
    while not bench.asked:
        await asyncio.sleep(0.005)
    await bench.client.retire()
    assert await call == 1
    assert bench.client._sessions == {}
    assert await bench.client.read() == 1
    assert bench.client._sessions == {}
