"""The demo's server process: `python -m tui_chat.demo.host DIRECTORY [--reset]`, started by run.py.

It leaves the process that started it at once (a child of nobody, in a session of its own), so that Ctrl+C in one
terminal does not end it under another; it goes when the last program that shows the demo has let go of its line.
"""

import argparse
import asyncio
import fcntl
import logging
import os
import secrets
import shutil
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Final

import msgspec

from tui_chat.client.credentials import StoredCredentials
from tui_chat.client.session import ChatSession
from tui_chat.clock import system_clock
from tui_chat.files import write_private
from tui_chat.protocol.errors import ChatError
from tui_chat.protocol.events import MessageNew
from tui_chat.protocol.models import MessageType
from tui_chat.protocol.requests import Credentials, Session
from tui_chat.server.auth import Passwords
from tui_chat.server.engines import Committed
from tui_chat.server.operations import accounts, devices
from tui_chat.server.options import HashParameters
from tui_chat.server.run import DATABASE, CannotServe, Running, ServerOptions, new_event_loop, running

from .control import FIRST_SECONDS, LINGER_SECONDS, Control, Report, State
from .excerpt import ALICE, Excerpt, load
from .files import DEVICE_NAMES, Files
from .filling import caller_of, fill
from .peers import Client, Peers
from .script import Script


class DemoHost:
    """What programs ask of a running demo (control.Host), and what wakes the peers."""

    def __init__(self, server: Running, excerpt: Excerpt, files: Files, alice: int) -> None:
        """`alice`: the key of her account in the database."""
        self._server = server
        self._alice = alice
        self._files = files
        self._names: set[str] = set()
        self._script = Script(excerpt, Random(), said=files.read_progress())  # noqa: S311 - who speaks next is no secret
        self.peers: Final = Peers(self._script, self._wake)
        server.engine.on_commit(self._committed)

    async def talk(self) -> None:
        """Have the peers go on talking, for ever."""
        await self.peers.run(said=lambda: self._files.write_progress(self._script.progress))

    async def new_device(self) -> tuple[Session, str]:
        """A device of alice's, with the first name that is free."""
        numbered = (f"device {number}" for number in range(len(DEVICE_NAMES) + 1, 10_000))
        name = next(name for name in (*DEVICE_NAMES, *numbered) if name not in self._names)
        self._names.add(name)
        try:
            return await self._log_in(ALICE, name), name
        except BaseException:
            self._names.discard(name)
            raise

    async def end_device(self, device_id: str, name: str) -> None:
        """Log it out, unless its user has done so already."""
        with suppress(ChatError):
            await self._server.engine.write(lambda tx: devices.revoke(tx, caller_of(tx, ALICE), device_id))
        self._names.discard(name)

    def nudge(self, user_id: str) -> bool:
        """Have somebody write to alice now."""
        return self.peers.nudge(user_id)

    async def _log_in(self, user_id: str, device_name: str) -> Session:
        credentials = Credentials(user_id=user_id, password="", device_name=device_name)
        return await self._server.engine.write(lambda tx: accounts.login(tx, credentials))

    async def _wake(self, user_id: str) -> Client:
        session = await self._log_in(user_id, "demo")
        client = ChatSession.resume(
            StoredCredentials.of(session, server_url=self._server.listening.url, device_name="demo", now=system_clock())
        )
        try:
            await client.load(stream=True, timeout=10)
        except BaseException:
            await client.close()
            raise
        return PeerClient(client)

    def _committed(self, committed: Committed) -> None:
        for emitted in committed.emitted:
            if emitted.user == self._alice and isinstance(event := emitted.event, MessageNew):
                message = event.message
                if message.sender == ALICE and message.type is MessageType.TEXT:
                    self.peers.alice_wrote(message.conversation_id)


