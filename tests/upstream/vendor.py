"""Answers as the vendor would write them."""

from __future__ import annotations

import msgspec

from tests.support.raw_server import Reply


def json(content: object, status: int = 200, **headers: str) -> Reply:
    return Reply(status=status, body=msgspec.json.encode(content), headers=headers)
