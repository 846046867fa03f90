"""Deleting conversations: whose history, what comes back, what is refused, what an answer says."""

from typing import Any

import msgspec
import pytest

from tui_chat.protocol.errors import (
    ConversationNotFound,
    InvalidConversation,
    InvalidRequest,
    OperationReused,
    TooManyConversations,
)
from tui_chat.protocol.events import ConversationCleared, ConversationDeleted
from tui_chat.protocol.ids import SYSTEM
from tui_chat.protocol.requests import DeleteConversations
from tui_chat.server.engines.postgres_transaction import PostgresTransaction
from tui_chat.server.engines.sqlite_transaction import SqliteTransaction
from tui_chat.server.operations import deletion

from .world import Device, World


def test_clears_history_by_default_and_for_the_caller_alone(alice: Device, bob: Device) -> None:
    for number in range(3):
        alice.send("C2Cbob", f"message {number}")
    answer = bob.delete("C2CAlice")
    assert answer.conversation_id_list == ["C2CAlice"]
    assert answer.failures == []
    assert bob.listed() == {}
    assert bob.history("C2CAlice") == []
    assert bob.get("C2CAlice").message_count == 0
    assert alice.history("C2Cbob") == ["message 0", "message 1", "message 2"]
    assert alice.listed()["C2Cbob"].message_count == 3


def test_keeps_history_when_asked_to(alice: Device, bob: Device) -> None:
    alice.send("C2Cbob", "old")
    bob.delete("C2CAlice", clear=False)
    assert bob.listed() == {}
    assert bob.history("C2CAlice") == ["old"]
    alice.send("C2Cbob", "new")
    assert bob.history("C2CAlice") == ["old", "new"]
    assert bob.listed()["C2CAlice"].message_count == 2


def test_a_later_message_brings_a_cleared_one_back_with_what_is_newer_alone(alice: Device, bob: Device) -> None:
    alice.send("C2Cbob", "old")
    bob.delete("C2CAlice")
    alice.send("C2Cbob", "new")
    assert bob.history("C2CAlice") == ["new"]
    shown = bob.listed()["C2CAlice"]
    assert (shown.message_count, shown.unread_count, shown.first_seq) == (1, 1, 2)
    assert shown.last_message is not None
    assert shown.last_message.text == "new"


def test_ones_own_message_brings_it_back_too(alice: Device, bob: Device) -> None:
    alice.send("C2Cbob", "old")
    bob.delete("C2CAlice")
    bob.send("C2CAlice", "mine")
    assert bob.history("C2CAlice") == ["mine"]
    assert bob.listed()["C2CAlice"].unread_count == 0


def test_what_came_after_the_person_confirmed_is_kept(alice: Device, bob: Device) -> None:
    alice.send("C2Cbob", "seen")
    seen = bob.get("C2CAlice").newest_seq
    alice.send("C2Cbob", "wrote while you were deleting")
    answer = bob.delete("C2CAlice", up_to={"C2CALICE": seen})
    assert answer.conversation_id_list == ["C2CAlice"]
    shown = bob.listed()["C2CAlice"]
    assert (shown.hidden_through, shown.cleared_through) == (seen, seen)
    assert bob.history("C2CAlice") == ["wrote while you were deleting"]
    assert shown.unread_count == 1


def test_up_to_beyond_the_newest_message_is_the_newest(alice: Device, bob: Device) -> None:
    alice.send("C2Cbob")
    bob.delete("C2CAlice", up_to={"C2CAlice": 1_000_000})
    assert bob.get("C2CAlice").hidden_through == 1
    alice.send("C2Cbob", "still arrives")
    assert bob.history("C2CAlice") == ["still arrives"]


