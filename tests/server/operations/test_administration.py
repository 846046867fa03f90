"""What administrators see and do, and the trace that it leaves."""

from typing import Any

import pytest

from tui_chat.protocol import limits
from tui_chat.protocol.errors import (
    AdministratorOnly,
    ChatError,
    ConversationNotFound,
    InvalidConversation,
    InvalidRequest,
    LastAdministrator,
    MessageNotFound,
    RegistrationClosed,
    UserNotFound,
)
from tui_chat.protocol.events import MessageChanged
from tui_chat.protocol.models import AuditEntry
from tui_chat.protocol.requests import ChangeAccount, ChangeSettings, Credentials
from tui_chat.server.operations import accounts, administration, audit, erasing, settings

from .world import Device, World


def trace(one: Device) -> list[AuditEntry]:
    return one.world.do(audit.page, one.caller).entries


def promote(one: Device, user_id: str, administrator: bool = True) -> bool:
    asked = ChangeAccount(administrator=administrator)
    return one.world.do(administration.change_user, one.caller, user_id, asked).administrator


def remove(one: Device, conversation_id: str, seq: int) -> int:
    return one.world.do(administration.remove_message, one.caller, conversation_id, seq).event_seq


class TestUsers:
    """The list of accounts."""

    def test_in_the_order_in_which_they_were_made(self, world: World, alice: Device, bob: Device) -> None:
        world.pass_seconds(100)
        bob.another()
        world.join("carol")
        found: list[Any] = []
        cursor = None
        while True:
            page = world.do(administration.users, alice.caller, cursor=cursor, limit=2)
            assert len(page.users) <= 2
            found += page.users
            cursor = page.next
            if cursor is None:
                break
        assert [(one.user_id, one.administrator, one.device_count) for one in found] == [
            ("Alice", True, 1),
            ("bob", False, 2),
            ("carol", False, 1),
        ]
        assert found[1].last_seen_at == world.now
        assert found[0].created_at == world.now - 100_000

    def test_by_how_id_or_nick_begins(self, world: World, alice: Device, bob: Device, carol: Device) -> None:
        world.do(accounts.set_nick, carol.caller, "Bo Derek")
        found = world.do(administration.users, alice.caller, q="BO").users
        assert [one.user_id for one in found] == ["bob", "carol"]
        assert world.do(administration.users, alice.caller, q="%").users == []

    def test_one_of_them(self, world: World, alice: Device, bob: Device) -> None:
        assert world.do(administration.user, alice.caller, "BOB").user_id == "bob"
        with pytest.raises(UserNotFound):
            world.do(administration.user, alice.caller, "nobody")

    def test_the_erased_are_not_listed(self, world: World, alice: Device, bob: Device) -> None:
        world.do(erasing.remove_user, alice.caller, "bob")
        assert [one.user_id for one in world.do(administration.users, alice.caller).users] == ["Alice"]
        with pytest.raises(UserNotFound):
            world.do(administration.user, alice.caller, "bob")

    @pytest.mark.parametrize("cursor", ["x", "-1", "9" * 19, "١", ""])
    def test_a_cursor_that_is_none(self, world: World, alice: Device, cursor: str) -> None:
        for operation in (administration.users, audit.page):
            with pytest.raises(InvalidRequest):
                world.do(operation, alice.caller, cursor=cursor)


