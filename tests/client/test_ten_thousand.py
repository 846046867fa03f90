"""As many conversations as anybody has, deleted while the server counts calls."""

import asyncio
import time

import pytest

from tests.client.sessions import Sessions, eventually
from tests.client.test_batches import alice_with
from tests.servers import LiveServer
from tui_chat.client.changes import ConversationsHidden, ConversationsRemoved
from tui_chat.server.ratelimit import EachDevice

COUNT = 10_000


def let_through(server: LiveServer, a_second: float, burst: float) -> None:
    """So many deleting calls."""
    limiter = server.running.services.limiter
    limiter.deletions = EachDevice(a_second, burst, server.clock.monotonic)  # type: ignore[misc]


@pytest.mark.slow
async def test_a_limit_met_halfway_delays_and_loses_nothing(sessions: Sessions, server: LiveServer) -> None:
    alice, ids = await alice_with(sessions, server, COUNT)
    let_through(server, a_second=100.0, burst=30)
    through: list[int] = []
    began = time.perf_counter()
    result = await alice.session.delete_conversation(
        conversation_id_list=ids, progress=lambda done, _total: through.append(done)
    )
    took = time.perf_counter() - began
    assert took > 0.5, "the limit was met"
    assert sorted(result.conversation_id_list) == sorted(ids)
    assert (result.failures, result.queued, result.stopped) == ([], [], [])
    assert through == list(range(100, COUNT + 1, 100))
    assert sum(len(change.conversation_id_list) for change in alice.of(ConversationsHidden)) == COUNT
    await eventually(lambda: alice.session.queued == 0)
    assert sum(len(change.conversation_id_list) for change in alice.of(ConversationsRemoved)) == COUNT
    assert not set(ids) & set(alice.session.conversations)
    (deletion,) = await alice.session.deletions()
    assert deletion.count == COUNT
    restored = await alice.session.undo()
    assert len(restored.conversation_id_list) == COUNT
    await eventually(lambda: set(ids) <= set(alice.session.conversations))


async def test_stopped_while_the_limit_holds_it_up(sessions: Sessions, server: LiveServer) -> None:
    alice, ids = await alice_with(sessions, server, 2_000)
    let_through(server, a_second=2.0, burst=5)
    stop = asyncio.Event()
    deleting = asyncio.create_task(alice.session.delete_conversation(conversation_id_list=ids, stop=stop))
    await eventually(lambda: len(alice.of(ConversationsRemoved)) >= 4)
    stop.set()
    result = await deleting
    assert len(result.stopped) >= 1_000, "nobody waits for what was stopped"
    assert sorted(result.conversation_id_list + result.stopped) == sorted(ids)
    assert set(result.stopped) <= set(alice.session.conversations)
    let_through(server, a_second=50.0, burst=200)
    again = await alice.session.delete_conversation(conversation_id_list=result.stopped)
    assert sorted(again.conversation_id_list) == sorted(result.stopped)
