"""Running a server: its listening socket, its database, its end. Prints nothing; who starts it does."""

import asyncio
import contextlib
import logging
import os
import random
import signal
import socket
import ssl
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from typing import Final

import msgspec
import uvicorn

from tui_chat.clock import system_clock
from tui_chat.protocol import events, limits
from tui_chat.protocol.errors import Unavailable
from tui_chat.protocol.models import Settings
from tui_chat.protocol.requests import ChangeSettings

from .app import create_app
from .engines import Clock, DatabaseInUse, Engine
from .engines.sqlite import SqliteEngine
from .line import SocketProtocol
from .operations import accounts
from .operations import settings as operations_settings
from .options import DATABASE, CannotServe, ServerOptions, is_loopback
from .services import Services
from .transport import RequestProtocol

__all__ = ["DATABASE", "CannotServe", "Listening", "Running", "ServerOptions", "new_event_loop", "running", "serve"]

KEEP_ALIVE_SECONDS: Final = 75
"""Longer than clients keep idle connections, so that it is they who close them."""
GRACE_SECONDS: Final = 5
"""What is under way when the server is told to stop has so long."""
UNACKNOWLEDGED_MS: Final = 20_000
"""A connection whose peer acknowledges nothing for so long is cut by the kernel (TCP_USER_TIMEOUT)."""
SEND_BUFFER_BYTES: Final = 256 * 1024
"""What the kernel holds for a peer that does not read; left alone it would grow to megabytes each."""
DRAIN_SECONDS: Final = 2.0
"""At most so long, a stopping server lets its sockets go one after the other, so that they come back so."""
DRAINED_A_SECOND: Final = 500
"""Sockets that are let go in a second while there are not too many for DRAIN_SECONDS."""
DRAIN_STEP_SECONDS: Final = 0.02
AGAIN_SECONDS: Final = 5
"""After which work in the background that failed begins anew."""

_log = logging.getLogger(__name__)


class Listening(msgspec.Struct, frozen=True, kw_only=True):
    """A server that has begun to accept connections, as whoever started it tells people."""

    url: str
    reached_at: str
    """The address that people use: of the proxy in front, where there is one."""
    settings: Settings
    empty: bool
    """There is no account yet; the first will be the administrator."""
    invitation: str | None = None
    """A one-time code for that one; only beyond loopback."""


class Running:
    """A server that accepts connections."""

    def __init__(
        self, listening: Listening, engine: Engine, services: Services, read_certificates: Callable[[], None]
    ) -> None:
        self.listening: Final = listening
        self.read_certificates: Final = read_certificates
        """Use what stands in the files by now for new connections."""
        self.engine: Final = engine
        self.services: Final = services


async def serve(
    options: ServerOptions, *, ready: Callable[[Listening], None] | None = None, stop: asyncio.Event | None = None
) -> None:
    """Serve until `stop` is set; without one, until SIGTERM or SIGINT. At SIGHUP certificates are read again.

    At the end nothing new is begun (503), sockets are closed with 1012 over a short time so that they do not all come
    back in one moment, and what is under way is finished. A second signal ends the process as it is.
    `ready` is called once connections are accepted.

    Raises:
        CannotServe: options that must not be served, the database in use, the address not available.
    """
    with nullcontext(stop) if stop is not None else stopping_at_signals() as told:
        async with running(options) as server:
            with at_hangup(server.read_certificates) if stop is None else nullcontext():
                if ready is not None:
                    ready(server.listening)  # from now on signals may come
                await told.wait()
            _log.info("stopping")