@pytest.mark.parametrize("backwards", [False, True])
def test_each_bound_is_for_its_own(
    world: World, alice: Device, bob: Device, monkeypatch: pytest.MonkeyPatch, backwards: bool
) -> None:
    """Whichever of them there are, and in whatever order the database finds them."""
    for name in ("carol", "dave"):
        one = world.join(name)
        for _ in range(4):
            one.send("C2Cbob")
    alice.send("C2Cbob")
    if backwards:
        columns = type(world.store.begin(world.now)).columns
        world.store.rollback()

        def turned_round(*arguments: Any) -> list[list[Any]]:
            return [column[::-1] for column in columns(*arguments)]

        for transaction in (SqliteTransaction, PostgresTransaction):
            monkeypatch.setattr(transaction, "columns", turned_round)
    bounds = {"C2Cnobody": 9, "C2Cdave": 3, "C2CAlice": 1, "C2CCAROL": 2}
    answer = bob.delete(*bounds, up_to=bounds)
    assert answer.conversation_id_list == ["C2Cdave", "C2CAlice", "C2Ccarol"]
    assert [failure.conversation_id for failure in answer.failures] == ["C2Cnobody"]
    assert {name: bob.get(name).hidden_through for name in answer.conversation_id_list} == {
        "C2Cdave": 3,
        "C2CAlice": 1,
        "C2Ccarol": 2,
    }
    assert bob.listed().keys() == {"C2Cdave", "C2Ccarol"}
    bob.delete("C2CCAROL", "C2Cnobody", "C2Cdave", up_to={"C2Cdave": 4})
    assert bob.listed() == {}


def test_watermarks_never_go_down(alice: Device, bob: Device) -> None:
    for _ in range(3):
        alice.send("C2Cbob")
    bob.delete("C2CAlice")
    bob.delete("C2CAlice", up_to={"C2CAlice": 1})
    assert bob.get("C2CAlice").hidden_through == 3
    assert bob.get("C2CAlice").cleared_through == 3


def test_a_clear_after_a_deletion_that_kept_history_still_clears(alice: Device, bob: Device) -> None:
    alice.send("C2Cbob")
    bob.delete("C2CAlice", clear=False)
    bob.delete("C2CAlice", clear=True)
    assert bob.history("C2CAlice") == []


def test_deleting_again_and_naming_one_twice_succeeds(alice: Device, bob: Device) -> None:
    alice.send("C2Cbob")
    answer = bob.delete("C2CAlice", "C2CALICE", "C2Calice")
    assert answer.conversation_id_list == ["C2CAlice"]
    again = bob.delete("C2CAlice")
    assert again.conversation_id_list == ["C2CAlice"]
    assert again.failures == []


def test_of_several_spellings_the_first_is_answered_and_stands_where_it_stood(alice: Device, bob: Device) -> None:
    alice.send("C2Cbob")
    answer = bob.delete("C2CNoBody", "C2Calice", "C2Cnobody", "C2CALICE", "C2Cnone")
    assert answer.conversation_id_list == ["C2CAlice"]
    assert [one.conversation_id for one in answer.failures] == ["C2CNoBody", "C2Cnone"]


def test_an_unknown_one_fails_and_the_others_go(alice: Device, bob: Device, carol: Device) -> None:
    alice.send("C2Cbob")
    answer = bob.delete("C2Cnobody", "C2CAlice", "C2Ccarol", "GROUPnone")
    assert answer.conversation_id_list == ["C2CAlice"]
    assert [(one.conversation_id, one.code) for one in answer.failures] == [
        ("C2Cnobody", "conversation_not_found"),
        ("C2Ccarol", "conversation_not_found"),
        ("GROUPnone", "conversation_not_found"),
    ]


def test_when_all_fail_nothing_is_logged_and_nobody_told(alice: Device, bob: Device) -> None:
    answer = bob.delete("C2CAlice")
    assert answer.conversation_id_list == []
    assert answer.event_seq == 0
    assert bob.told() == []
    assert bob.deletions() == []


def test_over_a_hundred_are_refused_whole_before_anything_else(alice: Device, bob: Device) -> None:
    alice.send("C2Cbob")
    with pytest.raises(TooManyConversations):
        bob.delete("C2CAlice", *["no conversation at all"] * 100)
    assert "C2CAlice" in bob.listed()


def test_a_hundred_go_in_one_call(world: World, alice: Device) -> None:
    people = [world.join(f"user{number}") for number in range(100)]
    for one in people:
        one.send("C2CAlice")
    answer = alice.delete(*(f"C2C{one.id}" for one in people))
    assert len(answer.conversation_id_list) == 100
    assert alice.listed() == {}


