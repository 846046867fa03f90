"""Every endpoint × everybody who must not: nobody reads or changes what is not theirs.

The table of the server's endpoints drives it: one that is added without an expectation here fails. Each call aims at
what is alice's: her group, in which the callers never were or are no more, her messages, devices, deletions. What only
she may know says SECRET, and must not stand in any answer; and of the database only the caller's own rows may change.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import pytest

from tests.accounts import PASSWORD, Device, Json, People
from tests.servers import LiveServer
from tui_chat.protocol import limits
from tui_chat.server.engines import Row, Transaction
from tui_chat.server.operations import crowdlog
from tui_chat.server.routes import ENDPOINTS

SECRET = "SECRET"
OWN = "own"
"""Answered, with the caller's own and nothing else."""

OF_NOBODY = frozenset({"meta", "setting"})
"""Tables without rows of anybody; they may not change at all."""
IN_THE_BACKGROUND = frozenset({"search_block"})
"""Tables that the server makes of messages by itself, at times of its own."""
BY_ITSELF = frozenset({"indexed_through", "unindexed"})
"""Columns of the same kind."""
PROBE = ("probe",)
"""A row of `meta` with which /healthz tries whether the database can be written."""


class Case(NamedTuple):
    """One call, and how each of the callers fares with it: OWN, or the codes of refusals of which it may be one."""

    stranger: str
    left: str
    kicked: str
    body: Json | None = None
    query: dict[str, str] = {}
    path: dict[str, str] = {}
    """Parameters of the path where they are not those of PARAMETERS."""
    new: tuple[str, ...] = ()
    """Tables to which the call may add rows that have no account, because it makes something new."""


def everybody(fares: str, body: Json | None = None, **more: Any) -> Case:
    """The same for all three."""
    return Case(fares, fares, fares, body, **more)


def outside(code: str, left: str, body: Json | None = None, **more: Any) -> Case:
    """Who never was in the group hears `code`, who is no more in it hears `left`."""
    return Case(code, left, left, body, **more)


