"""What is said where there is no conversation, or none is open: what is so, and what one can do."""

import msgspec

from tests.tui.apps import running, text_of, until
from tests.tui.fake import FakeSession, row
from tui_chat.client.changes import Connection, ConversationsUpdated, ServerChanged, StateReset
from tui_chat.protocol.models import ServerFacts
from tui_chat.tui.app import ChatApp


def panes_of(app: ChatApp) -> str:
    """The words of the list and of what stands beside it, however they are broken into lines."""
    rows = [row for line in text_of(app).splitlines() if len(row := line.split("│")) == 5]
    return "\n".join(" ".join(" ".join(row[column] for row in rows).split()) for column in (1, 3))


async def test_a_new_account_is_told_how_a_conversation_begins() -> None:
    session = FakeSession({})
    async with running(session, size=(140, 30)) as (app, _pilot):
        assert "No conversations yet." in panes_of(app)
        assert "c starts a conversation. Who writes to you comes into the list." in panes_of(app)
        assert "opens a conversation" not in panes_of(app)
        assert "lists what was deleted" not in panes_of(app)
        session.conversations["C2Cbob"] = row("C2Cbob")
        session.tell(ConversationsUpdated(conversation_id_list=["C2Cbob"]))
        await until(lambda: "Enter opens a conversation." in panes_of(app))
        assert "starts a conversation" not in panes_of(app)


async def test_where_everything_was_deleted_it_says_what_brings_it_back() -> None:
    session = FakeSession({"C2Cbob": row("C2Cbob")})
    async with running(session, size=(140, 30)) as (app, pilot):
        assert "Enter opens a conversation." in panes_of(app)
        await pilot.press("d", "y")
        await until(lambda: "Nothing left. u brings back what was deleted last." in panes_of(app))
        assert "c starts a conversation." in panes_of(app)
        assert "L lists what was deleted, and for how long it can come back." in panes_of(app)
        assert "Enter opens" not in panes_of(app)
        await pilot.press("u")
        await until(lambda: "Enter opens a conversation." in panes_of(app))


async def test_nothing_is_said_of_what_is_there_before_the_server_has() -> None:
    session = FakeSession({})
    session.server = ServerFacts(version="")
    session.connection = Connection.CONNECTING
    async with running(session, size=(140, 30)) as (app, _pilot):
        assert "Asking the server what there is…" in panes_of(app)
        assert "No conversations yet" not in panes_of(app)
        session.connect(Connection.OFFLINE)
        await until(lambda: "Nothing is kept on this machine yet." in panes_of(app))
        session.server = msgspec.structs.replace(session.server, version="1")
        session.connect(Connection.CONNECTED)
        session.tell(ServerChanged(server=session.server), StateReset())
        await until(lambda: "No conversations yet." in panes_of(app))


async def test_where_a_filter_leaves_nothing_it_says_what_ends_it() -> None:
    async with running(FakeSession(), size=(140, 30)) as (app, pilot):
        await pilot.press("slash", *"zzz")
        await until(lambda: "Nothing matches." in panes_of(app))
        await until(lambda: "Esc shows all again." in panes_of(app))
        await pilot.press("enter", "escape")
        await until(lambda: "Enter opens a conversation." in panes_of(app))


async def test_what_is_said_of_a_conversation_that_was_deleted_stays() -> None:
    session = FakeSession()
    async with running(session, size=(140, 30)) as (app, pilot):
        await pilot.press("j", "enter", "escape", "escape")
        session.deleted_elsewhere(["C2Cbob"])
        await until(lambda: "bob was deleted on phone." in panes_of(app))
        await pilot.press("tab", "j", "k")
        await pilot.pause()
        assert "bob was deleted on phone." in panes_of(app)
        assert "Enter opens" not in panes_of(app)
