"""Calls that name messages by numbers that somebody saw before the server was restored from a backup: refused whole."""

import json
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.accounts import Json, People, path_of
from tui_chat.server.operations.events import CURSOR_DIGITS
from tui_chat.server.routes import ENDPOINTS

BOB = "C2Cbob"
ITEM = path_of(BOB)
MESSAGE = f"{ITEM}/messages/1"
THUMB = f"{MESSAGE}/reactions/{quote('👍')}"
HEART = f"{MESSAGE}/reactions/{quote('💜')}"
CALLS: dict[str, tuple[str, str, Json | None]] = {
    "delete": ("POST", "/v1/conversations/delete", {"conversationIDList": [BOB], "upTo": {BOB: 2}}),
    "clear": ("POST", "/v1/conversations/clear", {"conversationIDList": [BOB], "upTo": {BOB: 1}}),
    "read": ("POST", "/v1/conversations/read", {"items": [{"conversationID": BOB, "messageSeq": 2}]}),
    "send": ("POST", f"{ITEM}/messages", {"clientID": "c1", "text": "so do I", "replyTo": 2}),
    "edit": ("PATCH", MESSAGE, {"text": "hello"}),
    "recall": ("DELETE", MESSAGE, None),
    "react": ("PUT", THUMB, None),
    "take back": ("DELETE", HEART, None),
}
"""Each changes something, of alice's message 1 and bob's message 2."""


class Alice:
    """What the calls are about, with the cursor of what alice sees."""

    def __init__(self, people: People) -> None:
        bob = people.register("bob")
        self.device = people.register("alice")
        self.device.send(BOB, "helo")
        self.device.request("PUT", HEART)
        bob.send("C2Calice", "I like it")
        self.cursor = self.device.cursor()

    def ask(self, name: str, seen_at: str | bytes | None, **more: Any) -> httpx.Response:
        """One of CALLS, with that header; None: without it."""
        method, path, body = CALLS[name]
        headers = [(b"Authorization", f"Bearer {self.device.access_token}".encode())]
        if seen_at is not None:
            headers.append((b"Seen-At", seen_at if isinstance(seen_at, bytes) else seen_at.encode()))
        content = None if body is None else json.dumps(body | more).encode()
        return self.device.http.request(method, path, content=content, headers=headers)

    def seen(self) -> Any:
        """All that the calls could change."""
        return self.device.cursor(), self.device.conversations(), self.device.history(BOB)


@pytest.fixture
def alice(people: People) -> Alice:
    return Alice(people)


def test_every_such_call_is_tried_here() -> None:
    names = {(endpoint.method, endpoint.handler.__name__) for endpoint in ENDPOINTS if endpoint.numbered}
    assert names == {(CALLS[name][0], name.replace(" ", "_")) for name in CALLS}


@pytest.mark.parametrize("name", CALLS)
def test_what_was_seen_before_a_restore_is_refused_and_changes_nothing(alice: Alice, name: str) -> None:
    before = alice.seen()
    number = alice.cursor.rpartition(":")[2]
    epoch = alice.cursor.rpartition(":")[0]
    others: list[str | bytes] = [f"0123456789ab:{number}", f"{epoch}0:{number}", f"x{alice.cursor}"]
    nobodys: list[str | bytes] = ["", epoch, f"{epoch}:", f"{epoch}:x", f"{epoch}:-1", f"{epoch}:1 2", b"\xff"]
    for seen_at in (*others, *nobodys, f"{epoch}:{'1' * (CURSOR_DIGITS + 1)}"):
        answer = alice.ask(name, seen_at)
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "server_restored"), seen_at
    assert alice.seen() == before
    assert alice.ask(name, alice.cursor).status_code == 200
    assert alice.seen() != before


@pytest.mark.parametrize("name", CALLS)
def test_without_the_header_it_is_as_before(alice: Alice, name: str) -> None:
    before = alice.seen()
    assert alice.ask(name, None).status_code == 200
    assert alice.seen() != before


def test_a_body_that_comes_in_pieces_makes_no_difference(alice: Alice) -> None:
    method, path, body = CALLS["delete"]
    headers = {"Authorization": f"Bearer {alice.device.access_token}", "Seen-At": "0123456789ab:1"}
    pieces = iter([json.dumps(body).encode()[:10], json.dumps(body).encode()[10:]])
    answer = alice.device.http.request(method, path, content=pieces, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "server_restored")
    assert BOB in alice.device.conversations()


@pytest.mark.parametrize(("name", "number"), [("send", {}), ("delete", {"operationID": "o1"})])
def test_a_retry_is_known_whatever_was_seen_meanwhile(alice: Alice, name: str, number: Json) -> None:
    first = alice.ask(name, alice.cursor, **number)
    for seen_at in (alice.device.cursor(), None):
        again = alice.ask(name, seen_at, **number)
        assert (again.status_code, again.json()) == (200, first.json())


def test_other_calls_take_no_notice_of_it(alice: Alice) -> None:
    headers = {"Authorization": f"Bearer {alice.device.access_token}", "Seen-At": "0123456789ab:1"}
    body = {"conversationIDList": [BOB], "pinned": True}
    answer = alice.device.http.post("/v1/conversations/flags", json=body, headers=headers)
    assert answer.status_code == 200
