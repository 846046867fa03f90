"""Between a session and the screen: few posts, nothing lost, the first one at once."""

import asyncio

from textual.app import App

from tests.tui.apps import until
from tests.tui.fake import FakeSession
from tui_chat.client.changes import Change, ConversationsUpdated
from tui_chat.tui.bridge import CROWD, CROWDED_INTERVAL, Bridge, SessionChanged


class Taking(App[None]):
    """Takes what comes, and counts how often."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[list[Change]] = []

    def on_session_changed(self, event: SessionChanged) -> None:
        self.taken.append(event.bridge.take())


def change(number: int) -> Change:
    return ConversationsUpdated(conversation_id_list=[f"C2Cu{number}"])


async def test_the_first_change_comes_at_once_and_the_rest_together() -> None:
    session, app = FakeSession({}), Taking()
    async with app.run_test():
        bridge = Bridge(session.as_session(), app, interval=60.0)
        session.tell(change(0))
        await until(lambda: app.taken)
        for number in range(1, 100):
            session.tell(change(number))
            await asyncio.sleep(0)
        assert app.taken == [[change(0)]]
        bridge.close()


async def test_nothing_is_lost_and_the_posts_are_few() -> None:
    session, app = FakeSession({}), Taking()
    async with app.run_test():
        bridge = Bridge(session.as_session(), app, interval=0.05)
        started = asyncio.get_running_loop().time()
        for number in range(300):
            session.tell(change(number))
            await asyncio.sleep(0.001)
        await until(lambda: sum(map(len, app.taken)) == 300)
        seconds = asyncio.get_running_loop().time() - started
        assert [one for part in app.taken for one in part] == [change(number) for number in range(300)]
        assert len(app.taken) <= seconds / 0.05 + 2
        bridge.close()


async def test_crowds_of_changes_are_drawn_less_often() -> None:
    session, app = FakeSession({}), Taking()
    async with app.run_test():
        bridge = Bridge(session.as_session(), app)
        loop = asyncio.get_running_loop()
        started, told = loop.time(), 0
        while loop.time() < started + 4.5 * CROWDED_INTERVAL:
            session.tell(*(change(told + number) for number in range(CROWD)))
            told += CROWD
            await asyncio.sleep(0.005)
        await until(lambda: sum(map(len, app.taken)) == told)
        seconds = loop.time() - started
        assert [one for part in app.taken for one in part] == [change(number) for number in range(told)]
        assert len(app.taken) <= seconds / CROWDED_INTERVAL + 2
        session.tell(change(told))
        await until(lambda: app.taken[-1] == [change(told)])
        bridge.close()


async def test_a_closed_bridge_hears_no_more() -> None:
    session, app = FakeSession({}), Taking()
    async with app.run_test() as pilot:
        bridge = Bridge(session.as_session(), app)
        bridge.close()
        session.tell(change(0))
        await pilot.pause()
        assert app.taken == []
