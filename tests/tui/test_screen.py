"""Finding one's way: panes, keys, palette, help, small screens, drafts."""

import re
from functools import partial

import msgspec
import pytest
from textual import events

from tests.tui.apps import listed, running, said, text_of, until
from tests.tui.fake import FakeSession, row, texts
from tui_chat.client.changes import ConversationsUpdated
from tui_chat.config import ScreenSettings, Settings
from tui_chat.protocol.errors import NotConnected, TooFrequent, UserNotFound
from tui_chat.protocol.ids import SYSTEM
from tui_chat.protocol.limits import TEXT_BYTES
from tui_chat.protocol.models import Membership
from tui_chat.tui.app import ChatApp
from tui_chat.tui.commands.command import Scope
from tui_chat.tui.commands.registry import COMMANDS, help_of
from tui_chat.tui.screens.switcher import matches
from tui_chat.tui.themes import ASCII, UNICODE, Symbols


async def test_enter_opens_and_esc_goes_back_step_by_step() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await pilot.press("j", "enter")
        await until(lambda: "message 4" in text_of(app))
        scopes = [app.main.scope]
        for keys in (["escape"], ["i"], ["escape", "escape"]):
            await pilot.press(*keys)
            scopes.append(app.main.scope)
        assert scopes == [Scope.COMPOSER, Scope.MESSAGES, Scope.COMPOSER, Scope.LIST]


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_tab_goes_round(size: tuple[int, int]) -> None:
    async with running(FakeSession(), size=size) as (app, pilot):
        await pilot.press("j", "enter", "escape", "escape")
        scopes = []
        for _ in range(3):
            await pilot.press("tab")
            scopes.append(app.main.scope)
        assert scopes == [Scope.MESSAGES, Scope.COMPOSER, Scope.LIST]
        await pilot.press("shift+tab")
        assert app.main.scope is Scope.COMPOSER


async def test_one_pane_at_a_time_where_it_is_narrow() -> None:
    async with running(FakeSession(), size=(80, 24)) as (app, pilot):
        assert app.main.primary.region.width == 80
        await pilot.press("j", "enter")
        await until(lambda: "message 4" in text_of(app))
        assert "小林" not in text_of(app)
        await pilot.press("escape", "escape")
        await until(lambda: "小林" in text_of(app))
        assert "message 4" not in text_of(app)
        await pilot.resize_terminal(120, 40)
        await until(lambda: "message 4" in text_of(app) and "小林" in text_of(app))


async def test_one_pane_at_a_time_what_came_while_the_list_had_the_place_begins_at_the_new_line() -> None:
    session = FakeSession()
    async with running(session, size=(80, 24)) as (app, pilot):
        await pilot.press("j", "enter")
        await until(lambda: "message 4" in text_of(app))
        await pilot.press("escape", "escape")
        await until(lambda: "小林" in text_of(app))
        for arrived in texts("C2Cbob", 40, start=session.conversations["C2Cbob"].newest_seq + 1):
            session.arrive(arrived)
        await pilot.pause()
        await pilot.press("enter")
        await until(lambda: "── new ──" in text_of(app))
        assert "message 5" in text_of(app), "the first of them"
        assert "message 44" not in text_of(app), "nothing is passed over and counted as read"


@pytest.mark.parametrize(("columns", "wide"), [(99, 99), (120, 40), (200, 52), (300, 64)])
async def test_the_list_is_wider_where_there_is_room(columns: int, wide: int) -> None:
    async with running(FakeSession(), size=(columns, 30)) as (app, _pilot):
        assert app.main.primary.region.width == wide


@pytest.mark.parametrize(
    "keys",
    [
        [],
        ["space", "d"],
        ["enter"],
        ["question_mark"],
        ["ctrl+p"],
        ["L"],
        ["ctrl+g"],
        ["c"],
        ["slash"],
        ["a", "d", "7", "y"],
    ],
)
async def test_a_tiny_terminal_works(keys: list[str]) -> None:
    async with running(FakeSession(), size=(20, 5), coach=True) as (app, pilot):
        await pilot.press(*keys)
        await pilot.pause()
        assert text_of(app).strip()


async def test_writing_and_sending() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await pilot.press("j", "enter", *"hi there", "enter")
        await until(lambda: ("send", ("C2Cbob", "hi there")) in session.calls)
        await until(lambda: "hi there" in text_of(app))
        assert app.main.conversation.composer.text == ""
        assert ("typing", "C2Cbob") in session.calls


