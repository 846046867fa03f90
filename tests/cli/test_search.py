"""`tui-chat search`, against a real server."""

import argparse
import asyncio

from tests.cli.conftest import Run, objects
from tests.servers import LiveServer
from tui_chat.cli.account import stored
from tui_chat.client.session import ChatSession
from tui_chat.config import Paths


def test_finds_words_in_all_conversations(accounts: Run) -> None:
    code, output, _ = accounts("search", "HELLO", "from")
    assert code == 0
    assert [line.strip() for line in output.splitlines() if line.startswith(" ")] == [
        "hello from carol",
        "hello from bob",
    ]
    assert "C2Ccarol carol:" in output


def test_in_one_conversation_as_json(accounts: Run) -> None:
    code, output, _ = accounts("search", "hello", "--in", "bob", "--json")
    assert code == 0
    [message] = objects(output)
    assert (message["conversationID"], message["text"], message["messageSeq"]) == ("C2Cbob", "hello from bob", 1)


def test_one_chinese_character(accounts: Run) -> None:
    assert accounts("send", "--profile", "bob", "alice", "明天早上下雨")[0] == 0
    assert "明天早上下雨" in accounts("search", "雨")[1]
    assert accounts("search", "雪") == (0, "", "")


def test_the_limit_is_kept_over_as_many_answers_as_it_takes(accounts: Run) -> None:
    for number in range(3):
        assert accounts("send", "--profile", "bob", "alice", f"word {number}")[0] == 0
    for limit in (1, 2):
        output = accounts("search", "word", "--limit", str(limit), "--json")[1]
        assert [one["text"] for one in objects(output)] == ["word 2", "word 1"][:limit]


def test_what_was_deleted_is_not_found(accounts: Run) -> None:
    assert accounts("delete", "bob", "--yes")[0] == 0
    assert "hello from bob" not in accounts("search", "hello")[1]


def test_what_cannot_be_looked_for(accounts: Run) -> None:
    assert accounts("search", " ")[0] != 0
    assert accounts("search", "x", "--limit", "0")[0] == 2
    assert accounts("search", "x", "--in", "C2Cnobody")[0] != 0


OFFLINE = "offline: only what is on this device was searched"


def test_without_a_connection_what_is_here_is_searched(accounts: Run, server: LiveServer) -> None:
    """As the screen does, which has brought it here."""
    asyncio.run(_had_on_the_screen("C2Cbob"))
    server.stop()
    code, output, errors = accounts("search", "HELLO", "--json")
    assert (code, [one["text"] for one in objects(output)]) == (0, ["hello from bob"])
    assert errors.splitlines() == [OFFLINE]
    assert [one["text"] for one in objects(accounts("search", "hello", "--in", "bob", "--json")[1])]
    assert accounts("search", "hello", "--in", "carol") == (0, "", f"{OFFLINE}\n")


def test_without_a_connection_and_with_nothing_here(accounts: Run, server: LiveServer) -> None:
    server.stop()
    code, output, errors = accounts("search", "hello")
    assert (code, output) == (3, "")
    assert "cannot be reached" in errors
    assert not list(Paths.of_user().cache.glob("accounts/*")), "and nothing is made for it"


def test_what_another_has_open_is_left_to_it(accounts: Run, server: LiveServer) -> None:
    async def meanwhile() -> tuple[int, str, str]:
        async with _screen():
            return await asyncio.to_thread(accounts, "search", "hello")

    asyncio.run(_had_on_the_screen("C2Cbob"))
    server.stop()
    code, output, errors = asyncio.run(meanwhile())
    assert (code, output) == (3, "")
    assert "cannot be reached" in errors
    assert "already open in another tui-chat" in errors
    assert len(errors.splitlines()) == 1


def _screen() -> ChatSession:
    _, store, credentials = stored(argparse.Namespace())
    directory = Paths.of_user().account_cache(credentials.server_url, credentials.user_id)
    return ChatSession.resume(credentials, secrets=store, cache_directory=directory)


async def _had_on_the_screen(conversation_id: str) -> None:
    async with _screen() as session:
        await session.load()
        assert (await session.history(conversation_id)).messages
