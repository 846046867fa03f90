"""Filling a database from files."""

import pytest

from tui_chat.protocol.errors import ChatError, InvalidName, InvalidRequest, TextEmpty, UserNotFound
from tui_chat.protocol.requests import Credentials
from tui_chat.server.operations import accounts
from tui_chat.server.operations.importing import (
    Archive,
    ArchivedFlags,
    ArchivedGroup,
    ArchivedMessage,
    ArchivedRead,
    ArchivedUser,
    import_archive,
)

from .world import Device, World

PEOPLE = [
    ArchivedUser(user_id="Alice", nick="Al", password_hash="hash", administrator=True),
    ArchivedUser(user_id="bob"),
    ArchivedUser(user_id="carol"),
]


def message(sender: str, to: str, text: str, time: int = 1_000, *, in_group: bool = False) -> ArchivedMessage:
    return ArchivedMessage(sender=sender, to=to, text=text, time=time, in_group=in_group)


ARCHIVE = Archive(
    users=PEOPLE,
    groups=[ArchivedGroup(group_id="Ubuntu", name="#ubuntu", members=["bob", "Alice", "ALICE", "carol"], time=500)],
    messages=[
        message("alice", "BOB", "one", 1_000),
        message("carol", "ubuntu", "hi all", 1_500, in_group=True),
        message("bob", "alice", "two", 2_000),
        message("Bob", "Ubuntu", "hi carol", 2_500, in_group=True),
        message("bob", "Alice", "three", 3_000),
    ],
)


def log_in(world: World, name: str) -> Device:
    asked = Credentials(user_id=name, password="", device_name="laptop")
    return world.device(world.do(accounts.login, asked))


def test_people_groups_and_messages_with_their_times(world: World) -> None:
    counted = world.do(import_archive, ARCHIVE)
    assert (counted.users, counted.groups, counted.messages) == (3, 1, 5)
    alice = log_in(world, "alice")
    assert alice.caller.administrator
    assert alice.caller.user_id == "Alice"
    listed = alice.listed()
    assert set(listed) == {"C2Cbob", "GROUPUbuntu"}
    assert alice.history("C2Cbob") == ["one", "two", "three"]
    assert alice.history("GROUPubuntu") == ["<created>", "hi all", "hi carol"]
    chat, group = listed["C2Cbob"], listed["GROUPUbuntu"]
    assert (chat.time, chat.message_count, chat.unread_count, chat.peer_read_seq) == (3_000, 3, 2, 3)
    assert (group.name, group.member_count, group.unread_count, group.role) == ("#ubuntu", 3, 2, "member")
    assert log_in(world, "bob").listed()["GROUPUbuntu"].role == "owner"


def test_sending_reads_what_stands_before_it(world: World) -> None:
    world.do(import_archive, ARCHIVE)
    carol = log_in(world, "carol")
    assert carol.listed()["GROUPUbuntu"].unread_count == 1
    assert carol.listed()["GROUPUbuntu"].read_seq == 2


def test_read_marks_and_flags(world: World) -> None:
    world.do(import_archive, ARCHIVE)
    world.do(
        import_archive,
        Archive(
            reads=[
                ArchivedRead(user_id="ALICE", conversation_id="C2CBOB", unread=1),
                ArchivedRead(user_id="alice", conversation_id="GROUPubuntu"),
                ArchivedRead(user_id="carol", conversation_id="GROUPubuntu", unread=99),
            ],
            flags=[ArchivedFlags(user_id="alice", conversation_id="GROUPUBUNTU", pinned=True, muted=True)],
        ),
    )
    listed = log_in(world, "alice").listed()
    assert listed["C2Cbob"].unread_count == 1
    assert (listed["GROUPUbuntu"].unread_count, listed["GROUPUbuntu"].pinned, listed["GROUPUbuntu"].muted) == (
        0,
        True,
        True,
    )
    assert log_in(world, "carol").listed()["GROUPUbuntu"].unread_count == 1