CONVERSATION = "/v1/conversations/{conversation_id}"
MESSAGE = f"{CONVERSATION}/messages/{{message_seq}}"
GROUP = "/v1/groups/{group_id}"
ADMIN = "/v1/admin"
NOT_THERE = "message_not_found conversation_not_found not_a_member"
EXPECTED: dict[tuple[str, str], Case] = {
    # Messages.
    ("POST", f"{CONVERSATION}/messages"): outside("group_not_found", "not_a_member", {"clientID": "c1", "text": "x"}),
    ("GET", f"{CONVERSATION}/messages"): outside("conversation_not_found", OWN),
    ("PATCH", MESSAGE): outside("conversation_not_found", NOT_THERE, {"text": "changed"}),
    ("DELETE", MESSAGE): outside("conversation_not_found", NOT_THERE),
    ("GET", f"{MESSAGE}/readers"): outside("conversation_not_found", NOT_THERE),
    ("PUT", f"{MESSAGE}/reactions/{{emoji}}"): outside("conversation_not_found", NOT_THERE),
    ("DELETE", f"{MESSAGE}/reactions/{{emoji}}"): outside("conversation_not_found", NOT_THERE),
    ("GET", "/v1/search"): everybody(OWN, query={"q": "classified"}),
    # Conversations.
    ("GET", "/v1/conversations"): everybody(OWN),
    ("GET", CONVERSATION): outside("conversation_not_found", OWN),
    ("POST", "/v1/conversations/delete"): everybody(OWN, {"conversationIDList": ["GROUPteam", "C2Calice"]}),
    ("POST", "/v1/conversations/clear"): everybody(OWN, {"conversationIDList": ["GROUPteam", "C2Calice"]}),
    ("POST", "/v1/conversations/restore"): everybody("operation_not_found", {"batchID": "alices-batch"}),
    ("POST", "/v1/conversations/read"): everybody(
        OWN, {"items": [{"conversationID": "GROUPteam", "messageSeq": 2**40}]}
    ),
    ("POST", "/v1/conversations/flags"): everybody(OWN, {"conversationIDList": ["GROUPteam"], "pinned": True}),
    ("GET", "/v1/conversations/deletions"): everybody(OWN),
    ("DELETE", "/v1/conversations/deletions/{batch_id}"): everybody("operation_not_found"),
    ("GET", "/v1/sync"): everybody(OWN, query={"since": "{cursor}"}),
    # Accounts.
    ("POST", "/v1/register"): everybody(
        "name_taken", {"userID": "alice", "password": "mine from now on", "deviceName": "x"}
    ),
    ("POST", "/v1/login"): everybody(
        "wrong_password too_frequent", {"userID": "alice", "password": "a good guess", "deviceName": "x"}
    ),
    ("POST", "/v1/token/refresh"): everybody("unauthorized", {"refreshToken": "not a token"}),
    ("POST", "/v1/logout"): everybody(OWN),
    ("POST", "/v1/password"): everybody(
        "password_mismatch too_frequent", {"oldPassword": "a good guess", "newPassword": "another good one"}
    ),
    ("GET", "/v1/me"): everybody(OWN),
    ("PATCH", "/v1/me"): everybody(OWN, {"nick": "alice"}),
    ("DELETE", "/v1/me"): everybody("password_mismatch too_frequent", {"password": "a good guess"}),
    ("GET", "/v1/devices"): everybody(OWN),
    ("DELETE", "/v1/devices/{device_id}"): everybody("device_not_found"),
    ("GET", "/v1/export"): everybody(OWN),
    ("GET", "/v1/users"): everybody(OWN, query={"q": "ali"}),
    ("GET", "/v1/users/{user_id}"): everybody(OWN),
    ("GET", "/v1/blocks"): everybody(OWN),
    ("PUT", "/v1/blocks/{user_id}"): everybody(OWN),
    ("DELETE", "/v1/blocks/{user_id}"): everybody(OWN),
    # Groups.
    ("POST", "/v1/groups"): everybody(
        OWN, {"name": "of my own", "members": []}, new=("conversation", "chat_group", "message")
    ),
    ("GET", GROUP): outside("group_not_found", OWN),
    ("PATCH", GROUP): outside("group_not_found", "not_a_member", {"name": "mine"}),
    ("DELETE", GROUP): outside("group_not_found", "not_a_member"),
    ("POST", f"{GROUP}/join"): outside("group_not_found", "forbidden", {}),
    ("POST", f"{GROUP}/quit"): outside("group_not_found", "not_a_member", {}),
    ("GET", f"{GROUP}/members"): outside("group_not_found", "not_a_member"),
    ("POST", f"{GROUP}/members"): outside("group_not_found", "not_a_member", {"members": ["mallory"]}),
    ("POST", f"{GROUP}/transfer"): outside("group_not_found", "not_a_member", {"userID": "mallory"}),
    ("POST", f"{GROUP}/mute"): outside("group_not_found", "not_a_member", {"muted": True}),
    ("GET", f"{GROUP}/applications"): outside("group_not_found", "not_a_member"),
    ("POST", f"{GROUP}/applications/{{user_id}}"): outside(
        "group_not_found", "not_a_member", {"accept": True}, path={"user_id": "mallory"}
    ),
    ("PATCH", f"{GROUP}/members/{{user_id}}"): outside(
        "group_not_found", "not_a_member", {"role": "admin"}, path={"user_id": "bob"}
    ),
    ("DELETE", f"{GROUP}/members/{{user_id}}"): outside("group_not_found", "not_a_member", path={"user_id": "bob"}),
    # Administration.
    ("GET", f"{ADMIN}/settings"): everybody("administrator_only"),
    ("PATCH", f"{ADMIN}/settings"): everybody("administrator_only", {"undoSeconds": 0}),
    ("POST", f"{ADMIN}/invites"): everybody("administrator_only"),
    ("POST", f"{ADMIN}/backup"): everybody("administrator_only"),
    ("GET", f"{ADMIN}/audit"): everybody("administrator_only"),
    ("GET", f"{ADMIN}/users"): everybody("administrator_only"),
    ("GET", f"{ADMIN}/users/{{user_id}}"): everybody("administrator_only"),
    ("PATCH", f"{ADMIN}/users/{{user_id}}"): everybody("administrator_only", {"administrator": False}),
    ("DELETE", f"{ADMIN}/users/{{user_id}}"): everybody("administrator_only"),
    ("DELETE", f"{ADMIN}/messages/{{conversation_id}}/{{message_seq}}"): everybody("administrator_only"),
    ("GET", "/healthz"): everybody(OWN),
}

Rows = dict[str, dict[tuple[Any, ...], dict[str, Any]]]
"""Table -> primary key -> the row by its columns."""