class PeerClient:
    """A ChatSession that logs out at its end, so that peers do not gather devices."""

    def __init__(self, session: ChatSession) -> None:
        self._session = session

    async def send_message(self, conversation_id: str, text: str, *, mentions: tuple[str, ...] = ()) -> object:
        """Say something."""
        return await self._session.send_message(conversation_id, text, mentions=mentions)

    async def mark_read(self, conversation_id: str) -> None:
        """Read everything of a conversation."""
        await self._session.mark_read(conversation_id)

    async def typing(self, conversation_id: str) -> None:
        """Show that one types."""
        await self._session.typing(conversation_id)

    async def close(self) -> None:
        """Log out and end."""
        try:
            await self._session.log_out()
        finally:
            await self._session.close()


async def host(files: Files, report: "ReportOnce") -> None:
    """Serve the demo in a directory that is locked until nobody looks at it any more.

    Raises:
        CannotServe: the database or the address cannot be had.
    """
    excerpt = await asyncio.to_thread(load)
    if not files.filled:
        await _fill(files, excerpt)
    options = ServerOptions(port=_free_port(files.read_port()), data=files.database)
    told = asyncio.Event()
    async with AsyncExitStack() as stack:
        stack.enter_context(_told_to_end(told))
        server = await stack.enter_async_context(running(options))
        files.write_port(int(server.listening.url.rpartition(":")[2]))
        alice = (await server.engine.read(lambda tx: caller_of(tx, ALICE))).user
        here = DemoHost(server, excerpt, files, alice)
        stack.push_async_callback(here.peers.close)
        control = Control(here)
        port = await stack.enter_async_context(control.listening())
        state = State(url=server.listening.url, pid=os.getpid(), port=port, secret=control.secret)
        write_private(files.state, msgspec.json.encode(state))
        stack.callback(files.state.unlink, missing_ok=True)
        awaited = report.say(Report(state=state))
        talking = asyncio.create_task(here.talk())
        stack.callback(talking.cancel)
        patience = FIRST_SECONDS if awaited else LINGER_SECONDS
        ends = [asyncio.create_task(control.deserted(patience)), asyncio.create_task(told.wait())]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for end in ends:
            end.cancel()


async def _fill(files: Files, excerpt: Excerpt) -> None:
    """Make the database beside its place, so that one that was cut short is never taken for a whole one."""
    shutil.rmtree(files.unfinished, ignore_errors=True)
    files.unfinished.mkdir(parents=True)
    password = secrets.token_urlsafe(12)
    write_private(files.password, password.encode())
    passwords = Passwords(HashParameters())
    try:
        password_hash = await passwords.hash(password)
    finally:
        passwords.close()
    await fill(files.unfinished / DATABASE, excerpt, now=system_clock(), password_hash=password_hash)
    files.unfinished.replace(files.database)


def _free_port(wanted: int) -> int:
    """The port of the last run, so that clients find their caches again; 0 (any) where it is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            return 0
    return wanted


@contextmanager
def _told_to_end(told: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


class ReportOnce:
    """Standard output, on which one line is written; whoever started us reads it and goes on."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    def say(self, report: Report) -> bool:
        """Say it, the first time; whether somebody waited for it."""
        if self._descriptor is None:
            return False
        try:
            os.write(self._descriptor, msgspec.json.encode(report) + b"\n")
        except OSError:
            return False  # whoever started us has gone
        else:
            return True
        finally:
            os.close(self._descriptor)
            self._descriptor = None


def main() -> int:
    """Leave the starting process, then serve. The exit code is the starting process's, always 0."""
    parser = argparse.ArgumentParser(prog="tui_chat.demo.host")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--reset", action="store_true")
    arguments = parser.parse_args()
    if os.fork():
        return 0
    os.setsid()
    os.umask(0o077)
    report = ReportOnce(os.dup(1))
    os.dup2(2, 1)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    files = Files(arguments.directory)
    with files.lock.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            report.say(Report(in_use=True))
            return 0
        try:
            os.ftruncate(2, 0)
            if arguments.reset:
                files.remove_all()
            with asyncio.Runner(loop_factory=new_event_loop) as runner:
                runner.run(host(files, report))
        except (CannotServe, OSError, ChatError) as error:
            report.say(Report(error=str(error)))
        except Exception:
            report.say(Report(error="it failed on its way up"))
            raise
    return 0


if __name__ == "__main__":
    sys.exit(main())
