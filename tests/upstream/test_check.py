"""What a connection's check says, and which address it asks."""

from __future__ import annotations

import pytest

from hostwright.core.http import Reach, Settings
from hostwright.upstream.virtfusion.adapter import VirtFusionCompute
from hostwright.upstream.virtfusion.client import VirtFusionClient
from tests.support.raw_server import RawServer, Reply
from tests.upstream.vendor import json

EMPTY_PAGE = {"current_page": 1, "last_page": 1, "total": 0, "data": []}


@pytest.mark.parametrize(
    ("replies", "problem"),
    [
        ([json({}), json(EMPTY_PAGE)], None),
        ([Reply(body=b""), json(EMPTY_PAGE)], None),
        ([Reply(status=401, body=b"401 Unauthorized")], "does not accept the API token (401)"),
        ([json({}), json({"message": "no"}, 403)], "lacks the permission for this (403): no."),
        ([Reply(status=404, body=b"<html>")], "does not know this call (404)"),
        ([Reply(body=b"<html>"), Reply(body=b"<html>")], "does not answer with JSON"),
        ([json({}), json({"data": []})], "answers otherwise than expected"),
        ([Reply(status=302, headers={"Location": "/login"})], "redirect (302)"),
        ([Reply(status=502)], "VirtFusion failed (502)."),
        ([Reply(drop=True)], "broke off"),
    ],
)
async def test_check_says_what_is_wrong(
    vendor: RawServer, asking: VirtFusionCompute, replies: list[Reply], problem: str | None
):
    vendor.script.extend(replies)
    check = await asking.check()
    assert check.ok is (problem is None)
    assert (problem or "") in (check.problem or "")
    assert len(vendor.requests) == len(replies)


@pytest.mark.parametrize("base", ["", "/", "/api/v1", "/api/v1/"])
async def test_the_base_may_name_the_api_or_not(vendor: RawServer, base: str):
    client = VirtFusionClient(vendor.url + base, "token", Settings(reach=Reach.ANYWHERE))
    vendor.script.append(json({}))
    await client.connect()
    await client.close()
    assert vendor.requests[0].target == "/api/v1/connect"