class TestAdministrators:
    """Making them, and no longer."""

    def test_takes_effect_at_once_whatever_a_token_says(self, world: World, alice: Device, bob: Device) -> None:
        before = bob.caller
        assert promote(alice, "bob")
        assert world.do(settings.get, before).settings
        assert world.do(accounts.me, before).administrator
        assert not promote(bob, "alice", administrator=False)
        with pytest.raises(AdministratorOnly):
            world.do(settings.get, alice.caller)
        assert not world.do(accounts.me, alice.caller).administrator

    def test_the_last_one_stays(self, alice: Device, bob: Device) -> None:
        with pytest.raises(LastAdministrator):
            promote(alice, "alice", administrator=False)
        promote(alice, "bob")
        promote(alice, "alice", administrator=False)
        with pytest.raises(LastAdministrator):
            promote(bob, "bob", administrator=False)

    def test_an_invitation_can_be_typed_behind_an_option(self, world: World, alice: Device) -> None:
        codes = [world.do(accounts.create_invite, alice.caller).invite for _ in range(100)]
        assert all(code.isalnum() for code in codes)
        assert len({*codes}) == len(codes)

    def test_invitations_of_a_former_one_are_void(self, world: World, alice: Device, bob: Device) -> None:
        promote(alice, "bob")
        codes = [world.do(accounts.create_invite, one.caller).invite for one in (alice, bob)]
        promote(alice, "bob", administrator=False)
        asked = [Credentials(user_id=f"u{n}", password="x" * 8, device_name="x", invite=codes[n]) for n in (0, 1)]
        world.do(accounts.register, asked[0], "hash", open_registration=False)
        with pytest.raises(RegistrationClosed):
            world.do(accounts.register, asked[1], "hash", open_registration=False)


class TestRemovingAMessage:
    """Of a group, and of people who talk to each other alone."""

    def test_takes_it_from_everybody(self, world: World, alice: Device, bob: Device, carol: Device) -> None:
        bob.create("g", "carol")
        seq = carol.send("GROUPg", "something foul", mentions=["bob"]).message_seq
        bob.told()
        cursor = bob.cursor()
        assert remove(alice, "GROUPG", seq) == 0
        [event] = bob.told()
        assert isinstance(event, MessageChanged)
        assert (event.message.recalled, event.message.recalled_by, event.message.text, event.message.version) == (
            True,
            "Alice",
            "",
            2,
        )
        assert [type(one) for one in bob.replayed(cursor)] == [MessageChanged]
        for one in (bob, carol):
            assert one.page("GROUPg").messages[-1].recalled
            assert "foul" not in str(one.page("GROUPg")) + str(one.listed())
        assert bob.get("GROUPg").mention_count == 0
        assert "foul" not in str(world.rows("SELECT text, extra FROM message"))
        assert "foul" not in str(world.rows("SELECT data FROM event"))

    @pytest.mark.parametrize("name", ["C2Cbob:carol", "C2CCAROL:bob"])
    def test_a_conversation_of_two_is_named_by_both(self, alice: Device, bob: Device, carol: Device, name: str) -> None:
        seq = bob.send("C2Ccarol", "foul").message_seq
        bob.send("C2CAlice", "fine")
        remove(alice, name, seq)
        assert carol.history("C2Cbob") == [""]
        assert alice.history("C2Cbob") == ["fine"]

    def test_ones_own_is_named_as_ever(self, alice: Device, bob: Device) -> None:
        seq = bob.send("C2CAlice", "foul").message_seq
        assert remove(alice, "C2Cbob", seq) > 0
        assert alice.history("C2Cbob") == [""]

    def test_also_of_somebody_who_was_erased(self, world: World, alice: Device, bob: Device, carol: Device) -> None:
        seq = bob.send("C2Ccarol", "foul").message_seq
        world.do(erasing.remove_user, alice.caller, "bob")
        world.tidy()
        remove(alice, "C2Cbob:carol", seq)
        [message] = carol.page("C2Cbob").messages
        assert (message.text, message.sender, message.recalled) == ("", "bob", True)
        [event] = [one for one in carol.told() if isinstance(one, MessageChanged)]
        assert event.conversation.name == "bob"

    def test_twice_is_once(self, alice: Device, bob: Device) -> None:
        seq = bob.send("C2CAlice", "foul").message_seq
        remove(alice, "C2Cbob", seq)
        assert remove(alice, "C2Cbob", seq) == 0
        assert alice.page("C2Cbob").messages[0].version == 2
        assert [one.what for one in trace(alice)] == ["message.removed"]

    @pytest.mark.parametrize(
        ("name", "seq", "error"),
        [
            ("GROUPg", 99, MessageNotFound),
            ("GROUPg", 1, MessageNotFound),
            ("GROUPnone", 1, ConversationNotFound),
            ("C2Cbob:carol", 1, ConversationNotFound),
            ("C2Cnobody", 1, ConversationNotFound),
            ("GROUPg:bob", 1, InvalidConversation),
            ("@TIM#SYSTEM", 1, InvalidConversation),
            ("bob", 1, InvalidConversation),
        ],
    )
    def test_what_is_not_there(
        self, alice: Device, bob: Device, carol: Device, name: str, seq: int, error: type[ChatError]
    ) -> None:
        bob.create("g", "carol")
        with pytest.raises(error):
            remove(alice, name, seq)
        assert trace(alice) == []