@asynccontextmanager
async def running(
    options: ServerOptions,
    *,
    clock: Clock = system_clock,
    monotonic: Callable[[], float] = time.monotonic,
    listener: socket.socket | None = None,
    first: bool = True,
) -> AsyncIterator[Running]:
    """A server for as long as the context lasts, on an address of its own or on a socket that others use as well; where
    it is not the `first` of these, it invites nobody. Raises CannotServe."""
    options.check()
    listener = listener or listen(options)
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(listener.close)
        engine = await _open_engine(options, clock)
        stack.push_async_callback(engine.close)
        services = await Services.open(engine, options, clock=clock, monotonic=monotonic)
        stack.push_async_callback(services.close)
        listening = await _announce(options, listener, engine, first=first)
        server = _Server(_configure(options, services))
        await stack.enter_async_context(server.accepting(listener))
        for work in (services.watch, services.tidy, services.spread):
            await stack.enter_async_context(_in_background(work))
        stack.push_async_callback(_drain, services)
        _log.info("listening", extra={"facts": {"url": listening.url, "data": options.kept_in}})
        yield Running(listening, engine, services, server.read_certificates)


def new_event_loop() -> asyncio.AbstractEventLoop:
    """The fastest loop there is here."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers, which end the process, and without its ten wake-ups a second."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._accepting = asyncio.Event()
        self._stopping = asyncio.Event()

    @asynccontextmanager
    async def accepting(self, listener: socket.socket) -> AsyncIterator[None]:
        """Accept connections; at the end finish what is under way."""
        task = asyncio.create_task(self.serve(sockets=[listener]))
        started = asyncio.create_task(self._accepting.wait())
        await asyncio.wait({task, started}, return_when=asyncio.FIRST_COMPLETED)
        started.cancel()
        if task.done():
            await task
            raise CannotServe("the server ended before it had begun")
        try:
            yield
        finally:
            self._stopping.set()
            await task

    def read_certificates(self) -> None:
        """Read the certificate and its key again; where they cannot be used, go on with those there were."""
        context = self.config.ssl
        if context is None or self.config.ssl_certfile is None:
            return
        try:
            # A pair that does not fit would leave the context with half of each.
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self.config.ssl_certfile, self.config.ssl_keyfile)
            context.load_cert_chain(self.config.ssl_certfile, self.config.ssl_keyfile)
        except OSError as error:
            _log.error("the certificate stays as it was: %s cannot be used: %s", self.config.ssl_certfile, error)
        else:
            _log.info("the certificate was read again")

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to whoever started the server."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept."""
        await super().startup(sockets)
        self._accepting.set()

    async def main_loop(self) -> None:
        """Wait for the end."""
        await self.on_tick(0)
        await self._stopping.wait()


def _configure(options: ServerOptions, services: Services) -> uvicorn.Config:
    config = uvicorn.Config(
        create_app(services),
        http=RequestProtocol,
        ws=SocketProtocol,
        ws_max_size=limits.FRAME_BYTES,
        ws_per_message_deflate=False,
        ws_ping_interval=limits.PING_SECONDS,
        ws_ping_timeout=limits.PING_SECONDS,
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
        ssl_certfile=options.tls_cert,
        ssl_keyfile=options.tls_key,
    )
    try:
        config.load()
    except OSError as error:
        raise CannotServe(f"cannot use {options.tls_cert} with {options.tls_key}: {error}") from error
    return config


