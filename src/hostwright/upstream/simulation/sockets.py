"""WebSockets for simulators: aiohttp's, in the words of ASGI."""

from __future__ import annotations

from aiohttp import WSMsgType, web

from hostwright.upstream.simulation.asgi import Asgi, Message, Scope


def wants_socket(request: web.BaseRequest) -> bool:
    """Whether a request asks for a WebSocket."""
    return request.headers.get("Upgrade", "").lower() == "websocket"


async def serve_socket(app: Asgi, scope: Scope, request: web.BaseRequest) -> web.StreamResponse:
    """Let an ASGI application have a WebSocket; one that it does not accept is answered with 403."""
    socket = web.WebSocketResponse(protocols=("binary",), compress=False, timeout=1.0)
    refused = False

    async def receive() -> Message:
        if not socket.prepared:
            return {"type": "websocket.connect"}
        message = await socket.receive()
        if message.type is WSMsgType.BINARY:
            return {"type": "websocket.receive", "bytes": message.data}
        return {"type": "websocket.disconnect", "code": socket.close_code or 1005}

    async def send(message: Message) -> None:
        nonlocal refused
        match message["type"]:
            case "websocket.accept":
                await socket.prepare(request)
            case "websocket.send":
                await socket.send_bytes(message["bytes"])
            case _ if socket.prepared:
                await socket.close(code=message.get("code", 1000))
            case _:
                refused = True

    await app({**scope, "type": "websocket"}, receive, send)
    if refused or not socket.prepared:
        return web.Response(status=403)
    await socket.close()
    return socket
