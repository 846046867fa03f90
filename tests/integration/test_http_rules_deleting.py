"""The rules of deleting conversations, as protocol.md has them, over HTTP and with two devices."""

from typing import Any

from tests.accounts import Device, Json, People, refusal
from tests.servers import LiveServer


def kinds(events: list[Json]) -> list[str]:
    return [event["kind"] for event in events]


# What is deleted, and whose it is.


def test_by_default_history_goes_with_the_row(alice: Device, bob: Device) -> None:
    bob.send("C2Calice", "old")
    answer = alice.delete("C2Cbob")
    assert answer["conversationIDList"] == ["C2Cbob"]
    assert answer["failures"] == []
    assert answer["undoSeconds"] == 600
    assert answer["synced"] is False
    assert answer["operationID"]
    assert answer["batchID"] == answer["operationID"]
    assert "C2Cbob" not in alice.conversations()
    assert alice.texts("C2Cbob") == []
    bob.send("C2Calice", "new")
    row = alice.conversations()["C2Cbob"]
    assert (row["messageCount"], row["unreadCount"], row["lastMessage"]["text"]) == (1, 1, "new")
    assert alice.texts("C2Cbob") == ["new"]


def test_history_can_be_kept(alice: Device, bob: Device) -> None:
    bob.send("C2Calice", "old")
    alice.delete("C2Cbob", clearHistoryMessage=False)
    assert "C2Cbob" not in alice.conversations()
    assert alice.texts("C2Cbob") == ["old"]
    bob.send("C2Calice", "new")
    row = alice.conversations()["C2Cbob"]
    assert (row["messageCount"], row["unreadCount"]) == (2, 1)
    assert alice.texts("C2Cbob") == ["old", "new"]


def test_a_clear_after_a_deletion_that_kept_history_still_clears(alice: Device, bob: Device) -> None:
    bob.send("C2Calice", "old")
    alice.delete("C2Cbob", clearHistoryMessage=False)
    alice.delete("C2Cbob")
    assert alice.texts("C2Cbob") == []


def test_the_other_side_keeps_everything(alice: Device, bob: Device) -> None:
    bob.send("C2Calice", "mine as well")
    since = bob.cursor()
    alice.delete("C2Cbob")
    assert bob.texts("C2Calice") == ["mine as well"]
    assert bob.conversations()["C2Calice"]["peerReadSeq"] == 0, "a deletion sends no read receipt"
    assert bob.events(since) == []


def test_one_stays_a_member_of_a_group(alice: Device, bob: Device) -> None:
    group = bob.create_group("Team", "alice")["conversationID"]
    bob.send(group, "old")
    alice.delete(group)
    assert group not in alice.conversations()
    bob.send(group, "new")
    assert alice.texts(group) == ["new"]
    assert alice.conversations()[group]["membership"] == "joined"
    assert "old" in bob.texts(group)


def test_a_group_that_one_left_stays_away(alice: Device, bob: Device) -> None:
    group = bob.create_group("Team", "alice", join="free")["conversationID"]
    group_path = f"/v1/groups/{group.removeprefix('GROUP').replace('@', '%40').replace('#', '%23')}"
    bob.send(group, "before")
    alice.post(f"{group_path}/quit")
    row = alice.conversations()[group]
    assert row["membership"] == "left"
    assert "before" in alice.texts(group)
    assert refusal(lambda: alice.send(group, "hello?")).code == "not_a_member"
    alice.delete(group)
    bob.send(group, "after")
    assert group not in alice.conversations()
    assert alice.texts(group) == []
    alice.post(f"{group_path}/join")
    assert group in alice.conversations(), "joining again writes a tip"
    assert "before" not in alice.texts(group)
    assert "after" not in alice.texts(group)


def test_the_systems_conversation_can_be_deleted(alice: Device, bob: Device) -> None:
    bob.create_group("Team", "alice")
    assert alice.conversations()["@TIM#SYSTEM"]["messageCount"] >= 1
    alice.delete("@TIM#SYSTEM")
    assert alice.history("@TIM#SYSTEM") == []