class Alices:
    """A server with what is alice's, and callers made as they are needed."""

    def __init__(self, data: Path) -> None:
        self.server = LiveServer(data)
        self.people = People(self.server.url)
        self.alice = self.people.register("alice", device=f"{SECRET} laptop")
        self.expired = self.people.register("old")
        self.server.clock.advance(limits.ACCESS_TOKEN_SECONDS + 1)
        self.alice = self.people.login("alice", device=f"{SECRET} phone")
        for name in ("bob", "mallory"):
            self.people.register(name)
        self.alice.create_group("Team", "bob", groupID="team", join="closed")
        self.alice.send("C2Cbob", f"{SECRET} and classified")
        self.alice.create_group(f"{SECRET} circle", groupID="circle")
        self.alice.delete("GROUPcircle", batchID="alices-batch")
        self.alice.request("PUT", "/v1/blocks/mallory")
        self.revoked = self.people.login("alice", device="lost")
        self.alice.remove(f"/v1/devices/{self.revoked.device_id}")
        self._callers = 0

    def stop(self) -> None:
        """End it."""
        self.people.close()
        self.server.stop()

    def stranger(self) -> Device:
        """One who has nothing to do with alice."""
        self._callers += 1
        return self.people.register(f"caller{self._callers}")

    def left(self) -> Device:
        """One who was in the group until they left."""
        return self._former(lambda caller: caller.post("/v1/groups/team/quit"))

    def kicked(self) -> Device:
        """One who was in the group until alice removed them."""
        return self._former(lambda caller: self.alice.remove(f"/v1/groups/team/members/{caller.user_id}"))

    def _former(self, goes: Callable[[Device], Any]) -> Device:
        """Afterwards the group has another name, and a message, that the caller never saw."""
        caller = self.stranger()
        self.alice.patch("/v1/groups/team", {"name": "Team"})
        self.alice.post("/v1/groups/team/members", {"members": [caller.user_id]})
        goes(caller)
        self.alice.patch("/v1/groups/team", {"name": f"{SECRET} team"})
        return caller

    def parameters(self) -> dict[str, str]:
        """What the paths aim at, unless a case says otherwise; the message is one that only members see."""
        secret = self.alice.send("GROUPteam", f"{SECRET} and classified")
        return {
            "conversation_id": "GROUPteam",
            "message_seq": str(secret["messageSeq"]),
            "emoji": "👍",
            "group_id": "team",
            "user_id": "alice",
            "batch_id": "alices-batch",
            "device_id": self.alice.device_id,
            "cursor": self.alice.cursor(),
        }

    def rows(self) -> Rows:
        """Everything in the database that does not change by itself; what groups were told stands in their members'
        logs by then."""
        while self.server.write(crowdlog.spread):
            pass

        def job(tx: Transaction) -> Rows:
            found: Rows = {}
            for (table,) in tx.all("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"):
                if table in IN_THE_BACKGROUND:
                    continue
                columns: list[Row] = tx.all(f"PRAGMA table_info({table})")
                named = [column[1] for column in columns]
                key = [place for place, column in enumerate(columns) if column[5]]
                found[table] = {
                    tuple(row[place] for place in key): {
                        name: value for name, value in zip(named, row, strict=True) if name not in BY_ITSELF
                    }
                    for row in tx.all(f"SELECT * FROM {table}")
                }
            found["meta"].pop(PROBE, None)
            return found

        return self.server.read(job)


@pytest.fixture(scope="module")
def alices(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alices]:
    there = Alices(tmp_path_factory.mktemp("server"))
    yield there
    there.stop()


def owner(table: str, row: dict[str, Any]) -> int | None:
    """The account that a row belongs to; None for what belongs to several, or to nobody."""
    account: int | None = row["id"] if table == "account" else row.get("account")
    return account


def foreign_changes(before: Rows, after: Rows, caller: int | None, new: tuple[str, ...]) -> list[str]:
    """What changed in the database that is not the caller's."""
    found = []
    for table in before.keys() | after.keys():
        was, now = before.get(table, {}), after.get(table, {})
        for key in was.keys() | now.keys():
            if was.get(key) == now.get(key):
                continue
            rows = [side[key] for side in (was, now) if key in side]
            theirs = caller is not None and table not in OF_NOBODY and all(owner(table, row) == caller for row in rows)
            made = table in new and key not in was
            if not theirs and not made:
                found.append(f"{table}: {was.get(key)} -> {now.get(key)}")
    return found