async def test_a_paste_that_does_not_fit_says_how_much_was_left_out() -> None:
    async with running(FakeSession()) as (app, pilot):
        await pilot.press("j", "enter")
        app.post_message(events.Paste("x" * (TEXT_BYTES + 1_500)))
        await until(lambda: said(app) == ["Too long: the last 1,500 bytes were left out"])
        assert len(app.main.conversation.composer.text) == TEXT_BYTES
        await pilot.press("y")
        assert len(said(app)) == 1, "a key that does not fit rings, no more"


async def test_the_messages_scroll_while_one_writes() -> None:
    async with running(FakeSession()) as (app, pilot):
        app.main.open("GROUPubuntu")
        await until(lambda: "message 1200" in text_of(app))
        await pilot.press("h", "pageup", "pageup")
        await until(lambda: "message 1200" not in text_of(app))
        assert app.main.scope is Scope.COMPOSER
        await pilot.press("pagedown", "pagedown", "i")
        await until(lambda: "message 1200" in text_of(app))
        assert app.main.conversation.composer.text == "hi"


async def test_g_goes_to_the_very_first_message() -> None:
    async with running(FakeSession()) as (app, pilot):
        app.main.open("GROUPubuntu")
        await until(lambda: "message 1200" in text_of(app))
        await pilot.press("escape", "g")
        await until(lambda: app.main.conversation.messages.oldest_seq == 1)
        await pilot.pause()
        message = app.main.conversation.messages.current_message
        assert message is not None
        assert message.message_seq == 1
        assert "message 1 " in text_of(app)
        await pilot.press("G")
        await until(lambda: "message 1200" in text_of(app))


async def test_the_way_to_the_first_message_waits_where_the_server_asks_for_it() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        app.main.open("GROUPubuntu")
        await until(lambda: "message 1200" in text_of(app))
        session.error = TooFrequent(retry_after=0.01)
        asked = len(session.calls)
        await pilot.press("escape", "g")
        await until(lambda: len([name for name, _ in session.calls[asked:] if name == "history"]) > 2)
        session.error = None
        await until(lambda: app.main.conversation.messages.oldest_seq == 1)


async def test_drafts_are_kept_and_come_back() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await pilot.press("j", "enter", *"later")
        await until(lambda: session.drafts == {"C2Cbob": "later"})
        await pilot.press("escape", "escape", "j", "enter")
        assert app.main.conversation.composer.text == ""
        await pilot.press("escape", "escape", "2")
        assert app.main.conversation.composer.text == "later"
        await until(lambda: "✎" in text_of(app))


async def test_a_draft_is_kept_when_one_leaves_at_once() -> None:
    session = FakeSession()
    async with running(session) as (_app, pilot):
        await pilot.press("j", "enter", *"quick", "ctrl+q")
    assert session.drafts == {"C2Cbob": "quick"}


async def test_older_pages_come_as_one_goes_up() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await pilot.press("3")
        await until(lambda: "message 1200" in text_of(app))
        await pilot.press("escape", "g")
        await until(
            lambda: any(call == ("GROUPubuntu", 1151, None) for name, call in session.calls if name == "history")
        )


async def test_one_cannot_write_where_one_is_no_member() -> None:
    session = FakeSession()
    session.conversations["GROUPold"] = row("GROUPold", name="#old", membership=Membership.KICKED, age=4000)
    async with running(session) as (app, pilot):
        await pilot.press("6")
        await until(lambda: "You were removed from this group" in text_of(app))
        assert app.main.scope is Scope.MESSAGES


@pytest.mark.parametrize("size", [(120, 40), (100, 30), (30, 20)])
async def test_why_nothing_can_be_written_is_said_whole(size: tuple[int, int]) -> None:
    session = FakeSession()
    ubuntu = session.conversations["GROUPubuntu"]
    session.conversations["GROUPubuntu"] = msgspec.structs.replace(ubuntu, membership=Membership.KICKED)
    async with running(session, size=size) as (app, pilot):
        await pilot.press("3")
        await until(lambda: app.main.conversation.composer.blocked)
        await until(lambda: "nothing." in text_of(app))
        session.conversations["GROUPubuntu"] = ubuntu
        session.tell(ConversationsUpdated(conversation_id_list=["GROUPubuntu"]))
        await until(lambda: not app.main.conversation.composer.blocked)
        await until(lambda: app.main.conversation.composer.content_size.height == 1)


