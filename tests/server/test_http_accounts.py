"""Registering, logging in, tokens and devices, over HTTP."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import AsyncMock

import httpx
import pytest

from tests.accounts import DEADLINE, PASSWORD, Device, People, Refused, refusal
from tests.servers import CHEAP, LiveServer
from tui_chat.protocol import limits
from tui_chat.server.asked import AskedByASGI
from tui_chat.server.request import peer_of
from tui_chat.server.run import ServerOptions, running


@pytest.fixture
def public_server(tmp_path: Path) -> Iterator[LiveServer]:
    live = LiveServer(tmp_path / "public", public_url="https://chat.example.org")
    yield live
    live.stop()


@pytest.fixture
def public_people(public_server: LiveServer) -> Iterator[People]:
    there = People(public_server.url)
    yield there
    there.close()


def test_the_first_account_on_loopback_is_the_administrator(people: People) -> None:
    alice = people.register("alice", nick="Alice")
    bob = people.register("bob")
    me = alice.get("/v1/me")
    assert (me["userID"], me["deviceID"], me["deviceName"], me["nick"]) == ("alice", alice.device_id, "laptop", "Alice")
    assert me["administrator"] is True
    assert me["server"]["syncConversationDeletion"] is False
    assert me["server"]["undoSeconds"] == 600
    assert me["server"]["limits"]["conversationsACall"] == 100
    assert bob.get("/v1/me")["administrator"] is False


def test_a_session_says_how_long_it_lasts(people: People) -> None:
    people.register("alice")
    body = {"userID": "alice", "password": PASSWORD, "deviceName": "phone"}
    session = people.http.post("/v1/login", json=body).json()
    assert session["expiresIn"] == limits.ACCESS_TOKEN_SECONDS
    assert len(session["accessToken"]) >= 43
    assert session["accessToken"] != session["refreshToken"]


def test_names_are_compared_without_case_and_kept_as_registered(people: People) -> None:
    people.register("Alice")
    assert refusal(lambda: people.register("aLICE")).code == "name_taken"
    assert people.login("ALICE").user_id == "Alice"


@pytest.mark.parametrize("user_id", ["", "a b", "-a", "x" * 33, "a\nb", "C2C/x", "ä", "@TIM#SYSTEM"])
def test_a_user_id_has_its_form(people: People, user_id: str) -> None:
    refused = refusal(lambda: people.register(user_id))
    assert (refused.status, refused.code) == (400, "invalid_name")


def test_a_nick_is_changed_and_taken_away(people: People) -> None:
    alice, bob = people.register("alice"), people.register("bob")
    alice.send("C2Cbob", "hello")
    assert alice.patch("/v1/me", {"nick": "Alice \u202e L."})["nick"] == "Alice L."
    assert bob.get("/v1/users/alice") == {"userID": "alice", "nick": "Alice L."}
    assert bob.conversations()["C2Calice"]["name"] == "Alice L."
    assert alice.patch("/v1/me", {"nick": None})["nick"] is None
    assert refusal(lambda: alice.patch("/v1/me", {})).code == "invalid_request"
    assert refusal(lambda: alice.patch("/v1/me", {"nick": "\u200b"})).code == "invalid_name"


@pytest.mark.parametrize("password", ["", "1234567", "x" * 129])
def test_a_password_has_its_length(people: People, password: str) -> None:
    refused = refusal(lambda: people.register("alice", password=password))
    assert (refused.status, refused.code) == (400, "invalid_request")
    assert "8 to 128" in refused.message


def test_names_are_cleaned(people: People) -> None:
    alice = people.register("alice", device="lap\x1b]52;c;AAAA\x07top\u202e", nick="A\x1b[31mlice\n")
    me = alice.get("/v1/me")
    assert me["deviceName"] == "lap]52;c;AAAAtop"
    assert me["nick"] == "A[31mlice"


def test_wrong_password_and_unknown_user_look_alike(people: People) -> None:
    people.register("alice")
    wrong = refusal(lambda: people.login("alice", password="wrong password"))
    unknown = refusal(lambda: people.login("nobody", password="wrong password"))
    assert (wrong.status, wrong.code, wrong.message, wrong.details) == (
        unknown.status,
        unknown.code,
        unknown.message,
        unknown.details,
    )
    assert (wrong.status, wrong.code) == (401, "wrong_password")


@pytest.mark.parametrize("user_id", ["alice", "nobody"])
def test_guessing_is_slowed_down(server: LiveServer, people: People, user_id: str) -> None:
    people.register("alice")
    codes = [refusal(lambda: people.login(user_id, password="wrong password")).code for _ in range(6)]
    assert codes == ["wrong_password"] * 5 + ["too_frequent"]
    refused = refusal(lambda: people.login(user_id))
    assert refused.status == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 15
    server.clock.advance(16)
    if user_id == "alice":
        people.login("alice")
        people.login("alice")


def test_without_a_token_there_is_nothing(people: People) -> None:
    for headers in ({}, {"Authorization": "Bearer"}, {"Authorization": "Bearer x"}, {"Authorization": "Basic eA=="}):
        answer = people.http.get("/v1/me", headers=headers)
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "unauthorized"
        assert answer.headers["www-authenticate"] == "Bearer"


def test_an_access_token_runs_out(server: LiveServer, people: People) -> None:
    alice = people.register("alice")
    alice.get("/v1/me")
    server.clock.advance(limits.ACCESS_TOKEN_SECONDS + 120)
    assert refusal(lambda: alice.get("/v1/me")).code == "unauthorized"


def refresh(device: Device, token: str) -> Device:
    answer = device.http.post("/v1/token/refresh", json={"refreshToken": token})
    if answer.status_code != 200:
        raise Refused(answer)
    return Device(device.http, answer.json())


def test_refreshing_gives_a_new_pair(server: LiveServer, people: People) -> None:
    alice = people.register("alice")
    server.clock.advance(limits.ACCESS_TOKEN_SECONDS + 120)
    again = refresh(alice, alice.refresh_token)
    assert again.device_id == alice.device_id
    assert again.get("/v1/me")["userID"] == "alice"
    assert refresh(again, again.refresh_token).get("/v1/me")


def test_an_old_refresh_token_revokes_the_device(server: LiveServer, people: People) -> None:
    alice = people.register("alice")
    second = refresh(alice, alice.refresh_token)
    second.get("/v1/me")
    third = refresh(second, second.refresh_token)
    third.get("/v1/me")
    assert refusal(lambda: refresh(alice, alice.refresh_token)).code == "unauthorized"
    assert refusal(lambda: third.get("/v1/me")).code == "unauthorized"
    assert refusal(lambda: refresh(third, third.refresh_token)).code == "unauthorized"


def test_a_lost_answer_to_a_refresh_can_be_asked_for_again(people: People) -> None:
    alice = people.register("alice")
    refresh(alice, alice.refresh_token)  # The answer is lost: its token is never used.
    again = refresh(alice, alice.refresh_token)
    assert again.get("/v1/me")["userID"] == "alice"


def test_logging_out_ends_the_token(people: People) -> None:
    alice = people.register("alice")
    phone = people.login("alice")
    alice.post("/v1/logout")
    assert refusal(lambda: alice.get("/v1/me")).code == "unauthorized"
    assert refusal(lambda: refresh(alice, alice.refresh_token)).code == "unauthorized"
    assert [each["deviceID"] for each in phone.get("/v1/devices")["devices"]] == [phone.device_id]


def test_devices_are_listed_and_revoked(people: People) -> None:
    alice, bob = people.register("alice"), people.register("bob")
    phone = people.login("alice", device="phone")
    devices = alice.get("/v1/devices")["devices"]
    assert {each["name"]: each["current"] for each in devices} == {"laptop": True, "phone": False}
    assert refusal(lambda: bob.remove(f"/v1/devices/{phone.device_id}")).code == "device_not_found"
    alice.remove(f"/v1/devices/{phone.device_id}")
    assert refusal(lambda: phone.get("/v1/me")).code == "unauthorized"
    assert refusal(lambda: alice.remove(f"/v1/devices/{phone.device_id}")).code == "device_not_found"


@pytest.mark.parametrize(
    "headers",
    [{"Host": "chat.example.org"}, {"X-Forwarded-For": "10.0.0.1"}, {"Forwarded": "for=10.0.0.1"}],
)
def test_what_came_through_a_proxy_needs_an_invitation(people: People, headers: dict[str, str]) -> None:
    people.register("alice")
    body = {"userID": "bob", "password": PASSWORD, "deviceName": "x"}
    answer = people.http.post("/v1/register", json=body, headers=headers)
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "registration_closed"


@pytest.mark.parametrize("first", [b"evil.example", b"127.0.0.1"])
def test_a_request_for_two_hosts_is_refused(server: LiveServer, first: bytes) -> None:
    body = json.dumps({"userID": "bob", "password": PASSWORD, "deviceName": "x"}).encode()
    head = b"POST /v1/register HTTP/1.1\r\nHost: %b\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n"
    with socket.create_connection(("127.0.0.1", httpx.URL(server.url).port or 0), timeout=DEADLINE) as raw:
        raw.sendall(head % (first, len(body)) + body)
        answer = raw.recv(4096)
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"invalid_request" in answer


def test_a_public_server_wants_an_invitation_and_prints_the_first(
    public_server: LiveServer, public_people: People
) -> None:
    invitation = public_server.running.listening.invitation
    assert invitation
    assert refusal(lambda: public_people.register("mallory")).code == "registration_closed"
    assert refusal(lambda: public_people.register("mallory", invite="guessed")).code == "registration_closed"
    alice = public_people.register("alice", invite=invitation)
    assert alice.get("/v1/me")["administrator"] is True
    assert refusal(lambda: public_people.register("mallory", invite=invitation)).code == "registration_closed"
    further = alice.post("/v1/admin/invites")
    assert further["expiresIn"] > 0
    bob = public_people.register("bob", invite=further["invite"])
    assert bob.get("/v1/me")["administrator"] is False
    assert refusal(lambda: public_people.register("carol", invite=further["invite"])).code == "registration_closed"
    assert refusal(lambda: bob.post("/v1/admin/invites")).code == "administrator_only"


def test_a_loopback_server_has_no_invitation_to_print(server: LiveServer) -> None:
    assert server.running.listening.invitation is None
    assert server.running.listening.reached_at == server.url


def test_the_first_account_is_made_at_the_address_that_people_use(public_server: LiveServer, tmp_path: Path) -> None:
    assert public_server.running.listening.reached_at == public_server.options.public_url
    everywhere = LiveServer(tmp_path / "everywhere", host="0.0.0.0", insecure=True)
    everywhere.stop()
    port = everywhere.url.rpartition(":")[2]
    assert everywhere.running.listening.reached_at == f"http://{socket.gethostname()}:{port}"


def test_registration_can_be_switched(server: LiveServer, people: People) -> None:
    people.register("alice")
    server.change_settings(registration="invite")
    assert refusal(lambda: people.register("bob")).code == "registration_closed"
    server.change_settings(registration="open")
    headers = {"Host": "chat.example.org"}
    body = {"userID": "bob", "password": PASSWORD, "deviceName": "x"}
    assert people.http.post("/v1/register", json=body, headers=headers).status_code == 200


def test_addresses_are_limited_beyond_loopback(tmp_path: Path) -> None:
    live = LiveServer(tmp_path / "proxied", trusted_proxy=("127.0.0.1",))
    try:
        with httpx.Client(base_url=live.url, trust_env=False) as http:
            body = {"userID": "nobody", "password": "wrong password", "deviceName": "x"}

            def status(forwarded: str, user_id: str) -> int:
                headers = {"X-Forwarded-For": forwarded}
                return http.post("/v1/login", json={**body, "userID": user_id}, headers=headers).status_code

            assert [status("10.0.0.7", f"user{n}") for n in range(6)] == [401] * 5 + [429]
            assert status("10.0.0.8", "user9") == 401
            assert status("10.0.0.9, 10.0.0.7", "user8") == 429, "what a client claims before the proxy does not count"
            assert status("10.0.0.7, 127.0.0.1", "user8") == 429, "a trusted proxy behind another is passed over"
            assert status("10.0.0.6, nonsense", "user8") == 401, "what is no address is not believed"
    finally:
        live.stop()


@pytest.mark.parametrize(
    ("trusted", "connection", "forwarded", "address"),
    [
        ("10.0.0.1", "10.0.0.1", b"10.0.0.9", "10.0.0.9"),
        ("10.0.0.1", "::ffff:10.0.0.1", b"10.0.0.9", "10.0.0.9"),
        ("::ffff:10.0.0.1", "10.0.0.1", b"10.0.0.9, ::ffff:a00:1", "10.0.0.9"),
        ("2001:DB8:0::1", "2001:db8::1", b"10.0.0.9, 2001:db8:0:0::1", "10.0.0.9"),
        ("10.0.0.1", "10.0.0.2", b"10.0.0.9", "10.0.0.2"),
        ("10.0.0.1", "10.0.0.1", b"nonsense", "10.0.0.1"),
    ],
)
async def test_a_trusted_proxy_is_known_however_its_address_is_spelled(
    tmp_path: Path, trusted: str, connection: str, forwarded: bytes, address: str
) -> None:
    async with running(ServerOptions(port=0, data=tmp_path, passwords=CHEAP, trusted_proxy=(trusted,))) as server:
        scope = {"type": "http", "raw_path": b"/", "query_string": b"", "headers": [(b"x-forwarded-for", forwarded)]}
        asked = AskedByASGI({**scope, "client": (connection, 1)}, AsyncMock(), AsyncMock())
        assert peer_of(server.services, asked).address == address


def test_only_administrators_see_and_change_settings(people: People) -> None:
    alice, bob = people.register("alice"), people.register("bob")
    assert alice.get("/v1/admin/settings")["settings"]["syncConversationDeletion"] is False
    changed = alice.patch("/v1/admin/settings", {"syncConversationDeletion": True})
    assert changed["settings"]["syncConversationDeletion"] is True
    assert bob.get("/v1/me")["server"]["syncConversationDeletion"] is True
    assert refusal(lambda: bob.get("/v1/admin/settings")).code == "administrator_only"
    assert refusal(lambda: bob.patch("/v1/admin/settings", {"undoSeconds": 0})).code == "administrator_only"
    assert refusal(lambda: alice.patch("/v1/admin/settings", {"undoSeconds": 86_401})).status == 400
    assert refusal(lambda: alice.patch("/v1/admin/settings", {"undoSeconds": -1})).status == 400