def test_pins_go_and_mutes_stay(alice: Device, bob: Device) -> None:
    bob.send("C2Calice", "hello")
    alice.flags("C2Cbob", pinned=True, muted=True)
    alice.delete("C2Cbob")
    bob.send("C2Calice", "again")
    row = alice.conversations()["C2Cbob"]
    assert (row["pinned"], row["muted"]) == (False, True)


def test_one_unknown_conversation_does_not_stop_the_others(alice: Device, bob: Device) -> None:
    bob.send("C2Calice", "hello")
    answer = alice.delete("C2Cnobody", "C2Cbob", "GROUPnowhere")
    assert answer["conversationIDList"] == ["C2Cbob"]
    assert [(each["conversationID"], each["code"]) for each in answer["failures"]] == [
        ("C2Cnobody", "conversation_not_found"),
        ("GROUPnowhere", "conversation_not_found"),
    ]
    assert all(each["message"] for each in answer["failures"])


def test_a_group_of_others_cannot_be_told_from_none(alice: Device, bob: Device) -> None:
    group = bob.create_group("Secret")["conversationID"]
    failures = alice.delete(group, "GROUP@TGS#NOSUCHGROUP")["failures"]
    assert {each["code"] for each in failures} == {"conversation_not_found"}
    theirs = refusal(lambda: alice.history(group))
    nobodys = refusal(lambda: alice.history("GROUP@TGS#NOSUCHGROUP"))
    assert (theirs.status, theirs.code) == (nobodys.status, nobodys.code)


def test_twice_is_a_success(alice: Device, bob: Device) -> None:
    bob.send("C2Calice", "hello")
    assert alice.delete("C2Cbob", "C2Cbob")["failures"] == []
    again = alice.delete("C2Cbob")
    assert (again["conversationIDList"], again["failures"]) == (["C2Cbob"], [])


def test_names_of_conversations_are_compared_without_case(alice: Device, bob: Device) -> None:
    bob.send("C2Calice", "hello")
    assert alice.delete("C2CBOB")["failures"] == []
    assert "C2Cbob" not in alice.conversations()


def test_what_came_after_the_screen_was_read_is_kept(alice: Device, bob: Device) -> None:
    seen = bob.send("C2Calice", "seen")["messageSeq"]
    bob.send("C2Calice", "while you were deleting")
    alice.delete("C2Cbob", upTo={"C2Cbob": seen})
    assert "C2Cbob" in alice.conversations()
    assert alice.texts("C2Cbob") == ["while you were deleting"]


def test_one_cannot_delete_the_future(alice: Device, bob: Device) -> None:
    bob.send("C2Calice", "now")
    alice.delete("C2Cbob", upTo={"C2Cbob": 10**9})
    bob.send("C2Calice", "later")
    assert alice.texts("C2Cbob") == ["later"]


def test_clearing_alone_leaves_the_row(alice: Device, bob: Device) -> None:
    bob.send("C2Calice", "old")
    alice.flags("C2Cbob", pinned=True)
    alice.clear("C2Cbob")
    row = alice.conversations()["C2Cbob"]
    assert (row["messageCount"], row["unreadCount"], row["lastMessage"], row["pinned"]) == (0, 0, None, True)
    assert alice.texts("C2Cbob") == []


# A retry.


def test_a_retry_gets_the_first_answer(alice: Device, bob: Device) -> None:
    bob.send("C2Calice", "one")
    first = alice.delete("C2Cbob", operationID="op-1")
    bob.send("C2Calice", "two")
    again = alice.delete("C2Cbob", operationID="op-1")
    assert again == first
    assert alice.texts("C2Cbob") == ["two"], "a retry deletes nothing more"


def test_another_call_under_the_same_operation_is_refused(alice: Device, bob: Device) -> None:
    bob.send("C2Calice", "one")
    alice.delete("C2Cbob", operationID="op-1")
    refused = refusal(lambda: alice.delete("C2Cbob", clearHistoryMessage=False, operationID="op-1"))
    assert (refused.status, refused.code) == (409, "operation_reused")
    refused = refusal(lambda: alice.clear("C2Cbob", operationID="op-1"))
    assert refused.code == "operation_reused"


