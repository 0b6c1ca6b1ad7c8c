"""Looking at the simulated company, and changing it behind everybody's back."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

from hostwright.cli.problems import Problem

type Json = dict[str, Any]


def ask(simulator: str, path: str, content: Json | None = None, *, method: str = "GET") -> Json:
    """Call one of the simulator's own paths."""
    place = urlsplit(simulator)
    connection = http.client.HTTPConnection(place.netloc, timeout=30)
    try:
        body = None if content is None else json.dumps(content)
        connection.request(method, f"{place.path}/_sim/{path}", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        if answer.status >= http.client.BAD_REQUEST:
            message = f"The simulator refused {method} {path}: {answer.status}"
            raise Problem(message)
        return json.loads(answer.read())
    finally:
        connection.close()