def listen(options: ServerOptions) -> socket.socket:
    """The listening socket; accepted ones inherit its options. Raises CannotServe."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            options.host, options.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise CannotServe(f"cannot listen on {options.host}: {error.strerror}") from error
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise CannotServe(
            f"cannot listen on {options.host} port {options.port}: {error.strerror} (try another --port)"
        ) from error
    return listener


async def _open_engine(options: ServerOptions, clock: Clock) -> Engine:
    if options.database is not None:
        return await _open_postgres(options.database, clock)
    try:
        await asyncio.to_thread(options.data.mkdir, mode=0o700, parents=True, exist_ok=True)
    except FileExistsError as error:
        raise CannotServe(f"--data {options.data}: that is no directory") from error
    except OSError as error:
        raise CannotServe(f"--data {options.data}: that directory cannot be made: {error.strerror}") from error
    try:
        return await SqliteEngine.open(options.data / DATABASE, clock=clock)
    except (DatabaseInUse, RuntimeError) as error:
        raise CannotServe(str(error)) from error


async def _open_postgres(address: str, clock: Clock) -> Engine:
    try:
        from .engines.postgres import PostgresEngine
    except ImportError as error:
        raise CannotServe(f"PostgreSQL's driver is missing ({error}): pip install 'tui-chat[postgres]'") from error
    try:
        return await PostgresEngine.open(address, clock=clock)
    except (Unavailable, RuntimeError) as error:
        raise CannotServe(str(error)) from error


def _web_address(scheme: str, host: str, port: int) -> str:
    """The URL of a server."""
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


async def _announce(options: ServerOptions, listener: socket.socket, engine: Engine, *, first: bool) -> Listening:
    host, port = listener.getsockname()[:2]
    scheme = "http" if options.tls_cert is None else "https"
    if options.sync_deletions is not None:
        change = ChangeSettings(sync_conversation_deletion=options.sync_deletions)
        await engine.write(lambda tx: operations_settings.apply(tx, change))
    invited = first and (options.public_url is not None or not is_loopback(options.host))
    invite = await engine.write(accounts.first_invite) if invited else None
    url = _web_address(scheme, host, port)
    # Who listens on every address is reached at none of that name, and no certificate is for it.
    here = url if host not in ("0.0.0.0", "::") else _web_address(scheme, socket.gethostname(), port)  # noqa: S104
    return Listening(
        url=url,
        reached_at=options.public_url or here,
        settings=await engine.read(operations_settings.current),
        empty=await engine.read(accounts.nobody_yet),
        invitation=invite.invite if invite is not None else None,
    )


@asynccontextmanager
async def _in_background(work: Callable[[], Coroutine[None, None, None]]) -> AsyncIterator[None]:
    """Let work that never ends go on beside the context; should it fail all the same, say so and begin it again."""

    async def go_on() -> None:
        while True:
            try:
                await work()
            except Exception:
                _log.exception("%s failed", work.__name__)
                await asyncio.sleep(AGAIN_SECONDS)

    task = asyncio.create_task(go_on())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _drain(services: Services) -> None:
    """Begin nothing new, and let the sockets go over a short time, in no order."""
    services.draining = True
    services.hub.stop()
    sockets = list(services.hub)
    random.shuffle(sockets)
    seconds = min(DRAIN_SECONDS, len(sockets) / DRAINED_A_SECOND)
    at_once = max(1, int(len(sockets) * DRAIN_STEP_SECONDS / seconds)) if sockets else 1
    for start in range(0, len(sockets), at_once):
        for socket_ in sockets[start : start + at_once]:
            socket_.close(events.CLOSE_RESTART)
        if start + at_once < len(sockets):
            await asyncio.sleep(DRAIN_STEP_SECONDS)


@contextmanager
def at_hangup(act: Callable[[], None]) -> Iterator[None]:
    """Act at each SIGHUP; never, off the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, act)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)


@contextmanager
def stopping_at_signals(again: Callable[[], None] | None = None) -> Iterator[asyncio.Event]:
    """Set at the first SIGTERM or SIGINT; never, off the main thread. A second one calls `again`, or without it has its
    usual effect."""
    signalled = asyncio.Event()
    loop = asyncio.get_running_loop()
    mine = [signal.SIGTERM, signal.SIGINT] if threading.current_thread() is threading.main_thread() else []

    def heard() -> None:
        if signalled.is_set() and again is not None:
            again()
        signalled.set()
        if again is None:
            for each in mine:
                loop.remove_signal_handler(each)

    for each in mine:
        loop.add_signal_handler(each, heard)
    try:
        yield signalled
    finally:
        for each in mine:
            loop.remove_signal_handler(each)