@pytest.mark.parametrize(
    ("ids", "error"),
    [
        ([], InvalidRequest),
        (["C2CAlice", "bob"], InvalidConversation),
        (["C2CAlice", "C2C"], InvalidConversation),
        (["C2CAlice", "C2Cb ob"], InvalidConversation),
        (["C2CAlice", "@TIM#system"], InvalidConversation),
        (["C2CAlice", "C2CBOB"], InvalidConversation),
    ],
)
def test_a_faulty_list_is_refused_whole(alice: Device, bob: Device, ids: list[str], error: type[Exception]) -> None:
    alice.send("C2Cbob")
    with pytest.raises(error) as caught:
        bob.delete(*ids)
    if ids:
        assert getattr(caught.value, "details")["path"] == "$.conversationIDList[1]"  # noqa: B009
    assert "C2CAlice" in bob.listed()


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"up_to": {"C2CAlice": -1}}, InvalidRequest),
        ({"up_to": {"Alice": 1}}, InvalidRequest),
        ({"up_to": {"C2Calice": 1, "C2Calicia": 1}}, InvalidRequest),
        ({"batch_id": "a b"}, InvalidRequest),
        ({"operation_id": "a b"}, InvalidRequest),
    ],
)
def test_faulty_particulars_are_refused_whole(
    alice: Device, bob: Device, more: dict[str, Any], error: type[Exception]
) -> None:
    alice.send("C2Cbob")
    with pytest.raises(error):
        bob.delete("C2CAlice", **more)
    assert "C2CAlice" in bob.listed()


def test_a_bound_for_what_is_not_in_the_list_is_refused_by_name(alice: Device, bob: Device, carol: Device) -> None:
    alice.send("C2Cbob")
    carol.send("C2Cbob")
    for delete in (bob.delete, bob.clear):
        with pytest.raises(InvalidRequest) as refused:
            delete("C2CAlice", up_to={"C2CALICE": 1, "C2Ccarol": 1})
        assert (refused.value.code, refused.value.details) == ("invalid_request", {"path": '$.upTo["C2Ccarol"]'})
    assert set(bob.listed()) == {"C2CAlice", "C2Ccarol"}
    assert bob.delete("C2CAlice", up_to={"C2CALICE": 1}).conversation_id_list == ["C2CAlice"]


def test_a_request_is_looked_over_before_it_holds_up_the_writer(alice: Device) -> None:
    many = {f"C2Cuser{number}": 1 for number in range(50_000)}
    with pytest.raises(InvalidRequest):
        deletion.in_order(alice.caller, DeleteConversations(conversation_id_list=["C2Cbob"], up_to=many))


def test_a_deletion_sends_no_read_receipt(alice: Device, bob: Device) -> None:
    alice.send("C2Cbob")
    alice.told()
    bob.delete("C2CAlice")
    assert alice.told() == []
    assert alice.get("C2Cbob").peer_read_seq == 0
    assert bob.get("C2CAlice").read_seq == 0


def test_unpins_and_keeps_mute_and_the_unread_mark(alice: Device, bob: Device) -> None:
    alice.send("C2Cbob")
    bob.flags("C2CAlice", pinned=True, muted=True, marked_unread=True)
    bob.delete("C2CAlice")
    shown = bob.get("C2CAlice")
    assert (shown.pinned, shown.muted, shown.marked_unread) == (False, True, True)


def test_the_systems_conversation_goes_and_comes_back_with_a_notice(alice: Device, bob: Device) -> None:
    alice.create("one", "bob")
    assert bob.delete(SYSTEM).conversation_id_list == [SYSTEM]
    assert SYSTEM not in bob.listed()
    assert bob.history(SYSTEM) == []
    alice.create("two", "bob")
    assert bob.listed()[SYSTEM].unread_count == 1
    assert len(bob.history(SYSTEM)) == 1


def test_the_systems_conversation_exists_before_any_notice(alice: Device) -> None:
    assert alice.delete(SYSTEM).conversation_id_list == [SYSTEM]
    assert alice.listed() == {}


def test_a_retry_gets_the_first_answer(alice: Device, bob: Device) -> None:
    alice.send("C2Cbob")
    first = bob.delete("C2CAlice", operation_id="op1")
    alice.send("C2Cbob", "newer")
    bob.told()
    assert bob.delete("C2CAlice", operation_id="op1") == first
    assert bob.history("C2CAlice") == ["newer"]
    assert bob.told() == []
    assert len(bob.deletions()) == 1