class TestTheTrace:
    """Who did what, when, to whom."""

    def test_names_everything_and_no_body(self, world: World, alice: Device, bob: Device, carol: Device) -> None:
        seq = bob.send("C2Ccarol", "something foul").message_seq
        world.do(settings.change, alice.caller, ChangeSettings(undo_seconds=5, registration="auto"))
        world.do(settings.change, alice.caller, ChangeSettings(undo_seconds=5))
        world.do(accounts.create_invite, alice.caller)
        promote(alice, "bob")
        promote(alice, "bob")
        promote(alice, "bob", administrator=False)
        remove(alice, "C2Cbob:carol", seq)
        world.pass_seconds(10)
        world.do(erasing.remove_user, alice.caller, "bob")
        entries = trace(alice)
        assert [(one.what, one.whom, one.details) for one in entries] == [
            ("user.removed", "bob", {}),
            ("message.removed", "bob", {"conversationID": "C2Cbob:carol", "messageSeq": 1}),
            ("user.demoted", "bob", {}),
            ("user.promoted", "bob", {}),
            ("invite.created", None, {}),
            ("settings.changed", None, {"undoSeconds": 5}),
        ]
        assert {(one.administrator, one.device_name) for one in entries} == {("Alice", "laptop")}
        assert entries[0].time == entries[1].time + 10_000
        assert "foul" not in str(world.rows("SELECT * FROM audit"))

    def test_in_pages(self, world: World, alice: Device) -> None:
        for number in range(5):
            world.do(settings.change, alice.caller, ChangeSettings(undo_seconds=number))
        first = world.do(audit.page, alice.caller, limit=3)
        second = world.do(audit.page, alice.caller, limit=3, cursor=first.next)
        assert [one.details["undoSeconds"] for one in first.entries + second.entries] == [4, 3, 2, 1, 0]
        assert second.next is None

    def test_is_kept_for_a_year(self, world: World, alice: Device) -> None:
        world.do(settings.change, alice.caller, ChangeSettings(undo_seconds=1))
        world.pass_seconds((limits.AUDIT_DAYS - 1) * 86_400)
        world.do(settings.change, alice.caller, ChangeSettings(undo_seconds=2))
        world.pass_seconds(86_400)
        world.tidy()
        assert [one.details for one in trace(alice)] == [{"undoSeconds": 2}]

    def test_a_refused_act_leaves_none(self, world: World, alice: Device, bob: Device) -> None:
        with pytest.raises(InvalidRequest):
            world.do(settings.change, alice.caller, ChangeSettings(undo_seconds=-1))
        for operation in (audit.page, administration.users, accounts.create_invite):
            with pytest.raises(AdministratorOnly):
                world.do(operation, bob.caller)
        with pytest.raises(AdministratorOnly):
            promote(bob, "bob")
        with pytest.raises(AdministratorOnly):
            remove(bob, "C2CAlice", 1)
        assert trace(alice) == []
