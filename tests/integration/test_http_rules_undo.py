"""Undo, its end, and the log of deletions, over HTTP."""

import pytest

from tests.accounts import Device, refusal
from tests.servers import LiveServer


@pytest.fixture
def bob(bob: Device) -> Device:
    """Who has written to alice already."""
    bob.send("C2Calice", "old")
    return bob


@pytest.fixture
def carol(carol: Device) -> Device:
    """Who has written to alice already."""
    carol.send("C2Calice", "old")
    return carol


def test_what_was_deleted_comes_back_as_it_was(alice: Device, bob: Device) -> None:
    alice.flags("C2Cbob", pinned=True, muted=True)
    before = alice.conversations()["C2Cbob"]
    deleted = alice.delete("C2Cbob")
    restored = alice.restore(batchID=deleted["batchID"])
    assert restored["conversationIDList"] == ["C2Cbob"]
    assert alice.conversations()["C2Cbob"] == before
    assert alice.texts("C2Cbob") == ["old"]


def test_any_device_can_undo_and_every_device_is_told(alice: Device, phone: Device, bob: Device) -> None:
    deleted = alice.delete("C2Cbob")
    since = alice.cursor()
    phone.restore(batchID=deleted["batchID"])
    for device in (alice, phone):
        (event,) = device.events(since)
        assert event["kind"] == "conversation.restored"
        assert event["conversations"][0]["conversationID"] == "C2Cbob"
        assert event["device"]["name"] == "phone"
        assert event["batchID"] == deleted["batchID"]


def test_twice_gets_the_same_answer(alice: Device, bob: Device) -> None:
    deleted = alice.delete("C2Cbob")
    assert alice.restore(batchID=deleted["batchID"]) == alice.restore(batchID=deleted["batchID"])


def test_unknown_and_others_deletions_cannot_be_undone(alice: Device, bob: Device) -> None:
    deleted = alice.delete("C2Cbob")
    assert refusal(lambda: alice.restore(batchID="unknown")).code == "operation_not_found"
    assert refusal(lambda: bob.restore(batchID=deleted["batchID"])).code == "operation_not_found"
    assert refusal(lambda: alice.post("/v1/conversations/restore", {})).status == 400


def test_it_can_be_too_late(server: LiveServer, alice: Device, bob: Device) -> None:
    deleted = alice.delete("C2Cbob")
    server.clock.advance(599)
    alice.restore(batchID=deleted["batchID"])
    deleted = alice.delete("C2Cbob")
    server.clock.advance(601)
    refused = refusal(lambda: alice.restore(batchID=deleted["batchID"]))
    assert (refused.status, refused.code) == (410, "undo_expired")
    assert alice.texts("C2Cbob") == []


def test_the_time_to_undo_is_a_setting(server: LiveServer, alice: Device, bob: Device, carol: Device) -> None:
    server.change_settings(undo_seconds=0)
    deleted = alice.delete("C2Cbob")
    assert deleted["undoSeconds"] == 0
    assert refusal(lambda: alice.restore(batchID=deleted["batchID"])).code == "undo_expired"
    server.change_settings(undo_seconds=86_400)
    deleted = alice.delete("C2Ccarol")
    server.clock.advance(86_000)
    fresh = alice.http.post("/v1/token/refresh", json={"refreshToken": alice.refresh_token}).json()
    alice.access_token = fresh["accessToken"]
    assert alice.restore(batchID=deleted["batchID"])["conversationIDList"] == ["C2Ccarol"]


def test_a_batch_is_undone_as_one(alice: Device, bob: Device, carol: Device) -> None:
    first = alice.delete("C2Cbob", batchID="b1", operationID="o1")
    alice.delete("C2Ccarol", batchID="b1", operationID="o2")
    assert first["batchID"] == "b1"
    restored = alice.restore(batchID="b1")
    assert set(restored["conversationIDList"]) == {"C2Cbob", "C2Ccarol"}
    assert set(alice.conversations()) >= {"C2Cbob", "C2Ccarol"}


def test_one_call_of_a_batch_can_be_undone(alice: Device, bob: Device, carol: Device) -> None:
    alice.delete("C2Cbob", batchID="b1", operationID="o1")
    alice.delete("C2Ccarol", batchID="b1", operationID="o2")
    alice.restore(operationID="o1")
    assert "C2Cbob" in alice.conversations()
    assert "C2Ccarol" not in alice.conversations()


def test_a_call_of_a_batch_that_was_undone_comes_too_late(alice: Device, bob: Device, carol: Device) -> None:
    alice.delete("C2Cbob", batchID="b1", operationID="o1")
    alice.restore(batchID="b1")
    refused = refusal(lambda: alice.delete("C2Ccarol", batchID="b1", operationID="o2"))
    assert (refused.status, refused.code) == (409, "batch_undone")
    assert "C2Ccarol" in alice.conversations()


