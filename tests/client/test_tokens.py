"""Access tokens run out; devices are revoked; two processes share one log-in."""

import asyncio
import fcntl
import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.client.making import NOWHERE
from tests.client.sessions import Sessions, eventually
from tests.servers import LiveServer
from tui_chat.client.changes import Connection
from tui_chat.client.credentials import StoredCredentials
from tui_chat.client.session import ChatSession
from tui_chat.protocol.errors import NotConnected, Unauthorized, WrongPassword
from tui_chat.protocol.wire import decode, encode

HOUR = 3_601


class FileStore:
    """Credentials in a file that several processes may share."""

    def __init__(self, path: Path):
        self.path = path
        self.writes = 0

    def read(self) -> StoredCredentials | None:
        return decode(self.path.read_bytes(), StoredCredentials) if self.path.exists() else None

    def write(self, credentials: StoredCredentials) -> None:
        self.writes += 1
        self.path.write_bytes(encode(credentials))

    @contextmanager
    def locked(self) -> Iterator[None]:
        descriptor = os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


async def test_a_token_that_ran_out_is_renewed_unnoticed(
    sessions: Sessions, server: LiveServer, tmp_path: Path
) -> None:
    store = FileStore(tmp_path / "alice.json")
    await (await sessions.register("alice")).session.close()
    alice = await sessions.log_in("alice", secrets=store)
    before = alice.session.credentials.access_token
    server.clock.advance(HOUR)
    assert [device.current for device in await alice.session.devices()].count(True) == 1
    assert alice.session.credentials.access_token != before
    assert store.read() == alice.session.credentials


async def test_many_calls_at_once_renew_once(sessions: Sessions, server: LiveServer, tmp_path: Path) -> None:
    store = FileStore(tmp_path / "alice.json")
    await (await sessions.register("alice")).session.close()
    alice = await sessions.log_in("alice", secrets=store)
    server.clock.advance(HOUR)
    await asyncio.gather(*(alice.session.devices() for _ in range(8)))
    assert store.writes == 2, "at the log-in, and once"


async def test_two_processes_with_one_log_in_do_not_log_each_other_out(
    sessions: Sessions, server: LiveServer, tmp_path: Path
) -> None:
    await (await sessions.register("alice")).session.close()
    one = await sessions.log_in("alice", secrets=FileStore(tmp_path / "alice.json"), start=False)
    other = ChatSession.resume(one.session.credentials, secrets=FileStore(tmp_path / "alice.json"))
    async with other:
        for _ in range(3):
            server.clock.advance(HOUR)
            await asyncio.gather(one.session.devices(), other.devices())
            assert one.session.credentials == other.credentials


async def test_a_token_that_is_about_to_run_out_is_renewed_before_it_is_used(
    sessions: Sessions, server: LiveServer
) -> None:
    now = 1_000_000
    alice = await ChatSession.register(
        server.url, "alice", "correct horse battery", device_name="laptop", clock=lambda: now
    )
    async with alice:
        before = alice.credentials.access_token
        now += 3_590_000
        await alice.devices()
        assert alice.credentials.access_token != before


async def test_a_revoked_device_is_signed_out_and_stops(sessions: Sessions) -> None:
    laptop = await sessions.register("alice")
    phone = await sessions.log_in("alice")
    await laptop.session.revoke_device(phone.session.device_id)
    await eventually(lambda: phone.session.connection is Connection.SIGNED_OUT)
    with pytest.raises(Unauthorized):
        await phone.session.devices()
    assert len(await laptop.session.devices()) == 1


async def test_who_no_longer_waits_is_told_nothing_of_a_revoked_device(sessions: Sessions, tmp_path: Path) -> None:
    """The loop's own word on it is a traceback, on the terminal that the program has just left."""
    laptop = await sessions.register("alice")
    store = FileStore(tmp_path / "alice.json")
    phone = await sessions.log_in("alice", secrets=store, start=False)
    await laptop.session.revoke_device(phone.session.device_id)
    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: told.append(context))
    before = asyncio.all_tasks()
    with store.locked():
        asking = asyncio.create_task(phone.session.devices())
        await eventually(lambda: any("_renewed" in repr(task) for task in asyncio.all_tasks() - before))
        asking.cancel()
        await asyncio.wait([asking])
    await eventually(lambda: not asyncio.all_tasks() - before)
    gc.collect()
    assert told == []


async def test_logging_out_ends_the_device(sessions: Sessions) -> None:
    laptop = await sessions.register("alice")
    phone = await sessions.log_in("alice")
    await phone.session.log_out()
    await eventually(lambda: phone.session.connection is Connection.SIGNED_OUT)
    assert len(await laptop.session.devices()) == 1


async def test_resuming_with_a_dead_log_in_says_so(sessions: Sessions) -> None:
    laptop = await sessions.register("alice")
    phone = await sessions.log_in("alice")
    await laptop.session.revoke_device(phone.session.device_id)
    again = await sessions.again(phone, start=False)
    with pytest.raises(Unauthorized):
        await again.session.load()


async def test_a_wrong_password_and_no_server(sessions: Sessions) -> None:
    await sessions.register("alice")
    with pytest.raises(WrongPassword):
        await ChatSession.log_in(sessions.url, "alice", "incorrect donkey", device_name="x")
    with pytest.raises(NotConnected):
        await ChatSession.log_in(NOWHERE.server_url, "alice", "correct horse battery", device_name="x")


async def test_waiting_for_a_server_that_is_not_there_ends(sessions: Sessions) -> None:
    alice = await sessions.register("alice")
    await alice.session.close()
    async with ChatSession.resume(replace(alice.session.credentials, server_url=NOWHERE.server_url)) as lost:
        await lost.start()
        with pytest.raises(NotConnected):
            await lost.wait_until_current(timeout=0.3)
