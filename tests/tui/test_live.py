"""What other devices and the server do while one looks."""

import pytest

from tests.tui.apps import listed, running, said, text_of, until
from tests.tui.fake import NOW, FakeSession, row, texts
from tui_chat.client.changes import (
    CommandHeld,
    CommandRefused,
    Connection,
    ConversationsRestored,
    ConversationStale,
    ConversationsUpdated,
    DraftKept,
    HistoryCleared,
    MessagesAdded,
    Notice,
    PresenceChanged,
    SendFailed,
    StateReset,
    TypingSeen,
)
from tui_chat.protocol.errors import ErrorBody, NotConnected
from tui_chat.protocol.models import Message
from tui_chat.tui.safe import own


async def test_rows_go_with_a_word_about_who_did_it() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        session.deleted_elsewhere(["C2Cbob", "GROUPubuntu", "C2Cxiaolin"])
        await until(lambda: said(app))
        assert said(app) == ["Deleted on phone: 3 conversations · u brings them back"]
        assert listed(app) == ["GROUPplanning", "C2Ccarol", "GROUPold", "@TIM#SYSTEM"]
        await pilot.press("u")
        await until(lambda: "C2Cbob" in listed(app))


async def test_many_events_are_told_once() -> None:
    rows = {f"C2Cu{n}": row(f"C2Cu{n}", age=n) for n in range(300)}
    session = FakeSession(rows)
    async with running(session) as (app, _pilot):
        for start in range(0, 300, 100):
            session.deleted_elsewhere([f"C2Cu{n}" for n in range(start, start + 100)], batch_id="one")
        await until(lambda: said(app))
        assert said(app) == ["Deleted on phone: 300 conversations · u brings them back"]


async def test_one_that_has_come_back_stays_in_whatever_order_that_is_told() -> None:
    session = FakeSession()
    async with running(session) as (app, _pilot):
        bob = session.conversations["C2Cbob"]
        session.deleted_elsewhere(["C2Cbob", "C2Ccarol"], while_away=True)
        session.conversations["C2Cbob"] = bob  # a new message, which was told first
        await until(lambda: said(app))
        assert "C2Cbob" in listed(app)
        assert "C2Ccarol" not in listed(app)


async def test_on_a_low_screen_a_notice_waits_for_the_end_of_a_dialog_and_a_warning_does_not() -> None:
    session = FakeSession()
    async with running(session, size=(20, 5)) as (app, pilot):
        await pilot.press("d")
        await until(lambda: app.screen is not app.main)
        session.deleted_elsewhere(["C2Ccarol"])
        await until(lambda: "C2Ccarol" not in listed(app))
        await until(lambda: app._unsaid)
        assert said(app) == []
        session.tell(Notice(what="cache_rebuilt"))
        await until(lambda: said(app))
        await pilot.press("n")
        await until(lambda: "Deleted on phone: 1 conversation · u brings it back" in said(app))


async def test_rows_flash_before_they_go() -> None:
    session = FakeSession()
    async with running(session, flash_seconds=30.0) as (app, _pilot):
        session.deleted_elsewhere(["C2Cbob"])
        await until(lambda: said(app))
        assert "C2Cbob" in listed(app), "it still shows"


async def test_what_happened_while_one_was_away() -> None:
    session = FakeSession()
    async with running(session) as (app, _pilot):
        session.deleted_elsewhere(["C2Cbob", "GROUPubuntu"], while_away=True)
        await until(lambda: said(app))
        assert said(app) == ["While you were away: 2 conversations deleted on phone · L"]


async def test_a_restore_elsewhere_brings_rows_back_in_place() -> None:
    session = FakeSession()
    async with running(session) as (app, _pilot):
        before = listed(app)
        gone = session.conversations["C2Cbob"]
        session.deleted_elsewhere(["C2Cbob"])
        await until(lambda: "C2Cbob" not in listed(app))
        session.conversations["C2Cbob"] = gone
        session.tell(ConversationsRestored(conversation_id_list=["C2Cbob"], batch_id="there", device="phone"))
        await until(lambda: listed(app) == before)
        await until(lambda: "Restored on phone: 1 conversation" in said(app))


async def test_a_restore_of_many_is_told_once() -> None:
    session = FakeSession()
    async with running(session) as (app, _pilot):
        back = [f"C2Cu{n}" for n in range(211)]
        session.conversations.update({one: row(one, age=n) for n, one in enumerate(back)})
        for start in range(0, len(back), 25):  # as many as fit into one event
            piece = back[start : start + 25]
            session.tell(ConversationsRestored(conversation_id_list=piece, batch_id="there", device="phone"))
        await until(lambda: said(app))
        assert said(app) == ["Restored on phone: 211 conversations"]
        assert set(back) <= set(listed(app))


