"""What a server cannot be faster than, each as a process: `python -m tests.bench._floor KIND`; prints its port.

echo: gives back what comes. post: uvicorn and a bare ASGI application that answers every POST. fan: at each byte on the
first connection writes one frame to all the others. durable FILE: as post, and before each answer it commits one row to
a database of SQLite's in FILE.
"""

import asyncio
import sqlite3
import sys
from collections.abc import Callable
from typing import Any, cast

import uvicorn

from tui_chat.server.line import text_frame
from tui_chat.server.run import new_event_loop

ANSWER = b'{"message":{},"eventSeq":1}'
FAN_BYTES = 700
"""About what a message.new of a short text in a group has."""


class Echo(asyncio.Protocol):
    """Gives back what comes."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Give it back."""
        self.transport.write(data)


class Fan(asyncio.Protocol):
    """Whoever connects first says when; everybody else gets a frame then."""

    transports: list[asyncio.Transport] = []
    frame = text_frame(b"x" * FAN_BYTES)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """One more who gets the frames."""
        self.transports.append(cast(asyncio.Transport, transport))

    def data_received(self, data: bytes) -> None:
        """As many frames to each as there are bytes."""
        for _ in data:
            for transport in self.transports[1:]:
                transport.write(self.frame)


def nothing() -> None:
    """Before the answer."""


def answering(before: Callable[[], object]) -> Callable[[Any, Any, Any], Any]:
    """An ASGI application that answers whatever comes, and does something before it."""

    async def post(scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        before()
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(ANSWER))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": ANSWER})

    return post


def committing(path: str) -> Callable[[], object]:
    """What writes one row through to the disk."""
    database = sqlite3.connect(path, isolation_level=None)
    for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "CREATE TABLE x (a INTEGER PRIMARY KEY)"):
        database.execute(statement)
    return lambda: database.execute("INSERT INTO x DEFAULT VALUES")


async def serve(kind: str, *arguments: str) -> None:
    """Until the process is ended."""
    loop = asyncio.get_running_loop()
    if kind in ("post", "durable"):
        application = answering(committing(*arguments) if kind == "durable" else nothing)
        config = uvicorn.Config(application, http="httptools", lifespan="off", log_config=None, access_log=False)
        config.load()
        state = uvicorn.Server(config).server_state

        def protocol() -> asyncio.Protocol:
            made: asyncio.Protocol = cast(Any, config.http_protocol_class)(config, state, {})
            return made

        server = await loop.create_server(protocol, "127.0.0.1", 0)
    else:
        server = await loop.create_server(Echo if kind == "echo" else Fan, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(serve(*sys.argv[1:]))
