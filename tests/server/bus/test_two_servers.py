"""Two servers on one PostgreSQL, with either bus: what happens at one is known at the other at once."""

import threading
import time
from collections.abc import Iterator

import pytest

from tests.accounts import Device, Json, refusal
from tests.buses import NatsServer, eventually
from tests.databases import PostgresServer
from tui_chat.protocol import events, limits
from tui_chat.server import presence, services
from tui_chat.server.bus import exchange

from .servers import Servers, ephemeral, servers

BREAK_SECONDS = 1.0
"""After which somebody is taken to be offline, here."""


@pytest.fixture(scope="module", params=["postgres", "nats"])
def two(
    request: pytest.FixtureRequest, postgres: PostgresServer, nats: NatsServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Servers]:
    bus = "postgres" if request.param == "postgres" else nats.address
    with pytest.MonkeyPatch.context() as quicker:
        quicker.setattr(services, "CHECK_SECONDS", 0.1)
        # So that nothing but the bus tells them in time, however much of that a slow machine needs.
        quicker.setattr(limits, "POSITION_CHECK_SECONDS", 3_600.0)
        quicker.setattr(exchange, "AWAY_SECONDS", 3_600.0)
        with servers(tmp_path_factory.mktemp("two"), postgres.new_database(), bus) as there:
            there.people[0].register("admin")
            yield there


@pytest.fixture
def couple(two: Servers, request: pytest.FixtureRequest) -> tuple[Device, Device]:
    """alice at the first server and bob at the second."""
    return two.couple(str(abs(hash(request.node.name)) % 10_000_000))


def test_messages_are_heard_in_their_order(couple: tuple[Device, Device]) -> None:
    alice, bob = couple
    texts = [f"number {number}" for number in range(20)]
    with bob.stream() as stream:
        for text in texts:
            alice.send(f"C2C{bob.user_id}", text)
        heard = [stream.event("message.new")["message"]["text"] for _ in texts]
    assert heard == texts


def test_a_message_to_a_group_is_heard_by_everybody_once(two: Servers, couple: tuple[Device, Device]) -> None:
    alice, bob = couple
    others = [two.people[1].register(f"{number}.{bob.user_id}") for number in range(5)]
    group = alice.create_group("team", bob.user_id, *(one.user_id for one in others))["conversationID"]
    with bob.stream() as first, bob.stream() as second, others[0].stream() as third, alice.stream() as own:
        for number in range(5):
            (alice, bob)[number % 2].send(group, f"{number}")
        for stream in (first, second, third, own):
            assert [stream.event("message.new")["message"]["text"] for _ in range(5)] == list("01234")


def test_a_waiting_request_is_answered(couple: tuple[Device, Device]) -> None:
    alice, bob = couple
    cursor = bob.cursor()
    answers: list[Json] = []

    def wait() -> None:
        answers.append(bob.sync(cursor, wait=8))

    waiting = threading.Thread(target=wait)
    waiting.start()
    alice.send(f"C2C{bob.user_id}", "wake up")
    waiting.join()
    assert answers[0]["events"], "it was not woken"


def test_a_revoked_device_is_out_everywhere(two: Servers, couple: tuple[Device, Device]) -> None:
    alice, _ = couple
    phone = two.people[1].login(alice.user_id)
    assert phone.get("/v1/me")
    with phone.stream() as stream:
        alice.remove(f"/v1/devices/{phone.device_id}")
        assert stream.closed() == events.CLOSE_REVOKED
    assert refusal(lambda: phone.get("/v1/me")).status == 401


def test_a_changed_setting_is_told_everywhere(two: Servers) -> None:
    admin = two.people[0].login("admin")
    with two.at(1, admin).stream() as stream:
        before = stream.welcome["server"]["undoSeconds"]
        admin.patch("/v1/admin/settings", {"undoSeconds": before + 1})
        told = ephemeral(stream, "settings.changed")
        assert told["server"]["undoSeconds"] == before + 1


def test_typing_is_seen(two: Servers, couple: tuple[Device, Device]) -> None:
    alice, bob = couple
    with alice.stream() as typing, bob.stream() as stream:
        eventually(lambda: _knows(two, 0, bob), "the first server knows where bob is")
        typing.say({"t": "typing", "conversationID": f"C2C{bob.user_id}"})
        told = ephemeral(stream, "typing")
        assert (told["conversationID"], told["userID"]) == (f"C2C{alice.user_id}", alice.user_id)


def test_presence_is_of_all_servers(
    two: Servers, couple: tuple[Device, Device], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "OFFLINE_SECONDS", BREAK_SECONDS)
    alice, bob = couple
    with bob.stream() as stream:
        with alice.stream():
            ephemeral(stream, "presence", userID=alice.user_id, online=True)
            with two.at(1, bob).stream() as late:
                assert ephemeral(late, "presence")["userIDList"] == [alice.user_id]
            with two.at(1, alice).stream():
                pass  # One more socket, at another server, which goes again.
        began = time.monotonic()
        ephemeral(stream, "presence", userID=alice.user_id, online=False)
        assert time.monotonic() - began > BREAK_SECONDS / 2


def _knows(two: Servers, number: int, device: Device) -> bool:
    exchange = two.live[number].running.services.exchange
    user = two.live[number].read(lambda tx: tx.one("SELECT id FROM account WHERE user_id = ?", device.user_id))
    return user is not None and user[0] in exchange.processes.elsewhere()
