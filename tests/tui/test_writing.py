"""Writing: answers, edits, mentions, an editor of one's own; what happens to drafts meanwhile."""

import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import AsyncMock

import pytest
from textual import events
from textual.pilot import Pilot

from tests.tui.apps import running, said, text_of, until
from tests.tui.fake import FakeSession
from tui_chat.client.capabilities import Capabilities
from tui_chat.client.changes import CommandRefused, Connection
from tui_chat.protocol.errors import ErrorBody, MessageRecalled
from tui_chat.tui.app import ChatApp
from tui_chat.tui.commands.command import Scope
from tui_chat.tui.commands.registry import BY_ID


async def bob(app: ChatApp, pilot: Pilot[None]) -> None:
    """Open the conversation with bob and go to his last message; alice wrote the one before it."""
    app.main.open("C2Cbob")
    await until(lambda: "message 4" in text_of(app))
    await pilot.press("escape", "k")
    await until(lambda: app.main.conversation.messages.current_message is not None)


def written(app: ChatApp) -> str:
    return app.main.conversation.composer.text


async def test_a_reply_says_what_it_answers() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await bob(app, pilot)
        await pilot.press("r")
        await until(lambda: "Reply to bob: message 4" in text_of(app))
        assert app.main.scope is Scope.COMPOSER
        await pilot.press(*"yes", "enter")
        await until(lambda: session.messages["C2Cbob"][-1].text == "yes")
        assert session.messages["C2Cbob"][-1].reply_to == 4
        await until(lambda: "Reply to" not in text_of(app))
        await pilot.press(*"more", "enter")
        await until(lambda: session.messages["C2Cbob"][-1].text == "more")
        assert session.messages["C2Cbob"][-1].reply_to is None


async def test_esc_takes_the_reply_away_and_leaves_the_draft() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await bob(app, pilot)
        await pilot.press("r", *"half", "escape")
        await until(lambda: "Reply to" not in text_of(app))
        scopes = [app.main.scope]
        assert written(app) == "half"
        await pilot.press("escape")
        assert [*scopes, app.main.scope] == [Scope.COMPOSER, Scope.MESSAGES]


async def test_a_reply_waits_with_its_draft_in_its_conversation() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await bob(app, pilot)
        await pilot.press("r", *"half")
        app.main.open("C2Ccarol")
        await until(lambda: "Reply to" not in text_of(app))
        assert written(app) == ""
        app.main.open("C2Cbob")
        await until(lambda: "Reply to bob: message 4" in text_of(app))
        assert written(app) == "half"


async def test_an_edit_saves_and_the_draft_comes_back() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await bob(app, pilot)
        await pilot.press("i", *"draft", "escape", "k", "e")
        await until(lambda: "Editing your message" in text_of(app))
        assert written(app) == "message 3"
        assert session.drafts == {"C2Cbob": "draft"}
        await pilot.press("!", "enter")
        await until(lambda: ("edit", ("C2Cbob", 3, "message 3!", [])) in session.calls)
        await until(lambda: "message 3! (edited)" in text_of(app))
        assert written(app) == "draft"
        assert session.drafts == {"C2Cbob": "draft"}
        assert not [call for call in session.calls if call[0] == "send"]


async def test_esc_leaves_the_message_as_it_was() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await bob(app, pilot)
        await pilot.press("i", *"draft", "escape", "k", "e", *"xyz", "escape")
        await until(lambda: "Editing your message" not in text_of(app))
        assert written(app) == "draft"
        await pilot.press("enter")
        await until(lambda: ("send", ("C2Cbob", "draft")) in session.calls)
        assert session.messages["C2Cbob"][2].text == "message 3"


async def test_an_unchanged_text_is_no_edit() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await bob(app, pilot)
        await pilot.press("k", "e", "enter")
        await until(lambda: "Editing your message" not in text_of(app))
        assert not [call for call in session.calls if call[0] == "edit"]