@pytest.mark.parametrize(
    ("membership", "title"),
    [(Membership.LEFT, "and write nothing."), (Membership.KICKED, "Nothing can be written here.")],
)
async def test_a_draft_in_a_group_that_was_left_is_seen_and_can_be_erased(membership: Membership, title: str) -> None:
    session = FakeSession()
    old = session.conversations["GROUPold"]
    session.conversations["GROUPold"] = msgspec.structs.replace(old, membership=membership)
    session.drafts["GROUPold"] = "half a thought"
    async with running(session, size=(80, 24)) as (app, pilot):
        app.main.open("GROUPold")
        await until(lambda: title in text_of(app))
        assert "half a thought" in text_of(app)
        await pilot.press("i", *"xyz", "ctrl+u")
        await until(lambda: "group: you can read what you saw" in text_of(app))
        await until(lambda: not session.draft("GROUPold"))
        assert ("typing", "GROUPold") not in session.calls


@pytest.mark.parametrize(("role", "blocked"), [("member", True), ("admin", False), ("owner", False)])
async def test_in_a_muted_group_only_some_can_write(role: str, blocked: bool) -> None:
    session = FakeSession()
    quiet = row("GROUPold", name="#old", membership=Membership.JOINED, age=4000)
    session.conversations["GROUPold"] = msgspec.structs.replace(quiet, muted_all=True, role=role)
    async with running(session) as (app, pilot):
        await pilot.press("6")
        await until(lambda: app.main.conversation.conversation_id == "GROUPold")
        assert app.main.conversation.composer.blocked is blocked
        if blocked:
            await until(lambda: "This group is muted" in text_of(app))


async def test_filter_review_and_ranges() -> None:
    async with running(FakeSession()) as (app, pilot):
        await pilot.press("slash", *"pl", "enter")
        assert app.main.focused is app.main.primary.list
        assert app.main.primary.list.shown_count == 1
        await pilot.press("a", "escape")
        await until(lambda: said(app) == ["1 mark cleared · V brings it back"])
        await pilot.press("escape")
        assert app.main.primary.list.shown_count == 7
        await pilot.press("g", "v", "j", "j", "v")
        assert len(app.main.primary.list.marks) == 3
        await pilot.press("equals_sign")
        assert app.main.primary.list.shown_count == 3
        await pilot.press("escape")
        assert app.main.primary.list.shown_count == 7
        await pilot.press("G", "shift+up")
        assert app.main.primary.list.marks == {"@TIM#SYSTEM", "GROUPold"}
        await pilot.press("asterisk")
        assert len(app.main.primary.list.marks) == 5


async def test_esc_in_the_filter_ends_it() -> None:
    async with running(FakeSession()) as (app, pilot):
        await pilot.press("slash", *"zzz")
        await until(lambda: "Nothing matches." in text_of(app))
        await pilot.press("escape")
        assert app.main.focused is app.main.primary.list
        assert app.main.primary.list.shown_count == 7


async def test_flags_for_what_is_marked() -> None:
    session = FakeSession()
    async with running(session) as (_app, pilot):
        await pilot.press("j", "space", "space", "p")
        await until(lambda: ("flags", (["C2Cbob", "GROUPubuntu"], {"pinned": True})) in session.calls)
        await pilot.press("p")
        await until(lambda: ("flags", (["C2Cbob", "GROUPubuntu"], {"pinned": False})) in session.calls)
        await pilot.press("m", "U", "r")
        await until(lambda: ("flags", (["C2Cbob", "GROUPubuntu"], {"muted": True})) in session.calls)
        await until(lambda: ("flags", (["C2Cbob", "GROUPubuntu"], {"marked_unread": True})) in session.calls)
        await until(lambda: ("read", ("GROUPubuntu", None)) in session.calls)


async def test_next_unread_goes_round() -> None:
    async with running(FakeSession()) as (app, pilot):
        seen = []
        for _ in range(3):
            await pilot.press("ctrl+n")
            await pilot.pause()
            seen.append(app.main.conversation.conversation_id)
        assert seen == ["GROUPplanning", "C2Cbob", "GROUPubuntu"]


@pytest.mark.parametrize(
    ("typed", "first"), [("#", "GROUP"), ("#ubu", "GROUPubuntu"), ("ubu", "GROUPubuntu"), ("syst", SYSTEM)]
)
def test_the_switcher_finds_by_what_is_shown_and_by_id(typed: str, first: str) -> None:
    found = [one.conversation_id for one in matches(FakeSession().conversations, typed)]
    assert found[0].startswith(first)
    assert (SYSTEM in found) is (first == SYSTEM)
    assert not matches(FakeSession().conversations, "c2c")


