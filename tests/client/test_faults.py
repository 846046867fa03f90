"""Every fault that a network can have, while people write, delete and read: in the end all of it took effect once."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path

import pytest
import pytest_asyncio

from tests.accounts import DEADLINE
from tests.client.sessions import Sessions, Watched, eventually, in_step, texts
from tests.proxy import Proxy, proxy_to
from tests.servers import LiveServer
from tui_chat.client import core
from tui_chat.client.changes import Connection, MessagesAdded
from tui_chat.client.stream import Stream

BOB, CAROL, DAVE = "C2Cbob", "C2Ccarol", "C2Cdave"


@pytest_asyncio.fixture
async def proxy(server: LiveServer) -> AsyncIterator[Proxy]:
    """Between alice and the server."""
    async with proxy_to(server.url) as made:
        yield made


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time limits of a network that fails often, not of one that is slow."""

    class Impatient(Stream):
        def __init__(self, *positional: object, **named: object) -> None:
            super().__init__(*positional, **named, keepalive_seconds=0.3, open_seconds=1.0)  # type: ignore[arg-type]

    monkeypatch.setattr(core, "Stream", Impatient)


async def delayed(proxy: Proxy) -> None:
    proxy.delay = 0.05
    await asyncio.sleep(0.5)


async def throttled(proxy: Proxy) -> None:
    proxy.bytes_a_second = 20_000
    await asyncio.sleep(0.5)


async def stalled(proxy: Proxy) -> None:
    proxy.stall()
    await asyncio.sleep(0.5)


async def cut_again_and_again(proxy: Proxy) -> None:
    for _ in range(10):
        proxy.cut()
        await asyncio.sleep(0.05)


async def reset_again_and_again(proxy: Proxy) -> None:
    for _ in range(10):
        proxy.reset()
        await asyncio.sleep(0.05)


async def closed_after_accept(proxy: Proxy) -> None:
    proxy.refusing = True
    for _ in range(5):
        proxy.cut()
        await asyncio.sleep(0.1)


async def deaf(proxy: Proxy) -> None:
    proxy.deaf_to_answers = True
    await asyncio.sleep(0.5)


async def half_open(proxy: Proxy) -> None:
    proxy.half_open = True
    await asyncio.sleep(0.5)


async def gone(proxy: Proxy) -> None:
    await proxy.stop()
    await asyncio.sleep(0.3)
    await proxy.start()


Fault = Callable[[Proxy], Coroutine[None, None, None]]

FAULTS: list[Fault] = [
    delayed,
    throttled,
    stalled,
    cut_again_and_again,
    reset_again_and_again,
    closed_after_accept,
    deaf,
    half_open,
    gone,
]


def mend(proxy: Proxy) -> None:
    """A good network again; what hung in the bad one stays lost."""
    swallowed = proxy.half_open or proxy.deaf_to_answers
    proxy.delay, proxy.bytes_a_second = 0.0, 0.0
    proxy.refusing = proxy.deaf_to_answers = proxy.half_open = False
    proxy.flow()
    if swallowed:
        proxy.cut()  # half of what was said is missing: no connection goes on after that


def is_listed(watched: Watched, conversation_id: str) -> bool:
    return conversation_id in watched.session.conversations


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
async def test_whatever_happens_to_the_network_all_takes_effect_once(
    sessions: Sessions,
    server: LiveServer,
    proxy: Proxy,
    tmp_path: Path,
    fault: Fault,
) -> None:
    server.change_settings(sync_conversation_deletion=True)
    alice = await sessions.register("alice", url=proxy.url, cache=tmp_path / "alice")
    alice.session._core.api._read_seconds = 0.4
    bob, carol, dave = [await sessions.register(name, device="desk") for name in ("bob", "carol", "dave")]
    for friend in (bob, carol, dave):
        await friend.session.send_message("C2Calice", "hello")
    await eventually(lambda: all(is_listed(alice, one) for one in (BOB, CAROL, DAVE)))
    phone = await sessions.log_in("alice")
    await in_step(alice, bob, phone)

    failing = asyncio.create_task(fault(proxy))
    await asyncio.sleep(0.01)
    mine = [asyncio.create_task(alice.session.send_message(BOB, f"mine {number}")) for number in range(10)]
    deleting = asyncio.create_task(alice.session.delete_conversation(conversation_id_list=[CAROL]))
    reading = asyncio.create_task(alice.session.mark_read(DAVE))
    pinning = asyncio.create_task(alice.session.set_flags([DAVE], pinned=True))
    for number in range(10):
        await bob.session.send_message("C2Calice", f"theirs {number}")
    await failing
    mend(proxy)
    alice.session._core.api._read_seconds = DEADLINE  # A good network may be slow from here on.
    alice.session.reconnect_now()
    await asyncio.gather(*mine, deleting, reading, pinning)

    await eventually(lambda: alice.session.queued == 0 and alice.session.connection is Connection.CONNECTED)
    truth = await sessions.log_in("bob", device="tablet")  # His desk may not have heard of the last one yet.
    there = (await truth.session.history("C2Calice", limit=100)).messages
    said = texts(there)
    assert sorted(said) == sorted(["hello", *(f"{whose} {n}" for whose in ("mine", "theirs") for n in range(10))])
    assert [text for text in said if text.startswith("mine")] == [f"mine {number}" for number in range(10)]
    newest = there[-1].message_seq
    await eventually(lambda: all(one.session.conversations[BOB].newest_seq == newest for one in (alice, phone)))
    assert texts((await alice.session.history(BOB, limit=100)).messages) == said
    shown = [text for change in alice.of(MessagesAdded) for text in texts(change.messages)]
    assert sorted(shown) == sorted(said + ["hello", "hello"]), "told once each, carol's and dave's as well"
    for one in (alice, phone):
        await eventually(lambda one=one: not is_listed(one, CAROL))  # type: ignore[misc]
        await eventually(
            lambda one=one: (  # type: ignore[misc]
                one.session.conversations[DAVE].unread_count == 0 and one.session.conversations[DAVE].pinned
            )
        )
    assert len(await phone.session.deletions()) == 1
    await phone.session.undo()
    await eventually(lambda: is_listed(alice, CAROL) and is_listed(phone, CAROL))


async def test_half_open_nobody_has_to_notice(sessions: Sessions, proxy: Proxy) -> None:
    """Both ends believe in the connection: the keepalive finds out, and what was missed is asked for."""
    alice = await sessions.register("alice", url=proxy.url)
    bob = await sessions.register("bob", device="desk")
    await in_step(alice, bob)
    alice.session._core.api._read_seconds = 0.4
    proxy.half_open = True
    await bob.session.send_message("C2Calice", "are you there?")
    await eventually(lambda: alice.session.connection is not Connection.CONNECTED)
    proxy.half_open = False
    proxy.cut()
    await eventually(lambda: is_listed(alice, BOB))