def test_a_retry_names_what_the_first_call_took(world: World, alice: Device, bob: Device, carol: Device) -> None:
    for one in (alice, carol):
        one.send("C2Cbob")
    asked = ("C2Cdave", "C2CALICE", "C2CCarol", "C2CAlice")
    first = bob.delete(*asked, operation_id="op1")
    assert first.conversation_id_list == ["C2CAlice", "C2Ccarol"]
    assert [failure.conversation_id for failure in first.failures] == ["C2Cdave"]
    nothing = bob.delete("C2Cdave", operation_id="op2")
    world.join("dave").send("C2Cbob")
    assert bob.delete(*asked, operation_id="op1") == first
    assert bob.delete("C2Cdave", operation_id="op2") == nothing
    assert nothing.conversation_id_list == []
    whole = msgspec.json.encode(first).decode()  # as it was kept once
    world.change("UPDATE answered SET answer = ? WHERE operation_id = 'op1'", whole)
    assert bob.delete(*asked, operation_id="op1") == first


def test_an_operation_id_stands_for_one_call(alice: Device, bob: Device) -> None:
    alice.send("C2Cbob")
    bob.delete("C2CAlice", operation_id="op1")
    with pytest.raises(OperationReused):
        bob.delete("C2CAlice", operation_id="op1", clear=False)
    with pytest.raises(OperationReused):
        bob.clear("C2CAlice", operation_id="op1")
    assert alice.delete("C2Cbob", operation_id="op1").conversation_id_list == ["C2Cbob"]


def test_bounds_are_the_same_in_any_order(world: World, alice: Device, bob: Device) -> None:
    for name in ("carol", "dave"):
        world.join(name).send("C2Cbob")
    alice.send("C2Cbob")
    names = ["C2CAlice", "C2Ccarol", "C2CDAVE", "C2Cdave"]
    bounds = dict.fromkeys(("C2CAlice", "C2Ccarol", "C2Cdave"), 1)
    first = bob.delete(*names, up_to=bounds, operation_id="op1")
    assert first.conversation_id_list == ["C2CAlice", "C2Ccarol", "C2Cdave"]
    other_way_round = dict(reversed(bounds.items()))
    assert bob.delete(*names, up_to=other_way_round, operation_id="op1") == first
    for others in (bounds | {"C2Ccarol": 0}, {"C2CAlice": 1}, bounds | {"C2CALICE": 1}, None):
        with pytest.raises(OperationReused):
            bob.delete(*names, up_to=others, operation_id="op1")


def test_an_id_that_the_server_made_is_not_free_for_another_call(alice: Device, bob: Device) -> None:
    alice.send("C2Cbob")
    made = bob.delete("C2CAlice").operation_id
    with pytest.raises(OperationReused):
        bob.delete("C2CAlice", operation_id=made)


def test_clearing_leaves_the_row(alice: Device, bob: Device) -> None:
    alice.send("C2Cbob", "old")
    bob.flags("C2CAlice", pinned=True)
    bob.told()
    bob.clear("C2CAlice")
    shown = bob.listed()["C2CAlice"]
    assert (shown.message_count, shown.unread_count, shown.last_message) == (0, 0, None)
    assert shown.pinned
    assert shown.time > 0
    [event] = bob.told()
    assert isinstance(event, ConversationCleared)
    assert event.items[0].cleared_through == 1
    assert event.items[0].hidden_through == 0


def test_the_event_says_who_and_what(alice: Device, bob: Device) -> None:
    alice.send("C2Cbob")
    bob.told()
    answer = bob.delete("C2CAlice", clear=False, operation_id="op", batch_id="batch")
    [event] = bob.told()
    assert isinstance(event, ConversationDeleted)
    assert event.event_seq == answer.event_seq
    assert (event.operation_id, event.batch_id, event.undo_seconds) == ("op", "batch", 600)
    assert (event.device.device_id, event.device.name) == (bob.caller.device_id, "laptop")
    assert not event.clear_history_message
    assert [(one.conversation_id, one.hidden_through, one.cleared_through) for one in event.items] == [
        ("C2CAlice", 1, 0)
    ]


def test_get_knows_deleted_ones_and_not_others(alice: Device, bob: Device, carol: Device) -> None:
    alice.send("C2Cbob")
    bob.delete("C2CAlice")
    assert bob.get("C2CALICE").conversation_id == "C2CAlice"
    with pytest.raises(ConversationNotFound):
        bob.get("C2Ccarol")