async def test_only_ones_own_messages_can_be_edited() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await bob(app, pilot)
        await pilot.press("e")
        await pilot.pause()
        assert app.main.scope is Scope.MESSAGES
        assert "Editing" not in text_of(app)


async def test_up_in_an_empty_composer_edits_the_last_one() -> None:
    async with running(FakeSession()) as (app, pilot):
        app.main.open("C2Cbob")
        await until(lambda: "message 4" in text_of(app))
        await pilot.press("up")
        await until(lambda: written(app) == "message 3")
        await pilot.press("escape", "a", "up")
        assert written(app) == "a"


async def test_a_refused_edit_stands_on_the_message_and_its_text_is_offered_again() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await bob(app, pilot)
        session.error = MessageRecalled()
        await pilot.press("k", "e", "!", "enter")
        await until(lambda: said(app))
        await until(lambda: "not changed:" in text_of(app))
        assert written(app) == ""
        session.error = None
        await pilot.press("escape", "k", "k")
        await until(lambda: app.main.conversation.messages.current_message is not None)
        app.main.conversation.messages.go_to(3)
        await pilot.press("e")
        await until(lambda: written(app) == "message 3!")
        await pilot.press("enter")
        await until(lambda: "message 3! (edited)" in text_of(app))
        assert "not changed:" not in text_of(app)


async def test_an_edit_that_waits_shows_it_and_says_so_when_it_is_refused() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await bob(app, pilot)
        session.connect(Connection.OFFLINE)
        await pilot.press("k", "e", "!", "enter")
        await until(lambda: "message 3! (edited)" in text_of(app))
        await until(lambda: "◌" in next(line for line in text_of(app).split("\n") if "message 3!" in line))
        session.queue.clear()
        session.connect(Connection.CONNECTED)
        session.change("C2Cbob", 3, text="message 3", edited_at=None)
        error = ErrorBody(code="messageRecalled", message="gone")
        session.tell(CommandRefused(what="edit", conversation_id_list=["C2Cbob"], error=error, text="message 3!"))
        await until(lambda: "your text is in the composer" in "".join(said(app)))
        assert written(app) == "message 3!"
        await until(lambda: "◌" not in text_of(app))


async def test_an_edit_left_for_another_conversation_is_there_when_one_comes_back() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await bob(app, pilot)
        await pilot.press("i", *"draft", "escape", "k", "e", "!")
        app.main.open("C2Ccarol")
        assert written(app) == ""
        app.main.open("C2Cbob")
        await until(lambda: "message 4" in text_of(app))
        assert written(app) == "draft"
        await pilot.press("escape")
        app.main.conversation.messages.go_to(3)
        await pilot.press("e")
        await until(lambda: written(app) == "message 3!")


async def test_what_is_edited_and_taken_back_elsewhere_is_not_edited_any_more() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await bob(app, pilot)
        await pilot.press("k", "e", "!")
        session.change("C2Cbob", 3, text="", recalled=True)
        await until(lambda: "Editing your message" not in text_of(app))
        assert written(app) == ""


async def test_what_a_network_cannot_do_is_not_offered() -> None:
    session = FakeSession()
    session.capabilities = Capabilities(
        replies=False, edits=False, reactions=False, recalls=False, search=False, mentions=False
    )
    async with running(session) as (app, pilot):
        await bob(app, pilot)
        await pilot.press("r", "e", "plus", "X", "ctrl+f", "k", "e", "X")
        await pilot.pause()
        assert app.screen is app.main
        assert app.main.scope is Scope.MESSAGES
        await pilot.press("i", "up", *"@b")
        assert written(app) == "@b"
        assert not app.main.conversation.composer.completion.display


async def test_what_a_network_cannot_do_with_conversations_is_not_offered() -> None:
    session = FakeSession()
    session.capabilities = Capabilities(
        clears_own_history=False, keeps_deletion_log=False, pins=False, mutes=False, marks_unread=False
    )
    async with running(session) as (app, pilot):
        await pilot.press("L", "p", "m", "U")
        await pilot.pause()
        assert app.screen is app.main
        assert not session.calls
        assert not BY_ID["sync-deletions"].available(app)
        await pilot.press("d")
        await until(lambda: "Only the row goes" in text_of(app))
        assert "Clear history" not in text_of(app)
        await pilot.press("c", "y")
        await until(lambda: session.calls)
        what, (_ids, clears, _seen) = session.calls[0]
        assert (what, clears) == ("delete", False)


