"""People for tests: log-ins that speak to a server as raw HTTP and WebSocket, without any code of the client.

Everything is synchronous; a server fixture runs on a thread or in a process of its own.
"""

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import httpx
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

PASSWORD = "correct horse battery"
DEADLINE = 10.0
"""Seconds after which something that must happen has not."""

Json = dict[str, Any]


class Refused(Exception):
    """The server's refusal of a call."""

    def __init__(self, response: httpx.Response) -> None:
        error = response.json()["error"]
        super().__init__(f"{response.status_code} {error}")
        self.status = response.status_code
        self.code: str = error["code"]
        self.message: str = error["message"]
        self.details: Json = error["details"]
        self.headers = response.headers


class Device:
    """One log-in of a user."""

    _numbers = itertools.count(1)

    def __init__(self, http: httpx.Client, session: Json) -> None:
        self.http = http
        self.url = str(http.base_url).rstrip("/")
        self.user_id: str = session["userID"]
        self.device_id: str = session["deviceID"]
        self.access_token: str = session["accessToken"]
        self.refresh_token: str = session["refreshToken"]

    def at(self, http: httpx.Client) -> "Device":
        """The same log-in, speaking to another server of the same database."""
        session = {
            "userID": self.user_id,
            "deviceID": self.device_id,
            "accessToken": self.access_token,
            "refreshToken": self.refresh_token,
        }
        return Device(http, session)

    # Raw calls.

    def request(self, method: str, path: str, body: Any = None, **query: Any) -> httpx.Response:
        """Any call, whatever it answers."""
        headers = {"Authorization": f"Bearer {self.access_token}"}
        content = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.http.request(method, path, content=content, headers=headers, params=query or None)

    def get(self, path: str, **query: Any) -> Any:
        """The answer of a GET; raises Refused."""
        return answer_of(self.request("GET", path, **query))

    def post(self, path: str, body: Any = None) -> Any:
        """The answer of a POST; raises Refused."""
        return answer_of(self.request("POST", path, {} if body is None else body))

    def patch(self, path: str, body: Any) -> Any:
        """The answer of a PATCH; raises Refused."""
        return answer_of(self.request("PATCH", path, body))

    def remove(self, path: str, **query: Any) -> Any:
        """The answer of a DELETE; raises Refused."""
        return answer_of(self.request("DELETE", path, **query))

    # Commands, with their wire names.

    def send(self, conversation_id: str, text: str, client_id: str | None = None) -> Json:
        """Send a text; the message as it is stored."""
        body = {"clientID": client_id or f"{self.device_id}:{next(self._numbers)}", "text": text}
        message: Json = self.post(f"{path_of(conversation_id)}/messages", body)["message"]
        return message

    def delete(self, *conversation_ids: str, **more: Any) -> Json:
        """Delete conversations; `more` are further fields of the body."""
        body = {"conversationIDList": list(conversation_ids), **more}
        answer: Json = self.post("/v1/conversations/delete", body)
        return answer

    def clear(self, *conversation_ids: str, **more: Any) -> Json:
        """Clear histories."""
        answer: Json = self.post("/v1/conversations/clear", {"conversationIDList": list(conversation_ids), **more})
        return answer

    def restore(self, **which: str) -> Json:
        """Undo: batchID= or operationID=."""
        answer: Json = self.post("/v1/conversations/restore", which)
        return answer

    def read(self, conversation_id: str, message_seq: int) -> Json:
        """Say how far a conversation is read."""
        items = [{"conversationID": conversation_id, "messageSeq": message_seq}]
        answer: Json = self.post("/v1/conversations/read", {"items": items})
        return answer

    def flags(self, *conversation_ids: str, **flags: bool) -> Json:
        """Set pinned=, muted=, markedUnread=."""
        answer: Json = self.post("/v1/conversations/flags", {"conversationIDList": list(conversation_ids), **flags})
        return answer

    def create_group(self, name: str, *members: str, **more: Any) -> Json:
        """Make a group; the answer."""
        answer: Json = self.post("/v1/groups", {"name": name, "members": list(members), **more})
        return answer

    # What there is.

    def conversations(self) -> dict[str, Json]:
        """Every listed conversation, by its ID."""
        found: dict[str, Json] = {}
        cursor: str | None = None
        while True:
            page = self.get("/v1/conversations", **({"cursor": cursor} if cursor else {}), limit=100)
            found |= {each["conversationID"]: each for each in page["conversations"]}
            cursor = page["next"]
            if cursor is None:
                return found

    def conversation(self, conversation_id: str) -> Json:
        """One conversation, listed or not."""
        found: Json = self.get(path_of(conversation_id))
        return found

    def history(self, conversation_id: str, **query: Any) -> list[Json]:
        """One page of messages, the newest unless told otherwise."""
        page: Json = self.get(f"{path_of(conversation_id)}/messages", **query)
        messages: list[Json] = page["messages"]
        return messages

    def texts(self, conversation_id: str) -> list[str]:
        """What stands in a conversation."""
        return [message["text"] for message in self.history(conversation_id)]

    def cursor(self) -> str:
        """Where this device's log stands now."""
        cursor: str = self.get("/v1/sync", limit=1)["cursor"]
        return cursor

    def sync(self, since: str, **query: Any) -> Json:
        """One answer of /v1/sync."""
        answer: Json = self.get("/v1/sync", since=since, **query)
        return answer

    def events(self, since: str) -> list[Json]:
        """Every event after a cursor, over as many answers as it takes; ranges must follow each other."""
        found: list[Json] = []
        while True:
            answer = self.sync(since)
            assert "reset" not in answer, answer
            found += answer["events"]
            since = answer["cursor"]
            if not answer["more"]:
                return found

    @contextmanager
    def stream(self, since: str | None = None, *, hello: bool = True) -> Iterator["Stream"]:
        """An event socket, after its welcome; without `hello` just connected."""
        headers = {"Authorization": f"Bearer {self.access_token}"}
        with connect(
            self.url.replace("http", "ws", 1) + "/v1/stream",
            additional_headers=headers,
            compression=None,
            proxy=None,
            ping_interval=None,
            close_timeout=1,
        ) as socket:
            stream = Stream(socket)
            if hello:
                stream.say({"t": "hello", "since": since})
                stream.welcome = stream.frame()
                assert stream.welcome["t"] == "welcome", stream.welcome
            yield stream