async def test_the_switcher() -> None:
    async with running(FakeSession()) as (app, pilot):
        await pilot.press("ctrl+g", *"ubu", "enter")
        await until(lambda: app.main.conversation.conversation_id == "GROUPubuntu")
        assert app.main.scope is Scope.COMPOSER


async def test_a_new_conversation_and_a_new_group() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await pilot.press("c", *"dave", "enter")
        await until(lambda: app.main.conversation.conversation_id == "C2Cdave")
        await pilot.press("escape", "escape", "c", "number_sign", *"plan bob carol", "enter")
        await until(lambda: app.main.conversation.conversation_id == "GROUPplan")
        assert ("group", ("#plan", ["bob", "carol"])) in session.calls


async def test_a_group_is_named_and_its_name_may_have_spaces() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await pilot.press("c", "number_sign", "enter")
        await until(lambda: "A group needs a name after the #." in text_of(app))
        await pilot.press("ctrl+u", *'"#book club" bob', "enter")
        await until(lambda: ("group", ("#book club", ["bob"])) in session.calls)
    assert [what for what, _ in session.calls if what == "group"] == ["group"]


async def test_somebody_in_the_list_is_opened_without_the_server() -> None:
    session = FakeSession()
    session.error = NotConnected()
    async with running(session) as (app, pilot):
        await pilot.press("c", *"bob", "enter")
        await until(lambda: app.main.conversation.conversation_id == "C2Cbob")


async def test_the_cursor_goes_to_what_is_opened_also_where_its_row_comes_later() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await pilot.press("c", *"dave", "enter")
        await until(lambda: app.main.conversation.conversation_id == "C2Cdave")
        session.conversations["C2Cdave"] = row("C2Cdave", name="dave")
        session.tell(ConversationsUpdated(conversation_id_list=["C2Cdave"]))
        await until(lambda: app.main.primary.list.cursor_key == "C2Cdave")
        await pilot.press("escape", "escape", "3")
        await until(lambda: app.main.conversation.conversation_id == listed(app)[2])
        assert app.main.primary.list.cursor_key == listed(app)[2]


async def test_a_cursor_that_was_moved_meanwhile_stays() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await pilot.press("c", *"dave", "enter")
        await until(lambda: app.main.conversation.conversation_id == "C2Cdave")
        await pilot.press("escape", "escape", "j")
        at = app.main.primary.list.cursor_key
        session.conversations["C2Cdave"] = row("C2Cdave", name="dave")
        session.tell(ConversationsUpdated(conversation_id_list=["C2Cdave"]))
        await until(lambda: "C2Cdave" in listed(app))
        assert app.main.primary.list.cursor_key == at


async def test_opening_takes_the_flag_of_unread_away() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await pilot.press("2")
        await until(lambda: "message 4" in text_of(app))
        await pilot.press("escape", "escape", "U")
        await until(lambda: session.conversations["C2Cbob"].marked_unread)
        await pilot.press("enter")
        await until(lambda: not session.conversations["C2Cbob"].marked_unread)


@pytest.mark.parametrize("size", [(20, 5), (40, 9)])
async def test_what_one_types_is_seen_on_the_smallest_screens(size: tuple[int, int]) -> None:
    async with running(FakeSession(), size=size) as (app, pilot):
        for keys in (["c"], ["ctrl+p"], ["ctrl+g"], ["ctrl+f"]):
            await pilot.press(*keys, *"dave")
            await until(lambda: "dave" in text_of(app))
            await pilot.press("escape")


async def test_a_user_who_does_not_exist() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        session.error = UserNotFound()
        await pilot.press("c", *"nobody", "enter")
        await until(lambda: "There is no user of that name." in text_of(app))
        await pilot.press("escape")
        assert app.screen is app.main


async def test_copying_a_message() -> None:
    async with running(FakeSession()) as (app, pilot):
        await pilot.press("j", "enter")
        await until(lambda: "message 4" in text_of(app))
        await pilot.press("escape", "k", "y")
        await until(lambda: app.clipboard == "message 4")
        await until(lambda: said(app) == ["Copied"])


async def test_the_help_has_every_key() -> None:
    async with running(FakeSession(), size=(120, 200)) as (app, pilot):
        await pilot.press("question_mark")
        await pilot.pause()
        shown = text_of(app)
        for command in COMMANDS:
            if command.keys and command.in_help:
                assert command.key_text() in shown
                assert help_of(command).split()[-1] in shown


