"""The words of the dialog before a deletion, as the design fixes them."""

import msgspec
import pytest

from tests.tui.apps import running, text_of, until
from tests.tui.fake import FakeSession
from tui_chat.client.capabilities import Capabilities
from tui_chat.client.changes import Connection
from tui_chat.protocol.ids import ConversationType
from tui_chat.protocol.models import Conversation, Membership, ServerFacts
from tui_chat.tui.dialogs.delete_facts import DeleteFacts, gather, gone_elsewhere, lines
from tui_chat.tui.safe import line


def facts(**changed: object) -> DeleteFacts:
    whole: dict[str, object] = {
        "names": tuple(line(name) for name in ("#ubuntu", "bob", "小林")),
        "count": 3,
        "messages": 1204,
        "pinned": 1,
        "mentions": 2,
        "drafts": 1,
        "member_count": 1,
        "groups": (line("#ubuntu"),),
        "synced": True,
        "undo_seconds": 600,
        **changed,
    }
    return DeleteFacts(**whole)  # type: ignore[arg-type]


def test_says_what_clearing_does() -> None:
    said = lines(facts(), clear_history=True)
    assert said.title.plain == "Delete 3 conversations?"
    assert said.names.plain == "#ubuntu · bob · 小林"
    assert said.switch is not None
    assert said.switch.plain == "[x] Clear history (c)"
    assert [line.plain for line in said.consequences] == [
        "1,204 messages are erased from your account. The others keep theirs.",
        "A new message brings a conversation back without them.",
    ]
    assert said.among is not None
    assert said.among.plain == "Among them: 1 pinned, 2 unread mentions, 1 draft."
    assert said.member is not None
    assert said.member.plain == "You stay a member of #ubuntu."
    assert said.devices.plain == "Your other devices: removed there too."
    assert said.undo.plain == "You can undo for 10 minutes; then it is final."
    assert said.cancel.plain == "Cancel"
    assert said.confirm.plain == "Delete and clear"
    assert said.type_count is None


def test_says_what_keeping_does() -> None:
    said = lines(facts(synced=False), clear_history=False)
    assert said.switch is not None
    assert said.switch.plain == "[ ] Clear history (c)"
    assert [line.plain for line in said.consequences] == [
        "Only the rows go. A new message brings them back with all 1,204 messages."
    ]
    assert said.devices.plain == "Your other devices keep their rows and copies (this server does not sync deletions)."
    assert said.confirm.plain == "Delete, keep history"


def test_one_conversation() -> None:
    said = lines(facts(names=(line("bob"),), count=1, messages=1), clear_history=True)
    assert said.title.plain == "Delete 1 conversation?"
    assert said.consequences[0].plain == "1 message is erased from your account. The others keep theirs."


def test_only_true_lines() -> None:
    said = lines(
        facts(pinned=0, mentions=0, drafts=0, member_count=0, groups=(), messages=0, undo_seconds=0), clear_history=True
    )
    assert said.among is None
    assert said.member is None
    assert [line.plain for line in said.consequences] == ["There are no messages to erase."]
    assert "undoes nothing" in said.undo.plain


def test_notices_are_nobody_elses_and_left_groups_do_not_return() -> None:
    said = lines(facts(shared=False, can_return=False), clear_history=True)
    assert [line.plain for line in said.consequences] == ["1,204 messages are erased from your account."]


def test_unsent_messages_are_named() -> None:
    said = lines(facts(unsent=2, pinned=0, mentions=0, drafts=0), clear_history=True)
    assert said.among is not None
    assert said.among.plain == "Among them: 2 unsent messages."


@pytest.mark.parametrize(
    ("count", "everything", "typed"), [(3, False, False), (1000, False, False), (1001, False, True), (3, True, True)]
)
def test_the_count_is_typed_only_for_everything_or_very_many(count: int, everything: bool, typed: bool) -> None:
    said = lines(facts(count=count, everything=everything), clear_history=True)
    assert (said.type_count is not None) is typed


def test_more_names_than_fit_become_a_number() -> None:
    assert lines(facts(count=1_003), clear_history=True).names.plain == "#ubuntu · bob · 小林 · 1,000 more"


def test_gone_elsewhere() -> None:
    assert gone_elsewhere(1, "phone", 2).plain == "1 was just deleted on phone · 2 left"
    assert gone_elsewhere(2, "phone", 1).plain == "2 were just deleted on phone · 1 left"