async def test_a_command_that_the_server_fails_at_is_told_of() -> None:
    session = FakeSession()
    async with running(session) as (app, _pilot):
        error = ErrorBody(code="internal", message="Something went wrong in the server; it was noted there.")
        session.tell(CommandHeld(what="delete", conversation_id_list=["C2Cbob"], error=error))
        await until(lambda: any("Still waiting, the server fails at it:" in one for one in said(app)))
        assert "C2Cbob" in listed(app), "nothing is given up"
        session.tell(CommandHeld(what="delete", conversation_id_list=["C2Ccarol"], error=error))
        app.say(own("Something else"))
        await until(lambda: "Something else" in said(app))
        session.tell(CommandHeld(what="delete", conversation_id_list=["C2Cbob"], error=error))
        await until(lambda: "Still waiting" in said(app)[-1], "the newest is the one that stands")
        assert len(said(app)) == 2, "once is enough"


async def test_the_open_conversation_says_that_it_went_and_offers_the_draft() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await pilot.press("j", "enter")
        await until(lambda: "message 4" in text_of(app))
        await pilot.press(*"half a thought")
        session.deleted_elsewhere(["C2Cbob"])
        session.tell(DraftKept(conversation_id="C2Cbob", text="half a thought"))
        await until(lambda: "bob was deleted on phone. u brings it back." in text_of(app))
        assert "half a thought" in text_of(app)
        assert "message 4" not in text_of(app)
        assert app.main.focused is app.main.conversation.messages
        await pilot.press("y")
        await until(lambda: app.clipboard == "half a thought")
        await pilot.press("u")
        await until(lambda: "message 4" in text_of(app))
        await until(lambda: app.main.conversation.composer.text == "half a thought")


async def test_a_group_that_went_is_called_by_its_name() -> None:
    """Its row, which has the name, is not there any more; the name is the one that it had last."""
    session = FakeSession({"GROUPx17": row("GROUPx17", name="tea"), "C2Cbob": row("C2Cbob", age=1)})
    async with running(session) as (app, pilot):
        await pilot.press("enter")
        await until(lambda: "message 4" in text_of(app))
        session.conversations["GROUPx17"] = row("GROUPx17", name="tea at five")
        session.tell(ConversationsUpdated(conversation_id_list=["GROUPx17"]))
        await until(lambda: "tea at five" in text_of(app))
        session.deleted_elsewhere(["GROUPx17"])
        await until(lambda: "tea at five was deleted on phone." in text_of(app))


@pytest.mark.parametrize("told_first", [False, True])
async def test_what_was_typed_since_the_draft_was_stored_is_offered_and_comes_back_too(told_first: bool) -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await pilot.press("j", "enter")
        await until(lambda: "message 4" in text_of(app))
        await pilot.press(*"half a thought")
        session.drafts["C2Cbob"] = "half"  # what it would be on a machine that took long between two keys
        kept = DraftKept(conversation_id="C2Cbob", text="half")
        if told_first:
            session.tell(kept)
        session.deleted_elsewhere(["C2Cbob"])
        if not told_first:
            session.tell(kept)
        await until(lambda: "bob was deleted on phone. u brings it back." in text_of(app))
        await pilot.press("y")
        await until(lambda: app.clipboard == "half a thought")
        await pilot.press("u")
        await until(lambda: app.main.conversation.composer.text == "half a thought")


async def test_ones_own_deletion_of_the_open_conversation_closes_it() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await pilot.press("j", "enter")
        await until(lambda: "message 4" in text_of(app))
        await pilot.press("escape", "escape", "d", "y")
        await until(lambda: "message 4" not in text_of(app))
        assert app.main.focused is app.main.primary.list
        assert app.main.conversation.conversation_id is None


async def test_cleared_messages_go_from_the_pane() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await pilot.press("j", "enter")
        await until(lambda: "message 4" in text_of(app))
        session.tell(HistoryCleared(conversation_id="C2Cbob", cleared_through=3))
        await until(lambda: "message 3" not in text_of(app))
        why = "The older messages here were deleted on another device of yours · L shows when"
        await until(lambda: said(app) == [why])
        session.tell(
            HistoryCleared(conversation_id="C2Cbob", cleared_through=3),
            MessagesAdded(conversation_id="C2Cbob", messages=texts("C2Cbob", 1, start=5)),
        )
        await until(lambda: "message 5" in text_of(app))
        assert said(app) == [why], "it is told once"


async def test_what_one_deletes_oneself_is_not_said_to_be_anothers_doing() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await pilot.press("j", "enter")
        await until(lambda: "message 4" in text_of(app))
        await pilot.press("escape", "escape", "d")
        session.arrive(texts("C2Cbob", 1, start=5)[0])
        await pilot.press("y")
        await until(lambda: "wrote while you were deleting: kept" in " ".join(said(app)))
        await until(lambda: "message 4" not in text_of(app))
        assert "another device" not in " ".join(said(app))


