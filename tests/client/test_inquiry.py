"""Many conversations at once of which no event says how they stand."""

import asyncio

import pytest

from tests.client.sessions import Sessions, eventually, in_step
from tests.client.test_batches import alice_with
from tests.proxy import proxy_to
from tests.servers import LiveServer
from tui_chat.client.calls import Calls
from tui_chat.client.changes import StateReset
from tui_chat.protocol.errors import Internal
from tui_chat.protocol.models import Conversation
from tui_chat.protocol.requests import ConversationPage


@pytest.mark.parametrize("failing", [False, True], ids=["", "while the server fails at first"])
async def test_a_night_of_clearings_is_asked_for_by_the_list(
    sessions: Sessions, server: LiveServer, monkeypatch: pytest.MonkeyPatch, failing: bool
) -> None:
    singly: list[str] = []
    pages = 0
    one, page = Calls.conversation, Calls.conversations

    async def counted_one(self: Calls, conversation_id: str) -> Conversation:
        singly.append(conversation_id)
        return await one(self, conversation_id)

    async def counted_page(self: Calls, cursor: str | None) -> ConversationPage:
        nonlocal pages
        pages += 1
        if failing and pages == 1:
            raise Internal()
        return await page(self, cursor)

    phone, ids = await alice_with(sessions, server, 300)
    await in_step(phone)
    async with proxy_to(server.url) as way:
        laptop = await sessions.log_in("alice", device="laptop", url=way.url)
        await in_step(laptop)
        await way.stop()
        await asyncio.gather(*(phone.session.send_message(item, "and more") for item in ids[:60]))
        monkeypatch.undo()
        for start in range(0, 60, 20):
            await phone.session.clear_history(ids[start : start + 20])
        laptop.forget()
        monkeypatch.setattr(Calls, "conversation", counted_one)
        monkeypatch.setattr(Calls, "conversations", counted_page)
        await way.start()
        laptop.session.reconnect_now()
        await in_step(laptop)
        await eventually(lambda: all(laptop.session.conversations[item].newest_seq == 2 for item in ids[:60]))
        assert dict(laptop.session.conversations) == dict(phone.session.conversations)
        assert len(singly) <= 20
        assert 1 + failing <= pages <= 8
        assert laptop.of(StateReset) == []
