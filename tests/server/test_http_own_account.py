"""One's own account over HTTP: the password, blocking, erasing it; and what others' tokens and IDs are good for."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.accounts import PASSWORD, Device, People, Refused, answer_of, path_of, refusal
from tests.servers import LiveServer
from tui_chat.protocol import events, limits
from tui_chat.server.engines import Transaction
from tui_chat.server.options import HashParameters

NEW = "another battery staple"


def change(one: Device, old: str = PASSWORD, new: str = NEW, **more: Any) -> Any:
    return one.post("/v1/password", {"oldPassword": old, "newPassword": new, **more})


def erase(one: Device, password: str = PASSWORD) -> Any:
    return answer_of(one.request("DELETE", "/v1/me", {"password": password}))


class TestThePassword:
    """Changing it."""

    def test_logs_the_other_devices_out_and_closes_their_sockets(self, people: People) -> None:
        alice = people.register("alice")
        phone = people.login("alice")
        with phone.stream() as theirs, alice.stream() as mine:
            assert change(alice)["devicesRevoked"] == 1
            assert theirs.closed() == events.CLOSE_REVOKED
            assert mine.event("device.revoked")["deviceID"] == phone.device_id
        assert refusal(lambda: phone.get("/v1/me")).code == "unauthorized"
        assert alice.get("/v1/me")["userID"] == "alice"
        assert refusal(lambda: people.login("alice")).code == "wrong_password"
        people.login("alice", password=NEW)

    def test_can_leave_them(self, people: People) -> None:
        alice = people.register("alice")
        phone = people.login("alice")
        assert change(alice, keepDevices=True) == {"devicesRevoked": 0, "eventSeq": 0}
        assert phone.get("/v1/me")["userID"] == "alice"

    def test_needs_the_old_one_and_guessing_it_is_slowed_down(self, people: People) -> None:
        alice = people.register("alice")
        codes = [refusal(lambda: change(alice, old="wrong password")).code for _ in range(6)]
        assert codes == ["password_mismatch"] * 5 + ["too_frequent"]
        assert refusal(lambda: change(alice)).code == "too_frequent"
        assert refusal(lambda: people.login("alice")).code == "too_frequent"

    @pytest.mark.parametrize("new", ["", "1234567", "x" * 129])
    def test_a_new_one_has_its_length(self, people: People, new: str) -> None:
        alice = people.register("alice")
        assert refusal(lambda: change(alice, new=new)).status == 400
        people.login("alice")

    def test_of_two_changes_at_once_one_wins(self, people: People) -> None:
        alice = people.register("alice")
        phone = people.login("alice")

        def attempt(one: Device, new: str) -> str:
            try:
                change(one, new=new)
            except Refused as refused:
                return refused.code
            return "done"

        with ThreadPoolExecutor(2) as pool:
            done = list(pool.map(attempt, [alice, phone], ["the first one", "the second one"]))
        assert sorted(done)[0] == "done"
        assert done.count("done") == 1
        assert set(done) <= {"done", "password_mismatch", "unauthorized"}
        people.login("alice", password="the first one" if done[0] == "done" else "the second one")

    def test_an_old_hash_is_renewed_at_a_log_in(self, tmp_path: Path) -> None:
        def stored(live: LiveServer) -> str:
            return str(live.read(lambda tx: tx.one("SELECT password_hash FROM account")))

        for memory in (8, 16):
            live = LiveServer(tmp_path / "data", passwords=HashParameters(memory_kib=memory))
            there = People(live.url)
            try:
                _ = there.register("alice") if memory == 8 else there.login("alice")
                there.login("alice")
                assert f"m={memory}," in stored(live)
            finally:
                there.close()
                live.stop()


@pytest.fixture
def proxied(tmp_path: Path) -> Iterator[LiveServer]:
    """A server behind a proxy that it trusts, so that requests can come from anywhere."""
    live = LiveServer(tmp_path / "proxied", trusted_proxy=("127.0.0.1",))
    yield live
    live.stop()


class TestGuessing:
    """Slowed down by account and by address, without locking the owner out."""

    @pytest.fixture
    def log_in(self, proxied: LiveServer) -> Iterator[Callable[[str, str, str], int]]:
        there = People(proxied.url)
        there.register("alice")

        def attempt(address: str, user_id: str, password: str) -> int:
            body = {"userID": user_id, "password": password, "deviceName": "x"}
            return there.http.post("/v1/login", json=body, headers={"X-Forwarded-For": address}).status_code

        yield attempt
        there.close()

    def test_guesses_from_elsewhere_do_not_lock_the_owner_out(self, log_in: Callable[[str, str, str], int]) -> None:
        assert log_in("10.0.0.1", "alice", PASSWORD) == 200
        assert [log_in(f"10.0.1.{n}", "alice", "wrong password") for n in range(6)] == [401] * 5 + [429]
        assert log_in("10.0.2.1", "alice", PASSWORD) == 429, "an address that was never the owner's waits"
        assert log_in("10.0.0.1", "alice", PASSWORD) == 200

    def test_an_address_that_guesses_waits_ever_longer(
        self, proxied: LiveServer, log_in: Callable[[str, str, str], int]
    ) -> None:
        let_in = []
        for number in range(40):
            let_in.append(log_in("10.0.0.1", f"user{number}", "wrong password") == 401)
            proxied.clock.advance(8)
        assert sum(let_in[:3]) == 3
        assert sum(let_in[20:]) <= 4
        assert log_in("10.0.0.2", "alice", PASSWORD) == 200

    def test_an_ipv6_network_is_one_address(self, log_in: Callable[[str, str, str], int]) -> None:
        codes = [log_in(f"2001:db8::{n}", f"user{n}", "wrong password") for n in range(6)]
        assert codes == [401] * 5 + [429]
        assert log_in("2001:db8:0:1::1", "user9", "wrong password") == 401


class TestBlocking:
    """The list, and what the blocked is told."""

    def test_the_blocked_is_told_by_a_code_and_ones_devices_by_an_event(self, people: People) -> None:
        alice, bob = people.register("alice"), people.register("bob")
        phone = people.login("alice")
        with phone.stream() as theirs:
            answer_of(alice.request("PUT", "/v1/blocks/BOB"))
            event = theirs.event("user.blocked")
            assert (event["userID"], event["blocked"]) == ("bob", True)
        assert [each["userID"] for each in phone.get("/v1/blocks")["blocks"]] == ["bob"]
        refused = refusal(lambda: bob.send("C2Calice", "hello"))
        assert (refused.status, refused.code, refused.details) == (403, "blocked", {"tencent": 20007})
        alice.remove("/v1/blocks/bob")
        alice.remove("/v1/blocks/bob")
        bob.send("C2Calice", "hello")
        assert alice.texts("C2Cbob") == ["hello"]

    def test_typing_is_not_passed_on(self, people: People) -> None:
        alice, bob, carol = people.register("alice"), people.register("bob"), people.register("carol")
        alice.create_group("g", "bob", "carol", groupID="g")
        answer_of(alice.request("PUT", "/v1/blocks/bob"))
        with alice.stream() as mine, carol.stream() as hers, bob.stream() as his:
            his.say({"t": "typing", "conversationID": "GROUPg"})
            while (frame := hers.frame())["t"] != "ephemeral":
                pass
            assert (frame["kind"], frame["userID"]) == ("typing", "bob")
            seq = carol.post(f"{path_of('GROUPg')}/messages", {"clientID": "x", "text": "after it"})["eventSeq"]
            assert seq
            while (frame := mine.frame())["t"] == "ping":
                pass
            assert frame["t"] == "events", "alice hears of the message and of no typing before it"


class TestErasing:
    """DELETE /v1/me."""

    def test_ends_everything(self, server: LiveServer, people: People) -> None:
        alice, bob = people.register("alice"), people.register("bob")
        phone = people.login("bob")
        bob.send("C2Calice", "goodbye")
        with bob.stream() as mine, phone.stream() as other:
            erase(bob)
            assert mine.closed() == other.closed() == events.CLOSE_REVOKED
        assert refusal(lambda: bob.get("/v1/me")).code == "unauthorized"
        assert refusal(lambda: people.login("bob")).code == "wrong_password"
        assert refusal(lambda: people.register("Bob")).code == "name_taken"
        assert refusal(lambda: alice.send("C2Cbob", "are you there?")).code == "user_erased"
        server.tidy()
        assert alice.texts("C2Cbob") == ["goodbye"]
        assert refusal(lambda: alice.send("C2Cbob", "are you there?")).code == "user_erased"

    def test_a_process_that_has_not_heard_of_it_lets_nobody_in(self, server: LiveServer, people: People) -> None:
        alice, bob = people.register("alice"), people.register("bob")
        bob.send("C2Calice", "hello")

        def by_another_process(tx: Transaction) -> None:
            [(account,)] = tx.all("SELECT id FROM account WHERE user_id = 'bob'")
            tx.execute("DELETE FROM stream WHERE account = ?", account)
            tx.execute("UPDATE device SET revoked = ? WHERE account = ?", tx.now, account)

        server.write(by_another_process)
        assert refusal(lambda: bob.send("C2Calice", "still here")).code == "unauthorized"
        assert alice.texts("C2Cbob") == ["hello"]

    def test_the_rest_goes_soon_without_being_asked(self, people: People) -> None:
        alice, bob = people.register("alice"), people.register("bob", nick="Robert")
        bob.send("C2Calice", "goodbye")
        with alice.stream() as mine:
            erase(bob)
            event = mine.event("user.changed", deadline=5)
        assert event["user"] == {"userID": "bob", "nick": None}

    def test_needs_the_password(self, people: People) -> None:
        people.register("alice")
        bob = people.register("bob")
        assert refusal(lambda: erase(bob, "wrong password")).code == "password_mismatch"
        assert refusal(lambda: answer_of(bob.request("DELETE", "/v1/me"))).code == "invalid_request"
        assert bob.get("/v1/me")["userID"] == "bob"

    def test_is_not_for_the_last_administrator(self, people: People) -> None:
        alice = people.register("alice")
        assert refusal(lambda: erase(alice)).code == "last_administrator"
        assert alice.get("/v1/me")["administrator"]


class TestLimits:
    """A device that runs wild does not take its user's other devices with it."""

    def test_a_device_has_its_share(self, server: LiveServer, people: People) -> None:
        alice = people.register("alice")
        phone = people.login("alice")
        server.clock.stand_still()
        codes = {alice.request("GET", "/v1/devices").status_code for _ in range(limits.OTHERS_BURST + 1)}
        assert codes == {200, 429}
        assert phone.get("/v1/devices")

    def test_nicks_change_seldom(self, people: People) -> None:
        alice = people.register("alice")
        codes = [alice.request("PATCH", "/v1/me", {"nick": f"Alice {n}"}).status_code for n in range(7)]
        assert codes == [200] * limits.NICKS_BURST + [429] * 2


