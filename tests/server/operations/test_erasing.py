"""Erasing an account: what goes, what stays, and what others notice."""

import pytest

from tui_chat.protocol.errors import (
    AdministratorOnly,
    Forbidden,
    LastAdministrator,
    NameTaken,
    NotAMember,
    PasswordMismatch,
    RegistrationClosed,
    Unauthorized,
    UserErased,
    UserNotFound,
    WrongPassword,
)
from tui_chat.protocol.events import ConversationChanged, MessageChanged, UserChanged
from tui_chat.protocol.models import Membership
from tui_chat.protocol.requests import ChangeAccount, ChangeMember, Credentials
from tui_chat.server.engines import Transaction
from tui_chat.server.operations import accounts, administration, blocking, devices, erasing, groups, members, users

from .world import Device, World

OWN_TABLES = (
    "device",
    "state",
    "past_period",
    "mention",
    "batch",
    "operation",
    "share",
    "answered",
    "event",
    "stream",
    "block",
    "application",
    "departure",
)


def erase(one: Device) -> None:
    one.world.do(erasing.erase_self, one.caller, verified="hash")


def left_of(world: World, key: int) -> dict[str, int]:
    """How many rows name the account, by table."""
    found = {table: world.rows(f"SELECT COUNT(*) FROM {table} WHERE account = ?", key)[0][0] for table in OWN_TABLES}
    return {table: count for table, count in found.items() if count}


def finish(world: World) -> None:
    """All of it, also what is done some time afterwards."""
    world.tidy()
    world.pass_seconds(61)
    world.tidy()


class TestAtOnce:
    """What holds from the answer on."""

    def test_nobody_logs_in_and_every_token_is_dead(self, world: World, alice: Device, bob: Device) -> None:
        phone = bob.another()

        def job(tx: Transaction) -> set[str]:
            erasing.erase_self(tx, bob.caller, verified="hash")
            return {each.device_id for each in tx.revoked}

        assert world.do(job) == {bob.caller.device_id, phone.caller.device_id}
        for one in (bob, phone):
            with pytest.raises(Unauthorized):
                world.do(accounts.authenticate, one.session.access_token)
            assert world.do(devices.refresh, one.session.refresh_token) is None
        assert world.do(accounts.password_of, "bob") is None
        with pytest.raises(WrongPassword):
            world.do(accounts.login, Credentials(user_id="bob", password="correct horse", device_name="x"))

    def test_the_name_is_never_given_out_again(self, world: World, alice: Device, bob: Device) -> None:
        erase(bob)
        finish(world)
        with pytest.raises(NameTaken):
            world.join("BOB")

    def test_nothing_can_be_sent_there(self, world: World, alice: Device, bob: Device, carol: Device) -> None:
        bob.send("C2CAlice", "goodbye")
        erase(bob)
        for _ in range(2):
            with pytest.raises(UserErased):
                alice.send("C2Cbob")
            with pytest.raises(UserNotFound):
                carol.send("C2Cbob")
            with pytest.raises(UserNotFound):
                alice.create("g", "bob")
            with pytest.raises(UserNotFound):
                world.do(users.get, alice.caller, "bob")
            with pytest.raises(UserNotFound):
                world.do(blocking.block, alice.caller, "bob")
            assert world.do(users.find, alice.caller, "bob").users == []
            finish(world)

    def test_the_password_counts_as_it_is_now(self, world: World, alice: Device, bob: Device) -> None:
        with pytest.raises(PasswordMismatch):
            world.do(erasing.erase_self, bob.caller, verified="an older one")
        assert world.do(accounts.authenticate, bob.session.access_token) == bob.caller

    def test_not_the_last_administrator(self, world: World, alice: Device, bob: Device) -> None:
        with pytest.raises(LastAdministrator):
            erase(alice)
        world.do(administration.change_user, alice.caller, "bob", ChangeAccount(administrator=True))
        erase(alice)
        with pytest.raises(LastAdministrator):
            erase(bob)


