"""The demo as a process of its own: started, joined, found again, reset, and gone with the last who shows it."""

import asyncio
import fcntl
import os
import signal
import stat
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tui_chat.client.changes import Change, MessagesAdded
from tui_chat.client.session import ChatSession
from tui_chat.demo.control import State, read_state
from tui_chat.demo.files import Files
from tui_chat.demo.run import CannotRunDemo, RunningDemo, start
from tui_chat.protocol.errors import ChatError

PATIENCE = 40.0


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition, with a deadline."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - of another process
            await asyncio.sleep(0.02)


def lives(pid: int) -> bool:
    """Whether the process is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def state_of(directory: Path) -> State:
    """What the running demo says of itself."""
    state = read_state(Files(directory).state)
    assert state is not None
    return state


@asynccontextmanager
async def session_of(demo: RunningDemo) -> AsyncIterator[ChatSession]:
    """A client on the demo, in step."""
    async with ChatSession.resume(demo.credentials) as session:
        await session.start()
        await session.wait_until_current()
        yield session


async def test_start_join_talk_and_end(tmp_path: Path) -> None:
    directory = tmp_path / "demo"
    with pytest.raises(CannotRunDemo, match="no demo is running"):
        await start(directory, join=True)
    first = await start(directory)
    state = state_of(directory)
    assert not first.joined
    assert first.coach
    assert first.credentials.device_name == "laptop"
    assert state.url == first.url
    assert first.url.startswith("http://127.0.0.1:")
    for path in (Files(directory).state, Files(directory).password):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700

    async with session_of(first) as session:
        assert len(session.conversations) >= 300
        assert session.server.sync_conversation_deletion
        assert session.administrator
        heard: list[Change] = []
        session.subscribe(heard.extend)

        def from_(conversation_id: str, sender: str) -> list[str]:
            added = [one for one in heard if isinstance(one, MessagesAdded) and one.conversation_id == conversation_id]
            return [message.text for one in added for message in one.messages if message.sender == sender]

        await session.delete_conversation("C2Cbob")
        assert "C2Cbob" not in session.conversations
        assert await first.nudge("bob")
        assert not await first.nudge("nobody-of-that-name")
        await until(lambda: bool(from_("C2Cbob", "bob")))
        assert session.conversations["C2Cbob"].message_count == len(from_("C2Cbob", "bob"))
        await session.send_message("C2Ccarol", "are you there?")
        await until(lambda: bool(from_("C2Ccarol", "carol")))

        with pytest.raises(CannotRunDemo, match="a demo is running"):
            await start(directory, reset=True)
        second = await start(directory, join=True)
        assert second.joined
        phone = second.credentials
        assert phone.device_name == "phone"
        assert (await first.another_device()).credentials.device_name == "tablet"
        first.end_coach()
        assert not second.coach

    await first.close()
    async with session_of(second) as session:
        assert session.device_name == "phone"
    assert lives(state.pid)
    await second.close()
    await until(lambda: not lives(state.pid))
    assert not Files(directory).state.exists()
    assert Files(directory).log.read_text() == ""


async def test_what_one_did_is_found_again_until_a_reset(tmp_path: Path) -> None:
    directory = tmp_path / "demo"
    async with await start(directory) as demo, session_of(demo) as session:
        await session.delete_conversation("GROUPwine")
        password, url = demo.password, demo.url
    async with await start(directory) as demo:
        assert not demo.joined, "the server still stood there, but nobody else looks at it"
        assert demo.credentials.device_name == "laptop"
        assert (demo.url, demo.password) == (url, password)
        async with session_of(demo) as session:
            assert "GROUPwine" not in session.conversations
            assert {device.name for device in await session.devices()} == {"laptop"}
        pid = state_of(directory).pid
    async with await start(directory, reset=True) as demo, session_of(demo) as session:
        await until(lambda: not lives(pid))
        assert demo.password != password
        assert "GROUPwine" in session.conversations
        logged_in = await ChatSession.log_in(demo.url, "alice", demo.password, device_name="by hand")
        await logged_in.close()
        with pytest.raises(ChatError):
            await ChatSession.log_in(demo.url, "alice", password, device_name="by hand")


async def test_a_killed_screen_leaves_no_server_behind(tmp_path: Path) -> None:
    directory = tmp_path / "demo"
    program = (
        "import asyncio, sys\nfrom pathlib import Path\nfrom tui_chat.demo.run import start\n"
        "async def main():\n demo = await start(Path(sys.argv[1]))\n print(demo.url, flush=True)\n"
        " await asyncio.Event().wait()\nasyncio.run(main())\n"
    )
    screen = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, str(directory), stdout=asyncio.subprocess.PIPE
    )
    assert screen.stdout is not None
    assert (await asyncio.wait_for(screen.stdout.readline(), PATIENCE)).startswith(b"http://127.0.0.1:")
    pid = state_of(directory).pid
    assert pid != screen.pid
    joined = await start(directory)
    screen.send_signal(signal.SIGKILL)
    await screen.wait()
    await until(lambda: True)
    assert lives(pid)
    assert not joined.ended.is_set()
    os.kill(pid, signal.SIGKILL)
    await asyncio.wait_for(joined.ended.wait(), PATIENCE)
    assert not await joined.nudge("bob")
    await joined.close()
    async with await start(directory) as again:
        assert not again.joined, "what a killed server left behind does not look like a running one"
        pid = state_of(directory).pid
    await until(lambda: not lives(pid))


async def test_two_started_at_once_share_one_server(tmp_path: Path) -> None:
    directory = tmp_path / "demo"
    one, other = await asyncio.gather(start(directory), start(directory))
    assert one.url == other.url
    assert {one.joined, other.joined} == {False, True}
    assert {one.credentials.device_name, other.credentials.device_name} == {"laptop", "phone"}
    pid = state_of(directory).pid
    await one.close()
    await other.close()
    await until(lambda: not lives(pid))


async def test_whoever_gives_up_waits_for_nothing_and_leaves_nothing_running(tmp_path: Path) -> None:
    files = Files(tmp_path / "demo")
    starting = asyncio.create_task(start(files.directory))
    await until(files.unfinished.exists)
    starting.cancel()
    await asyncio.wait([starting])
    assert starting.cancelled()
    assert not files.filled, "it has not waited for that"
    await until(lambda: files.filled)
    async with asyncio.timeout(PATIENCE / 2):  # less than a server waits for somebody who is on the way
        while not free(files.lock):  # noqa: ASYNC110 - another process holds it
            await asyncio.sleep(0.02)


def free(lock: Path) -> bool:
    """Whether no server has the directory."""
    with lock.open("r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
    return True