def test_operations_of_two_users_do_not_meet(alice: Device, bob: Device) -> None:
    bob.send("C2Calice", "one")
    alice.delete("C2Cbob", operationID="op-1")
    assert bob.delete("C2Calice", operationID="op-1")["conversationIDList"] == ["C2Calice"]


def test_a_retried_message_is_sent_once(alice: Device, bob: Device) -> None:
    first = alice.send("C2Cbob", "hello", "c1")
    assert alice.send("C2Cbob", "hello", "c1") == first
    assert refusal(lambda: alice.send("C2Cbob", "other", "c1")).code == "client_id_reused"
    assert bob.texts("C2Calice") == ["hello"]


# Across clients, sync off: the others are not told.


def test_off_the_other_device_is_not_told(alice: Device, phone: Device, bob: Device) -> None:
    bob.send("C2Calice", "hello")
    alice.flags("C2Cbob", pinned=True)
    since = phone.cursor()
    with alice.stream(since) as here, phone.stream(since) as there:
        answer = alice.delete("C2Cbob")
        assert answer["synced"] is False
        event = here.event("conversation.deleted")
        assert event["eventSeq"] == answer["eventSeq"]
        assert event["items"] == [
            {"conversationID": "C2Cbob", "hiddenThrough": 1, "clearedThrough": 1},
        ]
        assert event["device"] == {"deviceID": alice.device_id, "name": "laptop"}
        assert (event["batchID"], event["undoSeconds"]) == (answer["batchID"], 600)
        assert there.until(answer["eventSeq"]) == [], "its range closes without content"


def test_off_an_offline_device_is_not_told_either(alice: Device, phone: Device, bob: Device) -> None:
    bob.send("C2Calice", "hello")
    since = phone.cursor()
    answer = alice.delete("C2Cbob")
    caught_up = phone.sync(since)
    assert (caught_up["events"], caught_up["to"]) == ([], answer["eventSeq"])
    assert kinds(alice.events(since)) == ["conversation.deleted"]


def test_off_no_later_event_gives_the_deletion_away_before_the_conversation_speaks(
    alice: Device, phone: Device, bob: Device, carol: Device
) -> None:
    bob.send("C2Calice", "hello")
    since = phone.cursor()
    alice.delete("C2Cbob")
    carol.send("C2Calice", "something else")
    assert [event["message"]["text"] for event in phone.events(since)] == ["something else"]


def test_off_a_new_name_of_the_other_side_gives_nothing_away(alice: Device, phone: Device, bob: Device) -> None:
    bob.send("C2Calice", "hello")
    alice.delete("C2Cbob")
    since = phone.cursor()
    bob.patch("/v1/me", {"nick": "Robert"})
    (event,) = phone.events(since)
    assert (event["kind"], event["user"]) == ("user.changed", {"userID": "bob", "nick": "Robert"})
    assert "Through" not in str(event)


def test_off_the_device_learns_it_when_the_conversation_speaks_again(alice: Device, phone: Device, bob: Device) -> None:
    bob.send("C2Calice", "old")
    since = phone.cursor()
    alice.delete("C2Cbob")
    page = phone.get("/v1/conversations/C2Cbob/messages")
    assert (page["messages"], page["clearedThrough"], page["hiddenThrough"]) == ([], 1, 1)
    bob.send("C2Calice", "new")
    (event,) = phone.events(since)
    assert event["conversation"]["clearedThrough"] == 1
    assert event["conversation"]["messageCount"] == 1


def test_off_a_snapshot_is_the_truth(alice: Device, phone: Device, bob: Device) -> None:
    bob.send("C2Calice", "old")
    alice.delete("C2Cbob")
    assert "C2Cbob" not in {each["conversationID"] for each in phone.get("/v1/sync")["conversations"]}


# Sync on: told at once, or when they come back.


def test_on_the_other_device_is_told_at_once(
    server: LiveServer, alice: Device, phone: Device, bob: Device, carol: Device
) -> None:
    server.change_settings(sync_conversation_deletion=True)
    bob.send("C2Calice", "hello")
    carol.send("C2Calice", "hello")
    since = phone.cursor()
    with phone.stream(since) as there:
        answer = alice.delete("C2Cbob", "C2Ccarol")
        assert answer["synced"] is True
        event = there.event("conversation.deleted")
        assert event["eventSeq"] == answer["eventSeq"]
        assert {item["conversationID"] for item in event["items"]} == {"C2Cbob", "C2Ccarol"}
        assert event["clearHistoryMessage"] is True
        assert event["device"]["name"] == "laptop"