def test_undoing_one_leaves_what_another_did(alice: Device, bob: Device) -> None:
    kept = alice.delete("C2Cbob", clearHistoryMessage=False)
    bob.send("C2Calice", "new")
    cleared = alice.delete("C2Cbob")
    alice.restore(batchID=kept["batchID"])
    assert "C2Cbob" not in alice.conversations()
    assert alice.texts("C2Cbob") == []
    alice.restore(batchID=cleared["batchID"])
    assert alice.texts("C2Cbob") == ["old", "new"]


def test_in_the_other_order_it_is_the_same(alice: Device, bob: Device) -> None:
    kept = alice.delete("C2Cbob", clearHistoryMessage=False)
    bob.send("C2Calice", "new")
    cleared = alice.delete("C2Cbob")
    alice.restore(batchID=cleared["batchID"])
    assert alice.texts("C2Cbob") == ["old", "new"]
    assert "C2Cbob" in alice.conversations(), "the new message stands above the first deletion"
    alice.restore(batchID=kept["batchID"])
    assert alice.conversations()["C2Cbob"]["hiddenThrough"] == 0


def test_messages_that_came_meanwhile_stay(alice: Device, bob: Device) -> None:
    deleted = alice.delete("C2Cbob")
    bob.send("C2Calice", "meanwhile")
    alice.restore(batchID=deleted["batchID"])
    assert alice.texts("C2Cbob") == ["old", "meanwhile"]
    assert alice.conversations()["C2Cbob"]["unreadCount"] == 2


def test_a_pin_does_not_come_back_over_a_later_choice(alice: Device, bob: Device) -> None:
    alice.flags("C2Cbob", pinned=True)
    deleted = alice.delete("C2Cbob")
    bob.send("C2Calice", "new")
    alice.flags("C2Cbob", pinned=True)
    alice.flags("C2Cbob", pinned=False)
    alice.restore(batchID=deleted["batchID"])
    assert alice.conversations()["C2Cbob"]["pinned"] is False


def test_clearing_can_be_undone_too(alice: Device, bob: Device) -> None:
    cleared = alice.clear("C2Cbob")
    alice.restore(batchID=cleared["batchID"])
    assert alice.texts("C2Cbob") == ["old"]


def test_off_a_restore_is_sent_to_devices_that_never_lost_the_row(alice: Device, phone: Device, bob: Device) -> None:
    since = phone.cursor()
    deleted = alice.delete("C2Cbob")
    alice.restore(batchID=deleted["batchID"])
    (event,) = phone.events(since)
    assert event["kind"] == "conversation.restored"


def test_expiry_makes_it_final_and_the_body_goes(server: LiveServer, alice: Device, bob: Device) -> None:
    secret = "the-secret-word"
    bob.send("C2Calice", secret)
    alice.delete("C2Cbob")
    bob.delete("C2Calice")
    server.clock.advance(601)
    server.tidy()
    bodies = server.read(lambda tx: tx.all("SELECT * FROM message"))
    assert secret not in str(bodies)
    bob.send("C2Calice", "new")
    assert alice.texts("C2Cbob") == ["new"]
    assert alice.conversations()["C2Cbob"]["messageCount"] == 1


def test_a_body_stays_while_one_side_can_see_it(server: LiveServer, alice: Device, bob: Device) -> None:
    alice.delete("C2Cbob")
    server.clock.advance(601)
    server.tidy()
    assert bob.texts("C2Calice") == ["old"]


def test_the_log_of_deletions(server: LiveServer, alice: Device, phone: Device, bob: Device, carol: Device) -> None:
    alice.delete("C2Cbob", batchID="b1")
    server.clock.advance(60)
    phone.delete("C2Ccarol", clearHistoryMessage=False, batchID="b2")
    newest, oldest = phone.get("/v1/conversations/deletions")["deletions"]
    assert (newest["batchID"], newest["device"]["name"], newest["clearHistoryMessage"]) == ("b2", "phone", False)
    assert (oldest["batchID"], oldest["device"]["name"], oldest["clearHistoryMessage"]) == ("b1", "laptop", True)
    assert (oldest["count"], oldest["conversationIDList"]) == (1, ["C2Cbob"])
    assert 530 < oldest["undoSeconds"] <= 540
    server.clock.advance(600)
    final = phone.get("/v1/conversations/deletions")["deletions"][1]
    assert (final["undoSeconds"], final["count"], final["conversationIDList"]) == (0, 1, [])
    assert bob.get("/v1/conversations/deletions")["deletions"] == []


def test_erase_now_ends_the_time_at_once(alice: Device, bob: Device) -> None:
    alice.delete("C2Cbob", batchID="b1")
    assert refusal(lambda: bob.remove("/v1/conversations/deletions/b1")).code == "operation_not_found"
    alice.remove("/v1/conversations/deletions/b1")
    assert refusal(lambda: alice.restore(batchID="b1")).code == "undo_expired"
    (entry,) = alice.get("/v1/conversations/deletions")["deletions"]
    assert (entry["undoSeconds"], entry["conversationIDList"]) == (0, [])
    assert refusal(lambda: alice.remove("/v1/conversations/deletions/unknown")).code == "operation_not_found"