# Mentions


async def ubuntu(app: ChatApp) -> None:
    app.main.open("GROUPubuntu")
    await until(lambda: "message 1200" in text_of(app))


async def test_a_name_is_completed_and_sent_as_a_mention() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await ubuntu(app)
        await pilot.press(*"hi @bo")
        await until(lambda: "Bob Smith" in text_of(app))
        await pilot.press("tab")
        assert written(app) == "hi @bob "
        await pilot.press(*"and @bo")
        await until(lambda: app.main.conversation.composer.completion.open)
        await pilot.press("down", "enter")
        assert written(app) == "hi @bob and @bobby "
        await pilot.press("enter")
        await until(lambda: ("send", ("GROUPubuntu", "hi @bob and @bobby")) in session.calls)
        assert session.messages["GROUPubuntu"][-1].mentions == ["bob", "bobby"]
        assert [name for name, _ in session.calls].count("members") == 1


async def test_a_nick_finds_its_userid() -> None:
    async with running(FakeSession()) as (app, pilot):
        await ubuntu(app)
        await pilot.press("@")
        await until(lambda: app.main.conversation.composer.completion.open)
        await pilot.press("小", "tab")
        assert written(app) == "@xiaolin "
        app.main.conversation.composer.set_draft("")
        await pilot.press(*"@smith", "tab")
        assert written(app) == "@bob "


async def test_esc_leaves_the_word_and_the_composer_keeps_the_focus() -> None:
    async with running(FakeSession()) as (app, pilot):
        await ubuntu(app)
        await pilot.press(*"@bo")
        await until(lambda: app.main.conversation.composer.completion.open)
        await pilot.press("escape", "b")
        scopes = [app.main.scope]
        assert not app.main.conversation.composer.completion.open
        await pilot.press("tab")
        assert [*scopes, app.main.scope] == [Scope.COMPOSER, Scope.LIST]


async def test_nothing_is_offered_for_a_text_that_nobody_has_touched() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await ubuntu(app)
        completion = app.main.conversation.composer.completion
        await pilot.press(*"hello @bo")
        await until(lambda: completion.open)
        await pilot.press("escape", "enter")
        await until(lambda: ("send", ("GROUPubuntu", "hello @bo")) in session.calls)
        await pilot.press("up")
        await until(lambda: written(app) == "hello @bo")
        await pilot.pause()
        assert not completion.open
        await pilot.press("b")
        await until(lambda: completion.open)
        await pilot.press("backspace")
        await until(lambda: not completion.open)
        await pilot.press("escape")
        await until(lambda: written(app) == "", "one Esc leaves the message as it was")


async def test_enter_sends_a_name_that_is_written_out() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await ubuntu(app)
        await pilot.press(*"@bobby")
        await until(lambda: app.main.conversation.composer.completion.open)
        await pilot.press("enter")
        await until(lambda: ("send", ("GROUPubuntu", "@bobby")) in session.calls)
        assert session.messages["GROUPubuntu"][-1].mentions == ["bobby"]


async def test_where_the_members_are_refused_nobody_is_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    session = FakeSession()
    members = AsyncMock(side_effect=MessageRecalled())
    monkeypatch.setattr(session, "members", members)
    async with running(session) as (app, pilot):
        await ubuntu(app)
        await pilot.press(*"@bo")
        await until(lambda: members.await_count > 0)
        await pilot.press("tab")
        assert not app.main.conversation.composer.completion.open
        assert said(app) == []