def _shows(app: ChatApp, words: str) -> bool:
    return words in text_of(app)


async def test_where_ascii_is_asked_for_only_names_and_texts_are_not() -> None:
    settings = Settings(screen=ScreenSettings(symbols="ascii"))
    async with running(FakeSession(), settings=settings) as (app, pilot):
        await pilot.press("2")
        await until(lambda: "message 4" in text_of(app))
        for keys, there in (
            (["escape", "escape", "space", "d"], "[x] Clear history (c)"),
            (["escape", "ctrl+p"], "Search for commands..."),
        ):
            await pilot.press(*keys)
            await until(partial(_shows, app, there))
            shown = text_of(app).replace("小林", "")
            assert shown.isascii(), sorted({one for one in shown if not one.isascii()})


@pytest.mark.parametrize("symbols", [UNICODE, ASCII], ids=["unicode", "ascii"])
async def test_the_help_ends_with_what_the_signs_mean(symbols: Symbols) -> None:
    settings = Settings(screen=ScreenSettings(symbols="ascii" if symbols.ascii else "unicode"))
    async with running(FakeSession(), settings=settings, size=(120, 200)) as (app, pilot):
        await pilot.press("question_mark")
        await until(lambda: "Signs" in text_of(app))
        legend = text_of(app).partition("Signs")[2]
        for sign, meaning in (
            (symbols.marked, "Marked."),
            (symbols.online, "After a name: they are online."),
            (symbols.muted, "Muted: no notifications."),
            (symbols.stale, "Deleted on another device"),
            (symbols.draft, "A draft of yours"),
            (symbols.mention, "Somebody mentioned you"),
            (symbols.read, "Your message was read."),
        ):
            assert re.search(rf" {re.escape(sign)} +{meaning}", legend), sign
        assert "(left) (removed) (dismissed)" in legend


async def test_the_palette_runs_commands() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await pilot.press("ctrl+p")
        await pilot.pause()
        await pilot.press(*"mark all")
        await until(lambda: "Mark every row" in text_of(app))
        await pilot.press("enter")
        await until(lambda: len(app.main.primary.list.marks) == len(listed(app)))


async def test_an_administrator_switches_the_sync_of_deletions() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await pilot.press("ctrl+p")
        await pilot.pause()
        await pilot.press(*"sync of del")
        await until(lambda: "For everybody on this server" in text_of(app))
        await pilot.press("enter")
        await until(lambda: "Switch the sync of deletions off?" in text_of(app))
        await pilot.press("y")
        await until(lambda: ("settings", False) in session.calls)
        await until(lambda: "sync of deletions: off" in text_of(app))


async def test_where_nothing_is_listed_the_status_line_says_how_to_begin() -> None:
    session = FakeSession({})
    async with running(session, size=(140, 30)) as (app, _pilot):
        assert "No conversations yet." in text_of(app)
        assert "c New conversation" in text_of(app)
        session.conversations["C2Cbob"] = row("C2Cbob")
        session.tell(ConversationsUpdated(conversation_id_list=["C2Cbob"]))
        await until(lambda: "c New conversation" not in text_of(app))


async def test_where_everything_was_deleted_the_list_says_how_it_comes_back() -> None:
    session = FakeSession({"C2Cbob": row("C2Cbob")})
    async with running(session, size=(140, 30)) as (app, pilot):
        await pilot.press("d", "y")
        await until(lambda: "Nothing left. u brings back" in text_of(app))
        assert " last. " in text_of(app), "to its end, on the next line"
        await pilot.press("u")
        await until(lambda: "Nothing left." not in text_of(app))


async def test_the_status_line_offers_what_does_something_now() -> None:
    async with running(FakeSession(), size=(140, 30)) as (app, pilot):
        assert "d Delete  ? Help" in text_of(app)
        await pilot.press("space")
        await until(lambda: "1 marked" in text_of(app))
        assert "= Review" in text_of(app)
        await pilot.press("enter")
        await until(lambda: "F1 Help" in text_of(app))
        assert "d Delete" not in text_of(app)


async def test_no_timer_runs_while_nothing_happens() -> None:
    async with running(FakeSession()) as (app, pilot):
        await pilot.pause()
        nodes = [app, *app.main.walk_children(with_self=True)]
        running_timers = [
            timer for node in nodes for timer in node._timers if timer._active.is_set() and timer._interval < 10
        ]
        assert running_timers == []
