"""What the screen shows while the server is being filled, against what the server then has."""

from pathlib import Path

from tui_chat.client.changes import Connection
from tui_chat.demo.excerpt import ALICE, Excerpt
from tui_chat.demo.filling import caller_of, fill
from tui_chat.demo.preview import Preview
from tui_chat.protocol.ids import SYSTEM
from tui_chat.protocol.models import Conversation
from tui_chat.server.engines.sqlite import SqliteEngine
from tui_chat.server.operations import conversations

NOW = 1_700_000_000_000
SHOWN = (
    "type",
    "name",
    "time",
    "unread_count",
    "mention_count",
    "marked_unread",
    "pinned",
    "muted",
    "membership",
)
"""What a row of the list is drawn from."""


async def served(path: Path, excerpt: Excerpt) -> dict[str, Conversation]:
    """Alice's list at a server that was filled."""
    await fill(path, excerpt, now=NOW, password_hash="hash")
    engine = await SqliteEngine.open(path, clock=lambda: NOW)
    found: dict[str, Conversation] = {}
    cursor: str | None = None
    try:
        while True:
            at = cursor
            page = await engine.read(lambda tx: conversations.page(tx, caller_of(tx, ALICE), limit=100, cursor=at))  # noqa: B023
            found |= {row.conversation_id: row for row in page.conversations}
            cursor = page.next
            if cursor is None:
                return found
    finally:
        await engine.close()


async def test_its_rows_are_those_that_the_server_will_have(tmp_path: Path, excerpt: Excerpt) -> None:
    rows = await served(tmp_path / "x.sqlite", excerpt)
    shown = Preview(excerpt, now=NOW)
    assert set(rows) - set(shown.conversations) <= {SYSTEM}
    for conversation_id, row in shown.conversations.items():
        then = rows[conversation_id]
        assert {name: getattr(row, name) for name in SHOWN} == {name: getattr(then, name) for name in SHOWN}


def test_it_says_what_is_known_of_the_demo(excerpt: Excerpt) -> None:
    shown = Preview(excerpt, now=NOW)
    assert (shown.user_id, shown.device_name, shown.administrator) == (ALICE, "laptop", True)
    assert shown.conversation_count == len(excerpt.talks)
    assert shown.server.sync_conversation_deletion
    assert shown.connection is Connection.CONNECTING