class TestAfterwards:
    """What is done in pieces."""

    def test_nothing_of_the_users_own_is_left(self, world: World, alice: Device, bob: Device, carol: Device) -> None:
        world.do(accounts.set_nick, bob.caller, "Robert")
        bob.send("C2CAlice", "hello", mentions=["carol"])
        alice.create("g", "bob", "carol")
        carol.send("GROUPg", "@bob", mentions=["bob"])
        bob.quit("g")
        bob.join_group("g")
        bob.create("mine", "carol")
        bob.flags("C2CAlice", operation_id="x", pinned=True)
        bob.delete("C2CAlice", batch_id="kept")
        world.do(blocking.block, bob.caller, "carol")
        world.do(blocking.block, carol.caller, "bob")
        erase(bob)
        finish(world)
        assert left_of(world, bob.caller.user) == {}
        assert world.rows("SELECT COUNT(*) FROM block") == [(0,)]
        assert world.rows("SELECT nick, nick_folded, password_hash FROM account WHERE id = ?", bob.caller.user) == [
            (None, "", None)
        ]

    def test_what_was_said_stays_with_those_who_have_it(self, world: World, alice: Device, bob: Device) -> None:
        world.do(accounts.set_nick, bob.caller, "Robert")
        alice.send("C2Cbob", "hello")
        bob.send("C2CAlice", "hi")
        alice.told()
        erase(bob)
        finish(world)
        [event] = [each for each in alice.told() if isinstance(each, UserChanged)]
        assert (event.user.user_id, event.user.nick) == ("bob", None)
        assert alice.history("C2Cbob") == ["hello", "hi"]
        assert [each.sender for each in alice.page("C2Cbob").messages] == ["Alice", "bob"]
        row = alice.get("C2Cbob")
        assert (row.name, row.unread_count) == ("bob", 1)

    def test_what_was_read_stays_read(self, world: World, alice: Device, bob: Device) -> None:
        alice.send("C2Cbob", "read")
        bob.read("C2CAlice", 1)
        alice.send("C2Cbob", "not read")
        before = alice.get("C2Cbob").peer_read_seq
        cursor = alice.cursor()
        erase(bob)
        finish(world)
        assert alice.get("C2Cbob").peer_read_seq == before == 1
        assert alice.listed()["C2Cbob"].peer_read_seq == 1
        assert alice.readers("C2Cbob", 1) == (["bob"], [])
        assert alice.readers("C2Cbob", 2) == ([], ["bob"])
        alice.flags("C2Cbob", operation_id="x", pinned=True)
        alice.recall("C2Cbob", 2)
        for event in alice.replayed(cursor):
            if isinstance(event, ConversationChanged):
                assert [one.peer_read_seq for one in event.conversations] == [1]
            if isinstance(event, MessageChanged):
                assert event.conversation.peer_read_seq == 1
        assert {type(event) for event in alice.told()} >= {ConversationChanged, MessageChanged}
        alice.read("C2Cbob")
        assert alice.delete("C2Cbob").conversation_id_list == ["C2Cbob"]
        assert alice.listed() == {}

    def test_bodies_that_nobody_can_see_any_more_go(self, world: World, alice: Device, bob: Device) -> None:
        bob.send("C2CAlice", "a secret")
        bob.create("mine")
        bob.send("GROUPmine", "a note to myself")
        world.set(undo_seconds=0)
        alice.delete("C2Cbob")
        erase(bob)
        finish(world)
        assert world.rows("SELECT text FROM message WHERE text IN ('a secret', 'a note to myself')") == []

    def test_a_group_goes_to_its_administrator_and_one_of_nobody_ends(
        self, world: World, alice: Device, bob: Device, carol: Device
    ) -> None:
        world.join("dave")
        bob.create("ours", "alice", "carol", "dave")
        bob.create("mine")
        alice.create("hers", "bob")
        world.do(members.set_role, bob.caller, "ours", "dave", ChangeMember(role="admin"))
        erase(bob)
        finish(world)
        ours = world.do(groups.get, alice.caller, "ours")
        assert (ours.owner, ours.member_count) == ("dave", 3)
        assert alice.history("GROUPours")[-2:] == ["<transferred>", "<quit>"]
        assert world.rows("SELECT dismissed FROM chat_group WHERE group_id = 'mine'") == [(1,)]
        assert alice.history("GROUPhers")[-1] == "<quit>"
        assert alice.get("GROUPhers").membership is Membership.JOINED
        alice.send("GROUPours", "still here")
        carol.send("GROUPours", "me too")

    def test_the_longest_standing_member_follows_and_not_one_who_leaves_as_well(
        self, world: World, alice: Device, bob: Device, carol: Device
    ) -> None:
        bob.create("g", "carol")
        bob.invite("g", "alice")
        erase(bob)
        erase(carol)
        finish(world)
        assert world.do(groups.get, alice.caller, "g").owner == "Alice"

    def test_goes_on_in_bounded_pieces(
        self, world: World, alice: Device, bob: Device, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for number in range(7):
            world.join(f"user{number}").send("C2Cbob")
        for number in range(3):
            alice.create(f"g{number}", "bob")
        monkeypatch.setattr(erasing, "ROWS_A_PIECE", 2)
        monkeypatch.setattr(erasing, "MEMBERS_A_PIECE", 2)
        erase(bob)
        joined = "SELECT COUNT(*) FROM state WHERE account = ? AND membership = 1"
        for left in (2, 1, 0):
            assert world.do(erasing.go_on)
            assert world.rows(joined, bob.caller.user) == [(left,)]
        pieces = 0
        while world.do(erasing.go_on):
            pieces += 1
            assert world.rows("SELECT COUNT(*) FROM departure") == [(1,)]
        assert pieces > 8
        world.pass_seconds(60)
        world.tidy()
        assert left_of(world, bob.caller.user) == {}

    def test_what_a_late_request_left_behind_goes_as_well(
        self, world: World, alice: Device, bob: Device, carol: Device
    ) -> None:
        erase(bob)
        world.tidy()
        erase(carol)
        world.tidy()
        world.do(lambda tx: tx.execute("INSERT INTO block (account, blocked, time) VALUES (?, 1, 0)", bob.caller.user))
        finish(world)
        assert left_of(world, bob.caller.user) == left_of(world, carol.caller.user) == {}

    def test_who_joined_by_a_late_request_leaves_again(self, world: World, alice: Device, bob: Device) -> None:
        """All tidying ended there: nothing was left of the log in which the leaving would have been told."""
        alice.create("g")
        erase(bob)
        world.tidy()
        assert bob.join_group("g") == "joined"
        finish(world)
        assert list(alice.members("g")) == ["Alice"]
        assert alice.history("GROUPg") == ["<created>", "<joined>", "<quit>"]
        assert left_of(world, bob.caller.user) == {}

    def test_reading_on_after_a_peer_is_gone(self, world: World, alice: Device, bob: Device) -> None:
        bob.send("C2CAlice")
        cursor = alice.cursor()
        erase(bob)
        finish(world)
        alice.read("C2Cbob", 1)
        world.do(accounts.set_nick, alice.caller, "Al")
        assert len(alice.replayed(cursor)) == 3


class TestByAnAdministrator:
    """Removing somebody else."""

    def test_is_the_same_and_written_down(self, world: World, alice: Device, bob: Device) -> None:
        bob.send("C2CAlice", "spam")
        world.do(erasing.remove_user, alice.caller, "BOB")
        finish(world)
        assert left_of(world, bob.caller.user) == {}
        with pytest.raises(UserNotFound):
            world.do(erasing.remove_user, alice.caller, "bob")
        assert world.rows("SELECT administrator, what, whom FROM audit") == [("Alice", "user.removed", "bob")]

    def test_ends_their_invitations_at_once(self, world: World, alice: Device, bob: Device) -> None:
        world.do(administration.change_user, alice.caller, "bob", ChangeAccount(administrator=True))
        open_, used = (world.do(accounts.create_invite, bob.caller).invite for _ in range(2))
        mine = world.do(accounts.create_invite, alice.caller).invite

        def register(name: str, invite: str) -> None:
            asked = Credentials(user_id=name, password="correct horse", device_name="laptop", invite=invite)
            world.do(accounts.register, asked, "hash", open_registration=False)

        register("carol", used)
        world.do(erasing.remove_user, alice.caller, "bob")
        with pytest.raises(RegistrationClosed):
            register("eve", open_)
        register("dave", mine)

    def test_is_not_for_everybody_nor_for_oneself(self, world: World, alice: Device, bob: Device) -> None:
        with pytest.raises(AdministratorOnly):
            world.do(erasing.remove_user, bob.caller, "alice")
        with pytest.raises(Forbidden):
            world.do(erasing.remove_user, alice.caller, "alice")

    def test_a_member_of_groups_is_refused_in_them_at_once_afterwards(
        self, world: World, alice: Device, bob: Device
    ) -> None:
        alice.create("g", "bob")
        world.do(erasing.remove_user, alice.caller, "bob")
        world.tidy()
        with pytest.raises(NotAMember):
            bob.send("GROUPg", "from a request that was on its way")


def test_every_table_that_names_an_account_is_thought_of(world: World) -> None:
    naming = {
        (table, column)
        for table in world.store.tables()
        for column in world.store.columns(table)
        if column in ("account", "owner", "sender", "peer", "low", "high", "blocked", "creator", "left_owner")
    }
    gone = {(table, "account") for table in OWN_TABLES} | {
        ("block", "blocked"),
        ("invite", "account"),
        ("invite", "creator"),
        ("state", "peer"),
        ("state", "left_owner"),
    }
    # The account's row stays, so what others have goes on naming it: who said and who reacted, the conversation of two;
    # and groups that ended, and how those who left a group saw it. What is noted to be looked at goes with the looking.
    stays = {
        ("perhaps_unseen", "account"),
        ("message", "sender"),
        ("reaction", "account"),
        ("conversation", "low"),
        ("conversation", "high"),
        ("chat_group", "owner"),
    }
    assert naming == gone | stays
