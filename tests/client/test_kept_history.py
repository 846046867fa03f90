"""How much history this machine keeps: a bound that a setting moves, and the server behind it."""

from pathlib import Path

from tests.client.sessions import Sessions, eventually, texts
from tests.client.test_pages import BOB, alice_with_history
from tests.servers import LiveServer
from tui_chat.client.session import ChatSession


async def test_the_newest_are_kept_and_the_rest_comes_from_the_server(
    sessions: Sessions, server: LiveServer, tmp_path: Path
) -> None:
    cache = tmp_path / "alice"
    watched = await alice_with_history(sessions, server, 250, cache=cache)
    credentials = watched.session.credentials
    await watched.session.close()

    session = ChatSession.resume(credentials, cache_directory=cache, keep_messages=100)
    try:
        await session.start()
        await session.wait_until_current()
        read: list[str] = []
        before: int | None = None
        more = True
        while more:
            page = await session.history(BOB, before=before, limit=50)
            read[:0], before, more = texts(page.messages), page.messages[0].message_seq, page.more
        assert read == [f"m{number}" for number in range(1, 251)], "all of it can be read"
        assert texts(session.cached_tail(BOB, 1_000)) == [f"m{number}" for number in range(151, 251)]
    finally:
        await session.close()
    again = ChatSession.resume(credentials, cache_directory=cache, keep_messages=60)
    try:
        await again.start()
        await again.wait_until_current()
        await again.send_message(BOB, "one more")
        await eventually(lambda: texts(again.cached_tail(BOB, 1_000))[-1:] == ["one more"])
        assert texts(again.cached_tail(BOB, 1_000)) == [f"m{number}" for number in range(192, 251)] + ["one more"]
    finally:
        await again.close()