async def test_a_mail_address_mentions_nobody() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        app.main.open("C2Cbob")
        await until(lambda: "message 4" in text_of(app))
        await pilot.press(*"me@bob")
        assert not app.main.conversation.composer.completion.open
        await pilot.press("enter")
        await until(lambda: ("send", ("C2Cbob", "me@bob")) in session.calls)
        assert session.messages["C2Cbob"][-1].mentions == []


# An editor of one's own


@contextmanager
def nothing_suspended() -> Iterator[None]:
    yield


def editor(tmp_path: Path, does: str) -> str:
    """A command that is an editor: it writes what it sees of its file beside it, then does something to it."""
    program = tmp_path / "editor.py"
    program.write_text(
        "import os, pathlib, sys\n"
        "path = pathlib.Path(sys.argv[-1])\n"
        f"pathlib.Path({str(tmp_path / 'seen')!r}).write_text(f'{{path}} {{oct(path.stat().st_mode)}}')\n" + does
    )
    return f"{sys.executable} '{program}' --wait"


def seen(tmp_path: Path) -> tuple[int, bool]:
    """The mode of the file that the editor was given, and whether it is still there."""
    name, mode = (tmp_path / "seen").read_text().split()
    return stat.S_IMODE(int(mode, 8)), Path(name).exists()


async def test_an_editor_goes_on_with_the_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", editor(tmp_path, "path.write_text(path.read_text() + 'second\\x1b[2J line\\n')"))
    async with running(FakeSession()) as (app, pilot):
        monkeypatch.setattr(app, "suspend", nothing_suspended)
        app.main.open("C2Cbob")
        await pilot.press(*"first", "ctrl+o")
        await until(lambda: written(app) == "first\nsecond[2J line")
    assert seen(tmp_path) == (0o600, False)


async def test_an_editor_that_fails_leaves_the_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISUAL", editor(tmp_path, "sys.exit(3)"))
    back = 0

    @contextmanager
    def suspended() -> Iterator[None]:
        """As Textual has it: what is raised in there goes past the way back to the screen."""
        nonlocal back
        yield
        back += 1

    async with running(FakeSession()) as (app, pilot):
        monkeypatch.setattr(app, "suspend", suspended)
        app.main.open("C2Cbob")
        await pilot.press(*"first", "ctrl+o")
        await until(lambda: "ended with 3" in "".join(said(app)))
        assert written(app) == "first"
        monkeypatch.setenv("VISUAL", str(tmp_path / "nowhere"))
        await pilot.press("ctrl+o")
        await until(lambda: "nowhere: No such file" in "".join(said(app)))
        assert back == 2
    assert seen(tmp_path) == (0o600, False)


@pytest.mark.parametrize("named", ["", "'unfinished"])
async def test_without_an_editor_it_is_said_what_to_set(named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", named)
    async with running(FakeSession()) as (app, pilot):
        app.main.open("C2Cbob")
        await pilot.press("ctrl+o")
        await until(lambda: "export EDITOR=nano" in "".join(said(app)))


async def test_a_terminal_that_cannot_be_given_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITOR", "true")
    async with running(FakeSession()) as (app, pilot):
        app.main.open("C2Cbob")
        await pilot.press(*"x", "ctrl+o")
        await until(lambda: "cannot be given to an editor" in "".join(said(app)))
        assert written(app) == "x"


async def test_a_paste_of_many_lines_stays_as_it_is() -> None:
    session = FakeSession()
    text = "\n".join(f"line {number}" for number in range(60))
    async with running(session) as (app, pilot):
        app.main.open("C2Cbob")
        await until(lambda: "message 4" in text_of(app))
        app.post_message(events.Paste(text))
        await until(lambda: written(app) == text)
        await pilot.press("enter")
        await until(lambda: ("send", ("C2Cbob", text)) in session.calls)


async def test_typing_can_be_taken_back() -> None:
    async with running(FakeSession()) as (app, pilot):
        app.main.open("C2Cbob")
        app.post_message(events.Paste("pasted"))
        await until(lambda: written(app) == "pasted")
        await pilot.press("ctrl+underscore")
        await until(lambda: written(app) == "")
