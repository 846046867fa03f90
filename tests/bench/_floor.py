"""What a server cannot be faster than, each as a process: `python -m tests.bench._floor KIND`; prints its port.

echo: gives back what comes. post: uvicorn and a bare ASGI application that answers every POST. fan: at each byte on the
first connection writes one frame to all the others.
"""

import asyncio
import sys
from typing import Any, cast

import uvicorn

from tui_chat.server.run import new_event_loop
from tui_chat.server.transport import text_frame

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


async def post(scope: Any, receive: Any, send: Any) -> None:
    """Answer whatever comes."""
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(ANSWER))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": ANSWER})


async def serve(kind: str) -> None:
    """Until the process is ended."""
    loop = asyncio.get_running_loop()
    if kind == "post":
        config = uvicorn.Config(post, http="httptools", lifespan="off", log_config=None, access_log=False)
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
        runner.run(serve(sys.argv[1]))
