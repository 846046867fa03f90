"""A server that lies in every text: a real one, behind a proxy that puts payloads where others' words stand."""

import asyncio
import itertools
import json
import queue
import threading
from collections.abc import Iterator
from typing import Any, Final

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.accounts import DEADLINE

from .payloads import PAYLOADS

METHODS: Final = ["GET", "POST", "PATCH", "PUT", "DELETE"]
WORDS: Final = frozenset({"text", "nick", "name", "message", "version"})
"""Keys under which others' words stand: `message` is an error's, `name` a group's, a person's or a device's."""
PEOPLE: Final = frozenset({"from", "operator", "recalledBy", "owner", "userID"})
LISTS: Final = frozenset({"userIDList", "mentions"})
OF_ONESELF: Final = ("/v1/login", "/v1/register", "/v1/token/refresh", "/v1/me")
SENDABLE: Final = tuple(one for one in PAYLOADS if "\ud800" not in one)
"""A lonely surrogate is no JSON: the client refuses the whole answer."""


class Mangler:
    """Puts the payloads in, one after the other for each key, so that every one comes to stand under every key."""

    def __init__(self, own_id: str) -> None:
        self._own = own_id
        self._turns: dict[str, Iterator[str]] = {}

    def _next(self, key: str) -> str:
        turn = self._turns.setdefault(key, itertools.cycle(SENDABLE))
        return next(turn)

    def mangled(self, value: Any, key: str = "") -> Any:
        """The same answer with others' words in it."""
        match value:
            case dict():
                return {
                    self._next("emoji") if key == "reactions" else name: self.mangled(
                        one, "tip.groupID" if key == "tip" and name == "groupID" else name
                    )
                    for name, one in value.items()
                }
            case list() if key in LISTS:
                return [one if one == self._own else self._next(key) for one in value]
            case list():
                return [self.mangled(one, key) for one in value]
            case str() if key in WORDS or key == "tip.groupID":
                return self._next(key)
            case str() if key in PEOPLE and value != self._own:
                return self._next(key)
        return value


class ManglingServer:
    """Listens on a free port of this machine, on a thread of its own."""

    def __init__(self, behind: str, own_id: str) -> None:
        self._behind = behind
        self.mangler = Mangler(own_id)
        self.broken = False
        """Answers with a page of somebody else's."""
        app = Starlette(
            routes=[WebSocketRoute("/v1/stream", self._stream), Route("/{path:path}", self._answer, methods=METHODS)]
        )
        config = uvicorn.Config(app, port=0, log_level="error", lifespan="off", ws="websockets-sansio")
        self._server = uvicorn.Server(config)
        self._ports: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._ports.get(timeout=DEADLINE)}"

    def stop(self) -> None:
        """Hang up and go."""
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(DEADLINE)

    async def _serve(self) -> None:
        async with httpx.AsyncClient(base_url=self._behind, timeout=DEADLINE, trust_env=False) as self._http:
            serving = asyncio.create_task(self._server.serve())
            while not self._server.started:  # noqa: ASYNC110 (uvicorn tells it in no other way)
                await asyncio.sleep(0.01)
            self._ports.put(self._server.servers[0].sockets[0].getsockname()[1])
            await serving

    async def _answer(self, request: Request) -> Response:
        if self.broken:
            return Response("".join(SENDABLE), 502, {"x-what": "payload"}, "text/html; charset=utf-8")
        answer = await self._http.request(
            request.method,
            request.url.path,
            params=request.url.query,
            content=await request.body(),
            headers={name: one for name, one in request.headers.items() if name in ("authorization", "content-type")},
        )
        content = answer.content
        if not request.url.path.startswith(OF_ONESELF) and content:
            lines = [json.dumps(self.mangler.mangled(json.loads(line))) for line in content.splitlines()]
            content = "\n".join(lines).encode()
        return Response(content, answer.status_code, media_type="application/json")

    async def _stream(self, socket: WebSocket) -> None:
        await socket.accept()
        address = self._behind.replace("http", "ws", 1) + "/v1/stream"
        headers = {"Authorization": socket.headers["authorization"]}
        async with connect(address, additional_headers=headers, compression=None, proxy=None) as behind:

            async def there() -> None:
                while True:
                    await behind.send(await socket.receive_text())

            async def back() -> None:
                while True:
                    await socket.send_text(json.dumps(self.mangler.mangled(json.loads(await behind.recv()))))

            ways = [asyncio.create_task(there()), asyncio.create_task(back())]
            _done, waiting = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in waiting:
                way.cancel()
            for failure in await asyncio.gather(*ways, return_exceptions=True):
                if not isinstance(failure, WebSocketDisconnect | ConnectionClosed | asyncio.CancelledError):
                    raise AssertionError("the proxy itself has failed") from failure
