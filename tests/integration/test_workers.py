"""`serve --workers`: several processes on one port, and a parent that looks after them."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.accounts import DEADLINE, Device, People, refusal
from tests.buses import eventually
from tests.databases import PostgresServer
from tests.servers import ServerProcess
from tui_chat.protocol import events
from tui_chat.server.workers import SILENT_SECONDS


@pytest.fixture
def workers(postgres: PostgresServer, tmp_path: Path) -> Iterator[ServerProcess]:
    process = ServerProcess(tmp_path / "data", "--database", postgres.new_database(), "--workers", "2")
    yield process
    process.kill()


def children(parent: int) -> list[int]:
    """The processes that it has started and that run."""
    return [pid for pid, (above, state) in _processes().items() if above == parent and not state.startswith("Z")]


def alive(pids: list[int]) -> bool:
    """Whether any of these runs."""
    running = _processes()
    return any(pid in running and not running[pid][1].startswith("Z") for pid in pids)


def _processes() -> dict[int, tuple[int, str]]:
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,stat="], capture_output=True, text=True, check=True).stdout
    return {int(pid): (int(above), state) for pid, above, state in map(str.split, listed.splitlines())}


def test_a_worker_that_dies_is_replaced_and_nobody_else_notices(workers: ServerProcess) -> None:
    eventually(lambda: len(children(workers.pid)) == 2, "both run")
    people = People(workers.url)
    try:
        alice, bob = people.register("alice"), people.register("bob")
        before = children(workers.pid)
        os.kill(before[0], signal.SIGKILL)
        eventually(lambda: len(set(children(workers.pid)) - {before[0]}) == 2, "it is replaced")
        assert before[1] in children(workers.pid)
        eventually(lambda: sent(alice, "after it"), "the others take its connections")
        with bob.stream() as stream:
            running = children(workers.pid)
            assert workers.terminate() == 0
            assert stream.closed() == events.CLOSE_RESTART
        assert not alive(running)
    finally:
        people.close()


def sent(device: Device, text: str) -> bool:
    """Send over a new connection: the old one may have been the victim's."""
    people = People(device.url)
    try:
        return bool(device.at(people.http).send("C2Cbob", text, client_id="once"))
    except httpx.TransportError:
        return False
    finally:
        people.close()


@pytest.mark.slow
def test_workers_stop_with_their_parent(workers: ServerProcess) -> None:
    eventually(lambda: len(children(workers.pid)) == 2, "both run")
    orphans = children(workers.pid)
    workers.kill()
    eventually(lambda: not alive(orphans), "they have ended")


@pytest.mark.slow
def test_a_worker_that_hangs_is_replaced(workers: ServerProcess) -> None:
    eventually(lambda: len(children(workers.pid)) == 2, "both run")
    hanging, other = children(workers.pid)
    os.kill(hanging, signal.SIGSTOP)
    eventually(lambda: hanging not in children(workers.pid), "it is killed", deadline=2 * SILENT_SECONDS)
    eventually(lambda: len(children(workers.pid)) == 2, "it is replaced")
    assert other in children(workers.pid)


@pytest.mark.slow
def test_a_hangup_ends_nothing(workers: ServerProcess) -> None:
    eventually(lambda: len(children(workers.pid)) == 2, "both run")
    before = children(workers.pid)
    workers.send_signal(signal.SIGHUP)
    people = People(workers.url)
    try:
        people.register("alice")
        assert refusal(lambda: people.register("alice")).code == "name_taken"
    finally:
        people.close()
    assert children(workers.pid) == before


@pytest.mark.slow
def test_what_cannot_be_is_refused_in_one_line(tmp_path: Path) -> None:
    for words, named in (
        (["--workers", "2"], "--database postgresql://"),
        (["--workers", "2", "--database", f"postgresql:///none?host={tmp_path}"], "cannot be reached"),
    ):
        command = [sys.executable, "-m", "tui_chat", "serve", "--port", "0", "--data", str(tmp_path), *words]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=3 * DEADLINE, env={**os.environ, "HOME": str(tmp_path)}
        )
        assert done.returncode != 0
        assert done.stdout == ""
        assert named in done.stderr
        assert len(done.stderr.splitlines()) == 1, done.stderr