def test_more_is_added_to_what_is_there(world: World) -> None:
    world.do(import_archive, ARCHIVE)
    counted = world.do(
        import_archive,
        Archive(
            users=[ArchivedUser(user_id="ALICE", nick="other"), ArchivedUser(user_id="dave")],
            groups=[ArchivedGroup(group_id="ubuntu", name="other", members=["dave"], time=1)],
            messages=[message("bob", "alice", "four", 4_000), message("dave", "alice", "hello", 4_500)],
        ),
    )
    assert (counted.users, counted.groups) == (1, 0)
    alice = log_in(world, "alice")
    assert alice.history("C2Cbob") == ["one", "two", "three", "four"]
    assert alice.listed()["C2Cbob"].unread_count == 3
    assert alice.history("C2Cdave") == ["hello"]


def test_what_is_imported_behaves_as_what_was_sent(world: World) -> None:
    world.do(import_archive, ARCHIVE)
    alice, bob = log_in(world, "alice"), log_in(world, "bob")
    batch = alice.delete("C2Cbob").batch_id
    assert alice.history("C2Cbob") == []
    bob.send("C2CAlice", "four")
    assert alice.history("C2Cbob") == ["four"]
    assert alice.listed()["C2Cbob"].unread_count == 1
    alice.undo(batch)
    assert alice.history("C2Cbob") == ["one", "two", "three", "four"]
    assert alice.listed()["C2Cbob"].unread_count == 3
    assert bob.send("GROUPUbuntu").message_seq == 4


def test_mentions_call_those_who_are_there_until_they_have_read(world: World) -> None:
    called = [
        ArchivedMessage(sender="carol", to="Ubuntu", in_group=True, time=1, text="@all", mentions=["ALICE", "alice"]),
        ArchivedMessage(sender="carol", to="Ubuntu", in_group=True, time=2, text="@all", mentions=["bob", "dave"]),
    ]
    world.do(import_archive, ARCHIVE)
    world.do(
        import_archive,
        Archive(
            users=[ArchivedUser(user_id="dave")],
            messages=called,
            reads=[ArchivedRead(user_id="bob", conversation_id="GROUPUbuntu")],
        ),
    )
    alice, bob, dave = (log_in(world, name) for name in ("alice", "bob", "dave"))
    assert alice.get("GROUPUbuntu").mention_count == 1
    assert bob.get("GROUPUbuntu").mention_count == 0
    assert alice.page("GROUPUbuntu").messages[-1].mentions == ["bob", "dave"]
    dave.join_group("Ubuntu")
    assert dave.get("GROUPUbuntu").mention_count == 0


def test_no_events_are_logged(world: World) -> None:
    world.do(import_archive, ARCHIVE)
    assert world.rows("SELECT COUNT(*) FROM event") == [(0,)]
    assert world.emitted == []
    answer = log_in(world, "alice").sync(None)
    assert isinstance(answer.conversations, list)
    assert len(answer.conversations) == 2


def test_without_a_hash_nobody_logs_in(world: World) -> None:
    world.do(import_archive, ARCHIVE)
    assert world.do(accounts.password_of, "bob") is None


@pytest.mark.parametrize(
    ("archive", "error"),
    [
        (Archive(users=[ArchivedUser(user_id="no name")]), InvalidName),
        (Archive(users=PEOPLE, messages=[message("alice", "nobody", "x")]), UserNotFound),
        (Archive(users=PEOPLE, messages=[message("alice", "ALICE", "x")]), InvalidRequest),
        (Archive(users=PEOPLE, messages=[message("alice", "none", "x", in_group=True)]), InvalidRequest),
        (Archive(users=PEOPLE, messages=[message("alice", "bob", "\x1b")]), TextEmpty),
        (Archive(users=PEOPLE, groups=[ArchivedGroup(group_id="g", name="g", members=[], time=1)]), InvalidRequest),
        (Archive(users=PEOPLE, reads=[ArchivedRead(user_id="bob", conversation_id="C2CAlice")]), InvalidRequest),
    ],
)
def test_all_of_it_or_nothing(world: World, archive: Archive, error: type[ChatError]) -> None:
    with pytest.raises(error):
        world.do(import_archive, archive)
    assert world.rows("SELECT COUNT(*) FROM account") == [(0,)]