class Stream:
    """The client's end of an event socket. It asserts that ranges follow each other without a gap."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.welcome: Json = {}
        self.position: int | None = None
        self._events: list[Json] = []

    def say(self, frame: Any) -> None:
        """Send a frame: JSON, or text as it is."""
        self.socket.send(frame if isinstance(frame, (str, bytes)) else json.dumps(frame))

    def frame(self, deadline: float = DEADLINE) -> Json:
        """The next frame."""
        text = self.socket.recv(timeout=deadline)
        assert isinstance(text, str), "frames are text"
        frame: Json = json.loads(text)
        if frame["t"] == "events":
            assert self.position is None or frame["from"] == self.position + 1, (self.position, frame)
            self.position = frame["to"]
            self.cursor = frame["cursor"]
        return frame

    def event(self, kind: str | None = None, deadline: float = DEADLINE) -> Json:
        """The next event; with `kind`, the next of that kind, past others."""
        while True:
            while self._events:
                event = self._events.pop(0)
                if kind is None or event["kind"] == kind:
                    return event
            frame = self.frame(deadline)
            if frame["t"] == "events":
                self._events += frame["events"]

    def until(self, event_seq: int) -> list[Json]:
        """Every event up to an eventSeq that must be reached."""
        while self.position is None or self.position < event_seq:
            frame = self.frame()
            if frame["t"] == "events":
                self._events += frame["events"]
        events, self._events = self._events, []
        return events

    def closed(self, deadline: float = DEADLINE) -> int:
        """The code with which the server closes, past whatever comes before."""
        try:
            while True:
                self.socket.recv(timeout=deadline)
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd is not None else 1006


class People:
    """Makes log-ins at one server and closes what they opened."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx.Client(base_url=url, timeout=DEADLINE, trust_env=False, verify=False)

    def register(self, user_id: str, *, device: str = "laptop", **more: Any) -> Device:
        """A new account with its first device."""
        body = {"userID": user_id, "password": PASSWORD, "deviceName": device, **more}
        return Device(self.http, answer_of(self.http.post("/v1/register", json=body)))

    def login(self, user_id: str, *, device: str = "phone", password: str = PASSWORD) -> Device:
        """One more device of an account."""
        body = {"userID": user_id, "password": password, "deviceName": device}
        return Device(self.http, answer_of(self.http.post("/v1/login", json=body)))

    def close(self) -> None:
        """Close the connections."""
        self.http.close()


def path_of(conversation_id: str) -> str:
    """The address of a conversation."""
    return f"/v1/conversations/{quote(conversation_id, safe='')}"


def answer_of(response: httpx.Response) -> Any:
    """The body of a successful answer. Raises Refused."""
    if response.status_code != 200:
        raise Refused(response)
    return response.json()


def refusal(call: Callable[[], Any]) -> Refused:
    """The refusal that a call must meet with."""
    try:
        answer = call()
    except Refused as refused:
        return refused
    raise AssertionError(f"not refused: {answer}")