class TestWhatIsSomebodyElses:
    """Others' IDs and tokens are good for nothing, and what is refused tells nothing."""

    @pytest.fixture
    def three(self, people: People) -> dict[str, Device]:
        """alice the administrator, and bob and carol who talk to each other and have a group."""
        found = {name: people.register(name) for name in ("alice", "bob", "carol")}
        found["bob"].send("C2Ccarol", "between us")
        found["bob"].create_group("ours", "carol", groupID="ours")
        found["bob"].delete("C2Ccarol", batchID="bobs")
        return found

    @pytest.mark.parametrize(
        ("method", "path", "body", "code"),
        [
            ("GET", "/v1/conversations/C2Cbob", None, "conversation_not_found"),
            ("GET", "/v1/conversations/C2Cbob/messages", None, "conversation_not_found"),
            ("GET", "/v1/conversations/GROUPours", None, "conversation_not_found"),
            ("GET", "/v1/conversations/GROUPours/messages", None, "conversation_not_found"),
            ("PATCH", "/v1/conversations/C2Cbob/messages/1", {"text": "x"}, "conversation_not_found"),
            ("DELETE", "/v1/conversations/GROUPours/messages/1", None, "conversation_not_found"),
            ("POST", "/v1/conversations/GROUPours/messages", {"clientID": "x", "text": "x"}, "group_not_found"),
            ("POST", "/v1/conversations/restore", {"batchID": "bobs"}, "operation_not_found"),
            ("DELETE", "/v1/conversations/deletions/bobs", None, "operation_not_found"),
            ("GET", "/v1/groups/ours", None, "group_not_found"),
            ("GET", "/v1/groups/ours/members", None, "group_not_found"),
            ("PATCH", "/v1/groups/ours", {"name": "mine"}, "group_not_found"),
            ("DELETE", "/v1/groups/ours", None, "group_not_found"),
            ("POST", "/v1/groups/ours/members", {"members": ["dave"]}, "group_not_found"),
            ("DELETE", "/v1/groups/ours/members/carol", None, "group_not_found"),
            ("DELETE", "/v1/devices/{device}", None, "device_not_found"),
        ],
    )
    def test_ids(self, people: People, three: dict[str, Device], method: str, path: str, body: Any, code: str) -> None:
        dave = people.register("dave")
        path = path.format(device=three["bob"].device_id)
        assert refusal(lambda: answer_of(dave.request(method, path, body))).code == code
        # The administrator is nobody in particular there.
        assert refusal(lambda: answer_of(three["alice"].request(method, path, body))).code == code

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("GET", "/v1/admin/settings", None),
            ("PATCH", "/v1/admin/settings", {"undoSeconds": 0}),
            ("POST", "/v1/admin/invites", {}),
            ("POST", "/v1/admin/backup", {}),
            ("GET", "/v1/admin/users", None),
            ("GET", "/v1/admin/users/alice", None),
            ("PATCH", "/v1/admin/users/bob", {"administrator": True}),
            ("DELETE", "/v1/admin/users/carol", None),
            ("DELETE", "/v1/admin/users/nobody", None),
            ("DELETE", "/v1/admin/messages/C2Ccarol/1", None),
            ("DELETE", "/v1/admin/messages/nonsense/1", None),
            ("GET", "/v1/admin/audit", None),
        ],
    )
    def test_what_is_for_administrators(self, three: dict[str, Device], method: str, path: str, body: Any) -> None:
        assert refusal(lambda: answer_of(three["bob"].request(method, path, body))).code == "administrator_only"

    def test_a_refresh_token_is_no_access_token_and_the_other_way_round(self, people: People) -> None:
        alice = people.register("alice")
        answer = people.http.get("/v1/me", headers={"Authorization": f"Bearer {alice.refresh_token}"})
        assert answer.status_code == 401
        assert people.http.post("/v1/token/refresh", json={"refreshToken": alice.access_token}).status_code == 401
        assert alice.get("/v1/me")

    def test_a_token_in_the_address_is_not_looked_at(self, people: People) -> None:
        alice = people.register("alice")
        answer = people.http.get("/v1/me", params={"access_token": alice.access_token})
        assert answer.status_code == 401

    def test_every_endpoint_but_the_open_ones_wants_a_token(self, people: People, server: LiveServer) -> None:
        described = people.http.get("/openapi.json").json()["paths"]
        tried = 0
        with httpx.Client(base_url=server.url, trust_env=False) as http:
            for path, methods in described.items():
                for method, operation in methods.items():
                    if "security" not in operation or not path.startswith("/v1/") or path == "/v1/stream":
                        continue
                    answer = http.request(method.upper(), path.replace("{", "").replace("}", ""), content=b"{}")
                    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthorized"), path
                    tried += 1
        assert tried > 40


def test_a_slow_body_takes_no_effect_after_the_device_was_logged_out(server: LiveServer, people: People) -> None:
    alice, _ = people.register("alice"), people.register("bob")
    phone = people.login("alice")

    def body() -> Iterator[bytes]:
        yield b'{"clientID": "late", '
        alice.remove(f"/v1/devices/{phone.device_id}")
        yield b'"text": "too late"}'

    headers = {"Authorization": f"Bearer {phone.access_token}"}
    with httpx.Client(base_url=server.url, trust_env=False) as http:
        answer = http.post(f"{path_of('C2Cbob')}/messages", content=body(), headers=headers)
    assert answer.json()["error"]["code"] == "unauthorized"
    assert alice.conversations() == {}


def test_two_refreshes_at_once_leave_one_device_that_works(people: People) -> None:
    alice = people.register("alice")

    def renew(_: int) -> httpx.Response:
        return people.http.post("/v1/token/refresh", json={"refreshToken": alice.refresh_token})

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(renew, range(4)))
    assert [each.status_code for each in answers] == [200] * 4
    works = [
        people.http.get("/v1/me", headers={"Authorization": f"Bearer {each.json()['accessToken']}"}).status_code == 200
        for each in answers
    ]
    assert works.count(True) == 1