def test_on_an_offline_device_is_told_when_it_comes_back(
    server: LiveServer, alice: Device, phone: Device, bob: Device
) -> None:
    server.change_settings(sync_conversation_deletion=True)
    bob.send("C2Calice", "hello")
    since = phone.cursor()
    alice.delete("C2Cbob", clearHistoryMessage=False)
    (event,) = phone.events(since)
    assert event["kind"] == "conversation.deleted"
    assert event["clearHistoryMessage"] is False
    assert event["items"] == [{"conversationID": "C2Cbob", "hiddenThrough": 1, "clearedThrough": 0}]


def test_on_what_moved_nothing_is_told_to_the_caller_alone(
    server: LiveServer, alice: Device, phone: Device, bob: Device
) -> None:
    server.change_settings(sync_conversation_deletion=True)
    bob.send("C2Calice", "hello")
    alice.delete("C2Cbob")
    since = phone.cursor()
    answer = phone.delete("C2Cbob")
    assert kinds(phone.events(since)) == ["conversation.deleted"], "its row may still stand there"
    assert alice.events(since) == []
    assert alice.cursor().endswith(f":{answer['eventSeq']}")


def test_switching_on_does_not_work_backwards(server: LiveServer, alice: Device, phone: Device, bob: Device) -> None:
    bob.send("C2Calice", "hello")
    since = phone.cursor()
    alice.delete("C2Cbob")
    server.change_settings(sync_conversation_deletion=True)
    assert phone.events(since) == []


def test_flags_reads_and_clears_follow_every_client_always(alice: Device, phone: Device, bob: Device) -> None:
    seq = bob.send("C2Calice", "hello")["messageSeq"]
    since = phone.cursor()
    alice.flags("C2Cbob", pinned=True)
    alice.read("C2Cbob", seq)
    alice.clear("C2Cbob")
    events = phone.events(since)
    assert kinds(events) == ["conversation.changed", "conversation.read", "conversation.cleared"]
    assert events[0]["conversations"][0]["pinned"] is True
    assert events[1]["items"][0]["readSeq"] == seq
    assert events[2]["items"][0]["clearedThrough"] == seq
    assert events[2]["clearHistoryMessage"] is True


def test_a_cleared_message_is_not_told_to_who_comes_back_later(
    server: LiveServer, alice: Device, phone: Device, bob: Device
) -> None:
    server.change_settings(sync_conversation_deletion=True)
    since = phone.cursor()
    bob.send("C2Calice", "secret")
    alice.delete("C2Cbob")
    assert "secret" not in str(phone.sync(since))
    assert kinds(phone.events(since))[-1] == "conversation.deleted"


def test_unread_counts_are_arithmetic(alice: Device, bob: Device) -> None:
    for number in range(3):
        bob.send("C2Calice", str(number))
    assert alice.conversations()["C2Cbob"]["unreadCount"] == 3
    alice.read("C2Cbob", 2)
    assert alice.conversations()["C2Cbob"]["unreadCount"] == 1
    alice.delete("C2Cbob", clearHistoryMessage=False)
    bob.send("C2Calice", "3")
    row = alice.conversations()["C2Cbob"]
    assert (row["unreadCount"], row["messageCount"], row["readSeq"]) == (1, 4, 2)


def test_a_hundred_at_once_are_one_event(alice: Device, people: People, bob: Device) -> None:
    groups = [bob.create_group(f"G{number}", "alice")["conversationID"] for number in range(100)]
    since = alice.cursor()
    answer: dict[str, Any] = alice.delete(*groups)
    assert (len(answer["conversationIDList"]), answer["failures"]) == (100, [])
    events = alice.events(since)
    assert sum(len(event["items"]) for event in events) == 100
    assert len(str(events)) < 64 * 1024
    assert set(alice.conversations()) == {"@TIM#SYSTEM"}