def test_names_from_others_are_harmless() -> None:
    assert "\x1b" not in gone_elsewhere(1, "\x1b]0;x\x07[red]phone", 2).plain
    bad = Conversation(
        conversation_id="C2Cx", type=ConversationType.C2C, name="\x1b[2J[@click=app.quit]x[/]", newest_seq=1
    )
    said = lines(
        gather(
            [bad],
            seen={},
            listed=2,
            drafts=set(),
            unsent={},
            server=ServerFacts(version="1"),
            capabilities=Capabilities(),
        ),
        clear_history=True,
    )
    assert "\x1b" not in said.names.plain
    assert "[@click=app.quit]x[/]" in said.names.plain


def test_facts_come_from_the_conversations() -> None:
    chosen = [
        Conversation(
            conversation_id="GROUPubuntu",
            type=ConversationType.GROUP,
            name="#ubuntu",
            message_count=1200,
            mention_count=2,
            pinned=True,
            membership=Membership.JOINED,
        ),
        Conversation(conversation_id="GROUPold", type=ConversationType.GROUP, name="#old", membership=Membership.LEFT),
        Conversation(conversation_id="C2Cbob", type=ConversationType.C2C, name="bob", message_count=4),
    ]
    assert gather(
        chosen,
        seen={},
        listed=4,
        drafts={"C2Cbob", "C2Ccarol"},
        unsent={"C2Cbob": 1},
        server=ServerFacts(version="1", sync_conversation_deletion=True, undo_seconds=60),
        capabilities=Capabilities(syncs_deletions=True),
    ) == facts(names=(line("#ubuntu"), line("#old"), line("bob")), messages=1204, mentions=2, unsent=1, undo_seconds=60)


def test_what_came_in_after_the_question_is_not_counted_and_said_to_stay() -> None:
    seen = Conversation(
        conversation_id="C2Cbob", type=ConversationType.C2C, name="bob", message_count=9, newest_seq=9, mention_count=1
    )
    now = msgspec.structs.replace(seen, message_count=11, newest_seq=11, mention_count=3)
    found = gather(
        [now],
        seen={"C2Cbob": seen},
        listed=4,
        drafts=set(),
        unsent={},
        server=ServerFacts(version="1"),
        capabilities=Capabilities(),
    )
    assert (found.messages, found.mentions, found.arrived) == (9, 1, 2)
    said = lines(found, clear_history=True)
    assert said.arrived is not None
    assert said.arrived.plain == "2 messages came in meanwhile: they stay, and so do their rows."


async def test_nothing_jumps_when_the_switch_is_changed() -> None:
    async with running(FakeSession()) as (app, pilot):
        await pilot.press("j", "space", "space", "d")
        await until(lambda: "[x] Clear history (c)   " in text_of(app))
        before = text_of(app).splitlines()
        await pilot.press("c")
        await until(lambda: "[ ] Clear history (c)   Only the rows go." in text_of(app))
        after = text_of(app).splitlines()
        same = ("[ Cancel ]", "Delete 2 conversations?", "You can undo for 10 minutes")
        for words in same:
            assert [words in one for one in before] == [words in one for one in after], words


def test_without_a_connection_it_says_what_waits() -> None:
    said = lines(facts(connected=False), clear_history=True)
    assert said.waits is not None
    assert said.waits.plain == "No connection: hidden here now, deleted once connected."
    assert said.devices.plain == "Your other devices: removed there too, but only then."
    assert said.undo.plain == "You can undo until then, and for 10 minutes after; then it is final."
    final = lines(facts(connected=False, undo_seconds=0), clear_history=True).undo.plain
    assert final == "You can undo until then; after that it is final: this server undoes nothing."
    assert lines(facts(), clear_history=True).waits is None


async def test_the_dialog_follows_the_connection() -> None:
    session = FakeSession()
    async with running(session, size=(80, 24)) as (app, pilot):
        session.connect(Connection.OFFLINE)
        await pilot.press("d")
        await until(lambda: "deleted once connected" in text_of(app))
        session.connect(Connection.CONNECTED)
        await until(lambda: "deleted once connected" not in text_of(app))
        session.connect(Connection.OFFLINE)
        await until(lambda: "for 10 minutes after" in text_of(app))