async def test_stale_rows_are_marked_and_reloading_asks_the_server() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        session.stale = frozenset({"C2Cbob"})
        session.tell(ConversationStale(conversation_id_list=["C2Cbob"]))
        await until(lambda: "≠" in text_of(app))
        await pilot.press("j")
        await until(lambda: "Deleted on another device. This is the copy kept here. Ctrl+R reloads." in text_of(app))
        await pilot.press("ctrl+r")
        await until(lambda: ("reload", None) in session.calls)


async def test_the_status_line_follows() -> None:
    session = FakeSession()
    async with running(session) as (app, _pilot):
        assert "● connected · alice on laptop · sync of deletions: on" in text_of(app)
        session.connect(Connection.OFFLINE, queued=2)
        await until(lambda: "○ offline, 2 queued" in text_of(app))
        session.connect(Connection.CONNECTING, queued=2)
        await until(lambda: "connecting, 2 queued" in text_of(app))
        session.connect(Connection.CONNECTED)
        session.change_server(sync_conversation_deletion=False)
        await until(lambda: "sync of deletions: off" in text_of(app))


async def test_the_demo_says_that_real_servers_start_with_off() -> None:
    async with running(FakeSession(), demo=True, size=(140, 30)) as (app, _pilot):
        assert "sync of deletions: on (demo · real servers start with off)" in text_of(app)


async def test_a_reset_repaints_everything() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await pilot.press("j", "enter")
        await until(lambda: "message 4" in text_of(app))
        session.conversations.clear()
        session.conversations["C2Cnew"] = row("C2Cnew")
        session.tell(StateReset())
        await until(lambda: listed(app) == ["C2Cnew"])


async def test_a_list_taken_anew_without_the_open_conversation_says_so_and_keeps_the_draft() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await pilot.press("j", "enter")
        await until(lambda: "message 4" in text_of(app))
        await pilot.press(*"half a thought")
        del session.conversations["C2Cbob"]
        session.tell(StateReset())
        await until(lambda: "bob was deleted on another device." in text_of(app))
        assert "message 4" not in text_of(app)
        assert "half a thought" in text_of(app)
        assert not app.main.conversation.composer.display, "there is nobody to write to"


async def test_a_list_taken_anew_leaves_a_conversation_open_that_has_no_message_yet() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await pilot.press("c", *"erin", "enter")
        await until(lambda: "No messages here." in text_of(app))
        session.tell(StateReset())
        await pilot.pause()
        assert app.main.conversation.composer.display
        assert app.main.conversation.conversation_id == "C2Cerin"


async def test_messages_come_in_and_somebody_types() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await pilot.press("j", "enter")
        await until(lambda: "message 4" in text_of(app))
        session.tell(TypingSeen(conversation_id="C2Cbob", user_id="bob"))
        await until(lambda: "bob is writing…" in text_of(app))
        session.arrive(texts("C2Cbob", 1, start=5)[0])
        await until(lambda: "message 5" in text_of(app))
        await until(lambda: ("read", ("C2Cbob", 5)) in session.calls)


async def test_who_is_there_is_shown_in_the_list_and_in_the_title() -> None:
    session = FakeSession()
    session.online = frozenset({"carol"})
    async with running(session) as (app, pilot):
        assert "carol • " in text_of(app)
        await pilot.press("2")
        await until(lambda: "message 4" in text_of(app))
        title = text_of(app).splitlines()[0]
        assert "online" not in title
        session.online = frozenset({"bob", "nobody"})
        session.tell(PresenceChanged(user_id_list=["bob", "carol", "nobody"]))
        await until(lambda: "bob • " in text_of(app) and "online ─╮" in text_of(app).splitlines()[0])
        assert "carol •" not in text_of(app)
        session.tell(TypingSeen(conversation_id="C2Cbob", user_id="bob"))
        await until(lambda: "bob is writing…" in text_of(app))
        session.arrive(texts("C2Cbob", 1, start=5)[0])
        await until(lambda: "online ─╮" in text_of(app), "who has sent it is not writing any more")


async def test_what_a_dialog_covers_is_read_when_it_has_gone() -> None:
    session = FakeSession()
    async with running(session) as (_, pilot):
        await pilot.press("j", "enter")
        await until(lambda: ("read", ("C2Cbob", 4)) in session.calls)
        await pilot.press("f1")
        session.arrive(texts("C2Cbob", 1, start=5)[0])
        await until(lambda: session.conversations["C2Cbob"].newest_seq == 5)
        await pilot.pause()
        assert ("read", ("C2Cbob", 5)) not in session.calls
        await pilot.press("escape")
        await until(lambda: ("read", ("C2Cbob", 5)) in session.calls)


