"""Editing, recalling, reacting, reading receipts and search over HTTP and the socket, as another client would do it."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from urllib.parse import quote

import pytest

from tests.accounts import Device, Json, People, answer_of, path_of, refusal
from tests.servers import LiveServer
from tui_chat.protocol import limits


def message_path(conversation_id: str, seq: int | str) -> str:
    return f"{path_of(conversation_id)}/messages/{seq}"


def edit(device: Device, conversation_id: str, seq: int, text: str, **more: Any) -> Json:
    answer: Json = device.patch(message_path(conversation_id, seq), {"text": text, **more})
    return answer


def recall(device: Device, conversation_id: str, seq: int, **more: Any) -> Json:
    answer: Json = device.remove(message_path(conversation_id, seq), **more)
    return answer


def react(device: Device, conversation_id: str, seq: int, emoji: str, method: str = "PUT") -> Json:
    path = f"{message_path(conversation_id, seq)}/reactions/{quote(emoji)}"
    answer: Json = answer_of(device.request(method, path))
    return answer


def test_every_device_of_both_is_told_live(people: People, alice: Device, bob: Device) -> None:
    phone = people.login("bob")
    seq = alice.send("C2Cbob", "helo")["messageSeq"]
    since = bob.cursor()
    with bob.stream(since) as laptop_stream, phone.stream(since) as phone_stream:
        edited = edit(alice, "C2Cbob", seq, "hello", mentions=["bob"])
        react(bob, "C2Calice", seq, "👍🏽")
        recalled = recall(alice, "C2Cbob", seq)
        for stream in (laptop_stream, phone_stream):
            first, second, third = (stream.event("message.changed") for _ in range(3))
            assert (first["message"]["text"], first["message"]["version"]) == ("hello", 2)
            assert (first["conversation"]["mentionCount"], first["conversation"]["unreadCount"]) == (1, 1)
            assert first["message"]["conversationID"] == first["conversation"]["conversationID"] == "C2Calice"
            assert second["message"]["reactions"] == {"👍🏽": {"count": 1, "userIDList": ["bob"], "mine": True}}
            assert (third["message"]["text"], third["message"]["recalled"]) == ("", True)
            assert third["conversation"]["mentionCount"] == 0
            assert third["conversation"]["lastMessage"]["recalled"] is True
    assert edited["message"]["editedAt"] is not None
    assert edited["eventSeq"] < recalled["eventSeq"]
    assert alice.history("C2Cbob") == [recalled["message"]]


def test_who_was_away_hears_of_it_as_it_stands(alice: Device, bob: Device) -> None:
    seq = alice.send("C2Cbob", "secret")["messageSeq"]
    since = bob.cursor()
    edit(alice, "C2Cbob", seq, "more secret")
    recall(alice, "C2Cbob", seq)
    events = bob.events(since)
    assert [event["kind"] for event in events] == ["message.changed", "message.changed"]
    assert "secret" not in str(events)


def test_one_can_only_recall_for_two_minutes(server: LiveServer, alice: Device, bob: Device) -> None:
    seq = alice.send("C2Cbob", "one")["messageSeq"]
    server.clock.advance(limits.RECALL_SECONDS + 1)
    refused = refusal(lambda: recall(alice, "C2Cbob", seq))
    assert (refused.status, refused.code, refused.details["tencent"]) == (410, "recall_expired", 20016)


def test_outsiders_learn_nothing(people: People, alice: Device, bob: Device) -> None:
    carol = people.register("carol")
    group = alice.create_group("Team", "bob")["conversationID"]
    seq = alice.send(group, "secret")["messageSeq"]
    for call in (
        partial(edit, carol, group, seq, "mine now"),
        partial(recall, carol, group, seq),
        partial(react, carol, group, seq, "👍"),
        partial(react, carol, group, seq, "👍", "DELETE"),
        partial(carol.get, f"{message_path(group, seq)}/readers"),
        partial(carol.get, "/v1/search", q="secret", conversationID=group),
    ):
        refused = refusal(call)
        assert (refused.status, refused.code) == (404, "conversation_not_found")
    assert carol.get("/v1/search", q="secret")["messages"] == []
    assert alice.texts(group)[-1] == "secret"


def test_who_has_read(alice: Device, bob: Device) -> None:
    seq = alice.send("C2Cbob", "one")["messageSeq"]
    path = f"{message_path('C2Cbob', seq)}/readers"
    bob_as_user = {"userID": "bob", "nick": None}
    assert alice.get(path)["unread"][0].items() >= bob_as_user.items()
    bob.read("C2Calice", seq)
    answer = alice.get(path)
    assert (answer["readCount"], answer["unreadCount"], answer["unread"]) == (1, 0, [])
    assert answer["read"][0].items() >= bob_as_user.items()
    refused = refusal(lambda: bob.get(f"{message_path('C2Calice', seq)}/readers"))
    assert (refused.status, refused.code) == (403, "not_your_message")


def test_search_pages_with_a_cursor(alice: Device, bob: Device) -> None:
    for number in range(5):
        alice.send("C2Cbob", f"你好 {number}")
    found: list[str] = []
    more: dict[str, str] = {}
    while True:
        answer = bob.get("/v1/search", q="好", limit=2, **more)
        found += [message["text"] for message in answer["messages"]]
        if answer["next"] is None:
            break
        more = {"cursor": answer["next"]}
    assert found == [f"你好 {number}" for number in reversed(range(5))]
    assert bob.get("/v1/search", q="你好 3", conversationID="C2CALICE")["messages"][0]["conversationID"] == "C2Calice"


@pytest.mark.parametrize("seq", ["0", "x", "-1", "1.5", "9" * 30, "１"])
def test_what_is_no_number_of_a_message(alice: Device, bob: Device, seq: str) -> None:
    alice.send("C2Cbob", "one")
    path = message_path("C2Cbob", quote(seq))
    for method, rest, body in (
        ("PATCH", "", {"text": "two"}),
        ("DELETE", "", None),
        ("GET", "/readers", None),
        ("PUT", "/reactions/%F0%9F%91%8D", None),
    ):
        answer = alice.request(method, path + rest, body)
        code = answer.json()["error"]["code"]
        assert (answer.status_code, code) in ((400, "invalid_request"), (404, "message_not_found")), answer.text
    assert alice.texts("C2Cbob") == ["one"]


@pytest.mark.parametrize(
    ("body", "code", "status"),
    [
        ({}, "invalid_request", 400),
        ({"text": 1}, "invalid_request", 400),
        ({"text": "two", "clientID": "x"}, "invalid_request", 400),
        ({"text": "\x1b"}, "text_empty", 400),
        ({"text": "x" * 8193}, "text_too_long", 413),
        ({"text": "two", "mentions": ["nobody"]}, "user_not_found", 404),
        ({"text": "two", "operationID": ""}, "invalid_request", 400),
    ],
)
def test_a_misshapen_edit_changes_nothing(alice: Device, bob: Device, body: Json, code: str, status: int) -> None:
    alice.send("C2Cbob", "one")
    refused = refusal(lambda: alice.patch(message_path("C2Cbob", 1), body))
    assert (refused.status, refused.code) == (status, code)
    assert alice.history("C2Cbob")[0]["version"] == 1


@pytest.mark.parametrize("emoji", ["a", "%3Cb%3E", "%F0%9F%91%8D%F0%9F%91%8D", "%1B", "%FF", "%2F"])
def test_what_is_no_emoji(alice: Device, bob: Device, emoji: str) -> None:
    alice.send("C2Cbob", "one")
    answer = alice.request("PUT", f"{message_path('C2Cbob', 1)}/reactions/{emoji}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_emoji")


def test_the_same_operation_many_times_at_once_is_one_change(people: People, alice: Device, bob: Device) -> None:
    seq = alice.send("C2Cbob", "one")["messageSeq"]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: edit(alice, "C2Cbob", seq, "two", operationID="op"), range(16)))
        reactions = list(pool.map(lambda _: react(bob, "C2Calice", seq, "👍"), range(16)))
    assert {answer["message"]["version"] for answer in answers} == {2}
    assert len({answer["eventSeq"] for answer in answers}) == 1
    assert {answer["message"]["version"] for answer in reactions} == {3}


def test_edits_reactions_and_a_recall_at_once_end_in_one_state(people: People, alice: Device, bob: Device) -> None:
    seq = alice.send("C2Cbob", "one")["messageSeq"]
    since = bob.cursor()

    def attempt(number: int) -> None:
        if number == 12:
            recall(alice, "C2Cbob", seq)
        elif number % 2:
            alice.request("PATCH", message_path("C2Cbob", seq), {"text": f"text {number}"})
        else:
            bob.request("PUT", f"{message_path('C2Calice', seq)}/reactions/{quote('👍👎😀😁😂🤣😃'[number % 7])}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(attempt, range(24)))
    [message] = bob.history("C2Calice")
    assert (message["text"], message["recalled"], message["reactions"]) == ("", True, {})
    told = bob.events(since)
    assert [event["message"]["version"] for event in told][-1] == message["version"] == 1 + len(told)
    assert bob.get("/v1/search", q="text")["messages"] == []


def test_the_largest_change_fits_into_a_frame(people: People, alice: Device) -> None:
    members = [people.register(f"{'m' * 28}{number:02}") for number in range(22)]
    group = alice.create_group("Team", *[one.user_id for one in members])["conversationID"]
    text = '"' * limits.TEXT_BYTES
    mentions = [one.user_id for one in members]
    seq = alice.post(f"{path_of(group)}/messages", {"clientID": "x", "text": text, "mentions": mentions})["message"][
        "messageSeq"
    ]
    for emoji in "👍👎😀😁😂🤣😃😄😅😆":
        for one in members:
            react(one, group, seq, emoji)
    with alice.stream(alice.cursor()) as stream:
        react(members[0], group, seq, "👍", "DELETE")
        raw = stream.socket.recv(timeout=10)
        while '"message.changed"' not in str(raw):
            raw = stream.socket.recv(timeout=10)
        assert len(str(raw).encode()) <= limits.FRAME_BYTES
        assert str(raw).count('"userIDList"') >= limits.REACTION_KINDS
