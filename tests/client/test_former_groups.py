"""Groups that one left, was removed from, or that ended: readable with the server away, and deletable."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.client.sessions import Sessions, Watched, eventually, in_step, texts
from tests.proxy import Proxy, proxy_to
from tests.servers import LiveServer
from tui_chat.client.changes import Connection
from tui_chat.protocol.models import Membership

HOW = [Membership.LEFT, Membership.KICKED, Membership.DISMISSED]


@pytest_asyncio.fixture
async def proxy(server: LiveServer) -> AsyncIterator[Proxy]:
    """Between alice and the server."""
    async with proxy_to(server.url) as made:
        yield made


async def former_group(sessions: Sessions, proxy: Proxy, how: Membership, cache: Path) -> tuple[Watched, str]:
    """alice, with the conversation of a group that she is in no more."""
    alice = await sessions.register("alice", url=proxy.url, cache=cache)
    bob = await sessions.register("bob", device="desk")
    group = (await bob.session.create_group("plans", group_id="plans", members=["alice"])).conversation_id
    await bob.session.send_message(group, "one")
    rows = alice.session.conversations
    await eventually(lambda: group in rows and "one" in texts(alice.session.cached_tail(group)))
    match how:
        case Membership.LEFT:
            await alice.session.quit_group("plans")
        case Membership.KICKED:
            await bob.session.kick("plans", "alice")
        case _:
            await bob.session.dismiss("plans")
    await eventually(lambda: rows[group].membership == how)
    await in_step(alice)
    return alice, group


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("clear", [True, False], ids=["cleared", "kept"])
async def test_read_and_deleted_with_the_server_away(
    sessions: Sessions, proxy: Proxy, tmp_path: Path, how: Membership, clear: bool
) -> None:
    alice, group = await former_group(sessions, proxy, how, tmp_path / "alice")
    await proxy.stop()
    await eventually(lambda: alice.session.connection is not Connection.CONNECTED)
    again = await sessions.again(alice, cache=tmp_path / "alice", start=False)
    await again.session.start()
    assert again.session.conversations[group].membership == how
    assert "one" in texts((await again.session.history(group)).messages)
    result = await again.session.delete_conversation(conversation_id_list=[group], clear_history_message=clear)
    assert result.queued == [group]
    assert group not in again.session.conversations
    await proxy.start()
    again.session.reconnect_now()
    await eventually(lambda: again.session.queued == 0)
    assert group not in again.session.conversations
    await again.session.reload()
    assert group not in again.session.conversations
    await again.session.undo(result.batch_id)
    await eventually(lambda: group in again.session.conversations)
    assert again.session.conversations[group].membership == how
    assert "one" in texts((await again.session.history(group)).messages)