def of_caller(alices: Alices, caller: Device) -> int:
    """The key of the caller's account."""
    row = alices.server.read(lambda tx: tx.one("SELECT id FROM account WHERE user_id = ?", caller.user_id))
    assert row is not None
    return int(row[0])


def filled(value: Any, parameters: dict[str, str]) -> Any:
    """A body or query with `{cursor}` and the like put in."""
    match value:
        case str():
            return parameters[value[1:-1]] if value.startswith("{") else value
        case dict():
            return {name: filled(one, parameters) for name, one in value.items()}
        case _:
            return value


def call(
    alices: Alices, method: str, path: str, case: Case, headers: dict[str, str], parameters: dict[str, str]
) -> tuple[int, str, str]:
    """Status, code of the refusal, and the whole answer as text."""
    there = {name: quote(value, safe="") for name, value in (parameters | case.path).items()}
    address = path.format(**there)
    query = urlencode(filled(case.query, parameters))
    response = alices.people.http.request(
        method, f"{address}?{query}" if query else address, json=case.body, headers=headers
    )
    code = response.json()["error"]["code"] if response.status_code != 200 else ""
    return response.status_code, code, response.text


def test_every_endpoint_has_an_expectation_and_no_other() -> None:
    assert {(endpoint.method, endpoint.path) for endpoint in ENDPOINTS} == set(EXPECTED)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: f"{endpoint.method} {endpoint.path}")
def test_nobody_without_a_valid_token(alices: Alices, endpoint: Any) -> None:
    case = EXPECTED[endpoint.method, endpoint.path]
    alices.server.clock.advance(10)
    tokens = {
        "no token": {},
        "a token of nobody": {"Authorization": "Bearer nobody"},
        "a refresh token": {"Authorization": f"Bearer {alices.alice.refresh_token}"},
        "a token that ran out": {"Authorization": f"Bearer {alices.expired.access_token}"},
        "a token of a device that was logged out": {"Authorization": f"Bearer {alices.revoked.access_token}"},
        "a token in another scheme": {"Authorization": f"Basic {alices.alice.access_token}"},
    }
    parameters = alices.parameters()
    before = alices.rows()
    for name, headers in tokens.items():
        status, code, text = call(alices, endpoint.method, endpoint.path, case, headers, parameters)
        if not endpoint.anyone:
            assert (status, code) == (401, "unauthorized"), name
        assert SECRET not in text, name
    assert foreign_changes(before, alices.rows(), None, ()) == []


@pytest.mark.parametrize("who", ["stranger", "left", "kicked"])
@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: f"{endpoint.method} {endpoint.path}")
def test_everybody_gets_their_own_and_nothing_else(alices: Alices, endpoint: Any, who: str) -> None:
    case = EXPECTED[endpoint.method, endpoint.path]
    alices.server.clock.advance(10)
    caller: Device = getattr(alices, who)()
    parameters = alices.parameters()
    key = of_caller(alices, caller)
    before = alices.rows()
    headers = {"Authorization": f"Bearer {caller.access_token}"}
    status, code, text = call(alices, endpoint.method, endpoint.path, case, headers, parameters)
    fares: str = getattr(case, who)
    assert (OWN if status == 200 else code) in fares.split(), text
    assert SECRET not in text
    assert foreign_changes(before, alices.rows(), key, case.new) == []


def test_the_matrix_would_see_it(alices: Alices) -> None:
    """That alice herself reads the secret where others do not, and that her changes are seen as changes."""
    alices.server.clock.advance(10)
    alices.left()  # From then on the name of the group is one of the secrets.
    parameters = alices.parameters()
    headers = {"Authorization": f"Bearer {alices.alice.access_token}"}
    key = of_caller(alices, alices.expired)
    for method, path in (
        ("GET", f"{CONVERSATION}/messages"),
        ("GET", CONVERSATION),
        ("GET", GROUP),
        ("GET", "/v1/conversations"),
        ("GET", "/v1/devices"),
        ("GET", "/v1/conversations/deletions"),
        ("GET", "/v1/export"),
    ):
        assert SECRET in call(alices, method, path, EXPECTED[method, path], headers, parameters)[2], path
    before = alices.rows()
    alices.alice.flags("GROUPteam", muted=True)
    assert foreign_changes(before, alices.rows(), key, ())
    assert PASSWORD not in str(before), "passwords are stored as hashes"