async def test_nothing_is_read_while_the_terminal_is_not_looked_at() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await pilot.press("j", "enter")
        await until(lambda: ("read", ("C2Cbob", 4)) in session.calls)
        app.app_focus = False
        session.arrive(texts("C2Cbob", 1, start=5)[0])
        await until(lambda: "message 5" in text_of(app))
        await pilot.pause()
        assert ("read", ("C2Cbob", 5)) not in session.calls
        app.app_focus = True
        await until(lambda: ("read", ("C2Cbob", 5)) in session.calls)


async def test_a_message_that_was_refused_can_be_sent_again() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await pilot.press("j", "enter")
        await until(lambda: "message 4" in text_of(app))
        waiting = texts("C2Cbob", 1, start=5)[0]
        own = type(waiting)(
            conversation_id="C2Cbob", message_seq=0, client_id="mine", sender="alice", time=NOW, text="lost words"
        )
        session.tell(MessagesAdded(conversation_id="C2Cbob", messages=[own]))
        error = ErrorBody(code="unavailable", message="The server cannot answer just now: try again.")
        session.tell(SendFailed(conversation_id="C2Cbob", client_id="mine", text="lost words", error=error))
        await until(lambda: said(app))
        assert said(app) == ["Not sent: The server cannot answer just now: try again."]
        await pilot.press("escape", "k")
        await pilot.pause()
        await pilot.press("R")
        await until(lambda: ("send", ("C2Cbob", "lost words")) in session.calls)


def refused(session: FakeSession, client_id: str, text: str) -> None:
    error = ErrorBody(code="of_its_own", message=f"No {text}.")
    session.tell(SendFailed(conversation_id="C2Cbob", client_id=client_id, text=text, error=error))


async def test_a_refused_message_that_is_not_in_sight_is_kept_as_a_draft() -> None:
    session = FakeSession()
    session.set_draft("C2Cbob", "begun")
    async with running(session) as (app, _pilot):
        refused(session, "mine", "lost words")
        await until(lambda: session.drafts == {"C2Cbob": "lost words\nbegun"})
        assert said(app) == ["Not sent: No lost words. · your text is kept as a draft"]
        app.main.open("C2Cbob")
        await until(lambda: app.main.conversation.composer.text == "lost words\nbegun")


@pytest.mark.parametrize("ends", [False, True])
async def test_refused_messages_are_kept_as_a_draft_by_who_leaves_them(ends: bool) -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await pilot.press("j", "enter")
        await until(lambda: "message 4" in text_of(app))
        for client_id, text in (("one", "lost words"), ("two", "more of them")):
            echo = Message(
                conversation_id="C2Cbob", message_seq=0, client_id=client_id, sender="alice", time=NOW, text=text
            )
            session.tell(MessagesAdded(conversation_id="C2Cbob", messages=[echo]))
            refused(session, client_id, text)
        await until(lambda: len(said(app)) == 2)
        await pilot.press(*"begun")
        assert session.drafts.get("C2Cbob", "") in ("", "begun")
        if not ends:
            app.main.open("C2Ccarol")
            await until(lambda: app.main.conversation.composer.text == "")
    assert session.drafts == {"C2Cbob": "lost words\nmore of them\nbegun"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (Notice(what="disk_full"), "The disk is full"),
        (Notice(what="cannot_connect", detail="its certificate is not trusted"), "certificate is not trusted"),
        (
            CommandRefused(
                what="delete", conversation_id_list=["C2Cbob"], error=ErrorBody(code="forbidden", message="No.")
            ),
            "No.",
        ),
    ],
)
async def test_what_the_session_has_to_tell(change: Notice | CommandRefused, words: str) -> None:
    session = FakeSession()
    async with running(session) as (app, _pilot):
        session.tell(change)
        await until(lambda: any(words in one for one in said(app)))


async def test_who_is_signed_out_is_told_how_to_come_back() -> None:
    session = FakeSession()
    async with running(session) as (app, _pilot):
        session.connect(Connection.SIGNED_OUT)
        await until(lambda: said(app))
        again = "tui-chat login --server URL --user alice"
        assert said(app) == [f"This device was signed out: Ctrl+Q leaves, {again} signs in again"]


async def test_what_could_not_be_had_offline_comes_with_the_connection() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        session.connect(Connection.OFFLINE)
        session.error = NotConnected()
        await pilot.press("2")
        await until(lambda: "The server cannot be reached." in said(app))
        assert "message 4" not in text_of(app)
        session.error = None
        session.connect(Connection.CONNECTED)
        await until(lambda: "message 4" in text_of(app))
