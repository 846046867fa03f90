"""Pages of history: from the cache without a hole, from the server beyond, never beneath a watermark."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.client.making import Inside, arrived, deleted, message, ranged, restored, row
from tests.client.sessions import Sessions, Watched, eventually, texts
from tests.proxy import proxy_to
from tests.servers import START_MS, LiveServer
from tui_chat.client.merging import Marks
from tui_chat.client.pages import Pages
from tui_chat.client.receiver import Receiver
from tui_chat.protocol.errors import NotConnected
from tui_chat.protocol.requests import MessagePage
from tui_chat.server.operations.importing import Archive, ArchivedMessage, ArchivedUser, import_archive

BOB = "C2Cbob"


async def alice_with_history(sessions: Sessions, server: LiveServer, count: int, cache: Path | None = None) -> Watched:
    """alice, to whom bob has written `count` messages before she came."""
    alice = await sessions.register("alice", start=False, cache=cache)
    archive = Archive(
        users=[ArchivedUser(user_id="bob")],
        messages=[
            ArchivedMessage(sender="bob", to="alice", time=START_MS - count + number, text=f"m{number + 1}")
            for number in range(count)
        ],
    )
    await asyncio.to_thread(server.write, lambda tx: import_archive(tx, archive))
    await alice.session.start()
    await alice.session.wait_until_current()
    return alice


@pytest.mark.parametrize("on_disk", [False, True])
async def test_back_to_the_beginning_page_by_page_and_again_from_the_cache(
    sessions: Sessions, server: LiveServer, tmp_path: Path, on_disk: bool
) -> None:
    alice = await alice_with_history(sessions, server, 230, tmp_path / "alice" if on_disk else None)

    async def all_of_it() -> list[str]:
        page = await alice.session.history(BOB, limit=100)
        found = texts(page.messages)
        while page.more:
            page = await alice.session.history(BOB, before=page.messages[0].message_seq, limit=100)
            found = texts(page.messages) + found
        return found

    expected = [f"m{number + 1}" for number in range(230)]
    assert await all_of_it() == expected
    server.stop()
    assert await all_of_it() == expected, "without the server"


async def test_forward_from_a_place(sessions: Sessions, server: LiveServer) -> None:
    alice = await alice_with_history(sessions, server, 30)
    page = await alice.session.history(BOB, after=10, limit=5)
    assert texts(page.messages) == ["m11", "m12", "m13", "m14", "m15"]
    assert page.more
    page = await alice.session.history(BOB, after=25, limit=50)
    assert texts(page.messages) == ["m26", "m27", "m28", "m29", "m30"]
    assert not page.more


async def test_a_hole_is_filled_from_the_server(sessions: Sessions, server: LiveServer) -> None:
    alice = await alice_with_history(sessions, server, 60)
    await alice.session.history(BOB, before=11, limit=10)  # an island of old messages
    assert alice.session.cached_tail(BOB, 5) == [] or texts(alice.session.cached_tail(BOB, 5))[-1] != "m60"
    page = await alice.session.history(BOB, limit=20)
    assert texts(page.messages) == [f"m{number}" for number in range(41, 61)]
    page = await alice.session.history(BOB, before=41, limit=35)
    assert texts(page.messages) == [f"m{number}" for number in range(6, 41)]


class Asked:
    """In the place of the server: answers pages, and does something while each is on its way."""

    def __init__(self, page: MessagePage, meanwhile: list[Callable[[], object]]):
        self.page = page
        self.meanwhile = meanwhile
        self.times = 0

    async def messages(self, conversation_id: str, **_: object) -> MessagePage:
        self.times += 1
        if self.meanwhile:
            self.meanwhile.pop(0)()
        return self.page


def pages_and_receiver(asked: Asked) -> tuple[Pages, Receiver]:
    inside = Inside(row(BOB, 4))
    return inside.pages_from(asked), inside.receiver


OLD_PAGE = MessagePage(messages=[message(BOB, number) for number in range(1, 5)])


async def test_a_page_from_before_a_clear_is_asked_for_anew_and_nothing_of_it_is_kept() -> None:
    asked = Asked(OLD_PAGE, [])
    pages, receiver = pages_and_receiver(asked)
    later = ranged(12, arrived(12, BOB, 5, hidden_through=3, cleared_through=3))
    asked.meanwhile = [
        lambda: receiver.receive(ranged(11, deleted(11, {BOB: Marks(3, 3)}))),
        lambda: receiver.receive(later),
    ]
    page = await pages.page(BOB, before=None, after=None, limit=50)
    assert asked.times == 2
    assert texts(page.messages) == ["m4"]
    assert texts(pages.tail(BOB, 50)) == ["m4", "m5"]


async def test_where_it_changes_again_and_again_the_page_is_taken_filtered() -> None:
    asked = Asked(OLD_PAGE, [])
    pages, receiver = pages_and_receiver(asked)
    asked.meanwhile = [
        lambda seq=seq: receiver.receive(ranged(10 + seq, deleted(10 + seq, {BOB: Marks(seq, seq)})))  # type: ignore[misc]
        for seq in (1, 2, 3)
    ]
    page = await pages.page(BOB, before=None, after=None, limit=50)
    assert texts(page.messages) == ["m4"]
    assert texts(pages.tail(BOB, 50)) == ["m4"]
    assert texts(pages._on_hand.tail(BOB, 50)) == ["m4"], "and nothing else is written down"
    assert page.cleared_through == 3


async def test_what_was_cleared_while_the_server_was_out_of_reach_is_not_taken_from_the_cache() -> None:
    asked = Asked(OLD_PAGE, [])
    pages, receiver = pages_and_receiver(asked)
    receiver.receive(ranged(11, arrived(11, BOB, 5)))

    def cut_off() -> None:
        raise NotConnected

    def cleared_and_cut_off() -> None:
        receiver.receive(ranged(12, deleted(12, {BOB: Marks(5, 5)})))
        cut_off()

    asked.meanwhile = [cleared_and_cut_off, cut_off]
    with pytest.raises(NotConnected):
        await pages.page(BOB, before=None, after=None, limit=50)


async def test_a_page_from_before_a_restore_is_asked_for_anew() -> None:
    asked = Asked(MessagePage(messages=[], cleared_through=4, hidden_through=4), [])
    pages, receiver = pages_and_receiver(asked)
    receiver.receive(ranged(11, deleted(11, {BOB: Marks(4, 4)})))

    def undone() -> None:
        receiver.receive(ranged(12, restored(12, row(BOB, 4))))
        asked.page = OLD_PAGE

    asked.meanwhile = [undone]
    page = await pages.page(BOB, before=None, after=None, limit=50)
    assert texts(page.messages) == ["m1", "m2", "m3", "m4"]


async def test_after_leaving_and_coming_back_what_was_said_between_is_not_there(sessions: Sessions) -> None:
    alice = await sessions.register("alice")
    bob = await sessions.register("bob", device="desk")
    group = (await bob.session.create_group("plan", join="free", members=["alice"])).group.group_id
    conversation_id = f"GROUP{group}"
    await bob.session.send_message(conversation_id, "with her")
    await eventually(lambda: "with her" in texts(alice.session.cached_tail(conversation_id)))
    await alice.session.quit_group(group)
    await bob.session.send_message(conversation_id, "without her")
    await alice.session.join_group(group)
    await bob.session.send_message(conversation_id, "again with her")
    await eventually(lambda: "again with her" in texts(alice.session.cached_tail(conversation_id)))
    for _ in range(2):  # from the server, then from the cache
        page = await alice.session.history(conversation_id)
        assert "with her" in texts(page.messages)
        assert "again with her" in texts(page.messages)
        assert "without her" not in texts(page.messages)
        assert not page.more


async def test_a_queued_clear_hides_at_once(sessions: Sessions, server: LiveServer) -> None:
    async with proxy_to(server.url) as proxy:
        alice = await sessions.register("alice", url=proxy.url)
        bob = await sessions.register("bob", device="desk")
        await bob.session.send_message("C2Calice", "one")
        await eventually(lambda: texts(alice.session.cached_tail(BOB)) == ["one"])
        await proxy.stop()
        await alice.session.mark_read(BOB)
        await alice.session.clear_history([BOB])
        assert alice.session.cached_tail(BOB) == []
        assert alice.session.conversations[BOB].message_count == 0
        await alice.session.undo()
        assert texts(alice.session.cached_tail(BOB)) == ["one"]
        assert alice.session.conversations[BOB].message_count == 1
